#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: windows_script
short_description: Run PowerShell scripts on a Windows host
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Runs a script, or several of them one after the other, each in a runspace of its own. None sees what another
    defines, and one that fails takes no other along.
  - It does what M(ansible.windows.win_powershell) does, in the session that the other modules of this collection use
    and with a tenth of the bytes. A script that has to run as another account is one for that module, with C(become).
  - A script finds C($Ansible) with C(CheckMode), C(Verbosity) and C(Tmpdir), and sets its C(Result), C(Diff),
    C(Changed) and C(Failed). What it puts out otherwise is dropped.
  - It has to support C(ShouldProcess), with V([CmdletBinding(SupportsShouldProcess\)]); in check mode it is given
    C(-WhatIf).
  - A host that cannot be reached is unreachable, as for the modules of ansible.windows.
options:
  script:
    description:
      - Text of the one script. The task fails where it does.
    type: str
  parameters:
    description:
      - Parameters of O(script), by their names.
    type: dict
  scripts:
    description:
      - Several scripts. The task does not fail where one of them does, which its part of RV(result) tells.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name under which its answer stands in RV(result).
        type: str
        required: true
      script:
        description: Its text.
        type: str
        required: true
      parameters:
        description: Its parameters, by their names.
        type: dict
  depth:
    description:
      - How far down a result is followed. What lies deeper becomes a text.
    type: int
    default: 7
  share_paths:
    description:
      - Paths of shares that the scripts use as O(share_user). Others, such as local ones, may be among them.
      - A share that cannot be connected does not stop a script. It finds it in C($Ansible.Unconnected), which is a
        C(number) (the Win32 error) and a C(message) for each, by its root such as C(\\server\share).
    type: list
    elements: str
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - As far as the script keeps to C(-WhatIf) and to C($Ansible.CheckMode).
  diff_mode:
    support: full
    details:
      - What O(script) sets in C($Ansible.Diff).
seealso:
  - module: ansible.windows.win_powershell
"""

EXAMPLES = r"""
- name: Look at the server and at its certificates
  prs.recovery.windows_script:
    scripts:
      - name: server
        script: "{{ lookup('ansible.builtin.file', 'inspect_server.ps1') }}"
        parameters:
          Features: true
      - name: certificates
        script: "{{ lookup('ansible.builtin.file', 'inspect_certificates.ps1') }}"
  register: looked

- name: Look at files of a share
  prs.recovery.windows_script:
    script: "{{ lookup('ansible.builtin.file', 'inspect_paths.ps1') }}"
    parameters:
      Path: ['\\files.example.com\backup\media']
    share_paths: ['\\files.example.com\backup\media']
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
"""

RETURN = r"""
error:
  description: What O(script) told of errors, the one that ended it last.
  returned: with O(script)
  type: list
  elements: dict
  contains:
    exception:
      description: The exception, of which there is C(message).
      type: dict
      sample: {message: Cannot find path 'C:\x' because it does not exist.}
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: script_failed
result:
  description:
    - What O(script) left in C($Ansible.Result). A date is a text in ISO 8601, an enumeration has C(Type), C(String) and
      C(Value).
    - Of O(scripts), by their names C(failed), C(changed), C(diff), C(error) and C(result) of each.
  returned: success
  type: raw
  sample: {service: Running}
"""

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.scripts import run_windows_scripts


def main() -> None:
    module = windows_module(
        {
            "script": {"type": "str"},
            "parameters": {"type": "dict"},
            "scripts": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "script": {"type": "str", "required": True},
                    "parameters": {"type": "dict"},
                },
            },
            "depth": {"type": "int", "default": 7},
            "share_paths": {"type": "list", "elements": "str"},
        },
        mutually_exclusive=[("script", "scripts"), ("parameters", "scripts")],
        required_one_of=[("script", "scripts")],
    )
    run(module, lambda files: run_windows_scripts(files, module.params, verbosity=module._verbosity))


if __name__ == "__main__":
    main()
