"""A folder as a recipe leaves it: a small trained tokenizer, two models, a corpus."""

import json
from functools import partial
from pathlib import Path

import pytest

from wellread.formats.checkpoints import write_checkpoint
from wellread.model.gpt2 import GPT2
from wellread.model.load import save_model
from wellread.model.sizes import ModelConfig
from wellread.tokenizer.tokenizer import Tokenizer

LINES = (
    "The function returns a list of the names that were found in the folder, sorted by size.",
    "She opened the door of the shop every morning and counted the boxes by the river.",
)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`demo-quick/` as the page finds it; the models have not been trained."""
    folder = tmp_path_factory.mktemp("playground") / "demo-quick"
    tokenizer = Tokenizer.train(list(LINES) * 3, vocab_size=300)
    for size, seed in (("1x64", 0), ("2x128", 1)):
        run = folder / "runs" / size
        network = GPT2(ModelConfig(size=size, context=64).architecture(300)).initialise(seed)
        write_checkpoint(run, 1, partial(save_model, network), tokens=0, seconds=0.0)
        tokenizer.save(run / "tokenizer")
    (folder / "corpus").mkdir()
    documents = [{"url": f"http://shop.example/{n}", "text": line} for n, line in enumerate(LINES)]
    (folder / "corpus" / "texts.jsonl").write_text("\n".join(map(json.dumps, documents)))
    return folder
