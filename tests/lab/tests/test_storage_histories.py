"""Any history of commits, fulls, differentials, logs and forks, restored to any point, gives exactly the rows of that
point.
"""

from __future__ import annotations

import itertools
import pathlib
import tempfile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prs_lab.sqlserver.errors import SqlError
from prs_lab.sqlserver.storage import lifecycle
from prs_lab.sqlserver.storage.setheader import DIFFERENTIAL, FULL, LOG
from prs_lab.sqlserver.storage.stop import Stop
from prs_lab.sqlserver.storage.target import recover

from .storage_steps import Moment, Steps, Taken, rows_in, wall

CHAIN_ERRORS = {3120, 3136, 4305, 4319, 4326, 4330}
STEP = st.one_of(
    st.tuples(st.just("commit"), st.sampled_from([10, 10, 3000])),
    st.tuples(st.just("mark"), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 5)),
    st.tuples(st.just("full"), st.booleans()),
    st.tuples(st.just("diff"), st.just(False)),
    st.tuples(st.just("log"), st.sampled_from([False, False, True])),
    st.tuples(st.just("full during"), st.booleans()),
    st.tuples(st.just("checkpoint"), st.just(0)),
    st.tuples(st.just("crash"), st.booleans()),
    st.tuples(st.just("fork"), st.integers(0, 1000)),
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def live(steps: Steps, history: list[tuple[str, int]]) -> None:
    """Play a history; what is not possible at its place (a log backup before any full) is left out."""
    for number, (what, how) in enumerate(history, 1):
        database = steps.database
        if what in ("commit", "mark"):
            steps.insert(number, size=how or 10, mark=f"M{number}" if what == "mark" else None)
        elif what == "delete" and steps.rows:
            steps.delete(sorted(steps.rows)[how % len(steps.rows)])
        elif what == "full":
            steps.backup("full", copy_only=bool(how), stripes=1 + number % 3)
        elif what == "full during":
            steps.backup(
                "full",
                copy_only=bool(how),
                during=lambda number=number: (steps.insert(1000 + number), steps.database.checkpoint()),
            )
        elif what == "diff" and database.boot.base:
            steps.backup("diff")
        elif what == "log" and database.chain_intact:
            steps.backup("log", copy_only=bool(how))
        elif what == "checkpoint":
            database.checkpoint()
        elif what == "crash":
            if how:
                database.crash()
            else:
                lifecycle.stop(database)
            steps.database = lifecycle.start(
                name="PRS",
                files=steps.files,
                data_path=database.data_path,
                log_path=database.log_path,
                work=database.work,
            )
        elif what == "fork" and steps.taken:
            fork(steps, how)


def fork(steps: Steps, how: int) -> None:
    """Restore to somewhere in the past and go on from there."""
    fulls = [one for one in steps.taken if one.header.backup_type == FULL]
    if not fulls:
        return
    copy = steps.restore(fulls[how % len(fulls)], end=False)
    stop = Stop(time=wall(steps.moments[how % len(steps.moments)].time)) if how % 2 else None
    for one in steps.taken:
        if one.header.backup_type == LOG and how % 5:
            try:
                if steps.apply(copy, one, stop=stop) and stop:
                    break
            except SqlError as error:
                assert error.number in CHAIN_ERRORS
    expected = steps.expected(copy.boot, copy.boot.redo_start_lsn)
    recover(copy)
    assert rows_in(copy) == expected
    steps.adopt(copy)


def sequence(steps: Steps, choice: list[int]) -> list[Taken]:
    """Some sets in some order."""
    return [steps.taken[place % len(steps.taken)] for place in choice]


@QUICK
@given(st.lists(STEP, max_size=14), st.lists(st.integers(0, 50), min_size=1, max_size=4), st.integers(0, 100))
def test_whatever_is_accepted_gives_the_rows_of_where_it_says_it_stands(
    history: list[tuple[str, int]], choice: list[int], target: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        steps = Steps(pathlib.Path(folder))
        live(steps, [("commit", 10), ("full", False), *history])
        wanted = steps.moments[target % len(steps.moments)]
        stop = [
            None,
            Stop(time=wall(wanted.time)),
            Stop(lsn=wanted.lsn),
            Stop(lsn=wanted.lsn, before=True),
            Stop(mark=wanted.mark or "none"),
        ][target % 5]
        fulls = [one for one in steps.taken if one.header.backup_type == FULL]
        full = fulls[choice[0] % len(fulls)]
        copy = steps.empty("Copy")
        reached, data_end = False, 0
        for one in [full, *sequence(steps, choice[1:]), *steps.taken]:
            if reached or (one.header.backup_type == FULL and copy.boot.restored_guid):
                continue
            try:
                complete = steps.apply(copy, one, stop=stop)
                if one.header.backup_type != LOG:
                    data_end = one.header.last_lsn
                elif complete and stop:
                    reached = True
            except SqlError as error:
                assert error.number in CHAIN_ERRORS
        x = copy.boot.redo_start_lsn
        expected = steps.expected(copy.boot, x)
        recover(copy)
        assert rows_in(copy) == expected
        if reached and stop is not None and stop.time is not None:
            # What a data backup holds cannot be taken back by stopping early; RESTORE refuses that with 4335.
            rolled = [moment for moment in way_to(steps, copy.boot.forks, x) if moment.lsn >= data_end]
            assert all(not stop.is_before(moment.time) for moment in rolled)
        assert copy.damaged_pages() == []


def way_to(steps: Steps, forks: list, x: int) -> list[Moment]:
    left_at = {fork.guid: after.start_lsn for fork, after in itertools.pairwise(forks)}
    guids = {fork.guid for fork in forks}
    return [
        moment for moment in steps.moments if moment.fork in guids and moment.lsn < min(x, left_at.get(moment.fork, x))
    ]


@QUICK
@given(st.lists(STEP, max_size=14), st.integers(0, 100))
def test_the_right_chain_reaches_the_last_backup(history: list[tuple[str, int]], pick: int) -> None:
    """From any full of the present path, with or without its newest differential, all later logs lead to the end of the
    last one.
    """
    with tempfile.TemporaryDirectory() as folder:
        steps = Steps(pathlib.Path(folder))
        live(steps, [("commit", 10), ("full", False), *history])
        steps.backup("log")
        boot = steps.database.boot
        present = [
            one for one in steps.taken if one.header.database.forks == boot.forks[: len(one.header.database.forks)]
        ]
        present = [one for one in present if one.header.last_lsn <= boot.next_lsn and of_this_way(one, boot.forks)]
        fulls = [one for one in present if one.header.backup_type == FULL]
        if not fulls:
            return
        full = fulls[pick % len(fulls)]
        chain = [full]
        if pick % 2:
            chain += [
                one
                for one in present
                if one.header.backup_type == DIFFERENTIAL and one.header.base_guid == full.header.set_guid
            ][-1:]
        x = chain[-1].header.last_lsn
        for log in sorted(
            (one for one in present if one.header.backup_type == LOG), key=lambda one: one.header.last_lsn
        ):
            if log.header.first_lsn <= x < log.header.last_lsn:
                chain.append(log)
                x = log.header.last_lsn
        if x < steps.taken[-1].header.last_lsn:
            return
        assert rows_in(steps.restore(*chain)) == steps.rows


def of_this_way(one: Taken, forks: list) -> bool:
    """Whether a set lies on the way that the present database came: the next fork begins after the set's end."""
    mine = one.header.database.forks
    return len(mine) == len(forks) or one.header.last_lsn <= forks[len(mine)].start_lsn
