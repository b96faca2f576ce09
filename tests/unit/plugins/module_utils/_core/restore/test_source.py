"""Which database is meant: copies of it on its own recovery fork, families and names."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import ExistingDatabase, Target
from planner_cases import CHAIN, at, full, log, order, plan, rejected


def of_clone(backup_set: BackupSet, **more: str) -> BackupSet:
    return replace(backup_set, **{"server": "CLONE", **more})


CLONES_LOGS = [log("C1", 30, 36, 22), log("C2", 36, 60, 32)]
CLONES_FULL = full("CF", 37, 38, 33)


@pytest.mark.parametrize(
    ("clones", "name"),
    [
        pytest.param(CLONES_LOGS, "Test", id="two logs"),
        pytest.param(CLONES_LOGS[:1], "Test", id="one log"),
        pytest.param([*CLONES_LOGS, CLONES_FULL], "Test", id="logs and a full"),
    ],
)
def test_a_clone_of_another_name_is_left_out(clones: list[BackupSet], name: str) -> None:
    """A cloned server goes on with family, recovery fork and LSNs of the one that it was cloned from."""
    sets = [*CHAIN, *(of_clone(entry, database=name) for entry in clones)]
    answer = plan(sets, source_database="PRS")
    assert order(answer) == "F1 L1 L2 L3"
    assert {guid for guid, code in rejected(answer).items() if code == "other_database"} == {
        entry.guid for entry in clones
    }


def test_a_clone_that_only_its_times_give_away_is_left_out() -> None:
    """Its full has the higher LSN, though the database itself was still backed up hours later."""
    sets = [*CHAIN, log("L4", 50, 60, 500), of_clone(full("CF", 90, 99, 33), database="Test")]
    assert order(plan(sets, source_database="PRS")) == "F1 L1 L2 L3 L4"


@pytest.mark.parametrize("more", [{}, {"server": "SQL1"}], ids=["on another server", "on a server of the same name"])
def test_a_clone_of_the_same_name_is_refused(more: dict[str, str]) -> None:
    answer = plan([*CHAIN, *(of_clone(entry, **more) for entry in CLONES_LOGS)], source_database="PRS")
    assert order(answer) == "!ambiguous"
    assert "the same stretch of the log" in answer.message
    assert order(plan([*CHAIN, of_clone(CLONES_LOGS[0])], Target.at_time(at(15)), source_database="PRS")) != "F1 L1 C1*"


@pytest.mark.parametrize("bad", ["L2", "L2 L3"])
def test_a_clone_is_refused_though_the_own_logs_that_tell_of_it_cannot_be_restored(bad: str) -> None:
    """Without them the clone's logs alone would go on from L1, and their data would be brought unnoticed."""
    unusable = dict.fromkeys(bad.split(), "VERIFYONLY found damage")
    answer = plan([*CHAIN, *map(of_clone, CLONES_LOGS)], source_database="PRS", unusable=unusable)
    assert order(answer) == "!ambiguous"
    assert "the log backup of PRS of 2024-05-06 10:20:00 UTC (B:\\L2.bak) of SQL1" in answer.message


def test_an_unusable_log_of_a_clone_of_another_name_does_no_harm() -> None:
    clones = [of_clone(entry, database="Test") for entry in CLONES_LOGS]
    answer = plan([*CHAIN, *clones], source_database="PRS", unusable={"C1": "VERIFYONLY found damage"})
    assert order(answer) == "F1 L1 L2 L3"


def test_a_clone_of_long_ago_does_no_harm() -> None:
    sets = [*CHAIN, *map(of_clone, CLONES_LOGS), full("F9", 100, 110, 200), log("L9", 110, 120, 210)]
    assert order(plan(sets, source_database="PRS")) == "F9 L9"


def test_a_copy_only_log_overlaps_the_next_one_of_the_same_database() -> None:
    sets = [*CHAIN[:2], log("C", 30, 36, 15, copy_only=True), *CHAIN[2:]]
    assert order(plan(sets, source_database="PRS")) == "F1 L1 L2 L3"


def test_a_renamed_database_that_moved_is_no_clone() -> None:
    sets = [*CHAIN[:2], *(replace(entry, database="New", server="SQL2") for entry in CHAIN[2:])]
    assert order(plan(sets, source_database="New")) == "F1 L1 L2 L3"
    assert order(plan(sets, source_database="PRS")) == "F1 L1 L2 L3"


