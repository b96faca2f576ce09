"""Which full a differential is based on, and where a recovery fork begins."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from itertools import permutations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, backup_set
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.recovery_paths import LONG_AGO, Tree
from planner_cases import CHAIN, at, differential, full, log, order, plan, rejected


def header(**more: object) -> dict[str, object]:
    return {
        "BackupSetGUID": "d",
        "BackupType": 5,
        "BackupStartDate": datetime(2024, 5, 6),
        "SoftwareVersionMajor": 15,
        "DatabaseBackupLSN": 10,
        **more,
    }


@pytest.mark.parametrize(
    ("more", "multi_based"),
    [
        pytest.param({"DifferentialBaseGUID": None, "DifferentialBaseLSN": None}, True, id="both are NULL"),
        pytest.param({"DifferentialBaseGUID": None, "DifferentialBaseLSN": 10}, False, id="the LSN names it"),
        pytest.param({"DifferentialBaseGUID": "f", "DifferentialBaseLSN": None}, False, id="the GUID names it"),
        pytest.param({}, False, id="somebody left the columns out"),
        pytest.param({"DifferentialBaseGUID": None, "SoftwareVersionMajor": 8}, False, id="SQL Server 2000 has none"),
        pytest.param({"DifferentialBaseGUID": None, "BackupType": 1}, False, id="a full has no base"),
    ],
)
def test_a_differential_that_names_no_base_has_several(more: dict[str, object], multi_based: bool) -> None:
    assert backup_set(header(**more)).multi_based is multi_based


@pytest.mark.parametrize("kind", [kind for kind in BackupKind if not kind.extension])
def test_a_kind_that_begins_no_path_is_named_and_not_dropped(kind: BackupKind) -> None:
    tree = Tree([full("F1", 10, 20, 0, 1), dataclasses.replace(full("X1", 10, 20, 0, 1), kind=kind)])
    [(unusable, reason)] = tree.unusable
    assert unusable.kind is kind and kind.value in reason


def test_a_multi_based_differential_is_not_planned_on_the_full() -> None:
    """A file backup after the full makes one. On the full alone RESTORE refuses it (3136), after the overwrite."""
    several = differential("D1", "", 33, 36, 16, 17, database_backup_lsn=10, multi_based=True)
    answer = plan([*CHAIN, several])
    assert order(answer) == "F1 L1 L2 L3"
    assert rejected(answer)["D1"] == "no_base"


def test_the_base_lsn_is_the_checkpoint_of_the_full_in_practice() -> None:
    """Documented is the FirstLSN; they differ where a transaction was open, and then the CheckpointLSN is recorded."""
    base = full("F1", 10, 20, 0, 1, checkpoint_lsn=15)
    by_checkpoint = differential("D1", "", 33, 36, 16, 17, differential_base_lsn=15)
    by_first = differential("D1", "", 33, 36, 16, 17, differential_base_lsn=10)
    for based in (by_checkpoint, by_first):
        assert order(plan([base, *CHAIN[1:], based])) == "F1 D1 L2 L3"


def test_the_fork_point_is_what_most_logs_say_in_any_order() -> None:
    logs = [
        log("L1", 10, 30, 10, first_fork="a", last_fork="b", fork_point_lsn=25),
        log("L2", 20, 40, 20, first_fork="a", last_fork="b", fork_point_lsn=25, copy_only=True),
        log("O", 10, 50, 30, first_fork="a", last_fork="b", fork_point_lsn=12),
    ]
    for some in permutations(logs):
        tree = Tree([full("F1", 10, 20, 0, 1), *some])
        assert (tree.forks["b"].parent, tree.forks["b"].point) == ("a", 25)
        assert [entry.guid for entry, _reason in tree.unusable] == ["O"]
    for some in permutations(logs[1:]):  # one against one: nobody knows
        tree = Tree([full("F1", 10, 20, 0, 1), *some])
        assert tree.forks["b"].point is None
        assert {entry.guid for entry, _reason in tree.unusable} == {"L2", "O"}


def test_a_fork_point_of_long_ago_is_not_in_the_set() -> None:
    """Files of SQL Server 2016 name the fork point of an earlier restore in every later backup."""
    forks = {"RecoveryForkID": "b", "FirstRecoveryForkID": "a", "ForkPointLSN": 20}
    later = backup_set(header(BackupType=2, FirstLSN=21, LastLSN=40, **forks))
    assert (later.first_fork, later.last_fork, later.fork_point_lsn) == ("b", "b", None)
    crossing = backup_set(header(BackupType=2, FirstLSN=20, LastLSN=40, **forks))
    assert (crossing.first_fork, crossing.last_fork, crossing.fork_point_lsn) == ("a", "b", 20)
    data = backup_set(header(BackupType=1, FirstLSN=10, LastLSN=40, **forks))
    assert (data.first_fork, data.last_fork, data.fork_point_lsn) == ("b", "b", None)


def test_a_fork_keeps_its_sets_in_the_order_of_the_log_in_whatever_order_they_came() -> None:
    sets = [
        full("F1", 10, 20, 0, 1),
        *(log(f"L{end}", end - 10, end, end) for end in (30, 40, 50)),
        log("I", 40, 40, 41),
    ]
    for some in permutations(sets):
        [fork] = Tree(some).forks.values()
        assert [entry.guid for entry in fork.logs] == ["L30", "L40", "L50"]
        assert [entry.last_lsn for entry in fork.sets] == [20, 30, 40, 40, 50]
        assert {entry.guid for entry in fork.sets_beyond(30)} == {"L40", "I", "L50"}


def test_what_logs_surely_hold_is_told_by_a_later_clock_than_that_of_the_last_one() -> None:
    logs = [log("L1", 10, 20, 10), log("L2", 20, 30, 55), log("L3", 30, 40, 30), log("L4", 40, 50, 40)]
    [fork] = Tree(logs).forks.values()
    for count, latest in ((1, logs[0]), (2, logs[1]), (3, logs[1]), (4, logs[1])):
        assert fork.latest_covered(logs[:count]) == latest.covered_until
    assert fork.latest_covered(logs[2:]) == logs[3].covered_until


@pytest.mark.parametrize(("clock", "latest"), [(25, (10, 25, 30, 40)), (55, (10, 55, 55, 55))])
def test_when_logs_were_over_is_told_by_the_latest_of_them_if_a_clock_went_wrong(
    clock: int, latest: tuple[int, ...]
) -> None:
    logs = [log("L1", 10, 20, 10), log("L2", 20, 30, clock), log("L3", 30, 40, 30), log("L4", 40, 50, 40)]
    [fork] = Tree(logs).forks.values()
    assert [fork.latest_finished(entry.last_lsn) for entry in logs] == list(map(at, latest))
    assert fork.latest_finished(19) == LONG_AGO
