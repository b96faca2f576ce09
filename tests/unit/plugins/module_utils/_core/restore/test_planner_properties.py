"""Random histories: the planner against an oracle that tries every chain, and its plans carried out one RESTORE at a
time.
"""

from __future__ import annotations

import os
import random
import re
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.planner import (
    ExistingDatabase,
    Plan,
    Refusal,
    Request,
    Target,
    plan_restore,
)
from backup_history import Record, RestoreError, RestoreRun, Taken
from backup_worlds import NAME, Clocks, Scene, live_on_clocks, live_with_a_clone, scene_of, store
from clock_twins import untold_twins
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from restore_oracle import State

EXAMPLES = int(
    os.environ.get("PRS_PLANNER_EXAMPLES") or (100_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 2000)
)


def carry_out(plan: Plan, scene: Scene, database: RestoreRun | None = None) -> RestoreRun:
    """Every step of the plan as SQL Server would take it; an error of its is an error of the plan's."""
    database = database or RestoreRun()
    for step in plan.steps:
        if step.action == "recover" or (step.skip_if_stopped and database.position < step.fits_from):
            continue
        taken = RestoreRun.read(scene.files, list(step.copies[0].stripes), step.copies[0].position)
        assert taken.guid == step.guid
        if step.action == "database":
            database.restore_database(taken)
        else:
            stop = step.stop
            if step.fits_from is not None:
                assert database.position == step.fits_from
            stop_lsn = None if stop is None or stop.kind != "lsn" else stop.lsn + (not stop.before)
            database.restore_log(
                taken,
                stop_at=stop.time if stop is not None and stop.kind == "time" else None,
                stop_lsn=stop_lsn,
            )
    return database


def ask(scene: Scene, target: Target, **wishes: object) -> Plan | Refusal:
    existing = wishes.pop("existing", None)
    wishes.setdefault("zone", None if scene.zone is timezone.utc else scene.zone)
    request = Request(database=NAME, target=target, family_guid=scene.family, **wishes)
    return plan_restore(scene.inventory(), request, now=scene.history.clock + timedelta(hours=1), existing=existing)


def told(scene: Scene) -> str:
    lines = [
        f"{taken.guid[-3:]} {taken.kind:12} {taken.database[:5]} [{taken.first_lsn}, {taken.last_lsn}) "
        f"{taken.first_fork[-3:]}->{taken.last_fork[-3:]}"
        f" at {taken.fork_point} {taken.started:%M:%S}-{taken.finished:%M:%S} copy={taken.copy_only} bulk={taken.bulk}"
        f" base={taken.base and taken.base.guid[-3:]} readable={scene.readable(taken)}"
        for taken in scene.history.taken
        if taken.family == scene.family
    ]
    return "\n".join(lines)


def steps(plan: Plan) -> str:
    return "; ".join(
        f"{step.guid[-3:]}{f' until {step.stop.time or step.stop.lsn}' if step.stop else ''}"
        for step in plan.steps
        if step.guid
    )


def expect(scene: Scene, answer: Plan | Refusal, contents: list[tuple], target: Target) -> None:
    """The same reachability, the same recovery point, and a plan that works."""
    if isinstance(answer, Refusal):
        assert not contents, f"refused, but it can be reached: {answer.message}; {target}\n{told(scene)}"
        assert answer.message and answer.code
        return
    assert contents, f"planned, but no chain leads to {target}\n{told(scene)}\n{steps(answer)}"
    try:
        done = carry_out(answer, scene)
    except RestoreError as error:
        raise AssertionError(f"the plan for {target} fails with {error}\n{told(scene)}\n{steps(answer)}") from error
    assert done.records in contents, (
        f"another recovery point than expected for {target}\n{told(scene)}\n{steps(answer)}"
    )


histories = st.tuples(st.integers(0, 2**32), st.integers(3, 30), st.sampled_from((0.0, 0.1, 0.4)))
run = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("HYPOTHESIS_PROFILE") != "nightly",
)


