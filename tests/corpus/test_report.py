"""A corpus in numbers, and its sites beside WebText's."""

from pathlib import Path
from typing import Any

import pytest

from tests.corpus.made import text_about
from tests.reference.corpus_account import ACCOUNT
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.cli.main import main
from wellread.corpus.report import report_corpus
from wellread.formats import corpus_report
from wellread.formats.documents import Document, write_documents

DOMAINS = ["example.org"] * 4 + ["bbc.co.uk"] * 2 + ["bbc.com"] * 1 + ["cnn.com"] * 2 + ["a.b"]


def corpus_in(folder: Path, form: Any = "parquet") -> Path:
    with writing(folder / "corpus", stage="corpus", config=Config(), inputs={}) as draft:
        documents = (
            Document(url=f"http://{domain}/{n}", text="A story.", domain=domain)
            for n, domain in enumerate(DOMAINS)
        )
        write_documents(draft, documents, form=form)
        draft.write(corpus_report.NAME, corpus_report.encode(ACCOUNT))
    return folder / "corpus"


@pytest.mark.parametrize("form", ["parquet", "jsonl.zst"])
def test_sites_stand_beside_webtexts_and_are_ranked_by_every_document(
    tmp_path: Path, form: str
) -> None:
    (tmp_path / "domains.txt").write_text("900 bbc\n20 \n10 cnn\n1000 example\n5 elsewhere\n")
    corpus = corpus_in(tmp_path, form)
    found = report_corpus(corpus, webtext_domains=tmp_path / "domains.txt")
    assert [row.webtext_links for row in found.domains] == [1000, None]
    # Here example 4, bbc 3, cnn 2 documents: WebText's order.
    assert (found.shared_names, found.rank_correlation) == (3, pytest.approx(1.0))
    assert report_corpus(corpus) == ACCOUNT


def test_a_corpus_without_an_account_is_refused(tmp_path: Path) -> None:
    with writing(tmp_path / "old", stage="corpus", config=Config(), inputs={}) as draft:
        draft.write("documents-00000.parquet", b"")
    with pytest.raises(InputError, match=r"old: has no corpus-report\.json; make the corpus again"):
        report_corpus(tmp_path / "old")


def test_the_command_prints_tables_and_writes_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out = corpus_in(tmp_path), tmp_path / "figures"
    assert main(["corpus", "report", str(corpus), "-o", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "718 records, 611 documents of 20.2 kB on average, 12.3 MB of text"
    shown = {" ".join(line.split()) for line in lines}
    assert "too-short 22 1.8 kB fewer than 128 characters of text" in shown
    assert "French: 3.1 kB, 0.025 %; in WebText 10.0 MB, 0.025 % (paper, section 3.7)" in shown
    assert "it is written *N'importe quoi*, or nonsense, in" in shown
    assert sorted(path.name for path in out.iterdir()) == [
        "corpus-funnel.svg", "corpus-report.json", "corpus-shapes.svg", "corpus-sites.svg",
    ]  # fmt: skip
    assert main(["corpus", "report", str(corpus), "--json"]) == 0
    assert '"num_in": 718' in capsys.readouterr().out


def test_a_corpus_is_built_by_default_with_options_before_the_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text(text_about("river", "garden"))
    options = ["-o", str(tmp_path / "corpus"), "--test-per-mille", "0"]
    assert main(["corpus", *options, str(tmp_path / "a.txt")]) == 0
    assert "1 in, 1 out" in capsys.readouterr().err
    assert main(["corpus", "--help"]) == 0
    assert "--near-duplicate-similarity" in capsys.readouterr().out
