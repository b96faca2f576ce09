"""What can be reached from backups, found by trying every chain, one RESTORE at a time: the judge of the restore
planner.

Deliberately slow and simple, and without a line of the planner: it keeps a set of states ``(LSN, fork)`` and applies
every set to every state by the documented rules until nothing new appears.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from backup_history import Record, Taken

__all__ = ["Oracle", "Point", "State"]


class State(NamedTuple):
    lsn: int
    fork: str


class Reached(NamedTuple):
    """``whole``: after whole backups. ``halted``: in the middle of a log, at the fork point of another one, which alone
    goes on from there.
    """

    whole: set[State]
    halted: set[State]


class Point(NamedTuple):
    """A recovery point: the records that the database holds then."""

    records: tuple[Record, ...]


class Oracle:
    """``sets``: the usable sets of one family. ``names``: (database, fork) of all its sets that are known at all."""

    def __init__(self, sets: list[Taken], *, names: set[tuple[str, str]], wanted: str) -> None:
        # Recovery itself is logged, so a log that ends just at the fork point of its last fork is none that SQL Server
        # writes.
        self.sets = sets = [
            one for one in sets if not (one.kind == "log" and one.first_lsn < one.last_lsn == one.fork_point)
        ]
        self.parents: dict[str, tuple[str, int]] = {
            one.last_fork: (one.first_fork, one.fork_point)
            for one in sets
            if one.kind == "log" and one.first_lsn < one.last_lsn and one.fork_point
        }
        self.crossing = [
            one
            for one in sets
            if one.kind == "log"
            and one.first_fork != one.last_fork
            and one.first_lsn < one.last_lsn
            and one.first_lsn <= one.fork_point < one.last_lsn
        ]
        known = {one.last_fork for one in sets} | {parent for parent, _point in self.parents.values()}
        self.eligible = {fork for name, fork in names if not wanted or name.casefold() == wanted.casefold()} & known
        if not wanted:
            self.eligible = known

    def states(self, *, bases: list[Taken], logs: list[Taken], stoppable: list[Taken]) -> Reached:
        """Every state that can be reached from the data backups in ``bases`` over ``logs``; a log in ``stoppable`` may
        also be stopped at a fork point in order to go on with a log that begins there.
        """
        begin: set[State] = set()
        fulls = [one for one in bases if one.kind == "full"]
        for full in fulls:
            begin.add(State(full.last_lsn, full.last_fork))
            for one in bases:
                if one.kind == "differential" and one.base is full:
                    begin.add(State(one.last_lsn, one.last_fork))
        return self.closure(begin, logs=logs, stoppable=stoppable)

    def closure(self, begin: set[State], *, logs: list[Taken], stoppable: list[Taken]) -> Reached:
        whole, halted = set(begin), set()
        pending = [(state, False) for state in begin]
        while pending:
            state, is_halt = pending.pop()
            fitting = self._leads_on if is_halt else self.applies
            following = {State(log.last_lsn, log.last_fork) for log in logs if fitting(log, state)} - whole
            halts = {halt for log in stoppable if fitting(log, state) for halt in self._halts(log, state)} - halted
            whole |= following
            halted |= halts
            pending += [(one, False) for one in following] + [(one, True) for one in halts]
        return Reached(whole, halted)

    def _halts(self, log: Taken, state: State) -> set[State]:
        """The fork points inside a log, beyond the state, where another log goes on to another fork."""
        if log.bulk:
            return set()
        return {
            State(child.fork_point, child.first_fork)
            for child in self.crossing
            if state.lsn <= child.fork_point < log.last_lsn
            and child.first_fork == self.fork_at(log, child.fork_point)
            and child.last_fork != log.last_fork
        }

    def _leads_on(self, log: Taken, halt: State) -> bool:
        """Whether a log goes on from a fork point at which another one was stopped: one that leaves its fork does."""
        return log in self.crossing and halt.fork == log.first_fork and self.applies(log, halt)

    def within_reach(self, log: Taken, reached: Reached) -> bool:
        """Whether the database can be brought to where this log can be restored."""
        return any(self.applies(log, state) for state in reached.whole) or any(
            self._leads_on(log, halt) for halt in reached.halted
        )

    @staticmethod
    def applies(log: Taken, state: State) -> bool:
        """Whether RESTORE LOG takes this log on a database in this state."""
        if not log.first_lsn <= state.lsn < log.last_lsn:
            return False
        if log.first_fork == log.last_fork:
            return state.fork == log.first_fork
        if state.fork == log.first_fork:
            return state.lsn <= log.fork_point
        return state.fork == log.last_fork and state.lsn >= log.fork_point

    @staticmethod
    def fork_at(log: Taken, lsn: int) -> str:
        """On which fork a stop inside the log leaves the database: on the earlier one if it stops at the fork point."""
        return log.first_fork if log.fork_point is not None and lsn <= log.fork_point else log.last_fork

    def content(self, state: State) -> Point:
        witness = next(one for one in self.sets if one.last_fork == state.fork and one.last_lsn >= state.lsn)
        return Point(tuple(record for record in witness.path if record.lsn < state.lsn))

    # -- the three kinds of target

    def newest(self, start: State | None = None, base: str = "") -> Point | None:
        state = self.newest_state(start, base)
        return None if state is None else self.content(state)

    def newest_state(self, start: State | None = None, base: str = "") -> State | None:
        logs = [one for one in self.sets if one.kind == "log"]
        reached = self._from(start, base, self.sets, logs=logs, stoppable=logs)
        best = None
        for fork in self.eligible:
            here = [state.lsn for state in reached.whole if state.fork == fork]
            if here:
                key = (self._moment(State(max(here), fork)), max(here), fork)
                best = max(best, key) if best else key
        return State(best[1], best[2]) if best else None

    def _from(
        self, start: State | None, base: str, bases: list[Taken], *, logs: list[Taken], stoppable: list[Taken]
    ) -> Reached:
        if start is None:
            return self.states(bases=bases, logs=logs, stoppable=stoppable)
        begin = {start} | {
            State(one.last_lsn, one.last_fork)
            for one in bases
            if one.kind == "differential" and one.base.guid == base and one.last_lsn > start.lsn
        }
        return self.closure(begin, logs=logs, stoppable=stoppable)

    def _moment(self, state: State) -> datetime:
        times = [
            self._covered(one) if one.kind == "log" else one.finished
            for one in self.sets
            if one.last_fork == state.fork and one.last_lsn == state.lsn
        ]
        return max(times, default=datetime.min.replace(tzinfo=self.sets[0].started.tzinfo))

    @staticmethod
    def _covered(one: Taken) -> datetime:
        return max(one.started, one.last_valid) if one.last_valid else one.started

    def at_time(self, when: datetime) -> Point | None:
        """The log that was backed up soonest after the moment and can be applied without going past it, stopped there."""
        over = when - timedelta(seconds=1)  # headers tell whole seconds: what ended then may have ended just before now
        bases = [
            one
            for one in self.sets
            if one.kind != "log" and one.finished <= over and (one.base is None or one.base.finished <= over)
        ]
        logs = [
            one
            for one in self.sets
            if one.kind == "log"
            and one.first_lsn < one.last_lsn
            and (one.finished <= over or (not one.bulk and self._covered(one) < when))
        ]
        reached = self.states(bases=bases, logs=logs, stoppable=[log for log in logs if log.finished <= over])
        over_logs = [log for log in logs if log.finished <= over]
        surely = self.states(bases=bases, logs=over_logs, stoppable=over_logs).whole
        found: list[tuple[datetime, int, Point]] = []
        for one in self.sets:
            if one.kind != "log" or self._covered(one) < when or not self._on_path(one.last_fork, one.last_lsn):
                continue
            beyond = [state for state in reached.whole if state.fork == one.last_fork and state.lsn >= one.last_lsn]
            if beyond and max(beyond).lsn > one.last_lsn and max(beyond) in surely:
                continue  # the times contradict the LSNs: it ended before what was over before the moment
            if beyond:
                # Its end is no further: nothing was logged between that state and the moment.
                found.append(
                    (
                        one.finished,
                        one.last_lsn,
                        Point(tuple(record for record in self.content(max(beyond)).records if record.time < when)),
                    )
                )
            elif one.first_lsn < one.last_lsn and not one.bulk and self.within_reach(one, reached):
                found.append(
                    (one.finished, one.last_lsn, Point(tuple(record for record in one.path if record.time < when)))
                )
        return min(found)[2] if found else self._ended_at(when)

    def _ended_at(self, when: datetime) -> Point | None:
        """Where no log holds the moment: what a backup that can only be used whole held when it ended in that second."""
        over = [one for one in self.sets if one.finished <= when and (one.base is None or one.base.finished <= when)]
        logs = [one for one in over if one.kind == "log" and one.first_lsn < one.last_lsn]
        reached = self.states(bases=[one for one in over if one.kind != "log"], logs=logs, stoppable=logs)
        best: State | None = None
        for fork in {state.fork for state in reached.whole}:
            end = max(state.lsn for state in reached.whole if state.fork == fork)
            ends_there = any(
                one.last_fork == fork and one.last_lsn == end and one.finished == when
                for one in over
                if one.kind != "log" or one.bulk
            )
            if ends_there and self._on_path(fork, end):
                best = max(best, State(end, fork)) if best else State(end, fork)
        return self.content(best) if best else None

    def _on_path(self, fork: str, lsn: int) -> bool:
        """Whether the path to some fork on which the wanted database lives leads through here."""
        return any(self._passes(end, fork, lsn) for end in self.eligible)

    def _passes(self, end: str, fork: str, lsn: int) -> bool:
        limit = float("inf")
        seen = set()
        while end not in seen:
            seen.add(end)
            if end == fork:
                return lsn <= limit
            if end not in self.parents:
                return False
            end, limit = self.parents[end]
        return False

    def at_lsn(self, target: int, *, before: bool) -> list[Point]:
        """What the database may hold at an LSN: more than one answer where several forks have that LSN."""
        logs = [one for one in self.sets if one.kind == "log" and one.first_lsn < one.last_lsn]
        bases = [one for one in self.sets if one.kind != "log" and one.last_lsn <= target]
        reached = self.states(bases=bases, logs=[log for log in logs if log.last_lsn <= target], stoppable=logs)
        reached = Reached(reached.whole, {halt for halt in reached.halted if halt.lsn <= target})
        end = target + (not before)
        points = [
            self.content(state)
            for state in reached.whole
            if before and state.lsn == target and self._on_path(*reversed(state))
        ]
        for log in logs:
            if log.bulk or not log.first_lsn <= target < log.last_lsn or not self._on_path(self.fork_at(log, end), end):
                continue
            if self.within_reach(log, reached):
                points.append(Point(tuple(record for record in log.path if record.lsn < end)))
        return points
