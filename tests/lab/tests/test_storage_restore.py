"""Backup sets restored: the rows of the wanted moment and no others, or the error that says why not."""

from __future__ import annotations

import datetime as dt
import pathlib
import zoneinfo
from collections.abc import Callable

import pytest
from prs_lab.sqlserver.errors import SqlError
from prs_lab.sqlserver.storage.pages import PAGE, place_of
from prs_lab.sqlserver.storage.stop import Stop, as_datetime
from prs_lab.sqlserver.storage.target import redo_fork

from .storage_steps import T0, Steps, Taken, rows_in, wall


@pytest.fixture
def steps(tmp_path: pathlib.Path) -> Steps:
    return Steps(tmp_path)


def chain(steps: Steps) -> tuple[Taken, Taken, Taken, Taken]:
    """1 | full | 2 | log | 3 (marked M) | diff | 4 | log | 5"""
    steps.insert(1)
    full = steps.backup("full")
    steps.insert(2)
    first = steps.backup("log")
    steps.insert(3, mark="M")
    diff = steps.backup("diff")
    steps.insert(4)
    second = steps.backup("log")
    steps.insert(5)
    return full, first, diff, second


Sets = Callable[[Taken, Taken, Taken, Taken], tuple[Taken, ...]]


@pytest.mark.parametrize(
    ("pick", "rows"),
    [
        (lambda full, first, diff, second: (full,), {1}),
        (lambda full, first, diff, second: (full, first), {1, 2}),
        (lambda full, first, diff, second: (full, diff), {1, 2, 3}),
        (lambda full, first, diff, second: (full, first, second), {1, 2, 3, 4}),
        (lambda full, first, diff, second: (full, diff, second), {1, 2, 3, 4}),
    ],
)
def test_each_chain_gives_its_rows(steps: Steps, pick: Sets, rows: set[int]) -> None:
    assert rows_in(steps.restore(*pick(*chain(steps)))) == rows


@pytest.mark.parametrize(
    ("pick", "number"),
    [
        (lambda full, first, diff, second: (full, second), 4305),
        (lambda full, first, diff, second: (full, first, first), 4326),
        (lambda full, first, diff, second: (full, diff, first), 4326),
        (lambda full, first, diff, second: (full, first, second, diff), 3120),
        (lambda full, first, diff, second: (first,), 4319),
        (lambda full, first, diff, second: (diff,), 3136),
    ],
)
def test_what_does_not_fit_is_refused(steps: Steps, pick: Sets, number: int) -> None:
    sets = pick(*chain(steps))
    with pytest.raises(SqlError) as caught:
        steps.restore(*sets)
    assert caught.value.number == number


def test_a_differential_belongs_to_its_full_only(steps: Steps) -> None:
    steps.insert(1)
    old = steps.backup("full")
    steps.insert(2)
    copy_only = steps.backup("full", copy_only=True)
    diff = steps.backup("diff")
    assert diff.header.base_guid == old.header.set_guid
    assert diff.header.base_lsn == old.header.first_lsn
    assert rows_in(steps.restore(old, diff)) == {1, 2}
    with pytest.raises(SqlError) as caught:
        steps.restore(copy_only, diff)
    assert caught.value.number == 3136
    new = steps.backup("full")
    assert steps.backup("diff").header.base_guid == new.header.set_guid


def test_a_copy_only_full_takes_logs_like_any_other(steps: Steps) -> None:
    steps.insert(1)
    steps.backup("full")
    steps.insert(2)
    copy_only = steps.backup("full", copy_only=True)
    steps.insert(3)
    log = steps.backup("log")
    assert log.header.first_lsn < copy_only.header.first_lsn
    assert rows_in(steps.restore(copy_only, log)) == {1, 2, 3}


def test_a_copy_only_log_does_not_truncate(steps: Steps) -> None:
    full = steps.backup("full")
    steps.insert(1)
    copy_only = steps.backup("log", copy_only=True)
    steps.insert(2)
    routine = steps.backup("log")
    assert routine.header.first_lsn == copy_only.header.first_lsn
    assert rows_in(steps.restore(full, routine)) == {1, 2}
    assert rows_in(steps.restore(full, copy_only, routine)) == {1, 2}


