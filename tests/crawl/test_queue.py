"""The links on disk come back by host, each once."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from wellread.crawl.journal import url_keys
from wellread.crawl.queue import Queue, host_key, without, write_queue


def links_of(queue: Queue, host: str) -> list[str]:
    cursor = queue.begin(host_key(host))
    return [queue.next(cursor) for _ in range(cursor.left)]


def test_the_links_of_a_host_are_found_wherever_they_stand(tmp_path: Path) -> None:
    urls = ["http://a.com/1", "http://a.com:8080/", "http://b.com/", "https://a.com/2"]
    # Batches end where they like.
    batches = [pa.array(urls[:1]), pa.array([], pa.string()), pa.array(urls[1:])]
    with write_queue(tmp_path, batches) as queue:
        assert (queue.num_hosts, queue.num_links) == (2, 4)
        assert queue.nth(0) == host_key("a.com")
        assert links_of(queue, "a.com") == [urls[0], urls[1], urls[3]]
        assert links_of(queue, "b.com") == ["http://b.com/"]


def test_a_hosts_links_are_given_once_and_a_stranger_has_none(tmp_path: Path) -> None:
    with write_queue(tmp_path, [pa.array(["http://a.com/1"])]) as queue:
        assert links_of(queue, "a.com") == ["http://a.com/1"]
        assert links_of(queue, "a.com") == []
        assert links_of(queue, "other.com") == []


def test_long_and_foreign_addresses_are_whole(tmp_path: Path) -> None:
    urls = ["http://a.com/" + "x" * 5000, "http://a.com/é", "http://a.com/é/2"]
    with write_queue(tmp_path, [pa.array(urls)]) as queue:
        assert links_of(queue, "a.com") == urls


def test_no_links_are_an_empty_queue(tmp_path: Path) -> None:
    with write_queue(tmp_path, []) as queue:
        assert (queue.num_hosts, queue.num_links) == (0, 0)
        assert links_of(queue, "a.com") == []


def test_what_is_done_does_not_wait() -> None:
    urls = pa.array(["http://a.com/1", "http://a.com/2", "http://a.com/3"])
    done = np.sort(url_keys(["http://a.com/2", "http://z.com/"]))
    assert without(urls, done).to_pylist() == ["http://a.com/1", "http://a.com/3"]
    assert without(urls, done[:0]).to_pylist() == urls.to_pylist()
