"""A recipe is refused whole, before any work, or it is right."""

import tomllib
from pathlib import Path

import pytest

from wellread.base.errors import InputError
from wellread.pipeline.plan import plan
from wellread.pipeline.recipe import own_recipe, read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"
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
        (
            "steps = 10",
            'steps = "ten"',
            r"section \[train\] with seed = 0: key 'steps': expected `int`",
        ),
        ("steps = 10", "step = 10", r"unknown key 'step'; did you mean 'steps'"),
        ("steps = 10", "steps = 0", r"steps is 0; expected at least 1"),
        ('"1x64"', '"1x65"', r"model size '1x65': the width must be a multiple of 64"),
        ('"train.seed"', '"train.start"', r"train.start is an input, which runs are not compared"),
        ('"train.seed"', '"train.sed"', r"\[train\] with sed = 0: unknown key 'sed'; did you mean"),
        ('"train.seed"', '"trian.seed"', r"that may differ between runs; did you mean 'train'"),
        ('"train.seed"', '"plant.seed"', r"plant.seed needs a section \[plant\]"),
        ('"model.size"', '"size"', r"'size' is not SECTION.KEY of a section that may differ"),
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


PATHS = ("dumps", "sources", "warcs", "vocabulary", "data", "start")  # keys that name files


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_of_ours_is_right(path: Path, tmp_path: Path) -> None:
    for section in tomllib.loads(path.read_text()).values():
        for key in PATHS if isinstance(section, dict) else ():
            named = section.get(key, [])
            for pattern in [named] if isinstance(named, str) else named:
                file = tmp_path / pattern.replace("*", "some")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    read = read_recipe(own_recipe(path.stem), data=tmp_path)
    assert read.name == path.stem
    assert plan(read, tmp_path / "out")


def test_a_run_is_named_after_the_model_that_it_starts_from(tmp_path: Path) -> None:
    (tmp_path / "gpt2").mkdir()
    text = GOOD.replace("steps = 10", 'steps = 10\nstart = "gpt2"')
    text = text.replace(
        '[study]\nvary = {"model.size" = ["1x64", "2x64"], "train.seed" = [0, 1]}', ""
    )
    read = read_recipe(recipe(tmp_path, text))
    assert list(read.runs) == ["gpt2"]
    assert read.stages["train"].start == str(tmp_path / "gpt2")
    elsewhere = recipe(tmp_path, text.replace('"gpt2"', '"distilgpt2"'))
    assert read_recipe(elsewhere).runs["distilgpt2"].settings["train"].start == "distilgpt2"


@pytest.mark.real
def test_the_real_recipe_is_right(real_data: Path) -> None:
    assert len(read_recipe(own_recipe("real"), data=real_data).stages) == 11


@pytest.mark.parametrize(
    ("tasks", "is_there"),
    [
        ('["held-out"]', False),
        ('["held-out", "extraction:1|documents=9"]', True),
        ('["copying-samples"]', True),
    ],
)
def test_copying_is_measured_where_its_tasks_are_evaluated(
    tmp_path: Path, tasks: str, *, is_there: bool
) -> None:
    (tmp_path / "a.txt").write_text("A text.")
    (tmp_path / "recipe.toml").write_text(
        '[corpus]\nsources = ["a.txt"]\n[tokenizer]\n[tokens]\n[model]\n[train]\n'
        f"[evaluate]\ntasks = {tasks}\n[overlap]\n"
    )
    assert ("overlap copied" in read_recipe(tmp_path / "recipe.toml").stages) is is_there
