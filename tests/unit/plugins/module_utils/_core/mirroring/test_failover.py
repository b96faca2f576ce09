"""By which route a server becomes principal: by tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.failover import plan_failover
from mirroring_sides import MIRROR, PRINCIPAL, A, B

AWAY = replace(MIRROR, session="DISCONNECTED")
WITNESSED = {"witness": "TCP://w:5022", "witness_state": "CONNECTED"}

ROADS = [
    # here, there, yes to data loss, rejoin: the way
    (PRINCIPAL, MIRROR, False, False, "stays"),
    (PRINCIPAL, None, False, False, "stays"),
    (MIRROR, PRINCIPAL, False, False, "manual"),
    (replace(MIRROR, session="SYNCHRONIZING"), replace(PRINCIPAL, session="SYNCHRONIZING"), False, False, "manual"),
    (replace(MIRROR, safety="OFF"), replace(PRINCIPAL, safety="OFF"), False, False, "through_safety"),
    (AWAY, None, True, False, "force"),
    (replace(AWAY, safety="OFF"), None, True, False, "force"),
    (replace(AWAY, **WITNESSED), None, False, False, "wait"),
    (replace(AWAY, **WITNESSED), None, True, False, "wait"),
    (replace(AWAY, safety="OFF", **WITNESSED), None, True, False, "force"),
    (AWAY, replace(A, state=""), True, False, "force"),
    (replace(PRINCIPAL, session="SUSPENDED"), replace(MIRROR, session="SUSPENDED"), False, False, "stays"),
    (replace(PRINCIPAL, session="SUSPENDED"), replace(MIRROR, session="SUSPENDED"), False, True, "resume"),
    (replace(PRINCIPAL, session="SUSPENDED"), replace(MIRROR, end_of_log_lsn=101), True, True, "resume"),
]


@pytest.mark.parametrize(("here", "there", "yes", "rejoin", "way"), ROADS)
def test_the_road_to_a_principal(here, there, yes, rejoin, way):
    assert plan_failover(here, there, database="PRS", allow_data_loss=yes, rejoin=rejoin).way == way


@pytest.mark.parametrize(("here", "there", "yes", "reason"), [
    (A, B, True, "is not mirrored"),
    (MIRROR, replace(PRINCIPAL, guid="H"), True, "another mirroring session"),
    (AWAY, None, False, "allow_data_loss: true"),
    (AWAY, replace(PRINCIPAL, session="DISCONNECTED"), True, "two principals"),
    (replace(PRINCIPAL, session="DISCONNECTED"), replace(PRINCIPAL, server="b", session="DISCONNECTED"), True, "Both a and b are principal"),
    (AWAY, PRINCIPAL, True, "two principals"),
    (AWAY, A, True, "a serves PRS on its own"),
    (replace(MIRROR, session="SUSPENDED"), replace(PRINCIPAL, session="SUSPENDED"), True, "is suspended"),
    (MIRROR, None, True, "still reaches its principal"),
    (replace(AWAY, witness="TCP://w:5022", witness_state="DISCONNECTED"), None, True, "may not take over alone"),
    (replace(PRINCIPAL, state="RECOVERING", session="DISCONNECTED", witness="TCP://w:5022", witness_state="DISCONNECTED"), None, True, "does not serve it"),
])  # fmt: skip
def test_there_is_no_road(here, there, yes, reason):
    with pytest.raises(RecoveryError, match=reason) as refusal:
        plan_failover(here, there, database="PRS", allow_data_loss=yes, rejoin=False)
    assert (refusal.value.code == "would_lose_data") is (not yes)
    assert (refusal.value.code == "two_principals") is reason.startswith("Both")


def test_what_was_never_sent_is_not_dropped_without_a_yes():
    with pytest.raises(RecoveryError, match="log ends at 101, both have it up to 100"):
        plan_failover(
            replace(PRINCIPAL, session="SUSPENDED"),
            replace(MIRROR, end_of_log_lsn=101),
            database="PRS",
            allow_data_loss=False,
            rejoin=True,
        )
