"""Named cases of the restore planner, many of them faults that other tools have or had.

The tables read like a backup folder: one line a set. LSNs are small numbers; minute 0 is 10:00 UTC on 6 May 2024.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import (
    BackupSet,
    Copy,
    DatabaseFile,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog, UnreadableFile
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import Volume
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    ExistingDatabase,
    Mark,
    Refusal,
    Request,
    ServerFacts,
    Target,
    plan_restore,
)
from planner_cases import (
    CHAIN,
    SECOND,
    WITH_DIFFERENTIAL,
    at,
    backup,
    differential,
    full,
    log,
    order,
    plan,
    rejected,
)

# -- the newest point, and what is the best way there


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        pytest.param(CHAIN, "F1 L1 L2 L3", id="full and logs"),
        pytest.param(WITH_DIFFERENTIAL, "F1 D1 L2 L3", id="the best differential saves logs"),
        pytest.param(
            [*WITH_DIFFERENTIAL, differential("D2", "F1", 43, 46, 26)],
            "F1 D2 L3",
            id="of two differentials the later one",
        ),
        pytest.param([*CHAIN, full("F2", 41, 43, 25)], "F2 L3", id="a newer full saves logs"),
        pytest.param([*WITH_DIFFERENTIAL, full("F2", 50, 60, 40)], "F2", id="a full after the last log"),
        pytest.param([full("F1", 10, 20, 0)], "F1", id="a full alone"),
        pytest.param(CHAIN[::-1], "F1 L1 L2 L3", id="the order in which they are found does not matter"),
    ],
)
def test_newest(sets: list[BackupSet], expected: str) -> None:
    answer = plan(sets)
    assert order(answer) == expected
    assert answer.steps[-1].action == "recover"
    assert answer.recovery_point.lsn == max(one.last_lsn for one in sets)


def test_log_that_starts_before_its_full_ended_is_not_lost() -> None:
    """dbatools 7515 and 10185: the log backup that ran while the full did was left out, and the chain broke."""
    sets = [full("F1", 100, 200, 0, 30), log("L1", 50, 150, 10), log("L2", 150, 260, 40), log("L3", 260, 300, 50)]
    assert order(plan(sets)) == "F1 L2 L3"
    assert order(plan([one for one in sets if one.guid != "L2"])) == "F1"


def test_log_that_began_long_before_the_full() -> None:
    assert order(plan([full("F1", 100, 200, 20, 30), log("L1", 1, 250, 40)])) == "F1 L1"


def test_log_that_ends_where_the_full_ends_is_not_restored() -> None:
    """It would fail with 4326: terminates at an LSN that is too early."""
    assert order(plan([full("F1", 100, 200, 0, 30), log("L1", 50, 200, 40), log("L2", 200, 210, 50)])) == "F1 L2"


def test_copy_only_log_overlaps_the_next_one() -> None:
    sets = [
        full("F1", 10, 20, 0),
        log("C1", 10, 30, 5, copy_only=True),
        log("L1", 10, 40, 10),
        log("C2", 40, 45, 15, copy_only=True),
        log("L2", 40, 50, 20),
    ]
    assert order(plan(sets)) == "F1 L1 L2"
    assert order(plan([one for one in sets if one.guid != "L2"])) == "F1 L1 C2"


def test_idle_logs_are_skipped_and_do_not_break_the_chain() -> None:
    """dbatools 3009: logs with equal LSNs."""
    sets = [*CHAIN[:3], log("I1", 40, 40, 25), log("I2", 40, 40, 26), log("L3", 40, 50, 30)]
    assert order(plan(sets)) == "F1 L1 L2 L3"


def test_copy_only_full_takes_logs_like_any_full() -> None:
    """dbatools 10408: logs were matched by DatabaseBackupLSN, which names the last regular full, not the copy-only one."""
    sets = [*CHAIN, full("C1", 31, 33, 15, copy_only=True)]
    assert order(plan(sets)) == "C1 L2 L3"
    assert order(plan(sets, Target.at_time(at(25)))) == "C1 L2* L3*"


def test_copy_only_full_is_no_base_of_a_differential() -> None:
    """With the LSNs alone it would be: the differential was made right after it."""
    sets = [full("F1", 10, 20, 0), full("C1", 30, 40, 5, copy_only=True), differential("D1", "F1", 50, 60, 10)]
    assert order(plan(sets)) == "F1 D1"
    by_lsn = [
        full("C1", 30, 40, 5, copy_only=True),
        differential("D1", "", 50, 60, 10, differential_base_guid="", differential_base_lsn=30),
    ]
    assert order(plan(by_lsn)) == "C1"
    assert rejected(plan(by_lsn)) == {"D1": "no_base"}


@pytest.mark.parametrize(
    "told",
    [
        {"differential_base_guid": "F2"},
        {"differential_base_guid": "", "differential_base_lsn": 30},
        {"differential_base_guid": "", "differential_base_lsn": None, "database_backup_lsn": 31},
    ],
)
def test_base_of_a_differential(told: dict[str, object]) -> None:
    """By GUID, else by the base's first LSN, else by its checkpoint. The newest full is not always it."""
    sets = [
        full("F1", 10, 20, 0),
        full("F2", 30, 40, 5, checkpoint_lsn=31),
        full("F3", 80, 90, 12),
        differential("D1", "", 50, 60, 10, **told),
    ]
    answer = plan([one for one in sets if one.guid != "F3"])
    assert order(answer) == "F2 D1"
    assert order(plan(sets)) == "F3"


