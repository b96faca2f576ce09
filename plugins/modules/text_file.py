#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: text_file
short_description: Write small text files on a Windows host or a share
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Writes text files, several of a folder in one session, each there whole or not at all. The folder is made where
    there is none, also without a file.
  - It does what M(ansible.windows.win_file) and M(ansible.windows.win_copy) do with C(become), in one PowerShell
    instead of five, and with a tenth of the bytes. Records that every run leaves on a share are written so.
options:
  path:
    description:
      - The folder, on the host or on a share that it reaches.
    type: str
    required: true
  files:
    description:
      - The files in it.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the file, without a path.
        type: str
        required: true
      content:
        description: What shall be in it. Lines end with LF.
        type: str
        required: true
      encoding:
        description: V(utf-16) has a byte order mark, as programs of Windows write it, V(utf-8) has none.
        type: str
        choices: [utf-8, utf-16]
        default: utf-8
  keep:
    description:
      - How many files stay in the folder that have the name of one of O(files) but for what stands before its first
        C(-), as records have that begin with their time. The oldest of more go, some of them at a time. A file whose
        name begins otherwise than with a time of the same form stays.
      - V(0) keeps all of them.
    type: int
    default: 0
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: ansible.windows.win_copy
"""

EXAMPLES = r"""
- name: Leave a record on the share
  prs.recovery.text_file:
    path: \\files.example.com\backup\records
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    files:
      - name: "{{ record.label }}.json"
        content: "{{ record | to_nice_json }}"
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
removed:
  description: The paths of the files that were too many.
  returned: always
  type: list
  elements: str
written:
  description: The paths of the files that were not like that before.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.text_files import write_text_files


def main() -> None:
    module = windows_module(
        {
            "path": {"type": "str", "required": True},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "content": {"type": "str", "required": True},
                    "encoding": {"type": "str", "choices": ["utf-8", "utf-16"], "default": "utf-8"},
                },
            },
            "keep": {"type": "int", "default": 0},
        }
    )
    run(module, lambda files: write_text_files(files, module.params))


if __name__ == "__main__":
    main()
