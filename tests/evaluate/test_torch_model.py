"""GPT-2 as a LanguageModel, against its logits read in the slowest, plainest way."""

import numpy as np
import pytest
import torch

from wellread.base.errors import WellreadError
from wellread.base.seeds import generator
from wellread.evaluate.language_model import Request, Scored, TorchModel, fit
from wellread.evaluate.windows import windows
from wellread.model.gpt2 import GPT2
from wellread.model.sizes import Architecture

SHAPE = Architecture(layers=2, width=64, heads=1, context=16, vocab_size=50)
CLOSE = 2e-5


@pytest.fixture(scope="module")
def network() -> GPT2:
    """Weights large enough that no two predictions look alike."""
    model = GPT2(SHAPE).initialise(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    return model.eval()


@torch.no_grad()
def slowly(network: GPT2, request: Request) -> Scored:
    """One token at a time, each with as much before it as its whole request leaves room for."""
    room = SHAPE.context + 1 - len(request.continuation)
    ids = [*request.context[-room:].tolist()]
    log_probs, is_greedy = [], True
    for target in request.continuation.tolist():
        predicted = network(torch.tensor([ids]))[0, -1].double().log_softmax(dim=0)
        log_probs.append(float(predicted[target]))
        is_greedy &= int(predicted.argmax()) == target
        ids.append(target)
    return Scored(np.array(log_probs), is_greedy)


def some_requests() -> list[Request]:
    """Alone and in groups of one context, short and too long for the model."""
    source = generator(0, "test requests")
    requests = []
    for length in (1, 2, 5, 15, 16, 40):
        context = source.integers(50, size=length)
        sizes = (1, 3, 4) if length % 5 == 0 else (2,)
        requests += [Request(context, source.integers(50, size=size)) for size in sizes]
    return requests


def assert_equal(found: list[Scored], expected: list[Scored]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.allclose(one.log_probs, other.log_probs, atol=CLOSE)
        assert one.is_greedy == other.is_greedy


def test_log_probabilities_are_those_of_the_logits(network: GPT2) -> None:
    requests = some_requests()
    found = TorchModel(network, end_of_text=49).log_probs(requests)
    assert_equal(found, [slowly(network, request) for request in requests])


@pytest.mark.parametrize("batch_tokens", [1, 20, 100_000])
def test_batch_size_and_order_change_nothing(network: GPT2, batch_tokens: int) -> None:
    requests = some_requests()
    expected = TorchModel(network, end_of_text=49).log_probs(requests)
    lm = TorchModel(network, end_of_text=49, batch_tokens=batch_tokens)
    assert_equal(lm.log_probs(requests[::-1])[::-1], expected)


def test_what_greedy_decoding_writes_is_greedy(network: GPT2) -> None:
    lm = TorchModel(network, end_of_text=49)
    prompt = np.array([1, 2, 3])
    written, log_probs = lm.generate([prompt], max_new_tokens=5, top_k=1, seeds=[0])[0]
    other = np.append(written[:-1], (written[-1] + 1) % 50)
    requests = [Request(prompt, written), Request(prompt, other)]
    scored = lm.log_probs(requests)
    assert [answer.is_greedy for answer in scored] == [True, False]
    np.testing.assert_allclose(scored[0].log_probs, log_probs, atol=1e-5)


def test_a_text_in_windows_costs_what_the_slow_way_says(network: GPT2) -> None:
    ids = generator(0, "text").integers(50, size=45)
    lm = TorchModel(network, end_of_text=49)
    requests = list(windows(ids, context=16, stride=5, prefix=49))
    found = np.concatenate([scored.log_probs for scored in lm.log_probs(requests)])
    assert len(found) == 45
    assert_equal(lm.log_probs(requests), [slowly(network, request) for request in requests])


def test_a_continuation_longer_than_the_context_is_an_error(network: GPT2) -> None:
    request = Request(np.array([1]), np.arange(17))
    with pytest.raises(WellreadError, match="17 tokens does not fit into the model's 16 positions"):
        TorchModel(network, end_of_text=49).log_probs([request])


@pytest.mark.parametrize("batch_tokens", [1, 100_000])
def test_what_may_follow_has_the_probabilities_of_the_logits(
    network: GPT2, batch_tokens: int
) -> None:
    requests = [*some_requests(), Request(np.arange(20), np.array([], int))]
    lm = TorchModel(network, end_of_text=49, batch_tokens=batch_tokens)
    found = lm.next_log_probs(requests)
    assert found.shape == (len(requests), 50)
    for row, request in zip(found, requests, strict=True):
        for target in (0, 7):
            whole = Request(request.context, np.append(request.continuation, target))
            assert row[target] == pytest.approx(slowly(network, whole).log_probs[-1], abs=CLOSE)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_by_the_kernel_no_bit_depends_on_what_else_is_scored(dtype: torch.dtype) -> None:
    shape = Architecture(layers=2, width=64, heads=1, context=96, vocab_size=300)
    network = GPT2(shape).initialise(3).to(dtype).eval()
    source = np.random.default_rng(0)
    shared = source.integers(0, 300, 80)
    requests = [
        Request(shared[: source.integers(1, 80)], source.integers(0, 300, source.integers(1, 16)))
        for _ in range(40)
    ] + [Request(shared, source.integers(0, 300, 90))]
    together = TorchModel(network, 299).log_probs(requests)
    few = TorchModel(network, 299, batch_tokens=100).log_probs(requests[::-1])[::-1]
    alone = [TorchModel(network, 299).log_probs([request])[0] for request in requests]
    for one, other, third in zip(together, few, alone, strict=True):
        assert one.log_probs.tolist() == other.log_probs.tolist() == third.log_probs.tolist()
        assert one.is_greedy == other.is_greedy == third.is_greedy
    ids = torch.from_numpy(np.concatenate(fit(requests[-1], 96))[None, :-1])
    with torch.inference_mode():
        exact = (
            network.double()(ids)
            .log_softmax(dim=2)[0, -90:]
            .gather(1, torch.from_numpy(requests[-1].continuation)[:, None])
        )
    close = 1e-5 if dtype == torch.float32 else 2e-2
    assert np.abs(together[-1].log_probs - exact[:, 0].numpy()).max() < close