def test_an_idle_log_has_no_length_and_does_no_harm(steps: Steps) -> None:
    full = steps.backup("full")
    steps.insert(1)
    first = steps.backup("log")
    idle = steps.backup("log")
    steps.insert(2)
    second = steps.backup("log")
    assert idle.header.first_lsn == idle.header.last_lsn == second.header.first_lsn
    assert rows_in(steps.restore(full, first, idle, second)) == {1, 2}
    assert rows_in(steps.restore(full, first, second)) == {1, 2}


def test_the_full_holds_what_happened_while_it_was_taken(steps: Steps) -> None:
    for number in range(30):
        steps.insert(number, size=1500)
    full = steps.backup("full", during=lambda: (steps.insert(100), steps.database.checkpoint(), steps.delete(5)))
    log = steps.backup("log")
    assert rows_in(steps.restore(full)) == set(range(30)) - {5} | {100}
    assert log.header.first_lsn == full.header.first_lsn
    assert full.header.last_lsn < log.header.last_lsn
    assert rows_in(steps.restore(full, log)) == set(range(30)) - {5} | {100}  # though nothing was written since


def test_a_log_taken_while_a_full_runs_starts_before_it_ends(steps: Steps) -> None:
    steps.backup("full")
    steps.insert(1)
    logs: list[Taken] = []
    full = steps.backup("full", during=lambda: (steps.insert(2), logs.append(steps.backup("log")), steps.insert(3)))
    steps.insert(4)
    after = steps.backup("log")
    assert logs[0].header.last_lsn < full.header.last_lsn
    assert after.header.first_lsn < full.header.last_lsn < after.header.last_lsn
    assert rows_in(steps.restore(full, after)) == {1, 2, 3, 4}
    with pytest.raises(SqlError) as caught:
        steps.restore(full, logs[0])
    assert caught.value.number == 4326


def test_a_stop_in_the_part_that_is_there_already_takes_nothing_back(steps: Steps) -> None:
    steps.backup("full")
    early = steps.insert(1)
    full = steps.backup("full")
    steps.insert(2)
    log = steps.backup("log")
    assert log.header.first_lsn < early.lsn < full.header.first_lsn
    copy = steps.restore(full, log, stop=Stop(lsn=early.lsn), end=False)
    assert copy.boot.redo_start_lsn == full.header.last_lsn


def test_stop_at_a_time_inside_a_log(steps: Steps) -> None:
    full = steps.backup("full")
    moments = [steps.insert(number) for number in range(4)]
    log = steps.backup("log")
    for moment in moments:
        assert rows_in(steps.restore(full, log, stop=Stop(time=wall(moment.time)))) == moment.rows
        between = moment.time + dt.timedelta(milliseconds=500)
        copy = steps.restore(full, log, stop=Stop(time=wall(between)), end=False)
        assert copy.boot.redo_start_lsn <= log.header.last_lsn
    before_all = steps.restore(full, log, stop=Stop(time=wall(moments[0].time - dt.timedelta(milliseconds=500))))
    assert rows_in(before_all) == set()


def test_times_are_those_of_datetime() -> None:
    assert as_datetime(T0.replace(microsecond=4999)).microsecond == 3000
    assert as_datetime(T0.replace(microsecond=5001)).microsecond == 7000
    assert as_datetime(T0.replace(microsecond=998_400)) == T0 + dt.timedelta(seconds=1)


def test_a_time_is_compared_with_what_the_clock_showed() -> None:
    """Two o'clock comes twice in that night, at 00:00 and at 01:00 UTC."""
    stop = Stop(time=dt.datetime(2025, 10, 26, 2, 20), zone=zoneinfo.ZoneInfo("Europe/Berlin"))
    night = dt.datetime(2025, 10, 26, tzinfo=dt.UTC)
    minutes = {10: False, 30: True, 59: True, 67: False, 79: False, 81: True, 120: True}
    assert {minute: stop.is_before(night + dt.timedelta(minutes=minute)) for minute in minutes} == minutes
    assert not stop.is_before(None)


