"""Over https a site is who it says it is, or is left alone."""

import contextlib
from pathlib import Path

from tests.crawl.conftest import GOOD, MB, crawl_apart, quick
from tests.sites.hostile_site import certificate, head, hostile_site


def test_only_certificates_of_a_known_authority_for_the_right_host_in_time_are_taken(
    tmp_path: Path,
) -> None:
    authority, _ = certificate(tmp_path, "authority")
    contexts = {
        "good.test": certificate(tmp_path, "good.test", issuer=authority)[1],
        "itself.test": certificate(tmp_path, "itself.test")[1],
        "other.test": certificate(tmp_path, "wrong.test", issuer=authority)[1],
        "late.test": certificate(tmp_path, "late.test", issuer=authority, days=-1)[1],
        "plain.test": None,  # answers without TLS
    }
    with contextlib.ExitStack() as held:
        sites = {name: held.enter_context(hostile_site(tls)) for name, tls in contexts.items()}
        sites["mute.test"] = held.enter_context(hostile_site(is_mute=True))
        for site in sites.values():
            site.page("/", GOOD)
        good = sites["good.test"]
        good.redirect("/down", b"http://plain.test/")
        endless_picture = head(kind=b"image/png")
        good.drip("/endless-picture", endless_picture, bytes(65536), 0.0)
        good.drip("/endless-body", head(), bytes(65536), 0.0)
        config = quick(
            resolve={name: f"127.0.0.1:{site.port}" for name, site in sites.items()},
            timeout_seconds=2.0,
            max_page_bytes=2 * MB,
            retries=0,
        )
        paths = ("/down", "/endless-picture", "/endless-body")
        urls = [f"https://{name}/" for name in sites] + [f"https://good.test{p}" for p in paths]
        outcomes, pages, _ = crawl_apart(tmp_path, urls, config, SSL_CERT_FILE=str(authority))
        assert outcomes == {
            "https://good.test/": "fetched",
            "https://good.test/down": "fetched",
            "https://good.test/endless-picture": "not_a_page",
            "https://good.test/endless-body": "too_large",
            "https://itself.test/": "tls",
            "https://other.test/": "tls",
            "https://late.test/": "tls",
            "https://plain.test/": "tls",
            "https://mute.test/": "timeout",
        }
        assert pages["https://good.test/"].body == GOOD
        assert {"/endless-picture", "/endless-body"} <= good.hung_up
        assert max(good.sent.values()) < 16 * MB
        assert all(
            sites[name].hits["/"] == 0 for name in ("itself.test", "other.test", "late.test")
        )
