"""`--plan` says what running the recipe would do."""

from pathlib import Path

import msgspec
import pytest

from wellread.base.errors import InputError
from wellread.pipeline.plan import plan, run_recipe, states
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


def said(recipe: Path, out: Path) -> list[str]:
    return [state for _, state in states(plan(read_recipe(recipe), out))]


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
