"""What has to be done for a mirroring session: by tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.setup import (
    Wanted,
    plan_mirror,
    plan_removal,
)
from mirroring_sides import MIRROR, PRINCIPAL, A, B

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
    with pytest.raises(RecoveryError, match=reason) as refusal:
        plan_mirror(here, there, Wanted(database="PRS", **wanted))
    assert (refusal.value.code == "two_principals") is ("both a and b" in reason.lower())
    with pytest.raises(RecoveryError):
        plan_mirror(there, here, Wanted(database="PRS", **wanted))


@pytest.mark.parametrize(("setting", "reason"), [
    ("auto_close", "closes itself when nobody uses it .*error 1469"), ("read_only", "is read-only.*1466"), ("single_user", "single-user mode.*1488"),
    ("accelerated_recovery", "accelerated database recovery.*1484"), ("ledger", "ledger database.*1493"),
])  # fmt: skip
def test_what_mirroring_cannot_have_is_said_before_the_mirror_is_made(setting, reason):
    principal = replace(A, obstacles=frozenset([setting]))
    with pytest.raises(RecoveryError, match=reason):
        plan_mirror(principal, B, Wanted(database="PRS"))
    assert plan_mirror(*both(), Wanted(database="PRS")).steps == ()


@pytest.mark.parametrize(("sides", "expected"), [
    ((A, B), []), (both(), ["a"]), (both(session="DISCONNECTED"), ["a", "b"]), ((PRINCIPAL, B), ["a"]), ((A, replace(MIRROR, guid="H")), ["b"]),
])  # fmt: skip
def test_where_a_session_is_ended(sides, expected):
    for here, there in (sides, sides[::-1]):
        assert sorted(side.server for side, _step in plan_removal(here, there)) == expected
