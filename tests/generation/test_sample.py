"""Samples are exact where they can be, and repeatable where they are random."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from wellread.generation.sample import generate_ids
from wellread.model.gpt2 import GPT2
from wellread.model.load import save_model
from wellread.model.sizes import ModelConfig

PROMPTS = [list(range(n, 3 * n)) for n in range(1, 30, 3)]


@pytest.fixture(scope="module")
def model() -> GPT2:
    shape = ModelConfig(size="2x64", context=64).architecture(vocab_size=100)
    return GPT2(shape).initialise(seed=1).eval()


def test_greedy_equals_hugging_face(model: GPT2, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path)
    theirs.generation_config.eos_token_id = None
    seeds = [0] * len(PROMPTS)
    for prompt, ours in zip(
        PROMPTS, generate_ids(model, PROMPTS, max_new_tokens=6, top_k=1, seeds=seeds), strict=True
    ):
        expected = theirs.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)),
            max_new_tokens=6, do_sample=False, pad_token_id=0,
        )  # fmt: skip
        assert ours.tolist() == expected[0, len(prompt) :].tolist()


def test_a_sample_does_not_depend_on_its_company(model: GPT2) -> None:
    seeds = list(range(len(PROMPTS)))
    together = generate_ids(model, PROMPTS, max_new_tokens=8, seeds=seeds)
    alone = generate_ids(model, PROMPTS[3:4], max_new_tokens=8, seeds=[3])
    assert together[3].tolist() == alone[0].tolist()


def test_a_sample_goes_on_past_the_context(model: GPT2) -> None:
    (ids,) = generate_ids(model, [[1, 2, 3]], max_new_tokens=200, seeds=[0])
    assert len(ids) == 200


def test_top_k_draws_only_from_the_likeliest(model: GPT2) -> None:
    with torch.inference_mode():
        likeliest = set(model(torch.tensor([[5, 6]]))[0, -1].topk(3).indices.tolist())
    drawn = generate_ids(model, [[5, 6]] * 60, max_new_tokens=1, top_k=3, seeds=range(60))
    assert {int(ids[0]) for ids in drawn} == likeliest