# -- what cannot be used, and the next best chain


def spoilt(sets: list[BackupSet], *names: str) -> list[BackupSet]:
    return [
        replace(one, copies=(one.copies[0]._replace(problem="error 3183: damaged"),)) if one.guid in names else one
        for one in sets
    ]


TWO_CHAINS = [full("F0", 5, 8, -60), log("L0", 5, 10, -30), *WITH_DIFFERENTIAL]


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (["D1"], "F1 L1 L2 L3"),
        (["F1"], "F0 L0 L1 L2 L3"),
        (["F1", "D1"], "F0 L0 L1 L2 L3"),
        (["L1"], "F1 D1 L2 L3"),
        (["L2"], "F1 D1"),
        (["L1", "D1"], "F1"),
        (["F1", "L0"], "F0"),
        (["F0", "F1"], "!no_full"),
    ],
)
def test_next_best_chain(bad: list[str], expected: str) -> None:
    answer = plan(spoilt(TWO_CHAINS, *bad))
    assert order(answer) == expected
    assert all(rejected(answer)[name] == "unusable" for name in bad)


def test_found_bad_while_restoring_the_next_plan_goes_another_way() -> None:
    answer = plan(TWO_CHAINS, unusable={"D1": "RESTORE said 3183"})
    assert order(answer) == "F1 L1 L2 L3"
    assert {item.set.guid: item.reason for item in answer.rejected} == {"D1": "RESTORE said 3183"}


def test_second_copy_is_used_and_named() -> None:
    both = (
        Copy(stripes=("A:\\F1.bak",), problem="error 3241"),
        Copy(stripes=("B:\\F1.bak",)),
        Copy(stripes=("C:\\F1.bak",)),
    )
    first = plan([full("F1", 10, 20, 0, copies=both)]).steps[0]
    assert [copy.stripes for copy in first.copies] == [("B:\\F1.bak",), ("C:\\F1.bak",)]


def test_missing_stripe_is_found_before_anything_is_touched() -> None:
    """SQL Server says 3132 only once the restore runs."""
    lost = Copy(stripes=("B:\\1.bak", "B:\\3.bak"), problem="stripe 2 of 3 is missing")
    answer = plan([full("F1", 10, 20, 0, copies=(lost,))])
    assert order(answer) == "!no_full"
    assert "stripe 2 of 3 is missing" in answer.message


def test_database_that_was_damaged_when_backed_up_needs_a_word() -> None:
    sets = [full("F1", 10, 20, 0), full("F2", 30, 40, 10, damaged=True)]
    assert order(plan(sets)) == "F1"
    answer = plan(sets, allow_damaged=True)
    assert order(answer) == "F2"
    assert answer.steps[0].continue_after_error


@pytest.mark.parametrize("other", [{"kind": "file"}, {"kind": "partial"}, {"snapshot": True}, {"copies": ()}])
def test_sets_that_are_not_restored(other: dict[str, object]) -> None:
    """A snapshot (VSS) backup in msdb looks like the newest full: dbatools and others planned with it."""
    sets = [
        full("F1", 10, 20, 0),
        backup(**{"name": "X", "kind": "full", "first": 30, "last": 40, "started": 10, **other}),
    ]
    assert order(plan(sets)) == "F1"
    assert rejected(plan(sets)) == {"X": "unusable"}


def test_newer_sets_that_cannot_be_used_are_told() -> None:
    answer = plan([*CHAIN[:2], CHAIN[3]])
    assert order(answer) == "F1 L1"
    assert rejected(answer) == {"L3": "gap"}
    assert "1 newer backup cannot be used" in answer.notes[0]


