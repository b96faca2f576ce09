"""What estimates rest on."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.cost import Estimate, Phase
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.estimates import Estimates, Measured


def measured(*seconds: float, size: int = 0, phase: Phase = Phase.RESTORE_DATABASE) -> Estimates:
    return Estimates.of(Measured(phase=phase, seconds=taken, size=size) for taken in seconds)


def test_a_guess_before_anything_was_measured():
    assert measured().estimate(Phase.INSTALL_SQL_SERVER) == Estimate(seconds=720, runs=0)
    assert measured().estimate(Phase.RESTORE_DATABASE, 100 * 2**20).seconds == 61
    assert measured().estimate(Phase.VERIFY, 100 * 2**20).seconds == 30


def test_the_median_of_the_last_five_runs():
    assert measured(1000, 10, 20, 90, 30, 40, phase=Phase.VERIFY).estimate(Phase.VERIFY) == Estimate(seconds=30, runs=5)


def test_bytes_decide_where_they_were_counted():
    assert measured(10, 20, 30, size=100).estimate(Phase.RESTORE_DATABASE, 1000) == Estimate(seconds=200, runs=3)
    assert measured(10, 20, 30).estimate(Phase.RESTORE_DATABASE, 1000) == Estimate(seconds=20, runs=3)
    assert measured(10, 20, 30, size=100).estimate(Phase.RESTORE_DATABASE) == Estimate(seconds=20, runs=3)


def test_a_sum_is_as_sure_as_its_least_sure_part():
    parts = [Estimate(seconds=1, runs=3), Estimate(seconds=2, runs=0)]
    assert Estimate.total(parts) == Estimate(seconds=3, runs=0)
    assert Estimate.total([]) == Estimate(seconds=0, runs=0)
