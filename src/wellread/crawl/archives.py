"""Pages out of WARC files that are already there: the source "warc"."""

from collections.abc import Callable, Sequence
from pathlib import Path

from wellread.base.manifest import MAX_EXAMPLES, Draft
from wellread.base.progress import Progress
from wellread.crawl.journal import Journal
from wellread.formats.pages import FETCHED, Outcome, Page, read_pages, refusal

ABSENT = "not in the given pages"


def take_pages(
    draft: Draft,
    warcs: Sequence[Path],
    wanted: set[str],
    max_bytes: int,
    kept_out: Callable[[str], str | None],
    progress: Progress,
) -> None:
    """Note in the journal what `warcs` hold of the links in `wanted`.

    The first page that can be used stands for its link; else the first refusal says why not. Links
    for which `kept_out` gives an outcome have that.
    """
    refused = {url: Outcome(url=url, outcome=why) for url in wanted if (why := kept_out(url))}
    waiting, found = wanted - refused.keys(), 0

    def bad(reason: str, where: str) -> None:
        # Beside the drops, which account for links: these records may be anybody's.
        draft.counts[f"bad records: {reason}"] += 1
        named = draft.examples.setdefault(reason, [])
        if len(named) < MAX_EXAMPLES:
            named.append(where)

    with Journal(draft.out) as journal:
        for path in warcs:
            for page in read_pages(path, bad):
                if page.url not in waiting:
                    continue
                outcome = _outcome(page, max_bytes)
                if outcome.outcome == FETCHED:
                    waiting.remove(page.url)
                    refused.pop(page.url, None)
                    journal.add(outcome, page)
                    found += 1
                    progress(found, len(wanted), "pages found")
                else:
                    refused.setdefault(page.url, outcome)
        for url in sorted(waiting | refused.keys()):
            journal.add(refused.get(url) or Outcome(url=url, outcome=ABSENT))


def _outcome(page: Page, max_bytes: int) -> Outcome:
    reason = refusal(page.status, page.content_type)
    if reason is None and len(page.body) > max_bytes:
        reason = "too_large"
    num_bytes = len(page.body) if reason is None else 0
    return Outcome(url=page.url, outcome=reason or FETCHED, status=page.status, num_bytes=num_bytes)
