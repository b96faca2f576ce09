"""Facts of many hosts: which of them, and what they say."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.filter.facts_of_hosts import facts_of_hosts
from ansible_collections.prs.recovery.plugins.filter.hosts_where import hosts_where

HOSTVARS = {
    "a": {"state": "ONLINE", "reached": True},
    "b": {"state": "", "reached": False},
    "c": {},
    "d": {"state": "ONLINE"},
}


@pytest.mark.parametrize(
    ("hosts", "arguments", "names"),
    [
        ("abcd", ("reached",), ["a"]),
        ("dcba", ("state",), ["d", "a"]),
        ("abc", ("state", "ONLINE"), ["a"]),
        ("abcd", ("reached", False), ["b"]),
        ("abcd", ("state", ""), ["b"]),
        ("", ("state",), []),
    ],
)
def test_hosts_where(hosts, arguments, names):
    assert hosts_where(list(hosts), HOSTVARS, *arguments) == names


def test_facts_of_hosts_are_in_the_order_of_the_hosts_and_never_empty():
    hostvars = {"a": {"facts": [1]}, "b": {"facts": []}, "c": {}, "d": {"facts": [2]}}
    assert facts_of_hosts(["d", "b", "c", "a"], hostvars, "facts") == [[2], [1]]
