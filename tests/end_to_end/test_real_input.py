"""The recipe on what nobody here wrote: real dumps, pages, documents and test sets."""

from pathlib import Path

import pytest

from wellread.base.manifest import read_manifest
from wellread.formats.copying import read_copying
from wellread.formats.overlap import read_overlap
from wellread.formats.results import read_results
from wellread.pipeline.plan import run_recipe
from wellread.pipeline.recipe import own_recipe
from wellread.pipeline.why import trace


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.usefixtures("two_threads")
@pytest.mark.timeout(1200)  # eight minutes where the system is slow to hand out memory
def test_the_real_recipe_runs_to_its_report(real_data: Path, tmp_path: Path) -> None:
    run, recipe = tmp_path / "run", tmp_path / "real.toml"  # with a fifth of its steps
    text = own_recipe("real").read_text(encoding="utf-8")
    recipe.write_text(text.replace("steps = 150", "steps = 30"), encoding="utf-8")
    manifests = run_recipe(recipe, run, data=real_data)

    assert manifests["links"].counts["in"] == 146_083
    for name in ("links", "crawl", "corpus"):
        counts, dropped = manifests[name].counts, manifests[name].dropped
        assert counts["in"] == counts["out"] + sum(dropped.values()), name
    assert manifests["tokenizer"].facts["vocab_size"] == 50_257

    results = {result.task: result for result in read_results(run / "results" / "2x128")}
    assert {name: results[name].num_items for name in ("lambada", "wikitext2")} == {
        "lambada": 5_153, "wikitext2": 60,
    }  # fmt: skip
    scores = [score for result in results.values() for score in result.scores]
    # Probes of which no token comes back are all alike, and have no interval.
    assert all(s.low <= s.value <= s.high for s in scores if s.low is not None)
    assert len([s for s in scores if s.low is None]) <= 2
    (copied,) = read_copying(run / "copying").models
    assert copied.samples.num_texts + copied.samples.num_short > 10
    rows = {row.name: row for row in read_overlap(run / "overlap").test_sets}
    assert rows["lambada"].num_items == 5_153
    assert 0 < rows["wikitext2"].whole.share < 0.05

    chain = list(trace(run / "results" / "2x128" / "lambada.json"))
    raw = {origin.path.name for origin in chain if origin.manifest is None}
    assert {"RS_2013_top.zst", "RS_v2_2005-06.xz", "articles.warc.gz", "vocab.bpe"} <= raw
    assert read_manifest(run / "report").counts["out"] > 0
