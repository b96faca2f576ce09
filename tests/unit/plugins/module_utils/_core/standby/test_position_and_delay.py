from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import ExistingDatabase
from ansible_collections.prs.recovery.plugins.module_utils._core.standby.delay import kept_back
from ansible_collections.prs.recovery.plugins.module_utils._core.standby.position import (
    goes_straight_on,
    holds_more,
    position_of,
)

UTC = dt.timezone.utc


def at(minute: int) -> dt.datetime:
    return dt.datetime(2026, 3, 1, 14, minute, tzinfo=UTC)


def made(
    number: int, kind: BackupKind = BackupKind.LOG, *, fork: str = "a", problem: str = "", told: bool = True
) -> BackupSet:
    return BackupSet(
        guid=f"{kind.value}{number}", kind=kind, database="PRS", family_guid="f", server="A", started=at(number),
        finished=at(number), utc_offset=dt.timedelta() if told else None, first_lsn=number, last_lsn=number * 10,
        first_fork=fork, last_fork=fork, copies=(Copy(stripes=("x",), problem=problem),),
    )  # fmt: skip


def waiting(lsn: int, fork: str = "a") -> ExistingDatabase:
    return ExistingDatabase(state="RESTORING", redo_start_lsn=lsn, redo_start_fork=fork)


FULL = made(10, BackupKind.FULL)
LOGS = [made(20), made(30), made(40)]


@pytest.mark.parametrize(
    ("sets", "until", "kept"),
    [
        ([FULL, *LOGS], 35, ["full10", "log20", "log30"]),
        ([FULL, *LOGS], 59, ["full10", "log20", "log30", "log40"]),
        ([FULL, *LOGS], 5, ["full10"]),  # else there would be none
        ([made(50, BackupKind.FULL), FULL, *LOGS], 5, ["full10"]),
        ([made(9, BackupKind.FULL, problem="torn"), FULL, *LOGS], 9, ["full9", "full10"]),
        ([], 35, []),
    ],
)
def test_what_was_finished_later_is_kept_back(sets, until, kept):
    assert [entry.guid for entry in kept_back(sets, at(until), zone_known=False)] == kept


def test_of_two_fulls_of_one_second_the_older_one_begins():
    """Headers tell whole seconds, and a folder is read in the order of its names."""
    later = dataclasses.replace(made(40, BackupKind.FULL), finished=FULL.finished)
    assert kept_back([later, FULL], at(5), zone_known=True) == [FULL]


def test_a_local_time_without_its_zone_keeps_nothing_back():
    sets = [FULL, made(20, told=False)]
    with pytest.raises(RecoveryError, match="nobody knows") as problem:
        kept_back(sets, at(35), zone_known=False)
    assert problem.value.code == "option_invalid"
    assert len(kept_back(sets, at(35), zone_known=True)) == 2


def test_where_it_stands():
    assert position_of(None, LOGS) is None
    assert position_of(ExistingDatabase(state="ONLINE", redo_start_lsn=300), LOGS) is None
    position = position_of(waiting(300), LOGS)
    assert position is not None and position.to_dict() == {"lsn": 300, "fork": "a", "time": "2026-03-01T14:30:00Z"}
    inside = position_of(waiting(299), LOGS)
    assert inside is not None and inside.time is None


@pytest.mark.parametrize(
    ("lsn", "fork", "unusable", "more"),
    [
        (400, "a", [], False),
        (399, "a", [], False),
        (401, "a", [], True),
        (400, "a", ["log40"], True),
        (100, "b", [], True),
    ],
)
def test_what_no_backup_brings_back(lsn, fork, unusable, more):
    position = position_of(waiting(lsn, fork), LOGS)
    assert position is not None and holds_more(position, LOGS, unusable=unusable) is more
    torn = [dataclasses.replace(entry, copies=(Copy(stripes=("x",), problem="torn"),)) for entry in LOGS]
    assert holds_more(position, torn) is True


@pytest.mark.parametrize(
    ("new", "used", "resumes", "straight"),
    [
        ([made(50)], ["log50"], True, True),
        ([made(50), made(59)], ["log50", "log59"], True, True),
        ([made(50)], ["log50"], False, False),
        ([], [], True, False),
        ([made(50), made(59)], ["log50"], True, False),
        ([made(50), made(55, fork="b")], ["log50"], True, False),
        ([made(50), made(59, BackupKind.FULL)], ["log50"], True, False),
        ([made(50, BackupKind.DIFFERENTIAL)], ["differential50"], True, False),
    ],
)
def test_whether_what_came_since_is_all_that_counts(new, used, resumes, straight):
    position = position_of(waiting(400), LOGS)
    steps = [SimpleNamespace(guid=guid, kind=guid.rstrip("0123456789")) for guid in used]
    plan = SimpleNamespace(resumes=resumes, steps=[*steps, SimpleNamespace(guid="", kind="")])
    assert goes_straight_on(position, plan, [LOGS[-1], *new]) is straight
