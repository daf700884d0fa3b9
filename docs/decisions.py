"""The list of decisions, by their files' titles."""

from pathlib import Path

FOLDER = Path(__file__).parent / "decisions"


def index() -> str:
    """A line for each decision: its number, its title, a link."""
    lines = []
    for path in sorted(FOLDER.glob("[0-9]*.md")):
        number, _, title = path.read_text(encoding="utf-8").splitlines()[0].partition(". ")
        lines.append(f"{int(number.removeprefix('# '))}. [{title}]({path.name})")
    return "\n".join(lines)