@run
@given(histories)
@example((1205, 25, 0.1))  # two forks in a row, each of whose points lies in the middle of a log
@example((1205, 27, 0.1))
@example((87215, 28, 0.4))  # just before the LSN at which the only log that holds it leaves for another fork
def test_any_target_agrees_with_the_brute_force(history: tuple[int, int, float]) -> None:
    scene, chance = scene_of(history)
    wanted = chance.choice((NAME, ""))
    if not any(scene.known(taken) and taken.family == scene.family for taken in scene.history.taken):
        assert isinstance(ask(scene, Target.latest()), Refusal)
        return
    oracle = scene.oracle(NAME if NAME in scene.names() else "")
    point = oracle.newest()
    expect(
        scene, ask(scene, Target.latest(), source_database=wanted), [point.records] if point else [], Target.latest()
    )
    start = scene.history.taken[0].started
    span = int((scene.history.clock - start).total_seconds()) + 4
    for _turn in range(3):
        moment = start + timedelta(seconds=chance.randrange(-2, span), milliseconds=chance.choice((0, 500)))
        target = Target.at_time(moment)
        point = oracle.at_time(moment)
        expect(scene, ask(scene, target, source_database=wanted), [point.records] if point else [], target)
    for _turn in range(3):
        lsn = chance.randrange(98, max(taken.last_lsn for taken in scene.history.taken) + 2)
        target = Target.at_lsn(lsn, before=chance.random() < 0.5)
        points = oracle.at_lsn(lsn, before=target.before)
        expect(scene, ask(scene, target, source_database=wanted), [point.records for point in points], target)


@pytest.mark.parametrize("end", ["recovered", "norecovery"])
def test_the_properties_are_not_about_nothing(end: str) -> None:
    """The generator reaches what it is made for: without this, an empty world would satisfy the properties too."""
    seen: dict[str, int] = {}
    for seed in range(900):
        scene, _chance = scene_of((seed, 25, 0.2))
        if not any(scene.known(taken) and taken.family == scene.family for taken in scene.history.taken):
            continue
        answer = ask(scene, Target.latest(), end=end)
        kinds = (
            [answer.code]
            if isinstance(answer, Refusal)
            else [
                f"{step.kind}{'_striped' if step.copies and len(step.copies[0].stripes) > 1 else ''}{'_stopped' if step.stop else ''}"
                for step in answer.steps
            ]
        )
        if isinstance(answer, Plan):
            kinds += [item.code for item in answer.rejected]
            kinds += [
                "same_name"
                for item in answer.rejected
                if item.code == "other_database" and item.set is not None and item.set.database == NAME
            ]
            used_copies = [step.copies for step in answer.steps if step.copies]
            kinds += [
                name
                for copies in used_copies
                for name, there in (
                    ("duplicate", len(copies) > 1),
                    ("second_copy", copies[0].stripes[0].startswith("D:")),
                    ("later_position", copies[0].position > 1),
                    ("renamed", "renamed" in copies[0].stripes[0]),
                    ("scattered", len({path[:3] for path in copies[0].stripes}) > 1),
                )
                if there
            ]
            used = {step.guid for step in answer.steps}
            kinds += [
                "crossing"
                for taken in scene.history.taken
                if taken.guid in used and taken.first_fork != taken.last_fork
            ]
            kinds += ["halfway_fork" for step in answer.steps if step.stop is not None and step.stop.kind == "lsn"]
            kinds += [
                f"{what}_{taken.kind}"
                for taken in scene.history.taken
                if taken.guid in used
                for what, is_so in (("copy_only", taken.copy_only), ("bulk", taken.bulk))
                if is_so
            ]
            kinds += [
                "missing_stripe" for item in answer.rejected if "missing" in item.reason and "stripe" in item.reason
            ]
            kinds += [
                "copy_only_base"
                for taken in scene.history.taken
                if taken.guid in used and taken.kind == "full" and taken.copy_only
            ]
        for kind in kinds:
            seen[kind] = seen.get(kind, 0) + 1
    for kind in (
        "full",
        "differential",
        "log",
        "log_stopped",
        "full_striped",
        "crossing",
        "copy_only_base",
        "gap",
        "other_fork",
        "other_database",
        "no_base",
        "unusable",
        "unreadable",
        "no_full",
        "same_name",
        "duplicate",
        "second_copy",
        "scattered",
        "later_position",
        "renamed",
        "missing_stripe",
        "halfway_fork",
        "copy_only_log",
        "bulk_log",
    ):
        assert seen.get(kind, 0) >= 3, (kind, seen)