def test_unreadable_files_are_in_the_plan() -> None:
    answer = plan(CHAIN, unreadable=(UnreadableFile(path="B:\\x.bak", reason="error 3241"),))
    assert rejected(answer) == {"B:\\x.bak": "unreadable"}


# -- which database


def test_two_databases_of_one_name_are_never_mixed() -> None:
    """Select-DbaBackupInformation goes by name; a new database of the old name restores into a broken chain, or into
    the wrong data.
    """
    other = [full("X1", 1, 200, 50, family_guid="other", first_fork="x", last_fork="x")]
    answer = plan([*CHAIN, *other], source_database="PRS")
    assert order(answer) == "!ambiguous"
    assert {family["family_guid"] for family in answer.details["families"]} == {"family", "other"}
    assert order(plan([*CHAIN, *other], family_guid="family")) == "F1 L1 L2 L3"
    assert order(plan([*CHAIN, *other], source_database="PRS", existing=ExistingDatabase(family_guid="other"))) == "X1"
    assert rejected(plan([*CHAIN, *other], family_guid="family")) == {"X1": "other_database"}


def test_saved_tail_of_another_database_of_that_name_is_no_choice() -> None:
    """Before a stranger was overwritten, its tail was saved among the backups."""
    sets = [*CHAIN, log("T1", 5, 900, 100, family_guid="stranger")]
    assert order(plan(sets)) == "F1 L1 L2 L3"
    stranger = ExistingDatabase(state="RESTORING", family_guid="stranger", redo_start_lsn=900, redo_start_fork="a")
    assert (
        order(
            plan_restore(
                BackupCatalog(sets=sets),
                Request(database="PRS", source_database="PRS", resume=False),
                now=at(60),
                existing=stranger,
            )
        )
        == "F1 L1 L2 L3"
    )
    assert order(plan([*sets, full("G1", 5, 900, 0, family_guid="stranger")])) == "!ambiguous"


def test_folder_of_mixed_databases() -> None:
    other = [full("X1", 1, 200, 50, family_guid="other", database="Orders", first_fork="x", last_fork="x")]
    assert order(plan([*CHAIN, *other], source_database="prs")) == "F1 L1 L2 L3"
    assert order(plan([*CHAIN, *other])) == "!ambiguous"
    assert order(plan([*CHAIN, *other], source_database="HR")) == "!no_sets"


def test_newer_test_copy_of_the_same_family_is_not_the_database() -> None:
    """A copy restored under another name shares the FamilyGUID, and its backups are newer."""
    copy = [full("T1", 35, 99, 100, database="PRS_Test", first_fork="t", last_fork="t")]
    assert order(plan([*CHAIN, *copy], source_database="PRS")) == "F1 L1 L2 L3"
    assert order(plan([*CHAIN, *copy], source_database="PRS_Test")) == "T1"


def test_renamed_database_keeps_its_chain() -> None:
    """ALTER DATABASE ... MODIFY NAME starts neither a family nor a fork: the names differ, the chain does not."""
    sets = [full("F1", 10, 20, 0, database="Old"), log("L1", 20, 30, 10, database="Old"), log("L2", 30, 40, 20)]
    assert order(plan(sets, source_database="PRS")) == "F1 L1 L2"


# -- recovery forks

FORKED = [
    *CHAIN,  # fork a lived on until minute 30
    # At minute 40 the database was restored to LSN 40 and recovered: fork b. Its first log begins at the end of L2.
    log("M1", 40, 55, 50, first_fork="a", last_fork="b", fork_point_lsn=40),
    log("M2", 55, 65, 60, first_fork="b", last_fork="b"),
]


def test_fork_is_followed_and_the_other_path_left_out() -> None:
    answer = plan(FORKED)
    assert order(answer) == "F1 L1 L2 M1 M2"
    assert rejected(answer) == {"L3": "other_fork"}
    assert answer.recovery_point.fork == "b"
    assert order(plan(FORKED, recovery_fork="a")) == "F1 L1 L2 L3"
    assert order(plan(FORKED, recovery_fork="nowhere")) == "!no_fork"


def test_log_that_spans_the_fork_continues_a_full_of_the_new_fork() -> None:
    """The usual case after a move: restored, recovered, backed up. A filter on FirstRecoveryForkID would lose the first
    log.
    """
    sets = [*FORKED, full("F2", 50, 52, 45, first_fork="b", last_fork="b")]
    assert order(plan(sets)) == "F2 M1 M2"


