"""Who is principal, what has to be done, which road leads to the other one: by tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.plan import (
    Side,
    Wanted,
    health,
    may_be_lost,
    plan_failover,
    plan_mirror,
    plan_removal,
)

A = Side(
    server="a",
    address="TCP://a:5022",
    edition="Developer Edition (64-bit)",
    state="ONLINE",
    recovery_model="FULL",
    endpoint="STARTED",
    endpoint_role="ALL",
)
B = replace(A, server="b", address="TCP://b:5022", state="", recovery_model="")
SESSION = {
    "guid": "G",
    "session": "SYNCHRONIZED",
    "safety": "FULL",
    "timeout": 10,
    "failover_lsn": 100,
    "end_of_log_lsn": 100,
}
PRINCIPAL = replace(A, role="PRINCIPAL", partner=B.address, **SESSION)
MIRROR = replace(B, role="MIRROR", state="RESTORING", recovery_model="FULL", partner=A.address, **SESSION)
NEW = [("seed", "mirror", ""), ("partner", "mirror", "TCP://a:5022"), ("partner", "principal", "TCP://b:5022")]


def both(**change):
    return replace(PRINCIPAL, **change), replace(MIRROR, **change)


@pytest.mark.parametrize(("sides", "wanted", "expected"), [
    ((A, B), {}, NEW),
    ((A, replace(B, state="RESTORING")), {}, NEW),
    ((A, B), {"safety": "FULL", "timeout": 10, "witness": ""}, NEW),
    ((A, B), {"safety": "OFF", "timeout": 3}, [*NEW, ("timeout", "principal", "3"), ("safety", "principal", "OFF")]),
    ((A, B), {"witness": "TCP://w:5022"}, [*NEW, ("witness", "principal", "TCP://w:5022")]),
    ((A, B), {"running": False}, [*NEW, ("suspend", "principal", "")]),
    (both(), {}, []),
    (both(), {"safety": "FULL", "witness": "", "timeout": 10}, []),
    (both(timeout=5), {"timeout": 2}, []),
    (both(session="SUSPENDED"), {}, [("resume", "principal", "")]),
    (both(session="SUSPENDED"), {"running": False}, []),
    (both(witness="TCP://w:5022"), {"witness": "tcp://W:5022"}, []),
    (both(witness="TCP://w:5022"), {"witness": "TCP://v:5022"}, [("witness", "principal", "TCP://v:5022")]),
    (both(witness="TCP://w:5022"), {"safety": "OFF", "witness": ""}, [("witness", "principal", ""), ("safety", "principal", "OFF")]),
    (both(safety="OFF"), {"safety": "FULL", "witness": "TCP://w:5022"}, [("safety", "principal", "FULL"), ("witness", "principal", "TCP://w:5022")]),
    (both(session="DISCONNECTED"), {}, []),
    # a session of which one side is left
    ((PRINCIPAL, B), {}, [("end", "principal", ""), *NEW]),
    ((PRINCIPAL, replace(B, state="RESTORING")), {}, [("end", "principal", ""), *NEW]),
])  # fmt: skip
def test_what_has_to_be_done(sides, wanted, expected):
    for here, there in (sides, sides[::-1]):  # whichever of the two is asked
        plan = plan_mirror(here, there, Wanted(database="PRS", **wanted))
        assert [(step.action, step.on, step.value) for step in plan.steps] == expected
        assert (plan.principal.server, plan.mirror.server) == ("a", "b")


@pytest.mark.parametrize(("sides", "wanted", "reason"), [
    ((A, replace(B, state="ONLINE")), {}, "ONLINE on both a and b"),
    *(((A, replace(B, state=state)), {}, f"PRS on b is {state}") for state in ("OFFLINE", "SUSPECT", "RECOVERY_PENDING", "EMERGENCY", "RECOVERING")),
    ((PRINCIPAL, replace(B, state="OFFLINE")), {}, "PRS on b|knows nothing"),
    ((replace(A, state="RESTORING"), B), {}, "ONLINE on neither server .a: RESTORING, b: not there."),
    ((replace(A, recovery_model="SIMPLE"), B), {}, "SIMPLE recovery model"),
    ((replace(A, endpoint="STOPPED"), B), {}, "endpoint on a is STOPPED"),
    ((A, replace(B, endpoint="")), {}, "endpoint on b is not there"),
    ((A, replace(B, endpoint_role="WITNESS")), {}, "in the role WITNESS"),
    ((A, replace(B, edition="Express Edition (64-bit)")), {}, "witness only"),
    ((A, replace(B, edition="Standard Edition (64-bit)")), {"safety": "OFF"}, "mirrors synchronously only"),
    ((A, B), {"safety": "OFF", "witness": "TCP://w:5022"}, "would only take the database away"),
    (both(safety="OFF"), {"witness": "TCP://w:5022"}, "would only take the database away"),
    ((replace(PRINCIPAL, partner="TCP://c:5022"), B), {}, "mirrored with TCP://c:5022 already"),
    ((PRINCIPAL, replace(PRINCIPAL, server="b")), {}, "Both a and b are principal"),
    ((replace(B, server="a"), replace(MIRROR, partner=B.address)), {}, "knows nothing"),
    ((replace(PRINCIPAL, session="SUSPENDED"), replace(MIRROR, session="SUSPENDED", end_of_log_lsn=101)), {}, "b holds commits of PRS that a never got"),
])  # fmt: skip
def test_what_nobody_may_decide_for_the_admin(sides, wanted, reason):
    here, there = sides
    with pytest.raises(RecoveryError, match=reason):
        plan_mirror(here, there, Wanted(database="PRS", **wanted))
    with pytest.raises(RecoveryError):
        plan_mirror(there, here, Wanted(database="PRS", **wanted))


@pytest.mark.parametrize(("sides", "expected"), [
    ((A, B), []), (both(), ["a"]), (both(session="DISCONNECTED"), ["a", "b"]), ((PRINCIPAL, B), ["a"]), ((A, replace(MIRROR, guid="H")), ["b"]),
])  # fmt: skip
def test_where_a_session_is_ended(sides, expected):
    for here, there in (sides, sides[::-1]):
        assert sorted(side.server for side, _step in plan_removal(here, there)) == expected


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
    with pytest.raises(RecoveryError, match=reason):
        plan_failover(here, there, database="PRS", allow_data_loss=yes, rejoin=False)


def test_what_was_never_sent_is_not_dropped_without_a_yes():
    with pytest.raises(RecoveryError, match="log ends at 101, both have it up to 100"):
        plan_failover(
            replace(PRINCIPAL, session="SUSPENDED"),
            replace(MIRROR, end_of_log_lsn=101),
            database="PRS",
            allow_data_loss=False,
            rejoin=True,
        )


@pytest.mark.parametrize(
    ("safety", "words"), [("FULL", "only what was committed while"), ("OFF", "what was committed last")]
)
def test_what_may_be_lost(safety, words):
    told = may_be_lost(replace(AWAY, safety=safety))
    assert told["after_lsn"] == 100 and words in told["reason"]


@pytest.mark.parametrize(("session", "safety", "witness_state", "problems"), [
    ("SYNCHRONIZED", "FULL", "", 0), ("SYNCHRONIZING", "OFF", "", 0), ("SYNCHRONIZING", "FULL", "", 1), ("SUSPENDED", "FULL", "", 1),
    ("DISCONNECTED", "OFF", "", 1), ("SYNCHRONIZED", "FULL", "CONNECTED", 0), ("SYNCHRONIZED", "FULL", "DISCONNECTED", 1),
    ("DISCONNECTED", "FULL", "UNKNOWN", 2), ("PENDING_FAILOVER", "FULL", "", 1), ("SOMETHING NEW", "FULL", "", 1),
])  # fmt: skip
def test_health(session, safety, witness_state, problems):
    assert len(health("PRINCIPAL", session, safety, "TCP://w:5022" if witness_state else "", witness_state)) == problems
