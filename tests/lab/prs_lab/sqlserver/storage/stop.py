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
    """One of: time (transactions committed then still belong to it), mark (after: time from which it counts), lsn.

    Times are the server's local ones, without a zone, as the statement names them: they are compared with what the
    clock on the wall showed, which it does twice in the hour when it is set back. zone: of the server.
    """

    time: dt.datetime | None = None
    zone: dt.tzinfo = dt.UTC
    mark: str | None = None
    after: dt.datetime | None = None
    lsn: int | None = None
    before: bool = False

    def shown(self, moment: dt.datetime | str) -> dt.datetime:
        """What the clock on the wall showed at a moment (aware, or its ISO text)."""
        aware = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return as_datetime(aware.astimezone(self.zone).replace(tzinfo=None))

    def is_before(self, moment: dt.datetime | str | None) -> bool:
        """Whether a time is wanted that the clock showed before that moment; not where nothing was committed."""
        return self.time is not None and moment is not None and as_datetime(self.time) < self.shown(moment)

    def takes(self, head: RecordHead) -> bool:
        """Whether this record is still to be applied."""
        if self.time is not None:
            return not self.is_before(head.time)
        if self.lsn is not None:
            return head.end_lsn < self.lsn or (not self.before and head.end_lsn <= self.lsn)
        return not (self.before and self._is_mark(head))

    def ends_with(self, head: RecordHead) -> bool:
        """Whether nothing after this (taken) record is to be applied."""
        return self.mark is not None and not self.before and self._is_mark(head)

    def reached_at_end_of(self, header: SetHeader) -> bool:
        """All records of the set were taken: is the set's end the very point, so that no further log is needed?"""
        if self.time is not None:
            return header.last_commit is not None and self.shown(header.last_commit) == as_datetime(self.time)
        return self.lsn is not None and (self.lsn < header.last_lsn or (self.before and self.lsn == header.last_lsn))

    def _is_mark(self, head: RecordHead) -> bool:
        if head.mark is None or self.mark is None or head.mark.lower() != self.mark.lower():
            return False
        return self.after is None or head.time is None or self.shown(head.time) >= as_datetime(self.after)
