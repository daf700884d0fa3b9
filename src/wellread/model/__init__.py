"""GPT-2's transformer, its sizes, and its weights in and out (section 2.3 of the paper)."""

from wellread.model.gpt2 import GPT2, Cache
from wellread.model.load import load_model, load_tokenizer
from wellread.model.sizes import Architecture, ModelConfig

__all__ = ["GPT2", "Architecture", "Cache", "ModelConfig", "load_model", "load_tokenizer"]
