"""In what unfinished work differs from what is asked for now."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from wellread.base.config import Config
from wellread.base.errors import InputError
from wellread.base.manifest import UNFINISHED, marker_of, owner_of


def changed_since_begun(
    out: Path, *, stage: str, config: Config, inputs: Mapping[str, Sequence[Path]]
) -> list[str]:
    """The settings and inputs in which unfinished work of `stage` in `out` differs from these.

    Each is named once, though files may be both.
    """
    mark = out / UNFINISHED
    if not mark.is_file() or owner_of(out) != stage:
        return []
    begun, now = (
        msgspec.json.decode(marker)
        for marker in (mark.read_bytes(), marker_of(stage, config, inputs))
    )
    settings = _differences(begun["config"], now["config"])
    return list(dict.fromkeys(settings + _differences(begun["inputs"], now["inputs"])))


def _differences(before: dict[str, Any], now: dict[str, Any], within: str = "") -> list[str]:
    """The keys whose values differ, as `section.key`."""
    found = []
    for key in sorted({*before, *now}):
        one, other = before.get(key), now.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += _differences(one, other, f"{within}{key}.")
        elif one != other:
            found.append(within + key)
    return found


def a_finished_other(out: Path, what: str) -> InputError:
    return InputError(
        f"{out}: a finished {what} of other settings or inputs is there; give another --out, or "
        "delete it"
    )


def refuse_another(
    out: Path, what: str, *, stage: str, config: Config, inputs: Mapping[str, Sequence[Path]]
) -> None:
    """Hours of work on other settings or inputs are not deleted unasked."""
    if changed := changed_since_begun(out, stage=stage, config=config, inputs=inputs):
        raise InputError(
            f"{out}: an interrupted {what} with another {', '.join(changed)} is there; go on with "
            "what it had, give another --out, or delete the folder to begin anew"
        )