def test_moment_before_the_fork_is_restored_as_it_was_then() -> None:
    """At minute 25 the database lived on fork a; that fork b has the moment too, without what was done then, must not
    win.
    """
    assert order(plan(FORKED, Target.at_time(at(25)))) == "F1 L1* L2* L3*"
    assert order(plan(FORKED, Target.at_time(at(55)))) == "F1 L1* L2* M1* M2*"


def test_wanted_fork_is_not_left_for_a_log_of_another() -> None:
    """L3 of fork a holds the moment as it was, but the path to fork b had left a by then: there the state is that of
    the fork point.
    """
    assert order(plan(FORKED, Target.at_time(at(25)), recovery_fork="b")) == "F1 L1* L2* M1*"


def test_fork_point_inside_a_log_is_reached_by_stopping_there() -> None:
    sets = [
        *CHAIN,
        log("M1", 45, 55, 50, first_fork="a", last_fork="b", fork_point_lsn=45),
        log("M2", 55, 65, 60, first_fork="b", last_fork="b"),
    ]
    answer = plan(sets)
    assert order(answer) == "F1 L1 L2 L3* M1 M2"
    stop = answer.steps[3].stop
    assert (stop.kind, stop.lsn, stop.before) == ("lsn", 45, True)
    bulk = [*sets[:3], log("L3", 40, 50, 30, bulk_logged=True), *sets[4:]]
    assert order(plan(bulk)) == "F1 L1 L2 L3"  # it cannot be stopped inside: fork b is out of reach


def test_contradicting_fork_points_are_left_out() -> None:
    sets = [*FORKED, log("M3", 40, 70, 70, first_fork="a", last_fork="b", fork_point_lsn=44)]
    assert rejected(plan(sets))["M3"] == "contradiction"
    assert order(plan([*CHAIN, log("M1", 40, 55, 50, first_fork="a", last_fork="b")])) == "F1 L1 L2 L3"


# -- a moment


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        pytest.param(5, "F1 L1*", id="inside the first log"),
        pytest.param(10, "F1 L1*", id="at its end"),
        pytest.param(10.5, "F1 L1* L2*", id="just after it"),
        pytest.param(16.5, "F1 L1* L2*", id="while the differential ran"),
        pytest.param(18, "F1 D1 L2*", id="after the differential"),
        pytest.param(30, "F1 D1 L2* L3*", id="the last moment"),
        pytest.param(30.1, "!after_last", id="after the last log: refused beforehand, not left RESTORING with 4322"),
        pytest.param(0.5, "!before_first", id="while the full ran"),
        pytest.param(-10, "!before_first", id="before everything"),
    ],
)
def test_moment(minute: float, expected: str) -> None:
    assert order(plan(WITH_DIFFERENTIAL, Target.at_time(at(minute)))) == expected


def test_stopat_is_on_every_log_and_on_no_full() -> None:
    answer = plan(CHAIN, Target.at_time(at(25)))
    assert [(step.guid, step.stop and step.stop.time) for step in answer.steps] == [
        ("F1", None),
        *((name, datetime(2024, 5, 6, 10, 25)) for name in ("L1", "L2", "L3")),
        ("", None),
    ]


def test_last_log_is_there_once() -> None:
    """dbatools 10428 and 6467: the last log of a point-in-time restore was appended twice, or never."""
    for minute in (25, 29.99, 30):
        steps = [step.guid for step in plan(CHAIN, Target.at_time(at(minute))).steps]
        assert steps == ["F1", "L1", "L2", "L3", ""]


def test_gap_is_told_with_what_can_be_had() -> None:
    answer = plan([*CHAIN[:2], CHAIN[3], full("F2", 60, 70, 40), log("L5", 70, 80, 50)], Target.at_time(at(25)))
    assert order(answer) == "!gap"
    assert "10:10:00" in answer.advice
    assert "10:40:01" in answer.advice
    assert [(window.start, window.end) for window in answer.reachable] == [
        (at(1) + SECOND, at(10)),
        (at(40) + SECOND, at(50)),
    ]


@pytest.mark.parametrize("bulk_logged", [False, True])
def test_a_fork_whose_only_way_was_backed_up_later_is_reachable_from_then_on(bulk_logged: bool) -> None:
    """Fork b begins at LSN 25, before its logs. Only X holds what comes before that, and X was made at 10:40 on c."""
    sets = [
        full("F1", 10, 20, 0),
        log("X", 20, 30, 40, last_fork="c", fork_point_lsn=25),
        log("L1", 25, 35, 10, last_fork="b", fork_point_lsn=25),
        log("L2", 35, 45, 20, first_fork="b", last_fork="b", bulk_logged=bulk_logged),
        log("L3", 45, 60, 50, first_fork="b", last_fork="b"),
    ]
    answer = plan(sets, Target.at_time(at(15)), recovery_fork="b")
    assert order(answer) == "!gap"
    assert [(window.start, window.end) for window in answer.reachable if window.fork == "b"] == [
        (at(40) + SECOND, at(50))
    ]
    for window in answer.reachable:
        for moment in (window.start, window.end):
            assert not order(plan(sets, Target.at_time(moment), recovery_fork="b")).startswith("!"), moment


