"""Docstrings become headings, paragraphs, list items and code: reST, numpydoc, Google, epytext."""

import re
from inspect import cleandoc

import msgspec

UNDERLINE = re.compile(r"([=\-~^\"'`*+#])\1{2,}")
GOOGLE = re.compile(
    r"(Args|Arguments|Parameters|Keyword args|Keyword Arguments|Returns?|Raises|Yields|Examples?"
    r"|Notes?|Attributes|Shape|Usage|Warnings?|See Also|References|Methods|Inputs?|Outputs?)\s*:"
)
DIRECTIVE = re.compile(r"\.\. ([\w:-]+)::\s*(.*)")
FIELD = re.compile(r"[:@](\w+)(?: ([^:]*))?:(?: (.*))?")
BULLET = re.compile(r"([*+\-•]|\(?\d{1,2}[.)]|#\.) +")
TABLE = re.compile(r"[|+].*|[=\-+|][=\-+| ]{4,}")
SIGNATURE = re.compile(r"[\w.]+\(.*\)( ?-> ?.*)?", re.DOTALL)
GOOGLE_ITEM = re.compile(r"\*{0,2}[\w., ]+( ?\(.*\))?: \S")
# Lists of names, works cited, tables of methods: no text of their own.
SKIPPED = {"see also", "references", "methods", "inheritance", "bibliography", "literature"}
CODE = {"code", "code-block", "sourcecode", "doctest", "testcode", "ipython", "prompt"}
REMARKS = {"note", "warning", "important", "tip", "caution", "attention", "hint", "admonition"}
VERSIONS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
}
MAX_HEADING = 80


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of an article."""

    kind: str  # heading, subheading, paragraph, item, code
    text: str


def blocks_of(docstring: str) -> list[Block]:
    """The blocks of a docstring, in order; tables, formulas and lists of names are left out.

    >>> [(b.kind, b.text) for b in blocks_of("Sum.\\n\\nNotes\\n-----\\nOf ``a`` and\\nb.")]
    [('paragraph', 'Sum.'), ('subheading', 'Notes'), ('paragraph', 'Of a and b.')]
    """
    lines = cleandoc(docstring).expandtabs().split("\n")
    return _without_empty_sections(_blocks(lines, depth=0))


def is_prose(block: Block) -> bool:
    """Whether a block reads as sentences."""
    if block.kind not in ("paragraph", "item"):
        return False
    letters = sum(c.isalpha() or c == " " for c in block.text)
    return (
        len(block.text.split()) >= 6
        and block.text.rstrip("\"')")[-1:] in (".", "!", "?", ":")
        and letters >= 0.85 * len(block.text)
    )


def clean(text: str) -> str:
    """Markup within a line removed, its words kept.

    >>> clean("See :class:`~os.PathLike`, ``x`` and `the guide <http://a.b>`_ or L{Deferred} [1]_.")
    'See PathLike, x and the guide or Deferred.'
    """
    text = re.sub(r":[\w:+-]+:`~(?:[^`<]*\.)?([^`<.]+)`", r"\1", text)
    text = re.sub(r":[\w:+-]+:`!?([^`<]*?)(?:\s*<[^`]*>)?`", r"\1", text)
    text = re.sub(r"``([^`]*)``", r"\1", text)
    text = re.sub(r" ?\[[\w#*]+\]_", "", text)
    text = re.sub(r"`([^`<]+?)\s*<[^`>]*>`_*", r"\1", text)
    text = re.sub(r"`([^`]*)`_*", r"\1", text)
    text = re.sub(r"\*\*([^*\s][^*]*)\*\*", r"\1", text)
    text = re.sub(r"(?<![\w*])\*([^*\s][^*]*?)\*(?![\w*])", r"\1", text)
    text = re.sub(r"\b[LCIBU]\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\s*::$", ":", text.replace("\\ ", "").replace("\\*", "*"))
    return " ".join(text.split()) if text != ":" else ""


def _blocks(lines: list[str], depth: int) -> list[Block]:
    found: list[Block] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
            continue
        heading, length = _heading(lines, at)
        if length:
            found += [Block(kind="subheading", text=heading)] if heading else []
            at += length
            continue
        blocks, at = _piece(lines, at, depth)
        found += blocks
    return found


def _heading(lines: list[str], at: int) -> tuple[str, int]:
    """The heading that starts at this line, and how many lines it takes (0: none)."""
    line = lines[at].strip()
    below = lines[at + 1].strip() if at + 1 < len(lines) else ""
    if UNDERLINE.fullmatch(line):
        return "", 1
    if UNDERLINE.fullmatch(below) and len(line) <= MAX_HEADING and not line.startswith(">>>"):
        return clean(line), 2
    if GOOGLE.fullmatch(line):
        return line.rstrip(": "), 1
    return "", 0


def _piece(lines: list[str], at: int, depth: int) -> tuple[list[Block], int]:
    """The blocks of what starts at this line, and the line after it."""
    stripped = lines[at].strip()
    if stripped.startswith((">>>", "In [", "$ ")):
        end = _until_blank(lines, at)
        return [_code(lines[at:end])], end
    if stripped.startswith(".. "):
        return _directive(lines, at, depth)
    if TABLE.fullmatch(stripped):
        return [], _until_blank(lines, at)
    if match := FIELD.fullmatch(stripped):
        return _field(match, lines, at)
    if match := BULLET.match(stripped):
        return _item(stripped[match.end() :], lines, at, depth)
    if _is_term(lines, at):
        return _definition(lines, at, depth)
    return _paragraph(lines, at)


def _paragraph(lines: list[str], at: int) -> tuple[list[Block], int]:
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _starts_anew(lines, end):
        end += 1
    raw = " ".join(lines[at:end]).strip()
    blocks = _text("paragraph", raw)
    if raw.endswith("::"):
        code_end = _indented_end(lines, end, _indent(lines[at]))
        code = lines[end:code_end]
        return blocks + ([_code(code)] if any(c.strip() for c in code) else []), code_end
    return blocks, end


def _starts_anew(lines: list[str], at: int) -> bool:
    stripped = lines[at].strip()
    is_marked = stripped.startswith((">>>", ".. ")) or BULLET.match(stripped)
    return bool(is_marked or FIELD.fullmatch(stripped) or _heading(lines, at)[1])


def _is_term(lines: list[str], at: int) -> bool:
    """Whether this line is explained by deeper lines below it, as a parameter is."""
    line = lines[at]
    if at + 1 >= len(lines) or not lines[at + 1].strip():
        return False
    is_short = len(line.strip()) <= MAX_HEADING and not line.rstrip().endswith((".", ","))
    return is_short and _indent(lines[at + 1]) > _indent(line)


def _definition(lines: list[str], at: int, depth: int) -> tuple[list[Block], int]:
    term = lines[at].strip()
    end = _indented_end(lines, at + 1, _indent(lines[at]))
    inner = _blocks(_dedented(lines[at + 1 : end]), depth + 1)
    name, colon, kind = term.partition(" : ")
    if colon:
        term = f"{name} ({kind}):"
    elif not GOOGLE_ITEM.match(term):
        term = term.rstrip(":") + ":"
    if inner and inner[0].kind == "paragraph":
        return [*_text("paragraph", f"{term} {inner[0].text}"), *inner[1:]], end
    return inner, end


def _item(first: str, lines: list[str], at: int, depth: int) -> tuple[list[Block], int]:
    end = _indented_end(lines, at + 1, _indent(lines[at]))
    inner = _blocks([first, *_dedented(lines[at + 1 : end])], depth + 1)
    if inner and inner[0].kind == "paragraph":
        inner[0] = Block(kind="item", text=inner[0].text)
    return inner, end


def _field(match: re.Match[str], lines: list[str], at: int) -> tuple[list[Block], int]:
    """A field of reST or epytext: `:param x: the number`."""
    end = _indented_end(lines, at + 1, _indent(lines[at]))
    name, argument, text = match.groups()
    text = " ".join([text or "", *(line.strip() for line in lines[at + 1 : end])]).strip()
    if not text or "type" in name or name in ("see", "author", "since", "license"):
        return [], end
    label = (argument or "").split(" ")[-1] or {"return": "returns"}.get(name, name).capitalize()
    return _text("paragraph", f"{label}: {text}"), end


def _directive(lines: list[str], at: int, depth: int) -> tuple[list[Block], int]:
    end = _indented_end(lines, at + 1, _indent(lines[at]))
    match = DIRECTIVE.match(lines[at].strip())
    if match is None:  # a comment, a footnote, a target
        return [], end
    name, argument = match.groups()
    body = _dedented(lines[at + 1 : end])
    while body and body[0].startswith(":"):  # options
        body = body[1:]
    if name in CODE:
        return ([_code(body)] if any(line.strip() for line in body) else []), end
    if name in VERSIONS:
        said = " ".join([f"{VERSIONS[name]} {argument}".strip(), *(x.strip() for x in body)])
        return _text("paragraph", said if said.endswith(".") else said + "."), end
    if name in REMARKS:
        return _blocks([argument, *body], depth + 1), end
    return [], end


def _text(kind: str, raw: str) -> list[Block]:
    """One block, or none if the line is a formula, a template or a signature."""
    text = clean(raw)
    is_formula = text.count("\\") > 2 or "%(" in text or text.count("{") > 2
    if not text or is_formula or SIGNATURE.fullmatch(text):
        return []
    return [Block(kind=kind, text=text)]


def _code(lines: list[str]) -> Block:
    return Block(
        kind="code", text="\n".join(line.rstrip() for line in _dedented(lines)).strip("\n")
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _dedented(lines: list[str]) -> list[str]:
    margin = min((_indent(line) for line in lines if line.strip()), default=0)
    return [line[margin:] for line in lines]


def _until_blank(lines: list[str], at: int) -> int:
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _indented_end(lines: list[str], at: int, indent: int) -> int:
    """The end of the lines deeper than `indent`, blank ones between them included."""
    end = at
    while at < len(lines) and (not lines[at].strip() or _indent(lines[at]) > indent):
        at += 1
        if lines[at - 1].strip():
            end = at
    return end


def _without_empty_sections(blocks: list[Block]) -> list[Block]:
    kept: list[Block] = []
    is_skipping = False
    for block in blocks:
        if block.kind == "subheading":
            is_skipping = block.text.lower().strip(": ") in SKIPPED
            if kept and kept[-1].kind == "subheading":
                kept.pop()
        if not is_skipping:
            kept.append(block)
    return kept[:-1] if kept and kept[-1].kind == "subheading" else kept
