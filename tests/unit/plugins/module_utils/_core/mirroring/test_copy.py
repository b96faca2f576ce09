"""Which RESTORING databases a mirror may replace: by tables."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.copy import (
    PrincipalHistory,
    RestoringCopy,
    forks_of,
    refuse_newer_copy,
    refuse_unknown_copy,
)

HISTORY = PrincipalHistory(
    server="a",
    family="family",
    fork="third",
    forks=forks_of([("second", "third", 500), ("First", "second", 300), ("third", "third", 700), (None, "third", 1)]),
    given_up=frozenset(["given up"]),
)


def copy(fork: str, position: int | None, family: str = "family") -> RestoringCopy:
    return RestoringCopy(server="b", position=position, fork=fork, family=family)


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param(copy("", None, ""), id="nothing was restored yet"),
        pytest.param(copy("third", 900), id="on the principal's fork"),
        pytest.param(copy("third", 900, ""), id="on the principal's fork, and nobody remembers its family"),
        pytest.param(copy("second", 500), id="not beyond the newest fork"),
        pytest.param(copy("first", 299), id="not beyond an older fork"),
    ],
)
def test_a_copy_that_the_principal_has_too(harmless):
    refuse_unknown_copy(harmless, HISTORY, database="PRS")


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (copy("elsewhere", 100, "other"), "another database .family other, the principal's is family"),
        (copy("elsewhere", 100), "on a recovery fork that the principal never was on"),
        (copy("elsewhere", 100, ""), "nothing tells that it is a copy of the same database"),
        (copy("", 100), "on a recovery fork that the principal never was on"),
        (copy("second", 501), "goes on to LSN 501, the principal has the same up to 500"),
        (copy("first", 400), "goes on to LSN 400, the principal has the same up to 300"),
    ],
)
def test_a_copy_that_may_hold_more(refused, reason):
    with pytest.raises(
        RecoveryError, match=f"PRS on b is RESTORING and may hold what a does not: .*{reason}"
    ) as raised:
        refuse_unknown_copy(refused, HISTORY, database="PRS")
    assert "allow_data_loss" in raised.value.advice and raised.value.code == "already_exists"


def test_what_a_restore_with_replace_gave_up_on_the_principal_is_given_up_on_the_mirror_too():
    history = PrincipalHistory(
        server="a", family="family", fork="new", forks=forks_of([("given up", "new", 100)]), given_up=HISTORY.given_up
    )
    refuse_unknown_copy(copy("given up", 900), history, database="PRS")


def test_on_one_fork_the_end_of_the_log_decides():
    refuse_newer_copy(copy("third", 900), HISTORY, end_of_log=900, database="PRS")
    refuse_newer_copy(copy("second", 900), HISTORY, end_of_log=100, database="PRS")
    with pytest.raises(RecoveryError, match="goes on to LSN 901, the principal's ends at 900"):
        refuse_newer_copy(copy("third", 901), HISTORY, end_of_log=900, database="PRS")
