"""The collection's restore planner against the truth: its plans are accepted step by step, and bring exactly the rows
of their target.
"""

from __future__ import annotations

import datetime as dt
import importlib
import pathlib
import tempfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prs_lab.sqlserver.backup.headers import facts
from prs_lab.sqlserver.storage.boot import fork_before
from prs_lab.sqlserver.storage.stop import Stop
from prs_lab.sqlserver.storage.target import recover

from .storage_steps import Moment, Steps, rows_in
from .test_storage_histories import STEP, live

_COLLECTION = "ansible_collections.prs.recovery.plugins"
pytest.importorskip(_COLLECTION, reason="the collection is not linked below build/collections")
# Where there is a collection, a name that is not in it is a fault and no reason to skip.
planner = importlib.import_module(f"{_COLLECTION}.module_utils._core.restore.planner")
backup_sets = importlib.import_module(f"{_COLLECTION}.module_utils._core.backup.backup_set")
catalog = importlib.import_module(f"{_COLLECTION}.module_utils._core.backup.catalog")


def target_of(kind: int, moment: Moment) -> Any:
    return [
        planner.Target.latest(),
        planner.Target.at_time(moment.time),
        planner.Target.at_time(moment.time + dt.timedelta(milliseconds=400)),
        planner.Target.at_lsn(moment.lsn),
        planner.Target.at_lsn(moment.lsn, before=True),
    ][kind]


def carry_out(steps: Steps, plan: Any) -> Any:
    """Apply a plan to a new database; returns it recovered, with the LSN where it was. Raises SqlError when a step does
    not fit.
    """
    taken = {one.header.set_guid.lower(): one for one in steps.taken}
    copy = steps.empty("Copy")
    for step in plan.steps:
        if step.action == "recover" or (step.skip_if_stopped and copy.boot.redo_start_lsn < step.fits_from):
            continue
        wanted = step.stop
        stop = None
        if wanted is not None:
            stop = Stop(time=wanted.time, lsn=wanted.lsn, before=wanted.before)
        steps.apply(copy, taken[step.guid], stop=stop)
    x = copy.boot.redo_start_lsn
    recover(copy)
    return copy, x


def rows_at(steps: Steps, forks: list, when: dt.datetime) -> frozenset[int]:
    """What the database held at a moment on the way of these forks."""
    found: frozenset[int] = frozenset()
    for moment in sorted(steps.moments, key=lambda one: one.lsn):
        if moment.time <= when and fork_before(forks, moment.lsn).guid == moment.fork:
            found = moment.rows
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(STEP, max_size=14), st.integers(0, 4), st.integers(0, 100), st.randoms(use_true_random=False))
def test_plans_hold_what_they_promise(history: list[tuple[str, int]], kind: int, pick: int, random: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        steps = Steps(pathlib.Path(folder))
        live(steps, [("commit", 10), ("full", False), *history])
        if pick % 2:
            steps.backup("log")
        sets = [
            backup_sets.backup_set(
                facts(steps.families(one.devices)[0].sets[0], zone=dt.UTC),
                copies=(backup_sets.Copy(stripes=one.devices),),
            )
            for one in steps.taken
        ]
        random.shuffle(sets)
        moment = steps.moments[pick % len(steps.moments)]
        target = target_of(kind, moment)
        request = planner.Request(database="Copy", target=target, zone=dt.UTC)
        plan = planner.plan_restore(catalog.BackupCatalog(sets=sets), request, now=steps.clock)
        if isinstance(plan, planner.Refusal):
            assert kind != 0, plan.message
            return
        copy, x = carry_out(steps, plan)
        assert rows_in(copy) == steps.expected(copy.boot, x)
        if target.time is not None:
            assert rows_in(copy) == rows_at(steps, copy.boot.forks, target.time)
        elif target.lsn is not None and plan.recovery_point.fork.upper() == moment.fork:
            held = rows_in(copy) == moment.rows
            assert held or target.before
