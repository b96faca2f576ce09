from __future__ import annotations

import ipaddress

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.prs.recovery.plugins.filter.address_ranges import address_ranges

LAST_V4 = "255.255.255.255"
ALL_V6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["10.0.0.1"], ["10.0.0.1-10.0.0.1"]),
        ("10.0.0.1", ["10.0.0.1-10.0.0.1"]),
        (["10.0.0.2", "10.0.0.1"], ["10.0.0.1-10.0.0.2"]),
        (["10.0.0.0/30", "10.0.0.2-10.0.0.9"], ["10.0.0.0-10.0.0.9"]),
        (["10.0.0.7/30"], ["10.0.0.4-10.0.0.7"]),
        (["fd00::1", "10.0.0.1"], ["10.0.0.1-10.0.0.1", "fd00::1-fd00::1"]),
        ([], []),
    ],
)
def test_ranges(addresses, expected):
    assert address_ranges(addresses) == expected


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        ([], [f"0.0.0.0-{LAST_V4}", ALL_V6]),
        (["10.0.0.1"], ["0.0.0.0-10.0.0.0", f"10.0.0.2-{LAST_V4}", ALL_V6]),
        (["0.0.0.0", LAST_V4], ["0.0.0.1-255.255.255.254", ALL_V6]),
        (["0.0.0.0/0"], [ALL_V6]),
        (["0.0.0.0/0", "::/0"], []),
    ],
)
def test_everything_else(addresses, expected):
    assert address_ranges(addresses, complement=True) == expected


def test_allowed_and_blocked_never_meet():
    servers = ["10.1.0.10", "10.2.0.0/29", "192.168.0.1-192.168.0.3"]
    allowed = [range_of(text) for text in address_ranges(servers)]
    blocked = [range_of(text) for text in address_ranges(servers, complement=True) if ":" not in text]
    assert sum(high - low + 1 for low, high in allowed + blocked) == 2**32
    assert all(a_high < b_low or b_high < a_low for a_low, a_high in allowed for b_low, b_high in blocked)


@pytest.mark.parametrize("text", ["dc1.example.com", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "300.1.1.1"])
def test_what_is_no_address_is_named(text):
    with pytest.raises(AnsibleFilterError, match=text):
        address_ranges([text])


def range_of(text: str) -> tuple[int, int]:
    low, high = text.split("-")
    return int(ipaddress.ip_address(low)), int(ipaddress.ip_address(high))
