"""Fetching a benchmark's file: only its known content is ever put in place."""

from pathlib import Path

import pooch
import requests

from wellread.base.errors import WellreadError

SECONDS = 60  # without an answer or a byte


def download(url: str, sha256: str, path: Path) -> None:
    """Fetch `url` to `path`, which then has this digest; whatever fails leaves nothing there."""
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{sha256}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=SECONDS),
        )
    except requests.RequestException as error:
        raise WellreadError(f"{url}: could not be fetched ({error})") from None
    except ValueError:
        raise WellreadError(
            f"{url}: gives another text than the benchmark's (expected SHA-256 {sha256}); nothing "
            "was kept"
        ) from None
