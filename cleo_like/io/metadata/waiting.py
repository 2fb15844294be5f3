"""How long a busy server asks to be left alone."""

from __future__ import annotations

import datetime
import email.utils


def named_wait(told: object, now: datetime.datetime | None = None) -> float | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, 10.2.3); None where it is neither.

    Parameters
    ----------
    told : str or None
        Of the header.
    now : datetime, optional
        The present when not given.

    Examples
    --------
    >>> noon = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)
    >>> named_wait("7"), named_wait("Thu, 01 Jan 2026 12:00:30 GMT", noon), named_wait("soon")
    (7.0, 30.0, None)
    """
    text = "" if told is None else str(told).strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if when.tzinfo is None:  # "-0000": of an unknown zone, meant as GMT
        when = when.replace(tzinfo=datetime.UTC)
    present = datetime.datetime.now(datetime.UTC) if now is None else now
    return max((when - present).total_seconds(), 0.0)