def test_a_renamed_database_keeps_what_was_before_though_a_copy_lives_on_under_the_old_name() -> None:
    before = [replace(entry, database="Old") for entry in CHAIN[:2]]
    copy = [log("C1", 30, 36, 22, database="Old"), log("C2", 36, 60, 32, database="Old")]
    assert order(plan([*before, *CHAIN[2:], *copy], source_database="PRS")) == "F1 L1 L2 L3"


@pytest.mark.parametrize(
    ("own", "clones_log_minute", "expected"),
    [
        pytest.param([CHAIN[0]], 25, "F1", id="it has backups of its own from before"),
        pytest.param([], 32, "!no_full", id="the clone's log was begun after its own"),
    ],
)
def test_a_log_of_a_clone_that_happens_to_end_where_its_own_begins_is_left_out(
    own: list[BackupSet], clones_log_minute: float, expected: str
) -> None:
    """The own logs before that are lost: by its LSNs alone the clone's looks like what was before a move."""
    clones = [full("CF", 10, 20, 0), log("C1", 10, 40, clones_log_minute), log("C2", 40, 60, 35)]
    sets = [*own, log("L3", 40, 50, 30), *(of_clone(entry, database="Test") for entry in clones)]
    assert order(plan(sets, source_database="PRS")) == expected


COPY = [replace(entry, guid=f"T{entry.guid}", database="Test", last_fork="b", first_fork="b") for entry in CHAIN]


def test_the_family_alone_keeps_the_name_of_the_task() -> None:
    sets = [*CHAIN, *(replace(entry, finished=at(300)) for entry in COPY)]
    assert order(plan(sets, family_guid="family")) == "F1 L1 L2 L3"
    assert order(plan(sets, family_guid="family", database="Test")) == "TF1 TL1 TL2 TL3"


def test_the_family_alone_is_not_enough_for_a_new_name() -> None:
    answer = plan([*CHAIN, *COPY], family_guid="family", database="Drill")
    assert order(answer) == "!ambiguous"
    assert answer.details["databases"] == ["PRS", "Test"]
    assert "source.database" in answer.advice
    assert order(plan(CHAIN, family_guid="family", database="Drill")) == "F1 L1 L2 L3"


def test_sets_without_a_family_are_told_apart_by_name() -> None:
    """What SQL Server 2000 wrote, or somebody recorded, has no FamilyGUID."""
    mine = [replace(entry, family_guid="") for entry in CHAIN]
    other = [
        replace(entry, guid=f"O{entry.guid}", family_guid="", database="Other", finished=at(300)) for entry in CHAIN
    ]
    answer = plan([*mine, *other], source_database="PRS")
    assert order(answer) == "F1 L1 L2 L3"
    assert answer.database == "PRS"
    assert order(plan([*mine, *other], database="Drill")) == "!ambiguous"


def test_blanks_at_the_end_of_a_name_do_not_count() -> None:
    sets = [replace(entry, database="PRS ") for entry in CHAIN]
    assert order(plan(sets, source_database="PRS")) == "F1 L1 L2 L3"
    assert "'PRS '" in plan(sets, source_database="Other").message


def test_two_living_recovery_paths_are_both_told() -> None:
    """A forced failover: the old principal went on. The plan for the newest point says where the other path ends."""
    child = [
        log("B1", 30, 45, 21, first_fork="a", last_fork="b", fork_point_lsn=40),
        log("B2", 45, 60, 25, first_fork="b", last_fork="b"),
    ]
    answer = plan([*CHAIN, *child])
    assert order(answer) == "F1 L1 L2 L3"
    assert "source.recovery_fork b leads there, to LSN 60" in answer.notes[0]
    assert order(plan([*CHAIN, *child], recovery_fork="b")) == "F1 L1 B1 B2"
    after_a_restore = [
        log("B1", 40, 45, 41, first_fork="a", last_fork="b", fork_point_lsn=42),
        full("FB", 45, 60, 45, first_fork="b", last_fork="b"),
    ]
    assert plan([*CHAIN[:3], *after_a_restore]).notes == []


def test_a_restoring_database_of_an_unknown_fork_is_started_over_or_refused() -> None:
    existing = ExistingDatabase(state="RESTORING", redo_start_lsn=30, redo_start_fork="")
    assert order(plan(CHAIN, existing=existing)) == "F1 L1 L2 L3"
    assert order(plan(CHAIN[1:], existing=existing)) == "!no_full"
