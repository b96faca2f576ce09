"""By which route a warm standby comes to serve, and what is refused before anything is touched: by tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.standby.failover import (
    Side,
    loss_report,
    plan_standby_failover,
    require_no_gap,
    require_tail,
)

OLD, NEW, LATER = "fork-old", "fork-new", "fork-later"
STANDBY = Side(server="b", state="RESTORING", family="f", fork=OLD, stands_at=100)
READABLE = replace(STANDBY, state="ONLINE", is_in_standby=True)
SERVES = Side(server="a", state="ONLINE", recovery_model="FULL", family="f", fork=OLD, log_backed_up_to=100)
RETIRED = replace(SERVES, state="RESTORING", stands_at=120, log_backed_up_to=None)
OPENED = Side(server="b", state="ONLINE", recovery_model="FULL", family="f", fork=NEW, parent_fork=OLD)

ROUTES = [
    # local, remote, a yes to data loss: the way
    (STANDBY, SERVES, False, "planned"),
    (READABLE, SERVES, False, "planned"),
    (STANDBY, RETIRED, False, "finish"),
    (STANDBY, replace(RETIRED, state="ONLINE", is_in_standby=True), False, "finish"),
    (STANDBY, None, False, "force"),
    (STANDBY, replace(SERVES, state="SUSPECT"), False, "force"),
    (STANDBY, replace(SERVES, state="OFFLINE"), True, "force"),
    (STANDBY, Side(server="a"), False, "force"),
    (STANDBY, replace(RETIRED, stands_at=None), False, "force"),
    (OPENED, None, False, "stays"),
    (OPENED, RETIRED, False, "stays"),
    (OPENED, Side(server="a"), False, "stays"),
    (OPENED, SERVES, True, "rejoin"),
    (OPENED, replace(SERVES, fork=LATER, parent_fork=OLD), True, "rejoin"),
]


@pytest.mark.parametrize(("local", "remote", "yes", "way"), ROUTES)
def test_the_route_to_the_standby(local, remote, yes, way):
    route = plan_standby_failover(local, remote, database="PRS", allow_data_loss=yes, goes_back=False)
    assert route.way == way and route.may_lose is (way in ("force", "rejoin"))


@pytest.mark.parametrize(("local", "remote", "code", "reason"), [
    (Side(server="b"), SERVES, "wrong_state", "is not there, so there is no standby"),
    (replace(STANDBY, state="SUSPECT"), SERVES, "wrong_state", "is SUSPECT, so there is no standby"),
    (replace(STANDBY, mirrored=True), SERVES, "wrong_state", "PRS on b is mirrored"),
    (STANDBY, replace(SERVES, mirrored=True), "wrong_state", "PRS on a is mirrored"),
    (STANDBY, replace(SERVES, family="g"), "wrong_database", "another database than the standby"),
    (STANDBY, replace(SERVES, recovery_model="SIMPLE"), "wrong_state", "recovery model SIMPLE"),
    (STANDBY, replace(SERVES, state="RECOVERING"), "wrong_state", "recovering PRS right now"),
    (STANDBY, replace(SERVES, state="OFFLINE"), "would_lose_data", "was set offline"),
    (OPENED, SERVES, "would_lose_data", "while a did not answer"),
    (replace(OPENED, fork=OLD, parent_fork=""), replace(SERVES, fork=NEW, parent_fork=OLD), "two_principals", "a took over from b"),
    (OPENED, replace(SERVES, fork=LATER, parent_fork=OLD), "would_lose_data", "while a did not answer"),
    (replace(OPENED, parent_fork=LATER), SERVES, "two_principals", "open on both b and a$"),
    (OPENED, replace(SERVES, fork=NEW, parent_fork=OLD), "two_principals", "open on both b and a$"),
])  # fmt: skip
def test_there_is_no_route(local, remote, code, reason):
    with pytest.raises(RecoveryError) as refusal:
        plan_standby_failover(local, remote, database="PRS", allow_data_loss=False, goes_back=False)
    assert refusal.value.code == code
    assert reason.rstrip("$") in refusal.value.message
    assert not reason.endswith("$") or refusal.value.message.endswith(reason.rstrip("$"))


@pytest.mark.parametrize("remote", [SERVES, RETIRED, None])
def test_to_an_earlier_moment_only_with_a_yes(remote):
    with pytest.raises(RecoveryError, match="give up what was committed since") as refusal:
        plan_standby_failover(STANDBY, remote, database="PRS", allow_data_loss=False, goes_back=True)
    assert refusal.value.code == "would_lose_data"
    assert plan_standby_failover(STANDBY, remote, database="PRS", allow_data_loss=True, goes_back=True)


@pytest.mark.parametrize(("reached", "remote", "fits"), [
    ((100, OLD), SERVES, True),
    ((130, OLD), SERVES, True),
    ((99, OLD), SERVES, False),
    ((None, OLD), SERVES, False),
    ((100, LATER), SERVES, False),
    # The principal was opened on a fork of its own, and no log of that has been backed up yet.
    ((100, OLD), replace(SERVES, fork=NEW, parent_fork=OLD, fork_point_lsn=100), True),
    ((100, OLD), replace(SERVES, fork=NEW, parent_fork=OLD), True),
    ((101, OLD), replace(SERVES, fork=NEW, parent_fork=OLD, fork_point_lsn=100), False),
    ((101, NEW), replace(SERVES, fork=NEW, parent_fork=OLD, fork_point_lsn=100), True),
    ((100, OLD), replace(SERVES, log_backed_up_to=None), False),
])  # fmt: skip
def test_the_tail_goes_on_where_the_logs_end(reached, remote, fits):
    if fits:
        require_no_gap(reached, remote, database="PRS", standby="b")
        return
    with pytest.raises(RecoveryError) as refusal:
        require_no_gap(reached, remote, database="PRS", standby="b")
    assert refusal.value.code == "not_restorable"


def test_nothing_is_opened_without_the_tail():
    require_tail(120, 120, database="PRS", old="a", advice="look")
    for lsn in (119, None):
        with pytest.raises(RecoveryError, match=r"a left service with PRS at LSN 120.*Nothing was opened\. look"):
            require_tail(lsn, 120, database="PRS", old="a", advice="look")


@pytest.mark.parametrize(("seconds", "minutes", "words"), [(0, 0, "0 minutes"), (1, 1, "1 minute"), (60, 1, "1 minute"), (61, 2, "2 minutes"), (-5, 0, "0 minutes")])  # fmt: skip
def test_the_loss_is_rounded_up(seconds, minutes, words):
    now = dt.datetime(2026, 3, 1, 14, 0, tzinfo=dt.timezone.utc)
    since = now - dt.timedelta(seconds=seconds)
    report = loss_report(since=since, now=now, standby="b")
    assert (report["since"], report["minutes"]) == (since.isoformat(), minutes)
    assert report["reason"].endswith(f"the last {words}")


def test_a_loss_of_which_nothing_tells_is_said_so():
    now = dt.datetime(2026, 3, 1, 14, 0, tzinfo=dt.timezone.utc)
    report = loss_report(since=None, now=now, standby="b")
    assert (report["since"], report["minutes"]) == (None, None) and "nothing tells" in report["reason"]
