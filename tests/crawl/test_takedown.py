"""What an owner had taken down is kept out, and removed where it is already."""

import io
import shutil
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.crawl.conftest import quick, write_links_to
from tests.sites.local_site import LocalSite, local_site
from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.files import sha256_of
from wellread.base.manifest import Manifest, changed_files, read_manifest, writing
from wellread.crawl.config import CrawlConfig
from wellread.crawl.stage import crawl
from wellread.crawl.takedown import STAGED, take_down
from wellread.formats.archives import read_pages
from wellread.formats.pages import FETCHED, STAGE, Outcome, read_outcomes, write_outcomes
from wellread.formats.segments import segment_name
from wellread.formats.warc import LINK


def check_places(pages: Path) -> None:
    """The table says where each page is, and that the others are nowhere."""
    for outcome in read_outcomes(pages):
        assert (outcome.outcome == FETCHED) == (outcome.offset is not None)
        if outcome.segment is not None:
            with (pages / segment_name(outcome.segment)).open("rb") as file:
                file.seek(outcome.offset or 0)
                headers = next(iter(ArchiveIterator(file))).rec_headers
            link = headers.get_header(LINK) or headers.get_header("WARC-Target-URI")
            assert (headers.get_header("WARC-Type"), link) == ("response", outcome.url)


