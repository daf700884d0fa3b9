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


STUDY = """
[study]
seeds = [3, 4]
[study.variants]
paper = {}
post-LN = {"model.norm" = "post"}
"no final LN" = {"model.final_norm" = false}
bytes = {"tokenizer.vocab_size" = 257, "model.context" = 96}
uncleaned = {"corpus.filters" = []}
"""
VARY = 'vary = {"model.size" = ["1x64", "2x64"], "train.seed" = [0, 1]}'
SEEDS = 'seeds = [0, 1]\npredict = ["4x64"]\nvary = {"model.size" = ["1x64", "2x64"]}'


def test_what_comes_before_training_is_done_once_for_all_that_share_it(tmp_path: Path) -> None:
    text = GOOD.replace(f"[study]\n{VARY}", STUDY)
    read = read_recipe(recipe(tmp_path, text))
    steps = {step.name: step for step in plan(read, tmp_path / "out")}
    assert [name for name in steps if not name.startswith(("train", "evaluate"))] == [
        "corpus paper", "corpus uncleaned", "tokenizer paper", "tokenizer bytes",
        "tokenizer uncleaned", "tokens paper", "tokens bytes", "tokens uncleaned", "study",
        "report",
    ]  # fmt: skip
    assert [name for name in steps if name.startswith("train")] == [
        "train paper-3", "train paper-4", "train post-LN-3", "train post-LN-4",
        "train no-final-LN-3", "train no-final-LN-4", "train bytes-3", "train bytes-4",
        "train uncleaned-3", "train uncleaned-4",
    ]  # fmt: skip
    taken = {
        name: [path.relative_to(tmp_path / "out").as_posix() for path in steps[name].after]
        for name in ("tokens bytes", "tokenizer uncleaned", "train post-LN-4", "train uncleaned-4")
    }
    assert taken == {
        "tokens bytes": ["corpus/paper", "tokenizer/bytes"],
        "tokenizer uncleaned": ["corpus/uncleaned"],
        "train post-LN-4": ["tokens/paper"],
        "train uncleaned-4": ["tokens/uncleaned"],
    }
    # Its model is of another corpus, and its items are those of all.
    scored = steps["evaluate uncleaned-4"].after
    assert scored == (tmp_path / "out/runs/uncleaned-4", tmp_path / "out/corpus/paper")
    assert read.runs["bytes-4"].settings["tokenizer"].vocab_size == 257
    assert read.runs["bytes-4"].settings["train"].seed == 4
    assert read.runs["post-LN-3"].settings["model"].norm == "post"


def test_sizes_that_are_predicted_are_trained_after_the_prediction(tmp_path: Path) -> None:
    read = read_recipe(recipe(tmp_path, GOOD.replace(VARY, SEEDS)))
    steps = plan(read, tmp_path / "out")
    assert [step.name for step in steps][6:] == [
        "train 2x64-1", "evaluate 1x64-0", "evaluate 1x64-1", "evaluate 2x64-0",
        "evaluate 2x64-1", "study predict", "train 4x64-0", "train 4x64-1", "evaluate 4x64-0",
        "evaluate 4x64-1", "study", "report",
    ]  # fmt: skip
    of_study = {step.name: [path.name for path in step.after] for step in steps}
    family = ["1x64-0", "1x64-1", "2x64-0", "2x64-1"]
    assert of_study["study predict"] == family
    assert of_study["study"] == [*family, "4x64-0", "4x64-1", "prediction"]


def test_a_size_may_have_a_learning_rate_of_its_own(tmp_path: Path) -> None:
    beside = '\nbeside = {"model.size" = {2x64 = {"train.peak_learning_rate" = 1e-3}}}'
    read = read_recipe(recipe(tmp_path, GOOD.replace(VARY, SEEDS + beside)))
    rates = {name: run.settings["train"].peak_learning_rate for name, run in read.runs.items()}
    assert rates["2x64-0"] == rates["2x64-1"] == 1e-3
    assert rates["1x64-0"] == rates["4x64-1"] == 6e-4


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("", r"section \[study\]: its runs would not differ; give vary, variants or seeds"),
        ("sedes = [0]", r"unknown key 'sedes'; did you mean 'seeds'"),
        ("seeds = []", r"seeds: expected one value, or more"),
        ("seeds = [1, 0, 1]", r"seeds: 1 is there twice"),
        (VARY + "\nseeds = [7]", r"train.seed is set by 'vary', and by seeds too; leave one out"),
        ('seeds = [0]\npredict = ["4x64"]', r"predict: names sizes .* so vary model.size"),
        (SEEDS.replace("4x64", "2x64"), r"predict: 2x64 is varied, so its scores are known"),
        (
            SEEDS + '\nbeside = {"model.size" = {3x64 = {}}}',
            r"beside: '3x64' is none of the values that model.size is varied over",
        ),
        (
            SEEDS + '\nbeside = {"model.size" = {1x64 = {"model.size" = "2x64"}}}',
            r"beside: model.size is varied, or set by a variant, too",
        ),
        ("variants = {a = {}, b = {}}", r"variants: 'b' does not differ from 'a'"),
        (
            'variants = {a = {}, b = {"train.steps" = 10}}',
            r"section \[study\]: a and b have the same settings",
        ),
        (
            'variants = {"a b" = {}, "a/b" = {"train.steps" = 9}}',
            r"two runs would be called 'a-b'; name the variants otherwise",
        ),
        (
            VARY + '\nvariants = {a = {}, b = {"train.seed" = 9}}',
            r"train.seed is varied, and set by the variant 'b' too; leave one out",
        ),
        ('variants = {a = {"corpus.sources" = []}}', r"corpus.sources is an input, which runs are"),
    ],
)
def test_a_study_whose_runs_would_not_be_told_apart_is_refused(
    tmp_path: Path, wrong: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_recipe(recipe(tmp_path, GOOD.replace(VARY, wrong)))


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
    text = text.replace(f"[study]\n{VARY}", "")
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
