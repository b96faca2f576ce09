"""A server whose clock on the wall shows local time: what its backups tell, and what STOPAT does on it.

One database on one recovery fork, so that days of minutes are quickly tried: a record every half minute, backups as a
schedule says. A plan is carried out as RESTORE does it: a log applies from where the database stands, and with STOPAT
only until the first record whose *local* time is not before it. It knows nothing of the planner.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

__all__ = ["LocalServer", "RestoreFails", "SetOnServer"]

_FULL_RUNS, _LOG_RUNS = timedelta(seconds=90), timedelta(seconds=4)


class RestoreFails(Exception):
    """What RESTORE says, with its number."""


@dataclass(kw_only=True)
class SetOnServer:
    """A backup set: its LSNs, and when it really ran."""

    guid: str
    kind: str
    first: int
    last: int
    started: datetime
    finished: datetime
    zone: tzinfo
    server: str


class LocalServer:
    """``records``: moments of the log records (UTC), one LSN apart."""

    def __init__(
        self, start: datetime, end: datetime, *, zone: tzinfo, every: timedelta = timedelta(seconds=30)
    ) -> None:
        self.zone, self.name = zone, "SQL1"
        self.begins = start
        count = (end - start) // every
        self.records = [start + every * number for number in range(count)]
        self.moved: tuple[datetime, tzinfo] | None = None
        self.returned: datetime | None = None
        self.sets: dict[str, SetOnServer] = {}
        self._log_start = 0

    def move(self, moment: datetime, zone: tzinfo, *, until: datetime | None = None) -> None:
        """The database fails over to a server in another zone, and perhaps back."""
        self.moved, self.returned = (moment, zone), until

    def zone_at(self, moment: datetime) -> tzinfo:
        is_away = (
            self.moved is not None and moment >= self.moved[0] and (self.returned is None or moment < self.returned)
        )
        return self.moved[1] if self.moved is not None and is_away else self.zone

    def local(self, moment: datetime) -> datetime:
        """What the clock on the wall shows, and with it the log record."""
        return moment.astimezone(self.zone_at(moment)).replace(tzinfo=None, fold=0)

    def _lsn(self, moment: datetime) -> int:
        """The next record's from a moment on."""
        return 100 + bisect_left(self.records, moment)

    def back_up(self, kind: str, moment: datetime) -> None:
        runs = _FULL_RUNS if kind == "full" else _LOG_RUNS
        end = self._lsn(moment + runs / 2)
        first = self._lsn(moment) if kind == "full" else self._log_start
        if kind == "log":
            self._log_start = end
        elif not self._log_start:
            self._log_start = first
        guid = f"{len(self.sets) + 1:08x}-0000-0000-0000-000000000000"
        zone = self.zone_at(moment)
        self.sets[guid] = SetOnServer(
            guid=guid,
            kind=kind,
            first=first,
            last=end,
            started=moment,
            finished=moment + runs,
            zone=zone,
            server=self.name if zone is self.zone else "SQL2",
        )

    def run(self, schedule: Iterable[tuple[str, datetime]]) -> None:
        for kind, moment in sorted(schedule, key=lambda entry: entry[1]):
            self.back_up(kind, moment)

    def rows(self, *, tells_offset: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of msdb.dbo.backupset and backupmediafamily."""
        sets, families = [], []
        for number, entry in enumerate(self.sets.values(), start=1):
            offset = entry.started.astimezone(entry.zone).utcoffset() or timedelta()
            sets.append(
                {
                    "backup_set_id": number,
                    "media_set_id": number,
                    "backup_set_uuid": entry.guid,
                    "type": {"full": "D", "log": "L"}[entry.kind],
                    "database_name": "PRS",
                    "server_name": entry.server,
                    "first_lsn": entry.first,
                    "last_lsn": entry.last,
                    "checkpoint_lsn": entry.first,
                    "backup_start_date": entry.started.astimezone(entry.zone).replace(tzinfo=None, microsecond=0),
                    "backup_finish_date": entry.finished.astimezone(entry.zone).replace(tzinfo=None, microsecond=0),
                    "time_zone": offset // timedelta(minutes=15) if tells_offset else 127,
                    "family_guid": "f" * 8,
                    "first_recovery_fork_guid": "a",
                    "last_recovery_fork_guid": "a",
                    "software_major_version": 15,
                }
            )
            families.append(
                {"media_set_id": number, "family_sequence_number": 1, "physical_device_name": f"B:\\{number}.bak"}
            )
        return sets, families

    def carry_out(self, steps: Iterable[Any]) -> int:
        """The LSN at which the database stands after the steps of a plan. Raises RestoreFails as RESTORE would."""
        position, stopped = 0, False
        for step in steps:
            if step.action == "recover" or (step.skip_if_stopped and stopped):
                continue
            entry = self.sets[step.guid]
            if entry.kind == "full":
                position = entry.last
                continue
            if entry.first > position:
                raise RestoreFails(f"4305: the log begins at {entry.first}, the database stands at {position}")
            if entry.last <= position:
                raise RestoreFails(f"4326: the log ends at {entry.last}, the database stands at {position}")
            end = self._end(entry, position, step.stop)
            stopped = end < entry.last
            position = end
        return position

    def _end(self, entry: SetOnServer, position: int, stop: Any) -> int:
        if stop is None:
            return entry.last
        if stop.kind == "lsn":
            return min(entry.last, stop.lsn + (not stop.before))
        shown = self._shown
        if position > 100 and shown[position - 101] >= stop.time:
            raise RestoreFails(f"4335: the time {stop.time} is before where the database stands")
        return next((lsn for lsn in range(position, entry.last) if shown[lsn - 100] >= stop.time), entry.last)

    @cached_property
    def _shown(self) -> list[datetime]:
        """The local time of each record."""
        return [self.local(moment) for moment in self.records]

    def lsn_at(self, moment: datetime) -> int:
        """Where the database stood at a moment: everything before it was logged."""
        return self._lsn(moment)