def test_a_log_that_ends_before_the_time_is_not_enough(steps: Steps) -> None:
    full = steps.backup("full")
    steps.insert(1)
    first = steps.backup("log")
    target = steps.insert(2)
    second = steps.backup("log")
    stop = Stop(time=wall(target.time))
    copy = steps.restore(full, end=False)
    assert steps.apply(copy, first, stop=stop) is False
    assert steps.apply(copy, second, stop=stop) is True


@pytest.mark.parametrize(("before", "rows"), [(False, {1, 2, 3}), (True, {1, 2})])
def test_stop_at_and_before_a_mark(steps: Steps, before: bool, rows: set[int]) -> None:
    full, first, _, second = chain(steps)
    assert rows_in(steps.restore(full, first, second, stop=Stop(mark="m", before=before))) == rows


def test_a_mark_counts_from_a_time_on(steps: Steps) -> None:
    full = steps.backup("full")
    steps.insert(1, mark="M")
    second = steps.insert(2, mark="M")
    steps.insert(3)
    log = steps.backup("log")
    assert rows_in(steps.restore(full, log, stop=Stop(mark="M"))) == {1}
    assert rows_in(steps.restore(full, log, stop=Stop(mark="M", after=wall(second.time)))) == {1, 2}


def test_stop_at_an_lsn(steps: Steps) -> None:
    full = steps.backup("full")
    moments = [steps.insert(number) for number in range(3)]
    log = steps.backup("log")
    assert rows_in(steps.restore(full, log, stop=Stop(lsn=moments[1].lsn))) == {0, 1}
    assert rows_in(steps.restore(full, log, stop=Stop(lsn=moments[1].lsn, before=True))) == {0}
    assert rows_in(steps.restore(full, log, stop=Stop(lsn=moments[1].lsn - 1))) == {0}


def test_a_fork_uses_the_same_lsns_again_and_is_told_apart(steps: Steps) -> None:
    steps.insert(1)
    full = steps.backup("full")
    middle = steps.insert(2)
    steps.insert(3)
    old_path = steps.backup("log")
    steps.insert(4)
    old_later = steps.backup("log")
    copy = steps.restore(full, old_path, stop=Stop(time=wall(middle.time)))
    first_fork = full.header.last_fork
    steps.adopt(copy)
    assert rows_in(copy) == {1, 2}
    steps.insert(50)
    new_path = steps.backup("log")
    steps.insert(51)
    new_later = steps.backup("log")

    header = new_path.header
    assert (header.first_fork, header.last_fork) == (first_fork, copy.boot.fork.guid)
    assert header.first_lsn < header.fork_point < header.last_lsn
    assert header.fork_point < old_path.header.last_lsn
    assert (new_later.header.first_fork, new_later.header.fork_point) == (copy.boot.fork.guid, None)

    assert rows_in(steps.restore(full, new_path, new_later)) == {1, 2, 50, 51}
    assert rows_in(steps.restore(full, old_path, old_later)) == {1, 2, 3, 4}
    for wrong in (
        (full, old_path, new_path),
        (full, old_path, new_later),
        (full, new_path, old_later),
        (full, new_path, old_path),
    ):
        with pytest.raises(SqlError) as caught:
            steps.restore(*wrong)
        assert caught.value.number in (4330, 4326, 4305)


def test_after_a_whole_log_the_next_log_begins_where_it_ended_on_the_old_fork(steps: Steps) -> None:
    full = steps.backup("full")
    steps.insert(1)
    log = steps.backup("log")
    half = steps.restore(full, log, end=False)
    assert redo_fork(half.boot) == full.header.last_fork
    copy = steps.restore(full, log)
    steps.adopt(copy)
    steps.insert(2)
    after = steps.backup("log")
    assert after.header.first_lsn == log.header.last_lsn == after.header.fork_point
    assert after.header.first_fork == full.header.last_fork
    assert rows_in(steps.restore(full, log, after)) == {1, 2}