def test_idle_log_proves_that_nothing_happened() -> None:
    sets = [*CHAIN, log("I1", 50, 50, 45)]
    assert order(plan(sets, Target.at_time(at(44)))) == "F1 L1* L2* L3*"
    assert order(plan(sets, Target.at_time(at(46)))) == "!after_last"


def test_bulk_logged_log_cannot_be_stopped_inside() -> None:
    """RESTORE says 4341, after the data were overwritten."""
    sets = [*CHAIN[:2], log("L2", 30, 40, 20, bulk_logged=True), CHAIN[3]]
    answer = plan(sets, Target.at_time(at(15)))
    assert order(answer) == "!bulk_logged"
    assert "10:10:00" in answer.advice
    assert (
        order(plan(sets, Target.at_time(at(25)))) == "F1 L1* L2 L3*"
    )  # as a whole it serves; STOPAT on it would be refused
    assert order(plan(sets)) == "F1 L1 L2 L3"
    assert order(plan([*sets, log("C2", 30, 36, 16, copy_only=True)], Target.at_time(at(15)))) == "F1 L1* C2*"


def test_the_newest_moment_that_the_header_tells_counts() -> None:
    """SQL Server 2022 says up to when a log can be stopped (LastValidRestoreTime)."""
    sets = [full("F1", 10, 20, 0, 1), log("L1", 10, 30, 10, 12, last_valid_time=at(11))]
    assert order(plan(sets, Target.at_time(at(11)))) == "F1 L1*"
    assert order(plan(sets, Target.at_time(at(11.5)))) == "!after_last"


def test_log_that_may_have_reached_the_moment_already() -> None:
    """It ran from minute 10 to 14, and nobody knows where between it was cut off. The next one may be one too many."""
    answer = plan([full("F1", 10, 20, 0, 1), log("L1", 10, 30, 10, 14), log("L2", 30, 40, 20)], Target.at_time(at(12)))
    assert order(answer) == "F1 L1* L2*"
    assert [step.skip_if_stopped for step in answer.steps] == [False, False, True, False]


# -- time zones


def test_stopat_is_in_the_source_servers_local_time() -> None:
    sets = [replace(one, utc_offset=timedelta(hours=2)) for one in CHAIN]
    moment = at(25).astimezone(ZoneInfo("America/New_York"))
    assert plan(sets, Target.at_time(moment)).steps[1].stop.time == datetime(2024, 5, 6, 12, 25)
    answer = plan(sets, Target.at_time(moment), zone=ZoneInfo("Asia/Kolkata"))  # the backups tell it themselves
    assert answer.steps[1].stop.time == datetime(2024, 5, 6, 12, 25)
    assert "another time zone" in answer.notes[0]


def test_moment_in_backups_of_an_unknown_time_zone_is_refused() -> None:
    sets = [full("F1", 10, 20, 0, 1, utc_offset=None), log("L1", 10, 30, 10, utc_offset=None)]
    assert order(plan(sets, Target.at_time(at(5)))) == "!time_zone_unknown"
    assert (
        order(plan(sets, Target.at_time(at(-60)))) == order(plan(sets, Target.at_time(at(600)))) == "!time_zone_unknown"
    )
    assert order(plan(sets)) == "F1 L1"
    assert order(plan(sets, Target.at_lsn(25))) == "F1 L1*"


SUMMER, WINTER = timedelta(hours=2), timedelta(hours=1)


def test_a_moment_in_the_log_that_saw_the_clock_change_is_named_by_its_lsn() -> None:
    sets = [
        full("F1", 10, 20, 0, 1, utc_offset=SUMMER),
        log("L1", 10, 30, 10, utc_offset=SUMMER),
        log("L2", 30, 40, 20, utc_offset=WINTER),
    ]
    refusal = plan(sets, Target.at_time(at(15)))
    assert order(refusal) == "!clock_changed"
    assert (
        "between before-lsn:30 (log backup of 10:10:00 UTC) and before-lsn:40 (log backup of 10:20:00" in refusal.advice
    )
    assert [order(plan(sets, Target.at_lsn(lsn, before=True))) for lsn in (30, 40)] == ["F1 L1", "F1 L1 L2"]
    assert "time_zone" in refusal.advice
    assert order(plan(sets, Target.at_time(at(5)))) == "F1 L1*"
    assert order(plan(sets)) == "F1 L1 L2"


