"""Samples are exact where they can be, and repeatable where they are random."""

import copy
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from wellread.base.errors import InputError
from wellread.generation.sample import (
    Sampling,
    Token,
    generate,
    generate_ids,
    sample_texts,
    stream_ids,
    stream_text,
)
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture
from wellread.tokenizer.tokenizer import Tokenizer

CONTEXT, VOCABULARY = 64, 300
TOKENIZER = Tokenizer.train(["the cat sat on the mat, and the hat"] * 9, vocab_size=270)


def network(shape: Architecture) -> GPT2:
    """Weights far enough from each other that no two tokens are nearly as likely."""
    model = GPT2(shape).initialise(seed=1)
    source = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=source) * 0.1)
    return model.eval()


@pytest.fixture(scope="module", params=["pre", "post"])  # with the kernel, and without
def model(request: pytest.FixtureRequest) -> GPT2:
    shape = Architecture(
        layers=2, width=64, heads=2, context=CONTEXT, vocab_size=VOCABULARY, norm=request.param
    )
    return network(shape)


def prompts(count: int) -> list[list[int]]:
    source = np.random.default_rng(0)
    return [source.integers(0, VOCABULARY, size).tolist() for size in source.integers(1, 40, count)]


def test_greedy_equals_hugging_face_on_200_prompts() -> None:
    shape = Architecture(layers=3, width=128, heads=2, context=CONTEXT, vocab_size=VOCABULARY)
    ours = network(shape)
    theirs = GPT2LMHeadModel(
        GPT2Config(n_layer=3, n_embd=128, n_head=2, n_positions=CONTEXT, vocab_size=VOCABULARY)
    ).eval()
    with torch.no_grad():
        for name, weight in ours.named_parameters():
            is_conv1d = weight.dim() == 2 and name.startswith("h.")
            value = weight.t() if is_conv1d else weight
            theirs.get_parameter(f"transformer.{name}").copy_(value)
    given = prompts(200)
    found = generate_ids(ours, given, max_new_tokens=8, top_k=1, seeds=[0] * 200)
    for prompt, (new, _) in zip(given, found, strict=True):
        with torch.no_grad():
            logits_TV = theirs(torch.tensor([[*prompt, *new.tolist()]])).logits[0]
        assert new.tolist() == logits_TV[len(prompt) - 1 : -1].argmax(-1).tolist()


