"""Which of two servers a task works on: every pair of answers that matters."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.principal import (
    DatabaseRole,
    choose,
    is_certain,
)

GONE = {"problem": "Cannot reach SQL Server"}
NOTHING = {}
PRINCIPAL = {"state": "ONLINE", "role": "PRINCIPAL", "session": "SYNCHRONIZED"}
EXPOSED = {"state": "ONLINE", "role": "PRINCIPAL", "session": "DISCONNECTED"}
WITHOUT_QUORUM = {"state": "RECOVERY_PENDING", "role": "PRINCIPAL", "session": "DISCONNECTED"}
MIRROR = {"state": "RESTORING", "role": "MIRROR", "session": "SYNCHRONIZED"}
UNSEEN_MIRROR = {"state": "RESTORING"}  # what a login without sysadmin is told of a mirror
ALONE = {"state": "ONLINE"}


@pytest.mark.parametrize(("first", "certain"), [
    (PRINCIPAL, True), ({**PRINCIPAL, "session": "SUSPENDED"}, True), (ALONE, True), (EXPOSED, False), (MIRROR, False), (UNSEEN_MIRROR, False),
    (NOTHING, False), (GONE, False),
])  # fmt: skip
def test_when_the_partner_need_not_be_asked(first, certain):
    assert is_certain(DatabaseRole(server="a", **first)) is certain


@pytest.mark.parametrize(("first", "partner", "chosen"), [
    (MIRROR, PRINCIPAL, "b"), (UNSEEN_MIRROR, PRINCIPAL, "b"), (UNSEEN_MIRROR, ALONE, "b"), (NOTHING, PRINCIPAL, "b"), (NOTHING, ALONE, "b"),
    (GONE, PRINCIPAL, "b"), (GONE, EXPOSED, "b"), (GONE, ALONE, "b"),
    (EXPOSED, GONE, "a"), (EXPOSED, MIRROR, "a"), (EXPOSED, NOTHING, "a"), (WITHOUT_QUORUM, GONE, "a"), (WITHOUT_QUORUM, EXPOSED, "b"),
    (NOTHING, NOTHING, "a"), (UNSEEN_MIRROR, NOTHING, "a"), (NOTHING, UNSEEN_MIRROR, "b"), ({"state": "SUSPECT"}, NOTHING, "a"),
])  # fmt: skip
def test_who_is_chosen(first, partner, chosen):
    assert (
        choose(DatabaseRole(server="a", **first), DatabaseRole(server="b", **partner), database="PRS").server == chosen
    )


@pytest.mark.parametrize(("first", "partner", "said"), [
    (MIRROR, GONE, ("Neither a nor b serves PRS as principal: on a it is mirror, SYNCHRONIZED, RESTORING; Cannot "
                    "reach SQL Server")),
    (MIRROR, MIRROR, "Neither a nor b"), (MIRROR, NOTHING, "the database is not on b"), (NOTHING, GONE, "the database is not on a; Cannot reach"),
    (GONE, MIRROR, "sql_mirror_failover"), (GONE, NOTHING, "Neither"), (GONE, GONE, "Neither"), (UNSEEN_MIRROR, GONE, "Neither"),
    (UNSEEN_MIRROR, UNSEEN_MIRROR, "Neither"),
    (EXPOSED, PRINCIPAL, "Both a and b serve PRS"), (EXPOSED, EXPOSED, "Both"), (EXPOSED, ALONE, "Both"), (WITHOUT_QUORUM, WITHOUT_QUORUM, "Neither"),
])  # fmt: skip
def test_where_nobody_is_chosen(first, partner, said):
    with pytest.raises(RecoveryError) as refusal:
        choose(DatabaseRole(server="a", **first), DatabaseRole(server="b", **partner), database="PRS")
    assert said in str(refusal.value) and "failover_partner" in refusal.value.advice
    assert refusal.value.code == ("two_principals" if said.startswith("Both") else "wrong_state")