def test_logs_from_before_a_clock_change_get_no_stopat_of_the_new_time() -> None:
    sets = [
        full("F1", 10, 20, 0, 1, utc_offset=SUMMER),
        log("L1", 10, 30, 10, utc_offset=SUMMER),
        log("L2", 30, 40, 20, utc_offset=WINTER),
        log("L3", 40, 50, 30, utc_offset=WINTER),
        log("L4", 50, 60, 40, utc_offset=WINTER),
    ]
    answer = plan(sets, Target.at_time(at(35)))
    assert order(answer) == "F1 L1 L2 L3 L4*"
    assert answer.steps[4].stop.time == datetime(2024, 5, 6, 11, 35)


def test_after_a_log_that_may_hold_nothing_of_the_new_time_no_moment_can_be_said() -> None:
    """If the last record of L2 is from before the change, it shows a later time than the one that is wanted: 4335."""
    sets = [
        full("F1", 10, 20, 0, 1, utc_offset=SUMMER),
        log("L1", 10, 30, 10, utc_offset=SUMMER),
        log("L2", 30, 40, 20, utc_offset=WINTER),
        log("L3", 40, 50, 30, utc_offset=WINTER),
    ]
    assert order(plan(sets, Target.at_time(at(25)))) == "!clock_changed"


def test_a_moment_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Target.at_time(datetime(2024, 5, 6))


# -- an LSN, a mark


@pytest.mark.parametrize(
    ("lsn", "before", "expected"),
    [
        (25, False, "F1 L1*"),
        (30, False, "F1 L1 L2*"),
        (30, True, "F1 L1"),
        (49, False, "F1 L1 L2 L3*"),
        (50, False, "!unreachable"),
        (50, True, "F1 L1 L2 L3"),
        (15, False, "!unreachable"),
        (20, True, "F1"),
        (20, False, "F1 L1*"),
    ],
)
def test_lsn(lsn: int, before: bool, expected: str) -> None:
    answer = plan(CHAIN, Target.at_lsn(lsn, before=before))
    assert order(answer) == expected
    if expected.endswith("*"):
        assert (answer.steps[-2].stop.lsn, answer.steps[-2].stop.before) == (lsn, before)


def test_mark_is_found_by_what_msdb_tells() -> None:
    marks = [
        Mark(name="release", lsn=25, time=at(8)),
        Mark(name="release", lsn=45, time=at(28)),
        Mark(name="other", lsn=35, time=at(18)),
    ]
    answer = plan(CHAIN, Target.at_mark("release"), marks=marks)
    assert order(answer) == "F1 L1 L2 L3*"
    assert (answer.recovery_point.time, answer.recovery_point.certain) == (at(28), True)
    assert answer.steps[-2].stop.after == datetime(2024, 5, 6, 10, 28)
    assert order(plan(CHAIN, Target.at_mark("release", after=at(1)), marks=marks)) == "F1 L1*"


def test_mark_of_which_nobody_knows_where_it_lies() -> None:
    assert order(plan(CHAIN, Target.at_mark("release"))) == "!mark_unknown"
    answer = plan(WITH_DIFFERENTIAL, Target.at_mark("release", after=at(12)))
    assert order(answer) == "F1 L1* L2* L3*"
    assert not answer.recovery_point.certain
    assert answer.notes


# -- going on with a RESTORING database


def restoring(lsn: int, fork: str = "a", base: str = "F1") -> ExistingDatabase:
    return ExistingDatabase(state="RESTORING", redo_start_lsn=lsn, redo_start_fork=fork, differential_base_guid=base)


@pytest.mark.parametrize(
    ("stands_at", "expected"), [(20, "D1 L2 L3"), (30, "L2 L3"), (36, "L2 L3"), (40, "L3"), (50, "")]
)
def test_interrupted_restore_goes_on(stands_at: int, expected: str) -> None:
    answer = plan(WITH_DIFFERENTIAL, existing=restoring(stands_at))
    assert order(answer) == expected
    assert answer.resumes
    assert answer.recovery_point.lsn == 50
    assert not answer.space_needed


def test_restoring_database_that_leads_nowhere_is_started_over() -> None:
    assert order(plan(CHAIN, existing=restoring(25, fork="elsewhere"))) == "F1 L1 L2 L3"
    assert order(plan(CHAIN, existing=restoring(5))) == "F1 L1 L2 L3"
    answer = plan([*CHAIN[:3], full("F2", 60, 70, 40)], existing=restoring(20, base=""))
    assert order(answer) == "F2"
    assert not answer.resumes
    assert "starts over" in answer.notes[0]