def test_after_a_restored_full_logs_and_differentials_go_on(steps: Steps) -> None:
    steps.insert(1)
    full = steps.backup("full")
    steps.insert(2)
    steps.adopt(steps.restore(full))
    steps.insert(3)
    diff, log = steps.backup("diff"), steps.backup("log")
    assert rows_in(steps.restore(full, diff)) == {1, 3}
    assert rows_in(steps.restore(full, log)) == {1, 3}
    assert log.header.first_lsn == full.header.first_lsn


def test_an_interrupted_full_must_start_again_an_interrupted_log_goes_on(steps: Steps) -> None:
    from prs_lab.sqlserver.storage.set_reader import SetReader
    from prs_lab.sqlserver.storage.target import Rollforward, recover

    for number in range(400):
        steps.insert(number, size=700, seconds=0.1)
    full = steps.backup("full", compressed=False)
    moments = [steps.insert(1000 + number, size=5000) for number in range(120)]
    log = steps.backup("log", compressed=False)
    copy = steps.empty("Copy")
    reader = SetReader(steps.families(full.devices), 1, key=None, database="Copy")
    roll = Rollforward(copy, full.header)
    roll.begin_full(keep_identity=False)
    roll.pages(next(reader.chunks())[1])
    roll.abort()
    assert (copy.boot.state, copy.boot.redo_start_lsn) == ("RESTORING", None)
    for refused in (lambda: steps.apply(copy, log), lambda: recover(copy)):
        with pytest.raises(SqlError) as caught:
            refused()
        assert caught.value.number in (4319, 4333)

    steps.apply(copy, full)
    roll = Rollforward(copy, log.header)
    _, records, _ = next(SetReader(steps.families(log.devices), 1, key=None, database="Copy").chunks())
    roll.records(records[:40])
    roll.abort()
    assert full.header.last_lsn < copy.boot.redo_start_lsn < log.header.last_lsn
    steps.apply(copy, log)
    recover(copy)
    assert rows_in(copy) == moments[-1].rows


def test_a_restoring_database_survives_a_restart_where_it_stood(steps: Steps) -> None:
    from prs_lab.sqlserver.storage import lifecycle
    from prs_lab.sqlserver.storage.target import recover

    full, first, _, second = chain(steps)
    copy = steps.restore(full, first, end=False)
    x = copy.boot.redo_start_lsn
    copy.crash()
    copy = lifecycle.start(
        name="Copy", files=steps.files, data_path=copy.data_path, log_path=copy.log_path, work=copy.work
    )
    assert (copy.state, copy.boot.redo_start_lsn) == ("RESTORING", x)
    steps.apply(copy, second)
    recover(copy)
    assert rows_in(copy) == {1, 2, 3, 4}


def test_standby_can_be_read_and_goes_on(steps: Steps) -> None:
    from prs_lab.sqlserver.storage.target import leave_standby, recover

    full, first, _, second = chain(steps)
    copy = steps.restore(full, first, end=False)
    recover(copy, standby=r"C:\Backup\undo.dat")
    assert copy.is_in_standby
    assert rows_in(copy) == {1, 2}
    leave_standby(copy)
    steps.apply(copy, second)
    recover(copy)
    assert rows_in(copy) == {1, 2, 3, 4}


def test_stripes_need_each_other(steps: Steps) -> None:
    for number in range(200):
        steps.insert(number, size=3000, seconds=0.1)
    full = steps.backup("full", stripes=3)
    labels = [family.label for family in steps.families(full.devices)]
    assert len({label.media_set_id for label in labels}) == 1
    assert [(label.family_sequence, label.family_count) for label in labels] == [(1, 3), (2, 3), (3, 3)]
    assert rows_in(steps.restore(full)) == set(range(200))


@pytest.mark.parametrize("compressed", [False, True])
def test_damage_to_a_set_with_checksums_is_found(steps: Steps, compressed: bool) -> None:
    steps.insert(*range(100), size=900)
    full = steps.backup("full", compressed=compressed)
    frame = steps.families(full.devices)[0].sets[0].frames[0]
    with open(steps.files.real(full.devices[0]), "r+b") as file:
        file.seek(frame.offset + 300)
        file.write(b"\xaa\xbb\xcc\xdd")
    with pytest.raises(SqlError) as caught:
        steps.restore(full)
    assert caught.value.number == (3203 if compressed else 3183)
    if not compressed:
        assert 'page (1:32) in database "Copy"' in caught.value.text


