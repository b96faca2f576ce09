"""What AWX refuses, as the stand-in is tested with and a real AWX (make test-awx)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["REFUSED", "WRONG_RULES", "Ask", "move_execution_environment"]

Ask = Callable[..., tuple[int, Any]]
"""method, path below /api/v2/, body -> (status, answer)"""

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("credential_types", {"name": "t", "kind": "ssh"}, "Must be 'cloud' or 'net'"),
    (
        "credential_types",
        {"name": "t", "kind": "cloud", "injectors": {"extra_vars": {"a": "{{ b }}"}}},
        "undefined field",
    ),
    (
        "credential_types",
        {"name": "t", "kind": "cloud", "injectors": {"env": {"ANSIBLE_X": "b"}}},
        "not allowed in credentials",
    ),
    (
        "credential_types",
        {"name": "t", "kind": "cloud", "inputs": {"fields": [{"id": "a b", "label": "c"}]}},
        "a b is an invalid variable name",
    ),
    ("organizations", {"name": "Default"}, "already exists"),
    ("inventories", {"name": "i", "organization": 77}, "does not exist"),
    ("inventories", {"organization": 1}, "This field is required"),
]
"""(kind of object, what is posted, what the answer says); organization 1 is Default."""

WRONG_RULES: list[tuple[str, str]] = [
    ("DTSTART;TZID=UTC:20250105T000000 RRULE:FREQ=DAILY", "INTERVAL required"),
    ("DTSTART:20250105T000000 RRULE:FREQ=DAILY;INTERVAL=1", "naive"),
    ("DTSTART;TZID=Nowhere/Town:20250105T000000 RRULE:FREQ=DAILY;INTERVAL=1", "TZID"),
    ("DTSTART;TZID=UTC:20250105T000000 RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1SU", "numeric prefix"),
    ("DTSTART;TZID=UTC:20250105T000000 RRULE:FREQ=MINUTELY;INTERVAL=X", "parsing failed"),
]
"""(rule of a schedule, what the answer says)"""


def move_execution_environment(ask: Ask) -> list[tuple[int, Any]]:
    """What is answered to a second one of the same name, and to giving the first one to another organization."""
    _status, there = ask("POST", "execution_environments/", {"name": "ee", "image": "a/b:1", "organization": 1})
    _status, other = ask("POST", "organizations/", {"name": "Other"})
    body = {"name": "ee", "image": "a/b:1", "organization": other["id"]}
    return [
        ask("POST", "execution_environments/", body),
        ask("PATCH", f"execution_environments/{there['id']}/", body),
    ]