@run
@given(histories)
def test_an_interrupted_restore_goes_on(history: tuple[int, int, float]) -> None:
    """Stopped after any step of one plan, the next plan for the newest point still leads there, from where the database
    stands or anew.
    """
    scene, chance = scene_of(history)
    if not any(scene.known(taken) and taken.family == scene.family for taken in scene.history.taken):
        return
    plan = ask(scene, Target.latest())
    if isinstance(plan, Refusal):
        return
    done = carry_out(plan, scene)
    all_steps = [step for step in plan.steps if step.action != "recover"]
    plan.steps = all_steps[: chance.randrange(1, len(all_steps) + 1)]
    half = carry_out(plan, scene)
    state = ExistingDatabase(
        state="RESTORING", redo_start_lsn=half.position, redo_start_fork=half.fork, differential_base_guid=half.base
    )
    again = ask(scene, Target.latest(), existing=state)
    assert isinstance(again, Plan)
    finished = carry_out(again, scene, half if again.resumes else None)
    assert finished.records == done.records, told(scene)
    if len(plan.steps) == len(all_steps):
        assert again.resumes and [step.action for step in again.steps] == ["recover"], told(scene)
    # What it can still do when the data backups are gone is what the brute force finds from there.
    oracle = scene.oracle("")
    point = oracle.newest(State(half.position, half.fork), half.base)
    assert point is not None