def test_restoring_database_can_be_the_only_way_left() -> None:
    assert order(plan(CHAIN[1:], existing=restoring(20))) == "L1 L2 L3"
    assert order(plan(CHAIN[1:], existing=restoring(20), resume=False)) == "!no_full"


def test_restoring_database_on_a_fork_without_any_backup_is_left_where_it_stands() -> None:
    answer = plan(FORKED[1:], existing=restoring(25, fork="elsewhere"))
    assert not isinstance(answer, Refusal)
    assert (order(answer), answer.resumes, answer.recovery_point.lsn) == ("", True, 25)


def test_restoring_database_on_another_fork_than_the_wanted_one_is_no_way_there() -> None:
    assert order(plan(FORKED[1:], existing=restoring(25, fork="elsewhere"), recovery_fork="b")) == "!no_full"
    assert order(plan(FORKED[1:], existing=restoring(25), recovery_fork="b")) == "L1 L2 M1 M2"


def test_resuming_towards_a_moment_never_goes_past_it() -> None:
    assert order(plan(CHAIN, Target.at_time(at(15)), existing=restoring(30))) == "L2*"
    answer = plan(CHAIN, Target.at_time(at(15)), existing=restoring(40))
    assert (order(answer), answer.resumes) == ("F1 L1* L2*", False)
    assert order(plan(CHAIN, Target.at_lsn(33), existing=restoring(40))) == "F1 L1 L2*"


@pytest.mark.parametrize(
    ("target", "expected"),
    [(Target.latest(), "L2 L3"), (Target.at_time(at(15)), "F1 L1* L2*"), (Target.at_lsn(38), "L2*")],
)
def test_a_position_a_little_beyond_the_end_of_a_log(target: Target, expected: str) -> None:
    """As dbatools recorded of a real server, three records on (redo_start_lsn ...004 after a log to ...001). How late it
    is there by the clock nothing tells but the end of the next log, so towards a moment it starts over.
    """
    assert order(plan(CHAIN, target, existing=restoring(33))) == expected


def test_online_database_is_no_starting_point() -> None:
    assert (
        order(plan(CHAIN, existing=ExistingDatabase(state="ONLINE", redo_start_lsn=40, redo_start_fork="a")))
        == "F1 L1 L2 L3"
    )


# -- what it takes

FILES = (
    DatabaseFile(logical_name="PRS", physical_name="C:\\old\\PRS.mdf", type="D", size=1000, file_id=1),
    DatabaseFile(logical_name="PRS_log", physical_name="C:\\old\\PRS.ldf", type="L", size=200, file_id=2),
)
SERVER = ServerFacts(version=(15, 0, 2000), data_dir="D:\\data", log_dir="E:\\log", free_bytes={"D:": 5000, "E:": 500})


def roomy(mount_point: str, free_bytes: int) -> ServerFacts:
    """A server of which the volume below both of its folders was measured."""
    volume = Volume(mount_point=mount_point, free_bytes=free_bytes)
    return ServerFacts(data_dir="D:\\data", log_dir="D:\\log", volumes={"d:\\data": volume, "d:\\log": volume})


def test_files_are_moved_and_their_room_is_counted() -> None:
    added = (*FILES, DatabaseFile(logical_name="More", physical_name="F:\\else\\PRS.mdf", type="D", size=50, file_id=3))
    answer = plan([full("F1", 10, 20, 0, files=FILES), log("L1", 20, 30, 10, files=added)], server=SERVER)
    assert answer.steps[0].moves == (("PRS", "D:\\data\\PRS.mdf"), ("PRS_log", "E:\\log\\PRS.ldf"))
    assert answer.steps[1].moves == (("More", "D:\\data\\PRS_2.mdf"),)
    assert answer.space_needed == {"D:": 1050, "E:": 200}
    assert answer.bytes == 200


def test_under_another_name_the_files_get_another_name() -> None:
    answer = plan([full("F1", 10, 20, 0, files=FILES)], server=SERVER, database="PRS/Test")
    assert answer.moves == (("PRS", "D:\\data\\PRS_Test_PRS.mdf"), ("PRS_log", "E:\\log\\PRS_Test_PRS_log.ldf"))


