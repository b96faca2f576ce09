"""Where rolling forward ends: STOPAT, STOPATMARK, STOPBEFOREMARK."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from .logfile import RecordHead
from .setheader import SetHeader

__all__ = ["Stop", "as_datetime"]

_TICKS = 300


def as_datetime(moment: dt.datetime) -> dt.datetime:
    """The moment as T-SQL's datetime holds it: in steps of 1/300 second, milliseconds shown as 0, 3 and 7."""
    whole = moment.replace(microsecond=0)
    ticks = (moment.microsecond * _TICKS + 500_000) // 1_000_000
    return whole + dt.timedelta(milliseconds=(ticks * 10 + 1) // 3)


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One of: time (aware UTC, transactions committed then still belong to it), mark (after: UTC time from which it
    counts), lsn.
    """

    time: dt.datetime | None = None
    mark: str | None = None
    after: dt.datetime | None = None
    lsn: int | None = None
    before: bool = False

    def takes(self, head: RecordHead) -> bool:
        """Whether this record is still to be applied."""
        if self.time is not None:
            return head.time is None or as_datetime(head.time) <= as_datetime(self.time)
        if self.lsn is not None:
            return head.end_lsn < self.lsn or (not self.before and head.end_lsn <= self.lsn)
        return not (self.before and self._is_mark(head))

    def ends_with(self, head: RecordHead) -> bool:
        """Whether nothing after this (taken) record is to be applied."""
        return self.mark is not None and not self.before and self._is_mark(head)

    def reached_at_end_of(self, header: SetHeader) -> bool:
        """All records of the set were taken: is the set's end the very point, so that no further log is needed?"""
        if self.time is not None:
            last = dt.datetime.fromisoformat(header.last_commit) if header.last_commit else None
            return last is not None and as_datetime(last) == as_datetime(self.time)
        return self.lsn is not None and (self.lsn < header.last_lsn or (self.before and self.lsn == header.last_lsn))

    def _is_mark(self, head: RecordHead) -> bool:
        if head.mark is None or self.mark is None or head.mark.lower() != self.mark.lower():
            return False
        return self.after is None or head.time is None or as_datetime(head.time) >= as_datetime(self.after)
