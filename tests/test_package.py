"""The names that a notebook needs, as `import wellread` gives them."""

import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = """
import sys
import wellread

tokenizer = wellread.Tokenizer.train(["low lower lowest"] * 3, vocab_size=260)
tokenizer.save("tokenizer/")
tokenizer = wellread.Tokenizer.load("tokenizer/")
ids = tokenizer.encode("text or bytes")
assert ids.dtype == "uint16" and tokenizer.decode(ids) == "text or bytes"
assert tokenizer.decode_bytes(tokenizer.encode(b"\\xff")) == b"\\xff"
index = wellread.build_overlap_index("docs.jsonl", "index/")
texts = ["one two three four five six seven eight", "too short"]
shares = [o.share for o in wellread.measure_overlap(index, texts)]
assert shares == [1.0, None]
wellread.harvest_links, wellread.crawl, wellread.build_corpus, wellread.train_tokenizer
wellread.tokenize_corpus, wellread.write_report, wellread.run_recipe
assert "torch" not in sys.modules

tokens = wellread.tokenize_corpus("docs.jsonl", "tokenizer/", "tokens/", wellread.TokensConfig())
size = wellread.ModelConfig(size="1x64", context=64)
settings = wellread.TrainConfig(steps=1, batch_sequences=1, sequences_per_pass=1, warmup_steps=0)
wellread.train("tokens/", "run/", size, settings)
model = wellread.load_model("run/", device="auto", dtype="bfloat16")
token_ids = __import__("torch").tensor([ids[:3].tolist()])
assert model(token_ids).shape == (1, 3, 260)
samples = wellread.generate(model, tokenizer, ["prompt"], max_new_tokens=4, top_k=40, seed=0)
assert len(samples) == 1 and isinstance(samples[0], str)
[(result, items)] = wellread.evaluate(model, tokenizer, ["demo-winograd"], data="folder/")
assert result.scores[0].metric == "accuracy" and len(items) == 20
assert all(hasattr(wellread, name) for name in wellread.__all__)
import inspect
assert list(inspect.signature(wellread.train).parameters)[:3] == ["tokens", "out", "model"]
"""


@pytest.mark.slow
def test_the_names_that_stay_work_as_written_and_torch_waits_for_a_model(tmp_path: Path) -> None:
    text = "one two three four five six seven eight nine"
    (tmp_path / "docs.jsonl").write_text(f'{{"text": "{text}"}}\n' * 20)
    ran = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]


def test_a_mistyped_name_suggests_the_nearest() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import wellread; wellread.Tokeniser"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.endswith("no attribute 'Tokeniser'. Did you mean: 'Tokenizer'?\n")
