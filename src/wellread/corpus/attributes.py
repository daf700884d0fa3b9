"""Tags with more attributes than a parser can bear.

libxml2 compares each attribute of a tag with all before: a page of 2 MB took six minutes.
"""

import re

MOST = 256  # ours: of an element; real pages are far below
ATTRIBUTE = r"(?:[\s/]*+(?:[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+\"?+|'[^']*+'?+|[^\s>]*+))?+|=))"
MANY = re.compile(rf"<[a-zA-Z][^\s/>]*+{ATTRIBUTE}{{{MOST}}}")
UPTO = rf"{ATTRIBUTE}{{0,{MOST}}}+"
# Comments, scripts and styles, which may seem to have such tags, stay as they are.
PARTS = re.compile(
    rf"(?P<comment><!--.*?(?:-->|\Z))"
    rf"|(?P<raw><(?P<name>script|style)(?=[\s/>]){UPTO}){ATTRIBUTE}*+"
    rf"(?P<content>[^>]*>.*?(?:</(?P=name)|\Z))"
    rf"|(?P<tag><[a-z][^\s/>]*+{UPTO}){ATTRIBUTE}*+",
    re.DOTALL | re.IGNORECASE,
)


def bearable(html: str) -> str:
    """The page without any attributes of a tag after the first MOST; else as it is.

    >>> page = "<p " + " ".join(f"a{number}=1" for number in range(1000)) + ">text</p>"
    >>> bearable(page).partition("a255=1")[1:]
    ('a255=1', '>text</p>')
    """
    if MANY.search(html) is None:
        return html
    return PARTS.sub(r"\g<comment>\g<raw>\g<content>\g<tag>", html)
