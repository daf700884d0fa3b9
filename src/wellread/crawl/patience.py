"""How long a server asks to be left alone."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(text: str, now: datetime) -> float | None:
    """The seconds that a server asks to wait, in either form; None if it says nothing of sense.

    >>> retry_after("120", datetime(2017, 12, 31, tzinfo=UTC))
    120.0
    >>> retry_after("Sun, 31 Dec 2017 00:01:00 GMT", datetime(2017, 12, 31, tzinfo=UTC))
    60.0
    """
    if text.strip().isdecimal():
        return float(text.strip())  # infinite, if it has hundreds of digits
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):  # no date, or of no year there is
        return None
