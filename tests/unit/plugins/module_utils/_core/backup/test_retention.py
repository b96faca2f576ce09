"""Retention: what stays, what goes, and that what stays can still be restored."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.retention import Retention, decide_retention
from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import Rules
from backup_worlds import scene_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from restore_oracle import Oracle

EXAMPLES = (
    int(
        os.environ.get("PRS_PLANNER_EXAMPLES")
        or (100_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 2000)
    )
    // 4
)
BEGIN = datetime(2024, 5, 1, tzinfo=timezone.utc)


def backup(
    name: str,
    kind: str,
    first: int,
    last: int,
    day: float,
    *,
    base: str = "",
    file: str = "",
    verified: bool = False,
    problem: str = "",
    copy_only: bool = False,
) -> BackupSet:
    moment = BEGIN + timedelta(days=day)
    made = BackupSet(
        guid=name,
        kind=BackupKind(kind),
        family_guid="family",
        database="PasswordResetServer",
        first_lsn=first,
        last_lsn=last,
        first_fork="a",
        last_fork="a",
        differential_base_guid=base,
        started=moment,
        finished=moment + timedelta(minutes=1),
        utc_offset=timedelta(),
        copies=(Copy(stripes=(file or f"{name}.bak",), problem=problem),),
        copy_only=copy_only,
    )
    made.verified = verified
    return made


def two_weeks() -> list[BackupSet]:
    """A full on every even day, a differential on every odd one, a log backup every noon."""
    sets, base = [], ""
    for day in range(14):
        lsn = 1000 + day * 100
        if day % 2 == 0:
            base = f"F{day}"
            sets.append(backup(base, "full", lsn, lsn + 10, day))
        else:
            sets.append(backup(f"D{day}", "differential", lsn, lsn + 10, day, base=base))
        sets.append(backup(f"L{day}", "log", lsn - 50 if day else lsn, lsn + 50, day + 0.5))
    return sets


def kept(retention: Retention) -> str:
    return " ".join(decision.set.guid for decision in retention.decisions if decision.keep)


def decide(sets: list[BackupSet], *, day: float = 14, **rules: object) -> Retention:
    return decide_retention(sets, Rules(**rules), now=BEGIN + timedelta(days=day))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, "F0 L0 D1 L1 F2 L2 D3 L3 F4 L4 D5 L5 F6 L6 D7 L7 F8 L8 D9 L9 F10 L10 D11 L11 F12 L12 D13 L13"),
        ({"last": 1}, "F12 L12 D13 L13"),
        ({"last": 2}, "F10 L10 D11 L11 F12 L12 D13 L13"),
        ({"last": 99}, "F0 L0 D1 L1 F2 L2 D3 L3 F4 L4 D5 L5 F6 L6 D7 L7 F8 L8 D9 L9 F10 L10 D11 L11 F12 L12 D13 L13"),
        # What was made in that time, and for its first moment the last data before it, with the logs up to it: without
        # L11 nothing leads to the moment before F12.
        ({"age": timedelta(days=2)}, "F10 D11 L11 F12 L12 D13 L13"),
        ({"age": timedelta(days=3)}, "F10 L10 D11 L11 F12 L12 D13 L13"),
        ({"age": timedelta(days=2.5)}, "F10 D11 L11 F12 L12 D13 L13"),
        ({"days": 3}, "F8 F10 F12 D13 L13"),
        # 1 May 2024 is a Wednesday: the second week ends with F10, the third and last has F12.
        ({"weeks": 2}, "F10 F12 D13 L13"),
        ({"months": 1}, "F12 D13 L13"),
        ({"years": 1, "weeks": 3}, "F4 F10 F12 D13 L13"),
    ],
)
def test_rules(rules: dict[str, object], expected: str) -> None:
    assert kept(decide(two_weeks(), **rules)) == expected


def test_backups_of_one_second_are_told_apart_by_their_lsn() -> None:
    sets = [
        backup("F0", "full", 10, 15, 0),
        backup("L0", "log", 10, 20, 0),
        backup("F1", "full", 30, 35, 0),
        backup("L1", "log", 20, 40, 0),
    ]
    assert kept(decide(sets, day=1, last=1)) == "F1 L1"


def test_a_log_keeps_the_chain_that_leads_to_it() -> None:
    sets = [
        backup("F0", "full", 10, 15, 0),
        *(backup(f"L{day}", "log", day * 10, day * 10 + 10, day) for day in range(1, 9)),
    ]
    told = decide(sets, day=9, age=timedelta(days=1.5))
    assert kept(told) == "F0 L1 L2 L3 L4 L5 L6 L7 L8"
    assert {decision.set.guid: decision.rule for decision in told.decisions}["L3"] == "newest_chain"


def test_an_old_kept_full_does_not_keep_its_logs() -> None:
    assert "L8" not in kept(decide(two_weeks(), days=5)).split()


def test_the_last_verified_chain_stays_whatever_the_rules_say() -> None:
    sets = two_weeks()
    for one in sets[:2]:
        one.verified = True  # F0 and L0
    told = decide(sets, last=1)
    assert kept(told) == "F0 L0 F12 L12 D13 L13"
    assert {decision.set.guid: decision.rule for decision in told.decisions}["L0"] == "verified_chain"
    assert "F0.bak" not in told.remove


@pytest.mark.parametrize("rules", [{"last": 0}, {"age": timedelta(0)}, {"last": 0, "age": timedelta(0)}])
def test_rules_that_keep_nothing_keep_the_newest_chain(rules: dict[str, object]) -> None:
    assert {"F12", "D13", "L13"} <= set(kept(decide(two_weeks(), day=1000, **rules)).split())


def test_damaged_fulls_do_not_count() -> None:
    sets = [
        one if one.guid != "F12" else backup("F12", "full", 2200, 2210, 12, problem="damaged") for one in two_weeks()
    ]
    told = decide(sets, last=1)
    assert "F10" in kept(told).split()
    assert {decision.set.guid: decision.keep for decision in told.decisions}[
        "F12"
    ]  # newer than F10: perhaps it can be repaired


def test_a_file_goes_only_with_all_its_sets() -> None:
    sets = [
        backup("F0", "full", 10, 20, 0, file="all.bak"),
        backup("F1", "full", 30, 40, 1, file="all.bak"),
        backup("F2", "full", 50, 60, 2, file="alone.bak"),
        backup("F3", "full", 70, 80, 3, file="all.bak"),
    ]
    told = decide(sets, last=1)
    assert kept(told) == "F0 F1 F3"
    assert told.remove == ["alone.bak"]


def test_logs_are_removed_before_what_they_need() -> None:
    told = decide(two_weeks(), last=1)
    kinds = [name[0] for name in told.remove]
    assert kinds == sorted(kinds, key="LDF".index)
    assert len(kinds) == 24


def test_two_databases_are_not_mixed() -> None:
    other = backup("X", "full", 1, 2, 3)
    other.family_guid = "another"
    with pytest.raises(ValueError, match="one database at a time"):
        decide([*two_weeks(), other], last=1)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("HYPOTHESIS_PROFILE") != "nightly",
)
@given(
    st.tuples(st.integers(0, 2**32), st.integers(3, 30), st.sampled_from((0.0, 0.2))),
    st.fixed_dictionaries(
        {},
        optional={
            "last": st.integers(0, 3),
            "age": st.integers(0, 60).map(lambda seconds: timedelta(seconds=seconds)),
            "days": st.integers(0, 1),
        },
    ),
)
def test_what_is_kept_can_still_be_restored(history: tuple[int, int, float], rules: dict[str, object]) -> None:
    scene, chance = scene_of(history)
    inventory = scene.inventory()
    mine = [one for one in inventory.sets if one.family_guid == scene.family]
    for one in mine:
        one.verified = not one.problem and chance.random() < 0.6
    told = decide_retention(mine, Rules(**rules), now=scene.history.clock)
    kept_guids = {decision.set.guid for decision in told.decisions if decision.keep}
    oracle = scene.oracle("")
    pruned = Oracle([one for one in oracle.sets if one.guid in kept_guids], names=set(), wanted="")
    before, after = (
        judge.states(
            bases=judge.sets,
            logs=[one for one in judge.sets if one.kind == "log"],
            stoppable=[one for one in judge.sets if one.kind == "log"],
        )
        for judge in (oracle, pruned)
    )
    by_chance = {decision.set.guid for decision in told.decisions if decision.rule == "shared_file"}
    for one in pruned.sets:
        if one.guid in by_chance:
            continue
        if one.kind == "differential":
            assert one.base not in oracle.sets or one.base in pruned.sets
        elif (
            one.kind == "log"
            and one.first_lsn < one.last_lsn
            and any(oracle.applies(one, state) for state in before.whole)
        ):
            assert pruned.within_reach(one, after), one.guid
    verified = {one.guid for one in mine if one.verified}
    proven, proven_kept = (
        Oracle([one for one in judge.sets if one.guid in verified], names=set(), wanted="")
        for judge in (oracle, pruned)
    )
    for everything, rest in (
        (oracle, pruned),
        (proven, proven_kept),
    ):  # the newest chain, and the last one of which every set was verified
        newest = everything.newest()
        assert newest is None or rest.newest() == newest
    staying = {
        path for decision in told.decisions if decision.keep for copy in decision.set.copies for path in copy.stripes
    }
    assert not staying & set(told.remove)
