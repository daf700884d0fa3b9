"""What is mistyped suggests the nearest, whatever kind of name it is."""

from pathlib import Path

import pytest

from wellread.base.errors import InputError
from wellread.base.manifest import writing
from wellread.cli.main import main
from wellread.evaluate.config import EvaluateConfig
from wellread.evaluate.task import Task


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        ("evalute", "'evaluate'"),
        ("tokenizer trian texts", "'train'"),
        ("links repotr links", "'report'"),
        ("corpus explian corpus", "'explain'"),
        ("tokenizer train texts -o out --vocabsize 300", "--vocab-size"),
        ("links texts -o out --min-carma 3", "--min-karma"),
        ("run section.toml -o out", "'train'"),
        ("train texts --recipe key.toml -o out", "'steps'"),
        ("train texts --recipe section.toml -o out", "'trian'"),
        ("run dmo -o out", "'demo'"),
        ("train texts --recipe fine-tun -o out", "'fine-tune'"),
        ("run sectoin.toml -o out", "section.toml"),
        ("evaluate texts --tasks lambda -o out", "'lambada'"),
        ("evaluate texts --tasks wikitext2|strid=half -o out", "'stride'"),
        ("evaluate texts --tasks lambada|text=openia -o out", "'openai'"),
        ("evaluate --list lambda", "'lambada'"),
        ("evaluate texts --suite papr -o out", "'paper'"),
        ("evaluate texts --axes eahc -o out", "'each'"),
        ("evaluate gpt-2 --suite paper -o out", "'gpt2'"),
        ("evaluate GPT2-mdeium --suite paper -o out", "'gpt2-medium'"),
        ("train texts --size 124m -o out", "'124M'"),
        ("train texts --optimizer adamm -o out", "'adamw'"),
        ("corpus texts -o out --filters too-shrot", "'too-short'"),
        ("corpus texts -o out --extractor bets", "'best'"),
        ("corpus texts -o out --languages englsh", "as en"),
        ("sample texts --device cud --prompt a", "'cuda'"),
        ("why txets/a.txt", "texts/a.txt"),
        ("show texs", "texts"),
        ("report texs -o out", "texts"),
        ("tokenizer encode a --tokenizer texs", "texts"),
        ("overlap index texts/b.txt -o out", "texts/a.txt"),
    ],
)
def test_the_nearest_is_suggested(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    call: str,
    meant: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("A text.\n")
    (tmp_path / "section.toml").write_text("[trian]\nsteps = 3\n")
    (tmp_path / "key.toml").write_text("[train]\nstpes = 3\n")
    assert main(call.split()) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert meant in last
    assert "did you mean" in last.lower() or "expected" in last
    assert not (tmp_path / "out").exists()


def test_a_task_that_names_no_score_of_the_paper_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'lambada'"):
        Task(source="s", metrics={}, load=print, score=print, published="lambda", licence="l")  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a corpus and tokens, as far as their manifests say."""
    monkeypatch.chdir(tmp_path)
    for stage in ("corpus", "tokens"):
        where = Path("run") / stage
        with writing(where, stage=stage, config=EvaluateConfig(), inputs={}) as draft:
            draft.write("some", b"thing")
    Path("a.txt").write_text("A text.\n")
    return Path("run")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            "train run/corpus",
            "run/corpus: made by stage 'corpus', expected 'tokens'; name run/tokens",
        ),
        ("train run", "run: no finished artifact (no manifest.json) here; name run/tokens"),
        (
            "train none",
            "none: there is no such file or folder; "
            "`wellread tokens CORPUS --tokenizer TOKENIZER -o tokens` makes it",
        ),
        ("crawl run/corpus", "run/corpus: made by stage 'corpus', expected 'links'; "
         "`wellread links DUMPS -o links` makes it"),
        ("overlap measure run/corpus a.txt", "run/corpus: made by stage 'corpus', expected "
         "'overlap-index'; `wellread overlap index run/corpus -o index` makes it"),
        ("overlap index run/tokens", "run/tokens: made by stage 'tokens', expected "
         "'corpus' or 'plant'; name run/corpus"),
        ("export run/tokens", "run/tokens: made by stage 'tokens', expected a model; "
         "`wellread train run/tokens -o run` makes it"),
        ("run run", "run: a folder, not a recipe; name a .toml file"),
        ("report run/corpus", "run/corpus: one artifact, of stage 'corpus'; name the folder of a "
         "run, in which each stage has one"),
    ],
)  # fmt: skip
def test_a_wrong_folder_is_told_what_it_is_and_what_is_wanted(
    run: Path, capsys: pytest.CaptureFixture[str], call: str, sentence: str
) -> None:
    assert main([*call.split(), "-o", "out"]) == 2
    assert capsys.readouterr().err == f"wellread: {sentence}\n"
    assert not Path("out").exists()


def test_what_another_command_shows_names_that_command(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "run/corpus"]) == 2
    assert "which `wellread corpus report run/corpus` shows" in capsys.readouterr().err