@settings(run, max_examples=EXAMPLES // 4)
@given(histories)
@example((5422, 28, 0.1))  # beyond the point where the database left a fork, a copy of it was backed up
@example((28, 28, 0.4))  # onto a fork leads only a log that was backed up after the first one of that fork
def test_every_moment_that_is_called_reachable_is(history: tuple[int, int, float]) -> None:
    """A refusal and sql_backup_info tell stretches of time; each moment in them has a plan."""
    scene, _chance = scene_of(history)
    if not any(scene.known(taken) and taken.family == scene.family for taken in scene.history.taken):
        return
    refused = ask(scene, Target.at_time(scene.history.clock + timedelta(days=1)))
    assert isinstance(refused, Refusal)
    for window in refused.reachable:
        assert window.start <= window.end
        for moment in (
            window.start,
            window.start + (window.end - window.start) / 2,
            window.end,
        ):
            answer = ask(scene, Target.at_time(moment))
            assert isinstance(answer, Plan), f"{window} {moment} {answer.message}\n{told(scene)}"


@settings(run, max_examples=EXAMPLES // 2)
@given(st.tuples(st.integers(0, 2**32), st.integers(6, 30), st.sampled_from((0.0, 0.2))))
@example((919, 25, 0.1))  # its own log cannot be read, and tells nevertheless that the clone's holds the same stretch
@example((63568, 24, 0.1))
@example((10769, 25, 0.4))  # where its own log begins, a copy-only log of the clone ended
@example((21661, 17, 0.1))
@example((2026216, 22, 0.1))  # a log of the clone happens to end where the first of its own logs that is known begins
def test_the_data_of_a_clone_are_never_brought_unnoticed(history: tuple[int, int, float]) -> None:
    """Where two logs show that there are two databases, the plan is of the wanted one, or it is refused."""
    seed, length, harm = history
    chance = random.Random(seed)
    scene = store(live_with_a_clone(chance, length), chance, harm)
    start = scene.history.taken[0].started if scene.history.taken else scene.history.clock
    moments = [start + timedelta(seconds=chance.randrange(1, 60)) for _turn in range(3)]
    for target in (Target.latest(), *map(Target.at_time, moments)):
        answer = ask(scene, target, source_database=NAME)
        if isinstance(answer, Refusal):
            continue
        used = {step.guid for step in answer.steps}
        mine = {taken.guid for taken in scene.history.taken if is_of_the_database(taken)}
        logs = [
            taken for taken in scene.history.taken if taken.guid in used and taken.kind == "log" and not taken.copy_only
        ]
        rivals = [
            (log, other)
            for log in logs
            for other in scene.history.taken
            if other.kind == "log" and not other.copy_only and scene.known(other)
            if is_of_the_database(log) != is_of_the_database(other)
            and max(log.first_lsn, other.first_lsn) < min(log.last_lsn, other.last_lsn)
        ]
        if not rivals:
            continue  # nothing tells of a second database
        assert used - {""} <= mine, f"{target}\n{told(scene)}\n{steps(answer)}"
        try:
            carry_out(answer, scene)
        except RestoreError as error:
            raise AssertionError(f"{target} mixes two databases: {error}\n{told(scene)}\n{steps(answer)}") from error


# -- clocks


def scene_on_clocks(history: tuple[int, int, float]) -> tuple[Scene, Clocks, random.Random]:
    seed, length, harm = history
    chance = random.Random(seed)
    life, clocks = live_on_clocks(chance, length)
    scene = store(life, chance, harm)
    scene.zone = clocks.zone
    return scene, clocks, chance


def state_at(scene: Scene, fork: str, moment: datetime) -> tuple[Record, ...]:
    """What the database that lived on a fork held at a moment."""
    [database] = [database for database in scene.history.databases if database.fork == fork]
    return tuple(record for record in database.records if record.time < moment)


def expect_right(scene: Scene, plan: Plan, moment: datetime) -> None:
    """All records from before the moment and no others, or what a backup held that ended in that second."""
    try:
        done = carry_out(plan, scene)
    except RestoreError as error:
        raise AssertionError(f"the plan for {moment} fails with {error}\n{told(scene)}\n{steps(plan)}") from error
    last = next(
        taken for taken in scene.history.taken if taken.guid == [step for step in plan.steps if step.guid][-1].guid
    )
    alone = any(
        taken.finished == moment and taken.path == done.records and (taken.kind != "log" or taken.bulk)
        for taken in scene.history.taken
    )
    assert alone or done.records == state_at(scene, last.last_fork, moment), (
        f"{moment}: not what was there then\n{told(scene)}\n{steps(plan)}"
    )


def follow(scene: Scene, refusal: Refusal) -> None:
    """The LSNs that a refusal names can be had."""
    for lsn in re.findall(r"before-lsn:(\d+)", refusal.advice):
        answer = ask(scene, Target.at_lsn(int(lsn), before=True))
        assert isinstance(answer, Plan), f"{refusal.target}: {refusal.advice}\n{told(scene)}"
        carry_out(answer, scene)


UNTOLD = "no backup tells whether the clock of"


def expect_right_as_told(scene: Scene, plan: Plan, moment: datetime) -> None:
    """The right data; or, where another life has the very same headers, at least in that one. Of that change of a clock
    then no header tells, and whoever refused because of it would have to refuse the moments before the first backup of
    every server that the database was moved to, and those while each newest log was backed up. The plan says so.
    """
    try:
        expect_right(scene, plan, moment)
    except AssertionError:
        if not any(is_right(twin, plan, moment) for twin in untold_twins(scene)):
            raise
        assert [note for note in plan.notes if UNTOLD in note], f"{moment}\n{told(scene)}\n{steps(plan)}"


def is_right(scene: Scene, plan: Plan, moment: datetime) -> bool:
    try:
        expect_right(scene, plan, moment)
    except AssertionError:
        return False
    return True


CLOCK_CODES = {"clock_changed", "time_zone_unknown"}


@settings(run, max_examples=EXAMPLES // 2)
@given(st.tuples(st.integers(0, 2**32), st.integers(6, 30), st.just(0.0)))  # a file that is lost tells of no clock
@example((81, 12, 0.0))  # the clock was set back, and the log before holds nothing that was written since
@example((77, 8, 0.0))  # it was set forward within a log that tells its LastValidRestoreTime
@example((89990, 20, 0.0))  # it was set forward while a log was backed up, which tells its start's clock alone
@example((696, 27, 0.0))  # it was set back within a full, beside which logs were backed up
@example((2435, 16, 0.0))  # it was set back within a log, after which a differential alone tells the new clock
@example((3715, 21, 0.0))  # by two hours, so that the log ended by its clock before it began
@example((5479, 10, 0.0))  # within a copy-only log, which no later log goes on from
@example((4585, 16, 0.0))  # within the log before, as a full tells that ended with it
@example((3594, 25, 0.0))  # a snapshot alone, which nobody can restore, tells the clock of a server
@example((2004907, 13, 0.0))  # it was set back within a log that tells its own clock, and another zone was given
@example((3001746, 27, 0.0))  # before a recovery the other server wrote, as a log tells that goes on beyond the point
@example((3101140, 21, 0.0))  # a backup on another fork alone tells a clock that a server had before the move there
@example((3102765, 21, 0.0))  # a zone was given that the backups of the other server alone fit
@example((3110128, 9, 0.0))  # it was set back within the newest log, which ended before it began
@example((3121746, 27, 0.0))  # a log that is stopped at a fork point, after one that was over later by its clock
@example((4207790, 21, 0.0))  # another fork alone tells under which clock a log was written that was over by then
@example((5001448, 29, 0.0))  # the server that it was recovered on told another clock before
@example(
    (3405179642, 12, 0.0)
)  # after a move, of which an idle log tells alone: its last record is younger than its end
@example((1043515286, 20, 0.0))  # after a move, of which the log tells itself by its last record
@example((3479955169, 16, 0.0))  # it was set back by hours within a differential, which so ended before its full
@example((4207091, 22, 0.0))  # the log around a move was over before the moment
@example((4104330788, 7, 0.0))  # it was set back after a move, before the first backup there
@example((6087, 18, 0.0))  # LastValidRestoreTime is from before the clock was set back
def test_no_change_of_the_clock_brings_another_moment(history: tuple[int, int, float]) -> None:
    """Two servers in two zones, summer time, a zone that is told, given or wrong: the right data, or a refusal."""
    scene, clocks, chance = scene_on_clocks(history)
    if not any(scene.known(taken) and taken.family == scene.family for taken in scene.history.taken):
        return
    oracle = scene.oracle("")
    start = scene.history.taken[0].started
    span = int((scene.history.clock - start).total_seconds()) + 4
    for _turn in range(6):
        moment = start + timedelta(seconds=chance.randrange(-2, span), milliseconds=chance.choice((0, 500)))
        answer = ask(scene, Target.at_time(moment))
        if isinstance(answer, Plan):
            expect_right_as_told(scene, answer, moment)
        else:
            follow(scene, answer)
            if clocks.steady and answer.code not in CLOCK_CODES:
                assert oracle.at_time(moment) is None, f"{moment}: {answer.message}\n{told(scene)}"


@pytest.mark.parametrize(
    ("history", "moment"),
    [
        ((3548, 29, 0.0), "2024-06-03T14:18:00.500000+00:00"),  # after a failover, before the first backup there
        ((7182, 13, 0.0), "2024-06-03T12:17:30.500000+00:00"),  # after a recovery on the other server
        ((8665, 21, 0.0), "2024-06-03T12:27:51+00:00"),
        (
            (2003395, 26, 0.0),
            "2024-06-03T15:48:18.500000+00:00",
        ),  # so were those before a failover, within a differential
        ((2003008, 14, 0.0), "2024-06-03T14:03:01+00:00"),  # while the newest log was backed up
        ((2009750, 6, 0.0), "2024-03-31T01:02:14+00:00"),
        ((3123128, 9, 0.0), "2024-06-03T12:08:15.500000+00:00"),  # and the copy that was made since has no backup
    ],
)
def test_of_a_clock_under_which_its_server_made_no_backup_no_header_tells(
    history: tuple[int, int, float], moment: str
) -> None:
    """Two lives with the same headers and different data at that moment: no planner is right in both. The plan is right
    in the one in which that clock was never changed.
    """
    when = datetime.fromisoformat(moment)
    scene, _clocks, _chance = scene_on_clocks(history)
    plan = ask(scene, Target.at_time(when))
    assert isinstance(plan, Plan) and not is_right(scene, plan, when)
    assert [note for note in plan.notes if UNTOLD in note]
    twins = list(untold_twins(scene))
    assert all(ask(twin, Target.at_time(when)).to_dict() == plan.to_dict() for twin in twins)
    assert any(is_right(twin, plan, when) for twin in twins)


def is_of_the_database(taken: Taken) -> bool:
    return (taken.server, taken.database) == ("SQL1", NAME)
