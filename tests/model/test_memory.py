"""What loading a model of the paper's second size takes."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wellread.model.gpt2 import GPT2
from wellread.model.load import save_model
from wellread.model.sizes import ModelConfig

# Prints how many MB of private memory the peak of a call is above what was there before.
MEASURE = """
import re, sys, threading, time
from wellread.model.load import load_model, save_model
from pathlib import Path

def private():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1e3

before, peak, done = private(), 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, private())
        time.sleep(0.001)

thread = threading.Thread(target=watch)
thread.start()
network = load_model(sys.argv[1], device="cpu", dtype=sys.argv[2], mapped=sys.argv[3] == "mapped")
if len(sys.argv) > 4:
    save_model(network, Path(sys.argv[4]))
done = True
thread.join()
print(peak - before)
"""
MODEL = 1419  # MB of 354,823,168 numbers in float32
SLACK = 100  # MB, most of it modules that PyTorch imports when it builds a network


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("355M")
    network = GPT2(ModelConfig(size="355M").architecture(50_257))
    source = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.02, generator=source)
    save_model(network, folder)
    return folder


def peak_megabytes(*arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True
    )
    print(arguments[1:], done.stdout)
    return float(done.stdout)


@pytest.mark.slow
def test_a_mapped_model_takes_no_memory_and_a_copied_one_its_own_size(
    model: Path, tmp_path: Path
) -> None:
    assert peak_megabytes(str(model), "float32", "mapped") < SLACK
    assert peak_megabytes(str(model), "bfloat16", "mapped") < MODEL / 2 + SLACK
    assert peak_megabytes(str(model), "float32", "copied") < MODEL + SLACK
    # Saving copies what is turned, one tensor at a time: the views are the file's own order.
    assert peak_megabytes(str(model), "float32", "mapped", str(tmp_path)) < SLACK
