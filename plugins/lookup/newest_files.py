# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the newest of many small files on the control node. The lookups of ansible.builtin read all of them, whatever
they are, and fail for the first that nobody may read.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: newest_files
author: prs.recovery contributors (@prs-recovery)
version_added: 0.1.0
short_description: Read the newest of many small text files of the control node
description:
  - Reads files whose names sort by time, such as the journals of runs, the newest ones first.
  - What is no file, or larger than O(largest), is left out. A folder that is not there has no files.
options:
  _terms:
    description: Patterns of full paths. Only their last part may have wildcards.
    type: list
    elements: path
    required: true
  newest:
    description: How many files of each pattern are read.
    type: int
    default: 30
  largest:
    description: Files of more bytes are left out.
    type: int
    default: 4194304
"""

EXAMPLES = r"""
- name: Show which runs of a rebuild have a journal here
  ansible.builtin.debug:
    msg: "{{ query('prs.recovery.newest_files', '/srv/reports/journal/*-rebuild_prs.jsonl') | map(attribute='path') }}"
"""

RETURN = r"""
_raw:
  description:
    - One for each file, with C(path), C(text), where what is no UTF-8 is replaced, and C(error), the number of the
      operating system's error, 0 where it was read.
  type: list
  elements: dict
"""

import errno
import fnmatch
import os
import stat
from typing import Any

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms, variables=None, newest=30, largest=4 << 20, **kwargs):
        return [entry for term in terms for entry in newest_files(term, newest=newest, largest=largest)]


def newest_files(pattern: str, *, newest: int, largest: int) -> list[dict[str, Any]]:
    """See DOCUMENTATION."""
    folder, form = os.path.split(os.path.expanduser(pattern))
    try:
        names = sorted(fnmatch.filter(os.listdir(folder), form), reverse=True)
    except OSError:
        return []
    entries: list[dict[str, Any]] = []
    for entry in (_read(os.path.join(folder, name), largest) for name in names):
        entries += [entry] if entry else []
        if len(entries) == newest:
            break
    return entries


def _read(path: str, largest: int) -> dict[str, Any] | None:
    """Opened without waiting: a pipe has no end, and is not asked for one."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            content = file.read(largest + 1)
    except OSError as problem:
        return None if problem.errno == errno.EISDIR else {"path": path, "text": "", "error": problem.errno}
    text = content.decode("utf-8-sig", "replace")
    return None if len(content) > largest else {"path": path, "text": text, "error": 0}


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
