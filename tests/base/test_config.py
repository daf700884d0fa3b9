"""Settings are read strictly, and a mistake is answered with a sentence that helps."""

from datetime import date
from pathlib import Path

import pytest

from wellread.base.config import Config, convert, read_toml
from wellread.base.errors import InputError


class Settings(Config, frozen=True):
    min_karma: int = 3
    until: date | None = None
    vocabulary: Path | None = None


class Needed(Config, frozen=True):
    vary: dict[str, list[int]]


def test_a_misspelt_key_names_the_one_that_was_meant() -> None:
    with pytest.raises(InputError) as caught:
        convert({"min_carma": 2}, Settings, where="a.toml, section [links]")
    assert str(caught.value) == (
        "a.toml, section [links]: unknown key 'min_carma'; did you mean 'min_karma'?"
    )


def test_a_wrong_type_names_the_key_and_both_types() -> None:
    with pytest.raises(InputError) as caught:
        convert({"min_karma": "three"}, Settings, where="links")
    assert str(caught.value) == "links: key 'min_karma': expected `int`, got `str`"


def test_paths_are_taken_from_the_root_and_must_exist(tmp_path: Path) -> None:
    (tmp_path / "vocab").mkdir()
    found = convert({"vocabulary": "vocab"}, Settings, where="x", root=tmp_path)
    assert found == Settings(vocabulary=tmp_path / "vocab")
    with pytest.raises(InputError, match=r"key 'vocabulary': there is no such file: .*vocabs"):
        convert({"vocabulary": "vocabs"}, Settings, where="x", root=tmp_path)


def test_a_command_line_may_give_numbers_and_dates_as_text() -> None:
    given = {"min_karma": "5", "until": "2017-12-31"}
    assert convert(given, Settings, where="x", strict=False) == Settings(
        min_karma=5, until=date(2017, 12, 31)
    )


def test_a_day_that_does_not_exist_and_a_missing_key_are_said_in_plain_words() -> None:
    with pytest.raises(InputError) as caught:
        convert({"until": "2017-13-01"}, Settings, where="links", strict=False)
    assert str(caught.value) == (
        "links: key 'until': '2017-13-01' is not a date; expected YEAR-MONTH-DAY, as 2017-12-31"
    )
    with pytest.raises(InputError) as caught:
        convert({}, Needed, where="a.toml, section [study]")
    assert str(caught.value) == "a.toml, section [study]: key 'vary' is missing"


def test_a_recipe_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[links]\nmin_karma = \n")
    with pytest.raises(InputError, match=r"bad\.toml: not valid TOML: .*line 2"):
        read_toml(path)