def test_without_checksums_damage_is_only_found_when_the_page_is_read(steps: Steps) -> None:
    steps.insert(*range(100), size=900)
    full = steps.backup("full", compressed=False, checksums=False)
    frame = steps.families(full.devices)[0].sets[0].frames[0]
    with open(steps.files.real(full.devices[0]), "r+b") as file:
        file.seek(frame.offset + 27 + 3 * (PAGE + 4) + 5000)
        file.write(b"\xaa\xbb\xcc\xdd" * 3)
    copy = steps.restore(full)
    assert copy.damaged_pages() == [4]
    with pytest.raises(SqlError) as caught:
        copy.check_pages(["t"])
    assert caught.value.number == 824


def test_bad_pages_stop_a_backup_that_looks(steps: Steps) -> None:
    steps.insert(*range(100), size=900)
    steps.database.checkpoint()
    with open(steps.files.real(steps.database.data_path), "r+b") as file:
        file.seek(place_of(4) * PAGE + 300)
        file.write(b"\xaa\xbb\xcc\xdd" * 3)
    with pytest.raises(SqlError) as caught:
        steps.backup("full")
    assert caught.value.number == 3043
    assert not steps.database.chain_intact
    assert steps.backup("full", checksums=False).header.damaged is False


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"", 3254),
        (b"\0" * 4096, 3242),
        (b"no backup, a text file", 3241),
        (b"short", 3242),
        (b"PRSLAB-BACKUP\r\n\x1a" + b"x" * 500, 3241),
    ],
)
def test_what_is_no_backup_is_told(steps: Steps, content: bytes, number: int) -> None:
    steps.files.write(r"C:\Backup\x.bak", content)
    with pytest.raises(SqlError) as caught:
        steps.families((r"C:\Backup\x.bak",))
    assert caught.value.number == number


def test_a_set_cut_short_is_seen_as_unfinished(steps: Steps) -> None:
    steps.insert(*range(100), size=900)
    full = steps.backup("full", compressed=False)
    data = steps.files.read(full.devices[0])
    steps.files.write(full.devices[0], data[: len(data) // 2])
    found = steps.families(full.devices)[0].sets
    assert [(one.tail, one.cut) for one in found] == [(None, True)]
    with pytest.raises(SqlError) as caught:
        steps.restore(full)
    assert caught.value.number == 3203
    assert "38(Reached the end of the file.)" in caught.value.text


def test_bulk_logged_changes_are_noted_in_the_set(steps: Steps) -> None:
    steps.backup("full")
    steps.insert(1, bulk=True)
    assert steps.backup("log").header.bulk is False
    steps.database.set_recovery_model("BULK_LOGGED")
    steps.insert(2, bulk=True)
    assert steps.backup("log").header.bulk is True
    steps.insert(3)
    assert steps.backup("log").header.bulk is False


def test_simple_recovery_restores_fulls_and_differentials(steps: Steps) -> None:
    steps.database.set_recovery_model("SIMPLE")
    steps.insert(1)
    full = steps.backup("full")
    steps.insert(2)
    diff = steps.backup("diff")
    copy = steps.restore(full, diff)
    assert rows_in(copy) == {1, 2}
    assert copy.recovery_model == "SIMPLE"
    assert not copy.chain_intact


def test_a_differential_bridges_a_broken_chain(steps: Steps) -> None:
    full = steps.backup("full")
    steps.database.set_recovery_model("SIMPLE")
    steps.insert(1)
    steps.database.checkpoint()
    steps.database.set_recovery_model("FULL")
    assert not steps.database.chain_intact
    diff = steps.backup("diff")
    steps.insert(2)
    log = steps.backup("log")
    assert log.header.begins_chain
    assert rows_in(steps.restore(full, diff, log)) == {1, 2}
    with pytest.raises(SqlError) as caught:
        steps.restore(full, log)
    assert caught.value.number == 4305
