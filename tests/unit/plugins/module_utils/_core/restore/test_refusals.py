"""What a refusal says, and that what it names can be asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupSet
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import UnreadableFile
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import Refusal, Target
from planner_cases import CHAIN, SECOND, at, differential, full, log, order, plan, rejected

SIMPLE = [full("F1", 10, 20, 0), differential("D1", "F1", 30, 40, 20), full("F2", 50, 60, 40)]


def follow(sets: list[BackupSet], refusal: Refusal) -> list[str]:
    """The plans for all that the advice names."""
    lsns = [Target.at_lsn(int(lsn), before=True) for lsn in re.findall(r"before-lsn:(\d+)", refusal.advice)]
    texts = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", refusal.advice)
    times = [Target.at_time(datetime.fromisoformat(text.replace("Z", "+00:00"))) for text in texts]
    return [order(plan(sets, target)) for target in (*times, *lsns)]


def test_a_moment_that_only_a_data_backup_holds_can_be_asked_for() -> None:
    """Simple recovery: there are no logs, and the database can be had as a backup left it."""
    assert order(plan(SIMPLE, Target.at_time(at(20)))) == "F1 D1"
    assert order(plan(SIMPLE, Target.at_time(at(0)))) == "F1"
    refusal = plan(SIMPLE, Target.at_time(at(30)))
    assert order(refusal) == "!gap"
    assert "there are no log backups" in refusal.message
    assert follow(SIMPLE, refusal) == ["F1 D1", "F2", "F1 D1", "F2"]


def test_the_second_in_which_a_full_ended_is_that_full_where_no_log_holds_it() -> None:
    assert order(plan(CHAIN, Target.at_time(at(1)))) == "F1"
    assert order(plan(CHAIN, Target.at_time(at(1) + SECOND))) == "F1 L1*"


@pytest.mark.parametrize("milliseconds", [1, 500, 999])
def test_a_part_of_a_second_after_a_backup_may_lie_before_its_end(milliseconds: int) -> None:
    """Headers tell whole seconds. A full that ended at 10:01:00.9 does not lead to 10:01:00.5: RESTORE LOG says 4335,
    after the data were overwritten.
    """
    moment = at(1) + timedelta(milliseconds=milliseconds)
    assert order(plan(CHAIN, Target.at_time(moment))) == "!before_first"
    older = [full("F0", 5, 8, -60), log("L0", 5, 10, -30), *CHAIN]
    assert order(plan(older, Target.at_time(moment))) == "F0 L0* L1*"
    bulk = [*CHAIN[:2], log("L2", 30, 40, 20, bulk_logged=True), CHAIN[3]]
    assert order(plan(bulk, Target.at_time(at(20) + timedelta(milliseconds=milliseconds)))) == "!bulk_logged"


MINUTES = [-10, 0.3, 1 + 1 / 120, 5, 10, 12, 15, 20, 22, 25, 30, 31, 45, 55, 70, 500]


@pytest.mark.parametrize(
    "sets",
    [
        pytest.param(CHAIN, id="a chain"),
        pytest.param(SIMPLE, id="no logs"),
        pytest.param([*CHAIN[:2], CHAIN[3], full("F2", 60, 70, 40), log("L5", 70, 80, 50)], id="a gap"),
        pytest.param([*CHAIN[:2], log("L2", 30, 40, 20, bulk_logged=True), CHAIN[3]], id="a bulk-logged log"),
        pytest.param([*CHAIN[:2], log("L2", 30, 40, 20, bulk_logged=True)], id="a bulk-logged log at the end"),
        pytest.param([*CHAIN[:2], log("I", 30, 30, 45)], id="an idle log"),
    ],
)
def test_no_refusal_names_a_moment_that_is_refused_in_its_turn(sets: list[BackupSet]) -> None:
    refused = 0
    for minute in MINUTES:
        refusal = plan(sets, Target.at_time(at(minute)))
        if not isinstance(refusal, Refusal):
            continue
        refused += 1
        assert follow(sets, refusal), refusal.advice
        assert not [answer for answer in follow(sets, refusal) if answer.startswith("!")], refusal.advice
        for window in refusal.reachable:
            for moment in (window.start, window.start + (window.end - window.start) / 2, window.end):
                assert not order(plan(sets, Target.at_time(moment))).startswith("!"), window
    assert refused


def test_a_lost_log_is_not_called_bulk_logged() -> None:
    """Another log with bulk-logged changes lies beyond the gap, and one on another recovery fork at that time."""
    beyond = [*CHAIN[:2], log("L3", 40, 50, 30, bulk_logged=True), full("F2", 50, 60, 40), log("L5", 60, 70, 50)]
    elsewhere = log("X", 10, 90, 12, 28, bulk_logged=True, first_fork="x", last_fork="x")
    assert order(plan([*beyond, elsewhere], Target.at_time(at(25)))) == "!gap"


def test_without_a_full_the_base_is_named() -> None:
    answer = plan([differential("D1", "61cbf400", 30, 40, 20, differential_base_lsn=323), *CHAIN[1:]])
    assert order(answer) == "!no_full"
    assert "61cbf400 (LSN 323)" in answer.message
    assert "stripes" not in answer.advice
    assert rejected(answer) == {"D1": "no_base", "L1": "gap", "L2": "gap", "L3": "gap"}


def test_a_snapshot_that_a_differential_is_based_on_is_named() -> None:
    """VM backup software takes fulls by VSS that are not copy-only: they reset the base of the next differentials."""
    sets = [*CHAIN, full("S", 60, 61, 45, snapshot=True), differential("D1", "S", 62, 64, 50)]
    answer = plan(sets)
    assert order(answer) == "F1 L1 L2 L3"
    reason = next(item.reason for item in answer.rejected if item.set is not None and item.set.guid == "D1")
    assert "it is a snapshot" in reason


def test_damaged_databases_are_not_an_affair_of_stripes() -> None:
    answer = plan([replace(CHAIN[0], damaged=True)])
    assert "1 backup cannot be used" in answer.message
    assert "CONTINUE_AFTER_ERROR" in answer.advice
    assert "stripes" not in answer.advice


def test_a_local_time_is_not_called_utc() -> None:
    answer = plan([replace(entry, utc_offset=None) for entry in CHAIN], Target.at_time(at(5)))
    assert order(answer) == "!time_zone_unknown"
    assert "UTC (" not in answer.message
    assert "local time of its server" in answer.message


@pytest.mark.parametrize(("count", "said"), [(1, "1 file cannot be read"), (2, "2 files cannot be read")])
def test_files_that_cannot_be_read_are_counted_as_people_count(count: int, said: str) -> None:
    files = tuple(UnreadableFile(path=f"B:\\{number}.bak", reason="error 3241") for number in range(count))
    answer = plan([], unreadable=files)
    assert order(answer) == "!no_sets"
    assert f"{said}, the first is B:\\0.bak: error 3241" in answer.message
    several = plan(CHAIN[1:2], unusable={"L1": "VERIFYONLY found damage"}, unreadable=files)
    assert f"{count + 1} backups cannot be used, the first because" in several.message
