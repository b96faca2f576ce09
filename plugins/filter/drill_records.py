# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of drills, as far as they can be read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: drill_records
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Records of drills, as far as they can be read
description:
  - Reads the files in which the role P(prs.recovery.drill#role) writes down its drills. One that was only half written
    hinders no other.
  - What is JSON of somebody else is left out.
positional: _input
options:
  _input:
    description: Files that the role saw, each with C(path) and C(text), and with C(error) where it could not be opened.
    type: list
    elements: dict
    required: true
  damaged:
    description: Give the paths of what should be records and cannot be read, instead of the records.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say which records are damaged
  ansible.builtin.debug:
    msg: "{{ [{'path': 'E:/drills/a.json', 'text': '{', 'error': 0}] | prs.recovery.drill_records(damaged=true) }}"
"""

RETURN = r"""
_value:
  description: The records, or paths.
  type: list
  elements: raw
"""

FORMAT = "prs.recovery drill 1"
NEEDED = {"label": str, "begun_at": str, "state": str, "names": dict, "cleaned": bool}


def drill_records(seen: Iterable[Mapping[str, Any]], damaged: bool = False) -> list[Any]:
    """See DOCUMENTATION."""
    records, unread = [], []
    for file in seen:
        if file["error"]:
            continue
        try:
            record = json.loads(file["text"])
        except ValueError:
            record = None
        if not isinstance(record, dict):
            unread.append(file["path"])
        elif record.get("format") == FORMAT:
            whole = all(isinstance(record.get(name), kind) for name, kind in NEEDED.items())
            (records if whole else unread).append(record if whole else file["path"])
    return unread if damaged else records


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"drill_records": drill_records}
