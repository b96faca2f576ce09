"""The server's local time: in headers, in STOPAT, in msdb."""

from __future__ import annotations

import datetime as dt
import re

from ..context import InstanceContext
from ..query.engine import zone
from .messages import error

__all__ = ["from_literal", "quarter_hours", "zone_of"]

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.:](\d{1,7}))?)?)?\s*(am|pm)?", re.IGNORECASE
)
_NAMED = re.compile(
    r"([a-z]{3})[a-z]*\s+(\d{1,2}),?\s+(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.:](\d{1,7}))?)?)?\s*(am|pm)?",
    re.IGNORECASE,
)


def zone_of(instance: InstanceContext) -> dt.tzinfo:
    """The time zone of the instance's host, which names it as Windows does."""
    where = instance.host.time_zone
    return zone(where) if isinstance(where, str) else where


def quarter_hours(instance: InstanceContext) -> int:
    """backupset.time_zone: quarter hours east of UTC, now."""
    offset = instance.utc_now().astimezone(zone_of(instance)).utcoffset() or dt.timedelta()
    return round(offset / dt.timedelta(minutes=15))


def from_literal(text: str, what: str) -> dt.datetime:
    """The moment that a literal names (ISO, or English month names); no zone: the server's local time. Raises SqlError
    3217.

    The form with a space instead of T reads day and month the other way round for French or German logins; that is not
    imitated.
    """
    found = _ISO.fullmatch(text.strip())
    try:
        if found:
            year, month, day = (int(part) for part in found.groups()[:3])
            rest = found.groups()[3:]
        else:
            named = _NAMED.fullmatch(text.strip())
            if not named:
                raise ValueError(text)
            month, day, year = _MONTHS.index(named[1].lower()) + 1, int(named[2]), int(named[3])
            rest = named.groups()[3:]
        hour, minute, second, fraction, half = rest
        hours = int(hour or 0)
        if half:
            hours = hours % 12 + (12 if half.lower() == "pm" else 0)
        return dt.datetime(
            year, month, day, hours, int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")[:6])
        )
    except ValueError as failure:
        raise error(3217, what=what) from failure