def listed(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "takedown.txt"
    path.write_text("# by request\n" + "\n".join(lines) + "\n")
    return path


def crawled(tmp_path: Path, site: LocalSite, **changes: object) -> tuple[Path, Manifest]:
    site.page("/a/1", "one")
    urls = [site.url("/a/1"), site.page("/a/2", "two"), site.page("/b", "three")]
    urls += [site.redirect("/to-b", "/b"), "http://x.site.example/", "http://y.site.example/"]
    site.page("/", "home")
    links = tmp_path / "links"
    if not links.exists():
        write_links_to(links, urls)
    resolve = {"*.site.example": f"127.0.0.1:{site.port}"}
    config = quick(resolve=resolve, user_agent_contact="me@example.com", **changes)
    return tmp_path / "pages", crawl(links, tmp_path / "pages", config)


def test_listed_addresses_prefixes_and_domains_are_never_asked_for(tmp_path: Path) -> None:
    with local_site() as site:
        lines = [f"https://127.0.0.1:{site.port}/a/*", "y.site.example", site.url("/b#part")]
        _, manifest = crawled(tmp_path, site, takedown=listed(tmp_path, *lines))
        assert manifest.dropped == {"taken_down": 5}
        assert manifest.counts["out"] == 1
        assert sorted(path for path, hits in site.hits.items() if hits) == [
            "/",
            "/robots.txt",
            "/to-b",
        ]


def test_a_later_list_removes_pages_from_finished_ones_without_another_crawl(
    tmp_path: Path,
) -> None:
    with local_site() as site:
        pages, before = crawled(tmp_path, site)
        hits = site.hits.copy()
        after = take_down(pages, listed(tmp_path, "elsewhere.com"))  # names nothing here
        assert (after.outputs, after.digest) == (before.outputs, before.digest)
        lines = [site.url("/b"), "http://x.site.example/"]
        _, after = crawled(tmp_path, site, takedown=listed(tmp_path, *lines))
        assert site.hits == hits
        assert {page.url for page in read_pages(pages)} == {
            site.url("/a/1"), site.url("/a/2"), "http://y.site.example/"
        }  # fmt: skip
        gone = {o.url for o in read_outcomes(pages) if o.outcome == "taken_down"}
        assert gone == {site.url("/b"), site.url("/to-b"), "http://x.site.example/"}
        assert after.counts == before.counts | {"out": 3, "bytes": 10}
        assert after.dropped == {"taken_down": 3}
        assert after.digest != before.digest
        with (pages / "pages-00000.warc.gz").open("rb") as file:
            kept = [record.content_stream().read() for record in ArchiveIterator(file)]
        assert b"three" not in kept
        check_places(pages)
        assert changed_files(pages) == []
        assert {n: sha256_of(pages / n) for n in after.outputs} == {
            name: file.sha256 for name, file in after.outputs.items()
        }
        assert crawled(tmp_path, site)[1] == after  # the same crawl, still finished


def warc(*records: tuple[str, str, str, str]) -> bytes:
    """Records of kind, address, name and the name of the record that they belong to."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for kind, url, name, other in records:
        headers = {"WARC-Record-ID": name, **({"WARC-Concurrent-To": other} if other else {})}
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        body = b"GET / HTTP/1.1\r\n\r\n" if kind == "request" else b"<p>page</p>"
        record = writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(body),
            length=len(body),
            http_headers=http if kind == "response" else None,
            warc_headers_dict=headers,
        )
        writer.write_record(record)
    return buffer.getvalue()


def test_a_page_goes_with_its_request_and_metadata_and_other_segments_are_not_touched(
    tmp_path: Path,
) -> None:
    a, b, c = "http://a.com/", "http://b.com/", "http://c.com/"
    first = warc(
        ("request", a, "<urn:1>", ""), ("response", a, "<urn:2>", "<urn:1>"),
        ("response", b, "<urn:3>", ""), ("metadata", "urn:x", "<urn:4>", "<urn:3>"),
        ("metadata", "urn:y", "<urn:5>", "<urn:2>"),
    )  # fmt: skip
    with writing(tmp_path / "pages", stage=STAGE, config=Config(), inputs={}) as draft:
        draft.write("pages-00000.warc.gz", first)
        draft.write("pages-00001.warc.gz", warc(("response", c, "<urn:6>", "")))
        rows = [
            Outcome(url=url, outcome=FETCHED, num_bytes=11, segment=segment, offset=0)
            for url, segment in ((a, 0), (b, 0), (c, 1))
        ]
        write_outcomes(draft, rows)
        draft.counts |= {"out": 3, "bytes": 33}
    untouched = (tmp_path / "pages" / "pages-00001.warc.gz").stat()
    manifest = take_down(tmp_path / "pages", listed(tmp_path, "b.com"))
    assert (tmp_path / "pages" / "pages-00001.warc.gz").stat() == untouched
    with (tmp_path / "pages" / "pages-00000.warc.gz").open("rb") as file:
        names = [
            r.rec_headers.get_header("WARC-Record-ID")
            for r in ArchiveIterator(file, no_record_parse=True)
        ]
    assert names == ["<urn:1>", "<urn:2>", "<urn:5>"]
    assert manifest.counts == {"out": 2, "bytes": 22}


def test_a_takedown_killed_at_any_move_is_finished_or_undone_by_the_next(tmp_path: Path) -> None:
    with local_site() as site:
        pages, before = crawled(tmp_path, site)
        old = shutil.copytree(pages, tmp_path / "old")
        after = take_down(pages, listed(tmp_path, site.url("/b")))
        new = shutil.copytree(pages, tmp_path / "new")
        names = ["outcomes.parquet", "pages-00000.warc.gz", "manifest.json"]
        hits = site.hits.copy()
        for moved in range(4):  # of the three files, the manifest last
            shutil.rmtree(pages)
            shutil.copytree(old, pages)
            (pages / STAGED).mkdir()
            for number, name in enumerate(names):
                shutil.copy2(new / name, pages / name if number < moved else pages / STAGED / name)
            assert crawled(tmp_path, site)[1] == after == read_manifest(pages)
            assert changed_files(pages) == []
            assert not (pages / STAGED).exists()
        shutil.rmtree(pages)
        shutil.copytree(old, pages)
        (pages / STAGED).mkdir()
        (pages / STAGED / "pages-00000.warc.gz").write_bytes(b"half")
        assert crawled(tmp_path, site)[1] == before == read_manifest(pages)
        assert not (pages / STAGED).exists()
        assert site.hits == hits
        assert after.dropped == {"taken_down": 2}


def test_a_line_that_is_neither_address_nor_domain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"takedown\.txt:2: 'not one'; expected a URL, a domain"):
        take_down_list = listed(tmp_path, "not one")
        crawl(
            write_links_to(tmp_path / "links", ["http://127.0.0.1:1/"]),
            tmp_path / "pages",
            quick(takedown=take_down_list),
        )
    assert not (tmp_path / "pages").exists()


def test_an_empty_list_is_refused(tmp_path: Path) -> None:
    links = write_links_to(tmp_path / "links", ["http://127.0.0.1:1/"])
    with pytest.raises(InputError, match="nothing to take down"):
        crawl(links, tmp_path / "pages", quick(takedown=listed(tmp_path)))


def test_blocklists_of_every_layout_keep_out_what_lies_below_their_domains(tmp_path: Path) -> None:
    plain, hosts = tmp_path / "plain.txt", tmp_path / "hosts"
    plain.write_text("# malware\n*.bad.example\n")
    hosts.write_text(
        "127.0.0.1 localhost\n::1 localhost\n0.0.0.0 worse.example # x\n0.0.0.0 z.test\n"
    )
    (tmp_path / "ut1" / "adult").mkdir(parents=True)
    (tmp_path / "ut1" / "adult" / "domains").write_text("adult.example\n10.0.0.7\nnot a domain\n")
    with local_site() as site:
        for path in ("/", "/to-bad"):
            site.page(path, "page")
        site.redirect("/to-bad", "http://deep.down.bad.example/")
        hostnames = ["a.bad.example", "worse.example", "x.adult.example", "good.example"]
        urls = [f"http://{name}/" for name in hostnames] + [site.url("/to-bad")]
        config = quick(
            blocklists={"malware": plain, "hosts": hosts, "adult": tmp_path / "ut1"},
            resolve=dict.fromkeys(hostnames, f"127.0.0.1:{site.port}"),
            user_agent_contact="me@example.com",
        )
        manifest = crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", config)
    assert manifest.dropped == {"blocked_malware": 2, "blocked_hosts": 1, "blocked_adult": 1}
    assert [page.url for page in read_pages(tmp_path / "pages")] == ["http://good.example/"]


def test_lists_hold_for_pages_out_of_archives_too(tmp_path: Path) -> None:
    urls = ["http://a.com/", "http://b.com/1", "http://b.com/2", "http://c.com/"]
    archive, blocked = tmp_path / "some.warc.gz", tmp_path / "blocked.txt"
    archive.write_bytes(warc(*(("response", url, f"<urn:{url}>", "") for url in urls)))
    blocked.write_text("c.com\n")
    config = CrawlConfig(
        source="warc",
        warcs=[archive],
        blocklists={"adult": blocked},
        takedown=listed(tmp_path, "http://b.com/1"),
    )
    manifest = crawl(write_links_to(tmp_path / "links", urls), tmp_path / "pages", config)
    assert manifest.dropped == {"blocked_adult": 1, "taken_down": 1}
    assert [page.url for page in read_pages(tmp_path / "pages")] == [urls[0], urls[2]]


def test_a_blocklist_without_domains_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("<html>\n")
    links = write_links_to(tmp_path / "links", ["http://127.0.0.1:1/"])
    with pytest.raises(InputError, match=r"list: no domains here; .*list:1: '<html>' is none"):
        crawl(links, tmp_path / "pages", quick(blocklists={"adult": path}))


def test_a_blocklist_with_a_name_that_no_outcome_can_bear_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="blocklists has 'Ad ult'"):
        CrawlConfig(blocklists={"Ad ult": tmp_path})


def test_links_beyond_the_limit_of_their_domain_have_an_outcome_and_stay_the_same_ones(
    tmp_path: Path,
) -> None:
    with local_site() as site:
        site.page("/", "page")
        names = [f"n{number}.trap.com" for number in range(20)]
        config = quick(
            resolve={"*.trap.com": f"127.0.0.1:{site.port}"},
            user_agent_contact="me@example.com",
            max_links_per_domain=3,
        )
        links = write_links_to(tmp_path / "links", [f"http://{name}/" for name in names])
        manifest = crawl(links, tmp_path / "one", config)
        crawl(links, tmp_path / "two", config)
    assert manifest.dropped == {"domain_limit": 17}
    kept = {page.url for page in read_pages(tmp_path / "one")}
    assert len(kept) == 3
    assert {page.url for page in read_pages(tmp_path / "two")} == kept
