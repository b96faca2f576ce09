from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import verify

ROWS = [
    {"what": "page", "where": "https://x", "state": "fail", "value": "it is gone.", "next": "Start the pool"},
    {"what": "server", "where": "web-a", "state": "warn", "value": "slow", "next": "Wait"},
    {"what": "server", "where": "sql-a", "state": "ok", "value": "reached", "next": ""},
]


def test_what_failed_is_said_with_what_to_do():
    assert verify.problems({"summary": "NOT PROTECTED: 1 check failed", "rows": ROWS}) == [
        "NOT PROTECTED: 1 check failed",
        "- https://x: page: it is gone. Start the pool.",
    ]


@pytest.mark.parametrize(
    ("asked", "statements", "problems"),
    [
        (True, [], []),
        (False, [], ["the login prs cannot be looked at: no route"]),
        (True, ["ALTER USER"], ["the login prs does not lead to its user in PRS, or has lost its rights"]),
    ],
)
def test_the_login_leads_to_its_user(asked: bool, statements: list[str], problems: list[str]):
    facts = {"login": "prs", "database": "PRS", "asked": asked, "problem": "no route", "statements": statements}
    assert verify.login_problems(facts) == problems
