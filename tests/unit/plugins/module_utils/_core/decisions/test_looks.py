"""Several looks in one task, and what came of each."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.looks import answer, secrets, wanted

SHARES = {"wanted": True, "script": "# prs.recovery inspect_paths", "parameters": {"Path": ["C:\\"]}}
PFX = {"wanted": True, "script": "x", "parameters": {}, "secrets": {"Pfx": "Ab+/=", "Password": "a b%\nü"}}


def test_looks_that_are_wanted():
    looks = {"shares": SHARES, "none": {**SHARES, "wanted": False}, "pfx": PFX}
    assert wanted(looks) == [
        {"name": "shares", "script": SHARES["script"], "parameters": SHARES["parameters"]},
        {"name": "pfx", "script": "x", "parameters": {}},
    ]


def test_secrets_of_looks():
    looks = {"shares": SHARES, "pfx": PFX, "none": {**PFX, "wanted": False}}
    assert secrets(looks) == "pfx Pfx Ab+/=\npfx Password a%20b%25%0A%C3%BC"
    assert secrets({"shares": SHARES}) == ""


@pytest.mark.parametrize(("value", "text"), [(1234, "1234"), (None, ""), ("", "")])
def test_a_secret_that_is_no_text(value, text):
    """YAML makes a number of some; what is wrong with that the preflight says."""
    assert secrets({"pfx": {**PFX, "secrets": {"Password": value}}}) == f"pfx Password {text}"


FOUND = {"failed": False, "changed": False, "result": {"paths": []}, "error": []}


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ({}, {"skipped": True}),
        ({"skipped": True, "changed": False}, {"skipped": True}),
        ({"failed": False, "result": {"shares": FOUND}}, FOUND),
        ({"failed": False, "result": {"other": FOUND}}, {"skipped": True}),
        ({"failed": True, "msg": "no logon", "result": {}}, {"failed": True, "msg": "no logon", "result": {}}),
        ({"failed": True, "msg": "x", "invocation": {"module_args": {"secret": "y"}}}, {"failed": True, "msg": "x"}),
        ({"failed": True, "result": {"shares": FOUND}}, FOUND),
        ({"unreachable": True, "msg": "away"}, {"unreachable": True, "msg": "away"}),
    ],
)
def test_what_came_of_a_look(task, expected):
    assert answer({"name": "shares", "task": task}) == expected
