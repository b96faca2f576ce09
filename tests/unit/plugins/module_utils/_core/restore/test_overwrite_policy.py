from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.overwrite_policy import decide

OURS, OTHERS = "aaaa", "bbbb"

# state, its family, policy -> action, REPLACE, tail worth saving, tail must be saved
CASES = [
    (None, "", "never", "restore", False, False, False),
    (None, "", "damaged", "restore", False, False, False),
    (None, "", "always", "restore", False, False, False),
    ("ONLINE", OURS, "never", "unchanged", False, False, False),
    ("ONLINE", OURS, "damaged", "unchanged", False, False, False),
    ("ONLINE", OURS, "always", "restore", True, True, True),
    ("ONLINE", OTHERS, "never", "refuse", False, False, False),
    ("ONLINE", OTHERS, "damaged", "refuse", False, False, False),
    ("ONLINE", OTHERS, "always", "restore", True, True, True),
    ("SUSPECT", OURS, "never", "refuse", False, False, False),
    ("SUSPECT", OURS, "damaged", "restore", True, True, False),
    ("SUSPECT", "", "damaged", "restore", True, True, False),
    ("SUSPECT", "", "always", "restore", True, True, False),
    ("RESTORING", "", "damaged", "refuse", False, False, False),
    ("RESTORING", "", "always", "restore", True, False, False),
    ("ONLINE", "", "damaged", "refuse", False, False, False),
    ("SUSPECT", OTHERS, "damaged", "refuse", False, False, False),
    ("SUSPECT", OTHERS, "always", "restore", True, True, False),
    ("RECOVERY_PENDING", OURS, "damaged", "restore", True, True, False),
    ("RESTORING", OURS, "damaged", "restore", True, False, False),
    ("RESTORING", OURS, "never", "refuse", False, False, False),
    ("RESTORING", OTHERS, "damaged", "refuse", False, False, False),
    ("RESTORING", OURS, "always", "restore", True, False, False),
    ("RECOVERING", OURS, "damaged", "refuse", False, False, False),
    ("OFFLINE", OURS, "damaged", "refuse", False, False, False),
    ("OFFLINE", OURS, "always", "restore", True, False, False),
]


def ask(**changes):
    given = {
        "state": "ONLINE",
        "family_guid": OURS,
        "mirroring_role": "",
        "recovery_model": "FULL",
        "backup_family_guid": OURS,
        "policy": "damaged",
    }
    return decide(**{**given, **changes})


@pytest.mark.parametrize(("state", "family", "policy", "action", "replace", "tail", "required"), CASES)
def test_decisions(state, family, policy, action, replace, tail, required):
    decision = ask(state=state, family_guid=family, policy=policy)
    assert (decision.action, decision.replace, decision.tail, decision.tail_required) == (
        action,
        replace,
        tail,
        required,
    )
    assert decision.reason
    assert bool(decision.advice) == (action == "refuse")


def test_a_healthy_database_is_overwritten_by_an_explicit_yes_alone():
    healthy = [case for case in CASES if case[0] == "ONLINE"]
    assert {case[2] for case in healthy if case[3] == "restore"} == {"always"}


@pytest.mark.parametrize(
    ("policy", "action"), [("never", "unchanged"), ("damaged", "unchanged"), ("always", "restore")]
)
def test_a_healthy_principal_stays_and_leaves_its_session_on_an_explicit_yes_alone(policy, action):
    decision = ask(mirroring_role="PRINCIPAL", policy=policy)
    assert (decision.action, decision.end_mirroring) == (action, action == "restore")
    assert not ask(policy=policy).end_mirroring


@pytest.mark.parametrize("policy", ["never", "damaged", "always"])
@pytest.mark.parametrize(
    ("role", "state"), [("MIRROR", "RESTORING"), ("PRINCIPAL", "SUSPECT"), ("PRINCIPAL", "RECOVERING")]
)
def test_a_backup_never_takes_the_place_of_what_the_partner_holds(policy, role, state):
    decision = ask(mirroring_role=role, state=state, policy=policy)
    assert decision.action == "refuse" and "failover_prs" in decision.advice


def test_another_database_that_is_mirrored_is_refused_as_any_other():
    assert ask(mirroring_role="PRINCIPAL", family_guid=OTHERS).action == "refuse"


def test_a_log_that_keeps_nothing_has_no_tail():
    assert not ask(policy="always", recovery_model="SIMPLE").tail


def test_one_that_nobody_knows_has_to_be_told_by_the_tail_of_its_log():
    unknown = {"state": "SUSPECT", "family_guid": ""}
    assert (
        ask(**unknown).proof_needed
        and not ask(state="SUSPECT").proof_needed
        and not ask(**unknown, policy="always").proof_needed
    )
    assert ask(**unknown, tail_wanted=False).action == ask(**unknown, recovery_model="SIMPLE").action == "refuse"
    assert "replace: always" in ask(**unknown, recovery_model="SIMPLE").advice


def test_what_never_held_a_whole_backup_may_be_started_over():
    assert ask(state="RESTORING", family_guid="", holds_data=False).action == "restore"


def test_an_interrupted_restore_may_be_continued_under_any_policy():
    assert ask(state="RESTORING", policy="never", resumes=True).action == "restore"
