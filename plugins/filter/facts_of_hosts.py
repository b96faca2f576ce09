# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts recorded of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: facts_of_hosts
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: What hosts recorded of themselves
description:
  - The value of a variable on each of some hosts, in their order. A host that does not have it, or has it empty, is
    left out.
positional: _input, hostvars, name
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
"""

EXAMPLES = r"""
- name: Say all problems of all hosts
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | prs.recovery.facts_of_hosts(hostvars, 'preflight_problems') | flatten }}"
"""

RETURN = r"""
_value:
  description: The values.
  type: list
  elements: raw
"""


def facts_of_hosts(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], name: str) -> list[Any]:
    """See DOCUMENTATION."""
    values = [hostvars[host].get(name) for host in hosts]
    return [value for value in values if value]


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"facts_of_hosts": facts_of_hosts}
