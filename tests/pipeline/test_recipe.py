"""A recipe is refused whole, before any work, or it is right."""

from pathlib import Path

import pytest

from wellread.base.errors import InputError
from wellread.pipeline.plan import plan
from wellread.pipeline.recipe import own_recipe, read_recipe

GOOD = """
[corpus]
sources = ["texts"]
[tokenizer]
vocab_size = 300
[tokens]
[model]
context = 32
[train]
steps = 10
warmup_steps = 1
[study]
vary = {"model.size" = ["1x64", "2x64"], "train.seed" = [0, 1]}
[evaluate]
tasks = ["held-out"]
[report]
"""


def recipe(folder: Path, text: str = GOOD) -> Path:
    (folder / "texts").mkdir(exist_ok=True)
    (folder / "recipe.toml").write_text(text)
    return folder / "recipe.toml"


def test_a_study_becomes_a_run_for_every_combination(tmp_path: Path) -> None:
    steps = plan(read_recipe(recipe(tmp_path)), tmp_path / "out")
    assert [step.name for step in steps] == [
        "corpus", "tokenizer", "tokens",
        "train 1x64-0", "train 1x64-1", "train 2x64-0", "train 2x64-1",
        "evaluate 1x64-0", "evaluate 1x64-1", "evaluate 2x64-0", "evaluate 2x64-1",
        "study", "report",
    ]  # fmt: skip
    assert steps[3].out == tmp_path / "out" / "runs" / "1x64-0"


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("[tokens]", "[tokns]", r"unknown section \[tokns\]; did you mean 'tokens'"),
        ("steps = 10", 'steps = "ten"', r"section \[train\]: key 'steps': expected `int`"),
        ("steps = 10", "step = 10", r"unknown key 'step'; did you mean 'steps'"),
        ("steps = 10", "steps = 0", r"steps is less than 1"),
        ('"1x64"', '"1x65"', r"model size '1x65': the width must be a multiple of 64"),
        ('"model.size"', '"size"', r"vary 'size' is neither model.KEY nor train.KEY"),
        ('["texts"]', '["textes"]', r"key 'sources': no file .*textes; mend the recipe"),
        ('sources = ["texts"]', "", r"\[corpus\] needs a section \[crawl\] or the key 'sources'"),
        ("[tokens]", "", r"\[train\] needs a section \[tokens\]"),
        ("[corpus]", "corpus = 1", r"corpus is not a section; write \[corpus\]"),
    ],
)
def test_a_mistake_is_answered_with_what_was_meant(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_recipe(recipe(tmp_path, GOOD.replace(right, wrong)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["demo", "demo-quick"])
def test_the_demos_recipes_are_right(name: str, tmp_path: Path) -> None:
    dump = tmp_path / "web" / "dump" / "RS_demo.zst"
    dump.parent.mkdir(parents=True)
    dump.touch()
    read = read_recipe(own_recipe(name), data=tmp_path)
    assert len(read.runs) == 2


@pytest.mark.real
def test_the_real_recipe_is_right(real_data: Path) -> None:
    assert len(read_recipe(own_recipe("real"), data=real_data).stages) == 9
