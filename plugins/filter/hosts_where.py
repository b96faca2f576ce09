# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of which a fact is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: hosts_where
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: The hosts of which a fact is true
description:
  - Those of some hosts whose variable is true or not empty, or with O(value) is just that. A host that does not have
    the variable is none of them.
positional: _input, hostvars, name, value
options:
  _input:
    description: Names of hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: C(hostvars) itself.
    type: dict
    required: true
  name:
    description: The variable.
    type: str
    required: true
  value:
    description: What the variable must be.
    type: raw
"""

EXAMPLES = r"""
- name: Say who answered
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | prs.recovery.hosts_where(hostvars, 'mirror_reached') }}"

- name: Say where the database is online
  ansible.builtin.debug:
    msg: "{{ groups['prs_sql'] | prs.recovery.hosts_where(hostvars, 'mirror_state', 'ONLINE') }}"
"""

RETURN = r"""
_value:
  description: The names of those hosts, in the order in which they were given.
  type: list
  elements: str
"""


def hosts_where(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], name: str, value: Any = None
) -> list[str]:
    """See DOCUMENTATION."""
    values = {host: hostvars[host].get(name) for host in hosts}
    return [host for host, own in values.items() if (own if value is None else own == value)]


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"hosts_where": hosts_where}