@pytest.mark.parametrize(
    ("more", "server", "code"),
    [
        ({"version": (16, 0, 1000)}, SERVER, "!build"),
        ({"version": (15, 0, 9999)}, SERVER, "F1"),
        ({"version": (10, 50, 1)}, ServerFacts(version=(10, 0, 1)), "!build"),
        ({"encryptor_thumbprint": "AB12"}, ServerFacts(certificates=frozenset()), "!certificate"),
        ({"encryptor_thumbprint": "AB12"}, ServerFacts(certificates=frozenset({"AB12"})), "F1"),
        ({"encryptor_thumbprint": "AB12"}, ServerFacts(), "F1"),
        ({"files": FILES}, roomy("D:", 1199), "!space"),
        ({"files": FILES}, roomy("D:", 1200), "F1"),
        (
            {
                "files": (
                    DatabaseFile(
                        logical_name="PRS", physical_name="C:\\PRS.mdf", type="D", size=11 * 1024**3, file_id=1
                    ),
                )
            },
            ServerFacts(edition="Express Edition (64-bit)"),
            "!edition",
        ),
    ],
)
def test_server_that_cannot_restore_it_is_told_beforehand(
    more: dict[str, object], server: ServerFacts, code: str
) -> None:
    answer = plan([full("F1", 10, 20, 0, **more)], server=server)
    assert order(answer) == code
    if isinstance(answer, Refusal):
        assert answer.message
        assert answer.advice


def test_express_holds_more_since_2025() -> None:
    for version, gib, code in ((16, 11, "!edition"), (17, 11, "F1"), (17, 51, "!edition")):
        files = (
            DatabaseFile(logical_name="PRS", physical_name="C:\\PRS.mdf", type="D", size=gib * 1024**3, file_id=1),
        )
        server = ServerFacts(edition="Express Edition (64-bit)", version=(version, 0, 1000))
        assert order(plan([full("F1", 10, 20, 0, files=files)], server=server)) == code


def test_room_of_the_database_that_is_overwritten_counts() -> None:
    for folder, answer in (("D:\\Data", "F1"), ("D:\\elsewhere", "F1"), ("E:\\data", "!space")):
        existing = ExistingDatabase(size_by_folder={folder: 1200})
        assert order(plan([full("F1", 10, 20, 0, files=FILES)], server=roomy("D:", 0), existing=existing)) == answer


def test_a_drive_whose_folders_may_be_other_volumes_is_no_reason_to_refuse() -> None:
    server = ServerFacts(data_dir="S:\\Data", log_dir="S:\\Log", free_bytes={"S:": 1})
    answer = plan([full("F1", 10, 20, 0, files=FILES)], server=server)
    assert order(answer) == "F1"
    [note] = answer.notes
    assert "in folders of S:" in note and "unless other volumes are mounted there" in note


def test_a_volume_that_is_mounted_in_a_folder_has_room_of_its_own() -> None:
    data, log = Volume(mount_point="S:\\Data", free_bytes=1000), Volume(mount_point="S:\\Log", free_bytes=199)
    volumes = {"s:\\data": data, "s:\\log": log}
    server = ServerFacts(data_dir="S:\\Data", log_dir="S:\\Log", free_bytes={"S:": 1}, volumes=volumes)
    answer = plan([full("F1", 10, 20, 0, files=FILES)], server=server)
    assert isinstance(answer, Refusal) and answer.details == {
        "volume": "S:\\Log", "bytes_needed": 200, "bytes_free": 199
    }  # fmt: skip
    enough = {**volumes, "s:\\log": Volume(mount_point="S:\\Log", free_bytes=200)}
    answer = plan([full("F1", 10, 20, 0, files=FILES)], server=replace(server, volumes=enough))
    assert answer.space_needed == {"S:\\Data": 1000, "S:\\Log": 200} and answer.notes == []


def test_the_plan_as_data() -> None:
    told = plan(CHAIN, Target.at_time(at(25)), server=SERVER).to_dict()
    assert told["recovery_point"] == {"time": "2024-05-06T10:25:00+00:00", "lsn": None, "fork": "a", "certain": True}
    assert told["loss_seconds"] == (600 - 25) * 60
    assert told["build_needed"] == "15.0.4430"
    assert told["steps"][0]["devices"] == ["B:\\F1.bak"]
    assert plan([], Target.latest()).to_dict()["code"] == "no_sets"


@pytest.mark.parametrize(("end", "last"), [("recovered", "recover"), ("norecovery", "log"), ("standby", "recover")])
def test_how_it_ends(end: str, last: str) -> None:
    answer = plan(CHAIN, end=end, standby_file="D:\\standby.bak")
    assert answer.steps[-1].action == last
    assert answer.steps[-1].standby_file == ("D:\\standby.bak" if end == "standby" else "")
