"""The command as a person uses it: what it says, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from wellread.base.config import Config
from wellread.base.manifest import writing
from wellread.cli.main import main
from wellread.cli.options import comments, takes_settings
from wellread.formats.compressed import zstd
from wellread.links.config import LinksConfig
from wellread.studies.config import StudyConfig

SUBMISSION = {
    "id": "a", "url": "http://example.com/story", "score": 5, "created_utc": 1400000000,
    "subreddit": "news", "is_self": False, "over_18": False,
}  # fmt: skip


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    lines = [SUBMISSION | {"id": str(n), "url": f"http://example.com/{n}"} for n in range(20)]
    text = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "RS.zst").write_bytes(zstd.compress(text.encode()))
    return tmp_path / "RS.zst"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The error sentence of a call that exits with 2."""
    assert main([str(a) for a in arguments]) == 2
    return capsys.readouterr().err


def test_a_stage_prints_its_account_and_exits_with_0(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", str(dump), "-o", str(tmp_path / "links")]) == 0
    printed = capsys.readouterr()
    assert "20 in, 20 out" in printed.err
    assert printed.out.strip() == str(tmp_path / "links")


def test_a_stage_called_again_says_that_it_is_up_to_date(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["links", str(dump), "-o", str(tmp_path / "links")]
    assert main(arguments) == 0
    assert "up to date" not in capsys.readouterr().err
    assert main(arguments) == 0
    assert "up to date" in capsys.readouterr().err


def test_json_is_the_manifest_and_nothing_else(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["links", dump, "-o", tmp_path / "links", "--min-karma", "6", "--json"]
    assert main([str(a) for a in arguments]) == 0
    manifest = msgspec.json.decode(capsys.readouterr().out)
    assert manifest["config"]["min_karma"] == 6
    assert manifest["dropped"] == {"karma below the minimum": 20}


def test_options_take_their_settings_from_a_recipe_unless_given(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.toml").write_text('[links]\nmin_karma = 9\nexcluded_domains = ["a.com"]\n')
    arguments = ["links", dump, "-o", tmp_path / "links", "--recipe", tmp_path / "r.toml"]
    assert main([str(a) for a in [*arguments, "--min-karma", "4", "--json"]]) == 0
    config = msgspec.json.decode(capsys.readouterr().out)["config"]
    assert (config["min_karma"], config["excluded_domains"]) == (4, ["a.com"])


def test_tables_and_lists_are_options_too() -> None:
    seen = []

    @takes_settings(StudyConfig, "study", without=("variants", "beside", "predict", "seed"))
    def command(config: StudyConfig) -> None:
        seen.append(config)

    command(vary=["model.size=1x64,2x128", "model.norm=pre"], seeds=["0,1", "7"], recipe=None)
    assert seen[0].vary == {"model.size": ["1x64", "2x128"], "model.norm": ["pre"]}
    assert seen[0].seeds == (0, 1, 7)


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, "links", tmp_path / "gone.zst", "-o", tmp_path / "out")
    assert error.startswith(f"wellread: {tmp_path}/gone.zst: ")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_file_of_scores_is_said_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ("train", tmp_path / "tokens", "-o", tmp_path / "run", "--scores", tmp_path / "scores")
    error = refused(capsys, *call, "--tasks", "lambada", "--data", tmp_path)
    assert "lambada_test.jsonl: there is no such file" in error
    assert not (tmp_path / "run").exists()


def test_links_are_reported_and_explained(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figures = tmp_path / "links", tmp_path / "figures"
    assert main(["links", str(dump), "-o", str(out)]) == 0
    assert main(["links", "report", str(out), "-o", str(figures)]) == 0
    assert "20 submissions, 20 kept, of 20 links" in capsys.readouterr().out
    assert {path.suffix for path in figures.iterdir()} == {".json", ".svg"}
    assert main(["links", str(dump), "--explain", "http://Example.com/7#top"]) == 0
    assert "in, with karma 5" in capsys.readouterr().out
    assert main(["links", str(dump), "--explain", "http://imgur.com/", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"].startswith("site of pictures")
    assert "give -o DIRECTORY, or --explain URL" in refused(capsys, "links", dump)


def test_a_wrong_value_names_the_key(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, "links", dump, "-o", tmp_path / "out", "--min-karma", "many")
    assert error == "wellread: links: key 'min_karma': expected `int`, got `str`\n"


def test_a_misspelt_command_suggests_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "corpus" in refused(capsys, "corpsu")


def test_an_output_directory_of_another_stage_is_refused(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", str(dump), "-o", str(tmp_path / "links")]) == 0
    capsys.readouterr()
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("A text of its own. " * 20)
    error = refused(capsys, "corpus", texts, "-o", tmp_path / "links")
    assert "belongs to stage 'links', not 'corpus'; give another --out" in error


def test_work_that_fails_exits_with_1(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump.write_bytes(dump.read_bytes()[:-20])
    assert main(["links", str(dump), "-o", str(tmp_path / "out")]) == 1
    assert str(dump) in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_debug_shows_where_an_error_came_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = refused(capsys, "--debug", "links", tmp_path / "gone.zst", "-o", tmp_path / "out")
    assert "Traceback" in error


def test_why_leads_from_a_file_to_the_dump(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", str(dump), "-o", str(tmp_path / "links")]) == 0
    capsys.readouterr()
    assert main(["why", str(tmp_path / "links" / "links-00000.parquet"), "--json"]) == 0
    chain = msgspec.json.decode(capsys.readouterr().out)
    assert [(step["stage"], step["depth"]) for step in chain] == [("links", 0), (None, 1)]
    assert chain[1]["path"] == str(dump)


def test_why_notices_a_file_that_is_not_as_its_manifest_says(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["links", str(dump), "-o", str(tmp_path / "links")]) == 0
    with (tmp_path / "links" / "links-00000.parquet").open("ab") as file:
        file.write(b"more")
    capsys.readouterr()
    assert main(["why", str(tmp_path / "links")]) == 0
    note = "changed since: links-00000.parquet not as in its manifest"
    assert note in capsys.readouterr().out


def test_why_of_a_web_address_asks_for_its_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = refused(capsys, "why", "http://example.com/story")
    assert error.startswith("wellread: why: name a run first, then the address")
    assert error.count("\n") == 1


def test_help_comes_without_loading_what_the_stages_need() -> None:
    code = "from wellread.cli.main import main; main(['-h']); import sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ran.stdout.rpartition("\n")[0].rpartition("\n")[2].split()
    assert "typer" in loaded
    assert {"torch", "daft", "scrapy", "pyarrow", "numba", "matplotlib"}.isdisjoint(loaded)


def test_the_notes_in_a_config_are_its_options_help() -> None:
    assert comments(LinksConfig)["min_karma"] == 'paper 2.1, "at least 3 karma"'


def test_a_disk_that_fills_up_while_a_checkpoint_is_saved_gives_one_sentence(
    tmp_path: Path,
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    sentence = "Line {n} of document {d} is a short one, and it is followed by another.\n"
    documents = ["".join(sentence.format(n=n, d=d) for n in range(20)) for d in range(50)]
    corpus.write_text("\n".join(json.dumps({"text": text}) for text in documents))
    assert main(["corpus", str(corpus), "-o", str(tmp_path / "c"), "--filters", "too-short"]) == 0
    small = ["--vocab-size", "300"]
    assert main(["tokenizer", "train", str(tmp_path / "c"), "-o", str(tmp_path / "v"), *small]) == 0
    tokens = ["tokens", str(tmp_path / "c"), "--tokenizer", str(tmp_path / "v")]
    assert main([*tokens, "-o", str(tmp_path / "t")]) == 0
    train = [
        *("train", str(tmp_path / "t"), "-o", str(tmp_path / "run"), "--size", "1x64"),
        *("--context", "32", "--steps", "5", "--warmup-steps", "1", "--batch-sequences", "8"),
    ]
    # Python ignores the signal that a file-size limit sends, so the write fails as on a full disk.
    limited = f"ulimit -f 100; exec {sys.executable} -m wellread {' '.join(train)}"
    ran = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "no room to write (File too large); free some space on that disk" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "run" / "manifest.json").exists()
    assert main(train) == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interruption_says_so_and_has_its_status(
    dump: Path, tmp_path: Path, number: int, status: int
) -> None:
    line = json.dumps(SUBMISSION).encode() + b"\n"
    (tmp_path / "long.ndjson").write_bytes(line * 1_000_000)
    command = [sys.executable, "-m", "wellread", "links", str(tmp_path / "long.ndjson")]
    process = subprocess.Popen([*command, "-o", str(tmp_path / "out")], stderr=subprocess.PIPE)
    while not (tmp_path / "out" / "unfinished.json").exists():
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    said = b"wellread: interrupted; what is done is kept; to go on: wellread links "
    assert errors.splitlines()[-1].startswith(said)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_two_runs_into_one_directory_are_refused(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(tmp_path / "out", stage="links", config=Config(), inputs={}) as draft:
        error = refused(capsys, "links", dump, "-o", tmp_path / "out")
        draft.write("something", b"")
    assert (
        error == f"wellread: {tmp_path}/out: another process is at work there; wait for it to end\n"
    )


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wellread 0.")


@pytest.mark.parametrize("call", [["links", "-h"], ["links", "x", "--no"], ["corpus", "-h"]])
def test_usage_is_what_people_type(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(call)
    printed = capsys.readouterr()
    assert f"Usage: wellread {call[0]} [OPTIONS]" in printed.out + printed.err


def test_help_shows_the_whole_name_of_every_option_in_80_columns() -> None:
    command = [sys.executable, "-m", "wellread", "train", "--help"]
    environment = os.environ | {"COLUMNS": "80"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "--residual-scaling / --no-residual-scaling" in done.stdout
    assert "[default: 600000]" in done.stdout


def test_a_dry_run_of_a_crawl_asks_nobody_and_leaves_nothing(
    dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    links, out = tmp_path / "links", tmp_path / "pages"
    assert main(["links", str(dump), "-o", str(links)]) == 0
    capsys.readouterr()
    assert main(["crawl", str(links), "-o", str(out), "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("20 links of 1 hosts; most: example.com 20\n")
    assert not out.exists()
    crawls = ["--source", "commoncrawl", "--commoncrawl-crawls", "CC-MAIN-2017-51"]
    assert "name an --out directory" in refused(capsys, "crawl", links, "--dry-run", *crawls)
    archives = ["--source", "warc", "--warcs", dump]
    assert "archives are only read" in refused(capsys, "crawl", links, "--dry-run", *archives)


def test_a_study_on_a_device_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["study", str(tmp_path / "recipe.toml"), "-o", str(tmp_path), "--devices"]
    assert main([*arguments, "cuda:99"]) == 2
    assert "there is no cuda:99; PyTorch sees" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("wellread tok", ["tokens", "tokenizer"]),
        ("wellread train tokens --size 1", ["124M", "1558M"]),
        (
            "wellread evaluate model --tasks lambada,wikitext",
            ["lambada,wikitext2", "lambada,wikitext103"],
        ),
        ("wellread evaluate model --dtype b", ["bfloat16"]),
        ("wellread study study-d", ["study-demonstrations", "study-design"]),
        ("wellread run rec", ["recipes/"]),
    ],
)
def test_the_shell_completes_what_has_a_name_here(line: str, offered: list[str]) -> None:
    words = str(line.count(" "))
    asked = {"_WELLREAD_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": words}
    program = Path(sys.executable).parent / "wellread"
    ran = subprocess.run(
        [program], env=os.environ | asked, capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert sorted(ran.stdout.split()) == sorted(offered)
