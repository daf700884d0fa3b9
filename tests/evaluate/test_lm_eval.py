"""Our models through lm-evaluation-harness: as its `hf`, exported, and as `wellread`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wellread.model.gpt2 import GPT2
from wellread.model.load import save_model
from wellread.model.sizes import Architecture
from wellread.tokenizer.tokenizer import Tokenizer

TEXT = "The cat sat on the mat, and the dog lay by the door. "
RECORDS = [
    {"text": "The cat sat on the", "last": " mat", "whole": TEXT * 6},
    {"text": "The dog lay by", "last": " the door", "whole": "A dog. " * 40},
    {"text": "", "last": "The", "whole": "é☃"},
]
TASKS: dict[str, dict[str, Any]] = {
    "last": {
        "output_type": "loglikelihood",
        "doc_to_text": "{{text}}",
        "doc_to_target": "{{last}}",
        "target_delimiter": "",
        "metric_list": [{"metric": "acc"}],
    },
    "whole": {
        "output_type": "loglikelihood_rolling",
        "doc_to_text": "",
        "doc_to_target": "{{whole}}",
        "metric_list": [{"metric": "byte_perplexity"}],
    },
    "written": {
        "output_type": "generate_until",
        "doc_to_text": "{{text}}The",
        "doc_to_target": "{{last}}",
        "generation_kwargs": {"until": ["\n", "z"], "max_gen_toks": 24, "do_sample": False},
        "metric_list": [{"metric": "exact_match"}],
    },
}


@pytest.mark.slow
def test_the_harness_finds_the_same_in_an_export_and_by_our_own_name(tmp_path: Path) -> None:
    tokenizer = Tokenizer.train([TEXT], vocab_size=290)
    shape = Architecture(layers=2, width=64, heads=1, context=64, vocab_size=tokenizer.vocab_size)
    model = tmp_path / "model"
    model.mkdir()
    save_model(GPT2(shape).initialise(1), model, end_of_text=tokenizer.end_of_text)
    tokenizer.save(model)
    (tmp_path / "records.jsonl").write_text("".join(json.dumps(r) + "\n" for r in RECORDS))
    for name, task in TASKS.items():
        data = {"test": str(tmp_path / "records.jsonl")}
        given = {"dataset_path": "json", "dataset_kwargs": {"data_files": data}}
        whole = {"task": name, "test_split": "test", **given, **task}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(whole))  # JSON is YAML, too
    theirs = _started(tmp_path, "lm_eval", "hf", f"pretrained={model},dtype=float32")
    ours = _started(tmp_path, "wellread.evaluate.harness", "wellread", f"model={model}")
    for process in (theirs, ours):
        _, said = process.communicate()
        assert process.returncode == 0, said[-3000:]
    for name in TASKS:
        expected, found = _answers(tmp_path, "hf", name), _answers(tmp_path, "wellread", name)
        assert len(found) == len(RECORDS)
        for one, other in zip(found, expected, strict=True):
            assert one == other if name == "written" else one == pytest.approx(other, rel=1e-5)
    assert all(_answers(tmp_path, "wellread", "written"))


def _started(folder: Path, module: str, kind: str, arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", module, "run", "--model", kind, "--model_args", arguments,
        *["--device", "cpu"] * (kind == "hf"), "--batch_size", "1", "--include_path", folder,
        "--tasks", ",".join(TASKS), "--log_samples", "--output_path", folder / kind,
    ]  # fmt: skip
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder / kind)}
    return subprocess.Popen(
        command, env={**os.environ, **offline}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def _answers(folder: Path, kind: str, task: str) -> list[Any]:
    """To each record: the text, or the log-probability with, if asked, whether it is greedy."""
    [path] = (folder / kind).glob(f"**/samples_{task}_[0-9]*.jsonl")  # the rest is the time
    samples = [json.loads(line) for line in path.read_text().splitlines()]
    found = [one["resps"][0][0] for one in sorted(samples, key=lambda one: one["doc_id"])]
    if task == "written":
        return found
    if task == "whole":
        return [float(one) for one in found]
    return [[float(number), int(is_greedy == "True")] for number, is_greedy in found]