def slow_greedy(model: GPT2, prompt: list[int], count: int) -> list[int]:
    """One pass over everything for each token; past the context from the last half of it."""
    seen = prompt[-(CONTEXT - min(count, CONTEXT // 2)) :]
    new: list[int] = []
    for _ in range(count):
        if len(seen) > CONTEXT:
            seen = seen[-(CONTEXT // 2) :]
        with torch.no_grad():
            new.append(int(model(torch.tensor([seen]))[0, -1].argmax()))
        seen = [*seen, new[-1]]
    return new


def test_with_and_without_cache_are_the_same_past_the_context_too(model: GPT2) -> None:
    given = prompts(6)
    found = generate_ids(model, given, max_new_tokens=150, top_k=1, seeds=[0] * 6)
    for prompt, (new, _) in zip(given, found, strict=True):
        assert new.tolist() == slow_greedy(model, prompt, 150)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_sample_does_not_depend_on_its_company(model: GPT2, dtype: torch.dtype) -> None:
    if model.config.norm == "post" and dtype == torch.bfloat16:
        pytest.skip("PyTorch's products do it, which round as the size of the batch has it")
    given, seeds = prompts(20), list(range(20))
    given[7:9] = [given[3], given[3]]  # is read once
    sampling = Sampling(max_new_tokens=30, top_k=20)
    model = copy.deepcopy(model).to(dtype)
    alone = [
        [
            token._replace(sample=number)
            for token in stream_ids(model, [prompt], sampling, seeds=[number], end_of_text=9)
        ]
        for number, prompt in enumerate(given)
    ]
    for rows in (1, 3, 64):
        together: list[list[Token]] = [[] for _ in given]
        for token in stream_ids(model, given, sampling, seeds=seeds, end_of_text=9, rows=rows):
            together[token.sample].append(token)
        assert [[t.id for t in tokens] for tokens in together] == [
            [t.id for t in tokens] for tokens in alone
        ]
        if model.config.norm == "pre":
            assert together == alone


def test_log_probabilities_are_the_models_whatever_the_temperature(model: GPT2) -> None:
    sampling = Sampling(max_new_tokens=5, temperature=0.3, top_k=7, top_p=0.9)
    tokens = list(stream_ids(model, [[5, 6]], sampling, seeds=[3]))
    ids = torch.tensor([[5, 6, *(token.id for token in tokens)]])
    with torch.no_grad():
        log_probs = model(ids).log_softmax(-1)
    expected = [log_probs[0, 1 + at, token.id].item() for at, token in enumerate(tokens)]
    assert [token.log_prob for token in tokens] == pytest.approx(expected, abs=1e-4)


def test_the_end_of_a_text_has_its_log_probability_too(model: GPT2) -> None:
    given = [[5, 6]] * 40
    sampling = Sampling(max_new_tokens=4)
    end = next(stream_ids(model, given, sampling, seeds=range(40))).id
    found = generate_ids(model, given, max_new_tokens=4, seeds=range(40), end_of_text=end)
    assert any(len(log_probs) > len(ids) for ids, log_probs in found)
    for ids, log_probs in found:
        assert end not in ids
        ended = [end] if len(log_probs) > len(ids) else []
        assert ended or len(ids) == 4
        text = [*ids.tolist(), *ended]
        with torch.no_grad():
            expected = model(torch.tensor([[5, 6, *text]])).log_softmax(-1)[0, 1:-1]
        assert log_probs == pytest.approx(expected[range(len(text)), text].numpy(), abs=1e-4)


def shares(model: GPT2, sampling: Sampling) -> Counter[int]:
    drawn = generate_ids(
        model, [[5, 6]] * 4000, max_new_tokens=1, seeds=range(4000),
        temperature=sampling.temperature, top_k=sampling.top_k,
    )  # fmt: skip
    return Counter(int(ids[0]) for ids, _ in drawn)


def test_tokens_are_drawn_as_often_as_they_are_likely(model: GPT2) -> None:
    with torch.no_grad():
        logits = model(torch.tensor([[5, 6]]))[0, -1].double()
    likely = logits.topk(4)
    weights = (likely.values / 2.0).softmax(0)
    drawn = shares(model, Sampling(temperature=2.0, top_k=4))
    assert set(drawn) == set(likely.indices.tolist())
    for number, weight in zip(likely.indices.tolist(), weights.tolist(), strict=True):
        deviation = math.sqrt(weight * (1 - weight) / 4000)
        assert abs(drawn[number] / 4000 - weight) < 4 * deviation


def test_top_p_draws_from_the_fewest_that_have_the_probability(model: GPT2) -> None:
    with torch.no_grad():
        weights = model(torch.tensor([[5, 6]]))[0, -1].double().softmax(0).sort(descending=True)
    enough = int((weights.values.cumsum(0) < 0.3).sum()) + 1
    sampling = Sampling(max_new_tokens=1, top_p=0.3)
    tokens = stream_ids(model, [[5, 6]] * 500, sampling, seeds=range(500))
    assert {token.id for token in tokens} <= set(weights.indices[:enough].tolist())


def test_a_tie_at_the_edge_of_top_k_stays() -> None:
    shape = Architecture(layers=1, width=64, heads=1, context=8, vocab_size=10)
    model = GPT2(shape).initialise(0).eval()
    with torch.no_grad():
        model.wte.weight.zero_()  # all tokens are equally likely
    drawn = generate_ids(model, [[1]] * 300, max_new_tokens=1, top_k=2, seeds=range(300))
    assert {int(ids[0]) for ids, _ in drawn} == set(range(10))


@pytest.fixture(scope="module")
def writer() -> GPT2:
    return network(Architecture(layers=2, width=64, heads=1, context=48, vocab_size=270))


def test_a_text_ends_before_a_stop_string(writer: GPT2) -> None:
    sampling = Sampling(max_new_tokens=40)
    whole = sample_texts(writer, TOKENIZER, ["the"], sampling)[0]
    raw = TOKENIZER.decode_bytes(whole.ids)
    stop = next(chr(byte) for byte in raw[8:] if byte < 0x80)
    cut = sample_texts(writer, TOKENIZER, ["the"], sampling, stop=["nowhere", stop])[0]
    assert cut.ended == "stop"
    assert cut.text == raw[: raw.index(stop.encode())].decode("utf-8", "replace")
    pieces = stream_text(writer, TOKENIZER, "the", sampling, stop=["nowhere", stop])
    assert "".join(piece.text for piece in pieces) == cut.text


def test_a_stream_gives_the_same_text_and_probability(writer: GPT2) -> None:
    sampling = Sampling(max_new_tokens=60)
    whole = sample_texts(writer, TOKENIZER, ["on"] * 3, sampling, seed=5)[2]
    pieces = list(
        stream_text(writer, TOKENIZER, "on", sampling, seed=5, sample=2, num_likeliest=300)
    )
    assert "".join(piece.text for piece in pieces) == whole.text
    assert [id_ for piece in pieces for id_ in piece.ids] == whole.ids
    assert sum(piece.log_prob for piece in pieces) == pytest.approx(sum(whole.log_probs))
    for piece in pieces:  # all that could have come, the likeliest first
        assert sum(math.exp(one.log_prob) for one in piece.likeliest) == pytest.approx(1)
        assert list(piece.likeliest) == sorted(piece.likeliest, key=lambda one: -one.log_prob)
        if len(piece.ids) == 1:
            assert dict(piece.likeliest)[piece.ids[0]] == pytest.approx(piece.log_prob, abs=1e-5)


def test_the_same_seed_writes_the_same_and_another_does_not(writer: GPT2) -> None:
    def texts(seed: int) -> list[str]:
        return generate(writer, TOKENIZER, ["", "the cat"], max_new_tokens=20, seed=seed)

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0; it must be more than 0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0; at least 1"),
        ({"top_p": 1.5}, "top_p is 1.5; it must be more than 0 and at most 1"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"stop": [""]}, "an empty stop string"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    writer: GPT2, wrong: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        generate(writer, TOKENIZER, ["a"], **wrong)  # type: ignore[arg-type]


def test_a_temperature_that_is_almost_nothing_is_greedy(model: GPT2) -> None:
    def ids(**setting: float) -> list[int]:
        sampling = Sampling(max_new_tokens=5, **setting)  # type: ignore[arg-type]
        return [token.id for token in stream_ids(model, [[1, 2, 3]], sampling, seeds=[0])]

    assert ids(temperature=1e-310) == ids(top_k=1)


def test_generations_that_begin_together_on_a_fresh_model_are_as_one_alone(
    writer: GPT2,
) -> None:
    def write(network: GPT2) -> str:
        return generate(network, TOKENIZER, ["the cat"], max_new_tokens=8)[0]

    expected = write(writer)
    for _ in range(5):
        fresh = copy.deepcopy(writer)
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(write, [fresh] * 4)) == {expected}


def test_one_prompt_that_is_no_list_is_refused(writer: GPT2) -> None:
    with pytest.raises(InputError, match="give a list"):
        generate(writer, TOKENIZER, "a prompt")


def test_a_folder_is_no_model_and_the_call_that_reads_it_is_named() -> None:
    with pytest.raises(InputError, match=r"give wellread\.load_model\('runs/1'\)$"):
        generate("runs/1", TOKENIZER, ["a"])  # type: ignore[arg-type]


def test_one_stop_string_may_be_given_alone(writer: GPT2) -> None:
    [whole] = generate(writer, TOKENIZER, ["a"], max_new_tokens=9)
    end = next(character for character in whole[1:] if character.isascii())
    alone = generate(writer, TOKENIZER, ["a"], max_new_tokens=9, stop=end)
    assert alone == generate(writer, TOKENIZER, ["a"], max_new_tokens=9, stop=[end])
    assert alone == [whole.partition(end)[0]]


def test_an_empty_row_of_ids_is_refused(writer: GPT2) -> None:
    with pytest.raises(InputError, match="prompt 1 is empty"):
        generate_ids(writer, [[1], []], max_new_tokens=1, seeds=[0, 0])


@pytest.mark.parametrize("id_", [-1, VOCABULARY])
def test_an_id_that_the_model_does_not_know_is_refused(model: GPT2, id_: int) -> None:
    with pytest.raises(InputError, match="prompt 1 has an id outside 0 to"):
        generate_ids(model, [[1], [2, id_]], max_new_tokens=2, seeds=[0, 0])


@pytest.mark.parametrize("top_k", [1, 5, None])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_logits_that_are_not_finite_are_refused(
    model: GPT2, value: float, top_k: int | None
) -> None:
    broken = copy.deepcopy(model)
    with torch.no_grad():
        broken.wte.weight[3] = value
    with pytest.raises(InputError, match="logits are not finite"):
        generate_ids(broken, [[3]], max_new_tokens=2, seeds=[0], top_k=top_k)


@pytest.mark.parametrize("rows", [3, 64])
def test_prompts_that_begin_alike_give_what_each_gives_alone(rows: int) -> None:
    shape = Architecture(layers=2, width=64, heads=2, context=CONTEXT, vocab_size=VOCABULARY)
    writer = network(shape)
    source = np.random.default_rng(5)
    base = source.integers(0, VOCABULARY, 40)
    given = [[*base[:length], 7] for length in (3, 12, 12, 13, 24, 39, 40, 40)]
    given += [[*base[:20], *source.integers(0, VOCABULARY, 10)] for _ in range(5)]
    sampling = Sampling(max_new_tokens=12, top_k=40)
    together: list[list[int]] = [[] for _ in given]
    for token in stream_ids(writer, given, sampling, seeds=range(len(given)), rows=rows):
        together[token.sample].append(token.id)
    for number, prompt in enumerate(given):
        alone = [token.id for token in stream_ids(writer, [prompt], sampling, seeds=[number])]
        assert together[number] == alone
