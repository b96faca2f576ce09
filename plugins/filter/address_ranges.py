# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as Windows Firewall takes them in a rule's scope."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: address_ranges
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Addresses as the ranges of a firewall rule
description:
  - Turns addresses, networks and ranges into sorted ranges that do not overlap, in the form that Windows Firewall
    keeps.
  - With O(complement) the ranges are those of all other addresses, IPv4 and IPv6.
positional: _input
options:
  _input:
    description: Addresses such as V(10.1.0.10), networks such as V(10.1.0.0/24), ranges such as V(10.1.0.10-10.1.0.19),
      of IPv4 or IPv6. No names.
    type: list
    elements: str
    required: true
  complement:
    description: Give the ranges of everything that is not named.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what a rule must block, so that it leaves two servers out
  ansible.builtin.debug:
    msg: "{{ ['10.1.0.10', '10.2.0.10'] | prs.recovery.address_ranges(complement=true) }}"
"""

RETURN = r"""
_value:
  description: Ranges such as V(10.1.0.10-10.1.0.19), first IPv4, then IPv6.
  type: list
  elements: str
"""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_ranges(addresses: Iterable[str], complement: bool = False) -> list[str]:
    """See DOCUMENTATION. Raises AnsibleFilterError naming what is no address."""
    if isinstance(addresses, str):
        addresses = [addresses]
    spans = [span(text) for text in addresses]
    result = []
    for version, kind in ((4, ipaddress.IPv4Address), (6, ipaddress.IPv6Address)):
        last = 2 ** kind(0).max_prefixlen - 1
        merged = merge(sorted((int(low), int(high)) for low, high in spans if low.version == version))
        for low, high in gaps(merged, last) if complement else merged:
            result.append(f"{kind(low)}-{kind(high)}")
    return result


def span(text: str) -> tuple[Address, Address]:
    """First and last address of an address, a network or a range."""
    try:
        if "-" in text:
            low, high = (ipaddress.ip_address(part.strip()) for part in text.split("-", 1))
            if low.version != high.version or low > high:
                raise ValueError
            return low, high
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise AnsibleFilterError(
            f"{text!r} is not an address, a network or a range of addresses; a firewall rule cannot take names. "
            "Write for example 10.1.0.10."
        ) from error
    return network[0], network[-1]


def merge(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans joined where they touch or overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in spans:
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return merged


def gaps(spans: list[tuple[int, int]], last: int) -> list[tuple[int, int]]:
    """What lies between sorted spans, from 0 to `last`."""
    edges = [-1, *(edge for span_ in spans for edge in span_), last + 1]
    return [(low + 1, high - 1) for low, high in zip(edges[::2], edges[1::2], strict=True) if low + 1 <= high - 1]


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"address_ranges": address_ranges}
