"""`--plan` says what running the recipe would do."""

import re
from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import InputError
from wellread.base.manifest import MANIFEST
from wellread.base.previous import PREVIOUS, set_aside
from wellread.cli.main import main
from wellread.pipeline.plan import check, plan, run_recipe, states, up_to
from wellread.pipeline.recipe import read_recipe
from wellread.pipeline.why import artifact_of

RECIPE = """
[corpus]
sources = ["texts.jsonl"]
filters = []
near_duplicate_similarity = {similarity}

[tokenizer]
vocab_size = 260

[tokens]
"""


def said(recipe: Path, out: Path, data: Path | None = None) -> list[str]:
    return [state for _, state in states(plan(read_recipe(recipe, data=data), out))]


def test_the_plan_is_what_will_be_done(tmp_path: Path) -> None:
    rows = [
        {"text": f"The {word} cat sat on the mat and the dog saw it. " * 9, "url": f"http://{word}"}
        for word in ("old", "young", "wild", "tame", "black", "white")
    ]
    (tmp_path / "texts.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    recipe, out = tmp_path / "recipe.toml", tmp_path / "out"
    recipe.write_text(RECIPE.format(similarity=1.0))
    assert said(recipe, out) == ["to do", "to do", "to do"]
    assert not out.exists()
    run_recipe(recipe, out)
    assert said(recipe, out) == ["up to date"] * 3
    recipe.write_text(RECIPE.format(similarity=0.99))
    assert said(recipe, out) == ["to redo: changed", "depends on corpus", "depends on tokenizer"]
    with pytest.raises(InputError, match=rf"it holds {out}/corpus, {out}/tokenizer"):
        artifact_of(out)


def test_train_with_a_recipe_is_the_run_up_to_its_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "texts", tmp_path / "out"
    folder.mkdir()
    (folder / "a.txt").write_text("".join(f"Line {n} is not line {n + 1}.\n" for n in range(300)))
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        '[corpus]\nsources = ["texts"]\nfilters = []\n[tokenizer]\nvocab_size = 260\n[tokens]\n'
        '[model]\nsize = "1x64"\ncontext = 16\n[train]\nbatch_sequences = 8\nsteps = 2\n'
        'warmup_steps = 0\ndevice = "cpu"\n[evaluate]\ntasks = ["held-out"]\n'
    )
    assert main(["train", str(recipe), "-o", str(out), "--steps", "3"]) == 2
    said = f"wellread: train: --steps beside a recipe; write settings into {recipe}, or name "
    said += "tokens instead of it\n"
    assert capsys.readouterr().err == said
    assert main(["train", str(recipe), "-o", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "corpus", "recipe.toml", "runs", "tokenizer", "tokens",
    ]  # fmt: skip
    assert (out / "runs" / "1x64" / "manifest.json").is_file()
    capsys.readouterr()
    assert main(["train", str(recipe), "-o", str(out)]) == 0
    assert capsys.readouterr().err.count("up to date") == 4
    recipe.write_text('[corpus]\nsources = ["texts"]\n')
    with pytest.raises(InputError, match=r"has no section \[train\]"):
        up_to("train", read_recipe(recipe), out)


@pytest.mark.parametrize("command", [["run"], ["run", "--plan"]])
def test_a_missing_file_of_a_benchmark_is_said_before_any_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (tmp_path / "a.txt").write_text("A text. " * 50)
    recipe, out = tmp_path / "r.toml", tmp_path / "out"
    begun = '[corpus]\nsources = ["a.txt"]\n[tokenizer]\nvocab_size = 260\n[tokens]\n[train]\n'
    evaluate = '[evaluate]\ndata = "."\ntasks = ["held-out", "demo-qa", "lambada"]\n'
    recipe.write_text(begun + evaluate)
    assert main([*command, str(recipe), "-o", str(out)]) == 2
    assert f"{tmp_path}/lambada/lambada_test.jsonl: there is no such" in capsys.readouterr().err
    assert not out.exists()
    read = read_recipe(recipe)
    check(read, up_to("train", read, out))  # nothing is scored there
    recipe.write_text(begun + evaluate + "download = true\n")
    read = read_recipe(recipe)
    check(read, plan(read, out))


def test_a_run_is_not_replaced_by_that_of_another_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("A text of its own. " * 50)
    first, second, out = tmp_path / "first.toml", tmp_path / "second.toml", tmp_path / "out"
    first.write_text('[corpus]\nsources = ["a.txt"]\nfilters = []\n')
    second.write_text(first.read_text() + "near_duplicate_similarity = 0.9\n")
    run_recipe(first, out)
    for call in (["run", str(second)], ["run", str(second), "--plan"], ["demo", "--quick"]):
        assert main([*call, "-o", str(out)]) == 2
        error = capsys.readouterr().err
        assert f"wellread: {out}: a run of the recipe 'first' is there, which '" in error
        assert "give another --out (a recipe with name = 'first' goes on with that run)" in error
    assert sorted(path.name for path in out.iterdir()) == ["corpus", "recipe.toml"]
    first.write_text(second.read_text())  # edited: the same recipe
    run_recipe(first, out)
    second.write_text('name = "first"\n' + first.read_text())
    for again in (second, out / "recipe.toml"):
        assert said(again, out, tmp_path) == ["up to date"]


def test_what_was_set_aside_and_is_back_is_up_to_date_and_no_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text("A text of its own. " * 50)
    recipe, out = tmp_path / "r.toml", tmp_path / "out"
    recipe.write_text('[corpus]\nsources = ["a.txt"]\nfilters = []\n')
    run_recipe(recipe, out)
    set_aside(out / "corpus", MANIFEST)  # as for work with other settings, killed at its beginning
    manifest = out / "corpus" / PREVIOUS / MANIFEST
    took = msgspec.json.decode(manifest.read_bytes()) | {"seconds": 4000.0}
    manifest.write_bytes(msgspec.json.encode(took))
    assert main(["run", str(recipe), "-o", str(out)]) == 0
    printed = capsys.readouterr()
    assert "up to date" in printed.err
    assert re.fullmatch(r"done in \d+\.\d s\n", printed.out)
