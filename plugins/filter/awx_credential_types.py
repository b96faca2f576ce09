# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential types of AWX from a table of their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

DOCUMENTATION = r"""
name: awx_credential_types
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Credential types of AWX from a table of their fields
description:
  - Makes of a table with one line for each field what the modules of C(awx.awx) take as inputs and injectors.
  - Every field is required, because one that is left empty would reach the job as an empty text and hide what the
    inventory says.
positional: _input
options:
  _input:
    description: >-
      The types, each with C(name), C(description), C(fields) and, where it is not always needed, C(used). A field has
      C(id), C(label) and C(variable), the variable that a job gets from it; C(secret) where AWX must not show it;
      C(from) where the variable that holds its value here has another name.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the type of an account
  ansible.builtin.debug:
    msg: "{{ [{'name': 'share', 'description': 'Account of the share', 'fields': [
      {'id': 'user', 'label': 'User', 'variable': 'prs_share_user'}]}] | prs.recovery.awx_credential_types }}"
"""

RETURN = r"""
_value:
  description: >-
    The types, each with C(name), C(description), C(used), C(inputs), C(injectors), and C(variables), which says for
    each field the variable that holds its value here.
  type: list
  elements: dict
"""


def awx_credential_types(table: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """See DOCUMENTATION."""
    return [_credential_type(entry) for entry in table]


def _credential_type(entry: Mapping[str, Any]) -> dict[str, Any]:
    fields = entry["fields"]
    return {
        "name": entry["name"],
        "description": entry["description"],
        "used": entry.get("used", True),
        "inputs": {"fields": [_input(field) for field in fields], "required": [field["id"] for field in fields]},
        # AWX evaluates these; Ansible must not.
        "injectors": {"extra_vars": {field["variable"]: wrap_var(f"{{{{ {field['id']} }}}}") for field in fields}},
        "variables": {field["id"]: field.get("from", field["variable"]) for field in fields},
    }


def _input(field: Mapping[str, Any]) -> dict[str, Any]:
    secret = {"secret": True} if field.get("secret") else {}
    return {"id": field["id"], "label": field["label"], "type": "string", **secret}


class FilterModule:
    """The filters of this file."""

    def filters(self):
        return {"awx_credential_types": awx_credential_types}
