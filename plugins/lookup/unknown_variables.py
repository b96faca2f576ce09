# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds variables that look as if they were meant for this collection and that nothing in it reads."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_variables
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Variables that nothing in this collection reads
description:
  - Looks at the names of the task's variables that begin with C(prs_). One that no role and no playbook of this
    collection knows is most likely misspelt, and Ansible would say nothing.
options:
  extra_vars:
    description: Look only at those of the command line (C(-e)), which a person typed for this very run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Warn of misspelt variables
  ansible.builtin.debug:
    msg: "{{ query('prs.recovery.unknown_variables') }}"

- name: Refuse those of the command line
  ansible.builtin.assert:
    that: query('prs.recovery.unknown_variables', extra_vars=true) | length == 0
"""

RETURN = r"""
_raw:
  description: A sentence for each, with the names that it may have been meant to be.
  type: list
  elements: str
"""

import difflib
import functools
import re
from collections.abc import Iterable
from pathlib import Path

from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars

PREFIX = "prs_"
_NAME = re.compile(r"\bprs_\w+")


@functools.cache
def known_names() -> frozenset[str]:
    """What the roles and playbooks of this collection speak of: no list has to be kept beside them."""
    root = Path(__file__).resolve().parents[2]
    files = [
        path
        for folder in ("roles", "playbooks")
        for path in (root / folder).rglob("*")
        if path.suffix in (".yml", ".j2")
    ]
    return frozenset(name for path in files for name in _NAME.findall(path.read_text(encoding="utf-8")))


def unknown(names: Iterable[str], *, known: Iterable[str]) -> list[str]:
    """A sentence for each name that is not known."""
    listed = sorted(known)
    said = []
    for name in sorted(set(names) - set(listed)):
        near = difflib.get_close_matches(name, listed, n=3, cutoff=0.75)
        said.append(
            f"{name} is no variable of this collection, so nothing reads it."
            + (f" Was {' or '.join(near)} meant?" if near else "")
        )
    return said


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms, variables=None, extra_vars=False, **kwargs):
        names = load_extra_vars(self._loader) if extra_vars else variables or {}
        return unknown((name for name in names if name.startswith(PREFIX)), known=known_names())
