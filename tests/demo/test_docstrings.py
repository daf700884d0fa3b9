"""Docstrings of every dialect become the same few kinds of blocks."""

import pytest

from wellread.demo.docstrings import blocks_of

NUMPYDOC = """Return the sum.

    Parameters
    ----------
    a : array_like
        Elements to sum. See `numpy.mean`.
    axis : None or int, optional
        Axis along which
        a sum is performed.

    See Also
    --------
    mean : Another function.

    Examples
    --------
    >>> np.sum([0.5, 1.5])
    2.0
    """
GOOGLE = """Open a file.

    Args:
        path (str): where it is,
            from the root.

    Returns:
        The open file.
    """
SPHINX = """Connect to a host.

    :param host: The name of the host.
    :type host: str
    :returns: A connection.

    .. versionadded:: 3.5
    """
LITERAL = """Use it so::

        with open(x) as file:
            pass

    * one point
      in two lines
    * another
    """


def flat(docstring: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in blocks_of(docstring)]


def test_numpydoc() -> None:
    assert flat(NUMPYDOC) == [
        ("paragraph", "Return the sum."),
        ("subheading", "Parameters"),
        ("paragraph", "a (array_like): Elements to sum. See numpy.mean."),
        ("paragraph", "axis (None or int, optional): Axis along which a sum is performed."),
        ("subheading", "Examples"),
        ("code", ">>> np.sum([0.5, 1.5])\n2.0"),
    ]


def test_google() -> None:
    assert flat(GOOGLE) == [
        ("paragraph", "Open a file."),
        ("subheading", "Args"),
        ("paragraph", "path (str): where it is, from the root."),
        ("subheading", "Returns"),
        ("paragraph", "The open file."),
    ]


def test_field_lists() -> None:
    assert flat(SPHINX) == [
        ("paragraph", "Connect to a host."),
        ("paragraph", "host: The name of the host."),
        ("paragraph", "Returns: A connection."),
        ("paragraph", "Added in version 3.5."),
    ]


def test_literal_blocks_and_bullets() -> None:
    assert flat(LITERAL) == [
        ("paragraph", "Use it so:"),
        ("code", "with open(x) as file:\n    pass"),
        ("item", "one point in two lines"),
        ("item", "another"),
    ]


@pytest.mark.parametrize("docstring", ["", "::", "Args:", ".. ", "- ", "===", ">>>", ":x:", "|a|"])
def test_scraps_are_no_trouble(docstring: str) -> None:
    assert [block for block in blocks_of(docstring) if block.kind == "heading"] == []
