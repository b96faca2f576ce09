"""Times in text: what T-SQL reads, what it writes per style, and date arithmetic."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Any

from ..errors import SqlError
from ..types import SqlType

__all__ = [
    "PARTS",
    "add",
    "difference",
    "format_time",
    "offset_from_storage",
    "parse_time",
    "part",
    "time_from_storage",
]

_ISO = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:([T ])\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.:](\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:\d{2})?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.:](\d{1,9}))?)?)?")
_SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.:](\d{1,9}))?)?)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?")
_NAMED = re.compile(
    r"([A-Za-z]{3,9})\s+(\d{1,2}),?\s+(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.:](\d{1,9}))?\s*([AaPp][Mm])?)?"
)
PARTS = {
    word: name
    for name, words in {
        "year": "YEAR YY YYYY", "quarter": "QUARTER QQ Q", "month": "MONTH MM M", "dayofyear": "DAYOFYEAR DY Y", "day": "DAY DD D", "week": "WEEK WK WW",
        "weekday": "WEEKDAY DW W", "hour": "HOUR HH", "minute": "MINUTE MI N", "second": "SECOND SS S", "millisecond": "MILLISECOND MS",
        "microsecond": "MICROSECOND MCS", "nanosecond": "NANOSECOND NS", "tzoffset": "TZOFFSET TZ",
    }.items()
    for word in words.split()
}  # fmt: skip
_UNITS = {"week": 604_800_000_000, "day": 86_400_000_000, "dayofyear": 86_400_000_000, "weekday": 86_400_000_000, "hour": 3_600_000_000,
          "minute": 60_000_000, "second": 1_000_000, "millisecond": 1_000, "microsecond": 1}  # fmt: skip


def time_from_storage(value: Any) -> dt.datetime:
    """A stored datetime, date or datetimeoffset (its local part)."""
    return dt.datetime.fromisoformat(value[:26])


def offset_from_storage(value: str) -> dt.datetime:
    """A stored datetimeoffset, aware."""
    text, _, offset = value.rpartition(" ")
    return (
        dt.datetime.fromisoformat(text + offset)
        if re.fullmatch(r"[+-]\d{2}:\d{2}", offset)
        else dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)
    )


def parse_time(text: str, *, style: int | None = None, dayfirst: bool = False) -> dt.datetime:
    """What T-SQL reads as a time; aware when it names an offset. `dayfirst`: the language reads the day before the
    month. Raises 241, 242.
    """
    stripped = text.strip()
    try:
        if match := _ISO.fullmatch(stripped):
            year, month, day, separator, hour, minute, second, fraction, zone = match.groups()
            if dayfirst and separator != "T":
                month, day = day, month  # only the T makes this form neutral to languages
            found = _moment(year, month, day, hour, minute, second, fraction)
            if zone:
                offset = (
                    dt.timedelta(0)
                    if zone == "Z"
                    else dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:])) * (-1 if zone[0] == "-" else 1)
                )
                found = found.replace(tzinfo=dt.timezone(offset))
            return found
        if match := _COMPACT.fullmatch(stripped):
            return _moment(*match.groups())
        if match := _SLASHED.fullmatch(stripped):
            first, second_part, year, *clock = match.groups()
            day_comes_first = dayfirst or style in (103, 104, 105)
            month, day = (second_part, first) if day_comes_first else (first, second_part)
            return _moment(year, month, day, *clock)
        if match := _CLOCK.fullmatch(stripped):
            return _moment("1900", "1", "1", *match.groups())
        if match := _NAMED.fullmatch(stripped):
            name, day, year, hour, minute, second, fraction, half = match.groups()
            month = str([m.lower() for m in calendar.month_abbr].index(name[:3].lower()))
            if half and hour:
                hour = str(int(hour) % 12 + (12 if half.lower() == "pm" else 0))
            return _moment(year, month, day, hour, minute, second, fraction)
    except ValueError:
        raise SqlError(
            242,
            "The conversion of a varchar data type to a datetime data type resulted in an out-of-range value.",
            state=3,
        ) from None
    if not stripped:
        return dt.datetime(1900, 1, 1)
    raise SqlError(241, "Conversion failed when converting date and/or time from character string.")


def _moment(
    year: str,
    month: str,
    day: str,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    fraction: str | None = None,
) -> dt.datetime:
    return dt.datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int(((fraction or "") + "000000")[:6]),
    )


def format_time(value: str, kind: SqlType, style: int | None) -> str:
    """A stored time as CONVERT writes it; style None is the type's own default. Raises 281 for a style that the twin
    does not know.
    """
    if kind.name == "time":
        return _with_fraction(
            dt.time.fromisoformat(value).strftime("%H:%M:%S"), dt.time.fromisoformat(value).microsecond, kind.scale
        )
    moment = offset_from_storage(value) if kind.name == "datetimeoffset" else time_from_storage(value)
    digits = kind.scale if kind.name in ("datetime2", "datetimeoffset") else 3
    if style is None:
        style = 23 if kind.name == "date" else 121 if kind.name in ("datetime2", "datetimeoffset") else 0
    zone = f" {moment:%z}"[:4] + ":" + f"{moment:%z}"[3:5] if moment.tzinfo else ""
    if style in (0, 100):
        return f"{moment:%b} {moment.day:>2} {moment.year}" + (
            "" if kind.name == "date" else f" {(moment.hour % 12) or 12:>2}:{moment:%M%p}"
        )
    clock = _with_fraction(f"{moment:%H:%M:%S}", moment.microsecond, digits)
    simple = {
        101: "%m/%d/%Y", 102: "%Y.%m.%d", 103: "%d/%m/%Y", 104: "%d.%m.%Y", 105: "%d-%m-%Y", 108: "%H:%M:%S", 110: "%m-%d-%Y", 111: "%Y/%m/%d",
        112: "%Y%m%d", 20: "%Y-%m-%d %H:%M:%S", 120: "%Y-%m-%d %H:%M:%S", 23: "%Y-%m-%d", 24: "%H:%M:%S", 8: "%H:%M:%S",
    }  # fmt: skip
    if style in simple:
        return moment.strftime(simple[style])
    if kind.name == "date" and style in (21, 25, 121, 126, 127):
        return f"{moment:%Y-%m-%d}"
    if style in (21, 25, 121):
        return f"{moment:%Y-%m-%d} {clock}{zone}"
    if style in (126, 127):
        iso = f"{moment:%Y-%m-%dT%H:%M:%S}"
        if kind.name in ("datetime2", "datetimeoffset") or moment.microsecond:
            iso = f"{moment:%Y-%m-%dT}{clock}"
        return iso + (zone.strip() if style == 126 else "Z" if moment.tzinfo else "")
    if style in (14, 114):
        return f"{moment:%H:%M:%S}:{moment.microsecond // 1000:03d}"
    raise SqlError(281, f"{style} is not a valid style number when converting from {kind.name} to a character string.")


def _with_fraction(clock: str, microsecond: int, digits: int) -> str:
    return f"{clock}.{f'{microsecond:06d}0'[:digits]}" if digits else clock


def part(word: str, moment: dt.datetime) -> int:
    """DATEPART; the week begins on Sunday (us_english)."""
    name = PARTS[word.upper()]
    if name in ("year", "month", "day", "hour", "minute", "second", "microsecond"):
        return getattr(moment, name)
    if name == "tzoffset":
        return int((moment.utcoffset() or dt.timedelta(0)).total_seconds() // 60)
    first = dt.datetime(moment.year, 1, 1)
    return {
        "quarter": (moment.month + 2) // 3, "dayofyear": moment.timetuple().tm_yday, "weekday": (moment.weekday() + 1) % 7 + 1,
        "week": (moment.timetuple().tm_yday - 1 + (first.weekday() + 1) % 7) // 7 + 1, "millisecond": moment.microsecond // 1000,
        "nanosecond": moment.microsecond * 1000,
    }[name]  # fmt: skip


def add(word: str, number: int, moment: dt.datetime) -> dt.datetime:
    """DATEADD. Raises 517 out of range."""
    name = PARTS[word.upper()]
    try:
        if name in ("year", "quarter", "month"):
            months = moment.year * 12 + moment.month - 1 + number * {"year": 12, "quarter": 3, "month": 1}[name]
            year, month = divmod(months, 12)
            return moment.replace(
                year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1])
            )
        return moment + (
            dt.timedelta(microseconds=number // 1000)
            if name == "nanosecond"
            else dt.timedelta(microseconds=_UNITS[name] * number)
        )
    except (OverflowError, ValueError, calendar.IllegalMonthError):
        raise SqlError(517, "Adding a value to a 'datetime' column caused an overflow.") from None


def difference(word: str, start: dt.datetime, end: dt.datetime) -> int:
    """DATEDIFF: boundaries crossed."""
    name = PARTS[word.upper()]
    if name == "year":
        return end.year - start.year
    if name in ("quarter", "month"):
        months = (end.year - start.year) * 12 + end.month - start.month
        return (
            months
            if name == "month"
            else (end.year * 4 + (end.month - 1) // 3) - (start.year * 4 + (start.month - 1) // 3)
        )
    zero = dt.datetime(1899, 12, 31)  # a Sunday
    if name == "nanosecond":
        return (end - start) // dt.timedelta(microseconds=1) * 1000
    unit = dt.timedelta(microseconds=_UNITS[name])
    return (end - zero) // unit - (start - zero) // unit
