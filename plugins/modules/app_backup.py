#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: app_backup
short_description: Archive the application folder of Password Reset Server, verified
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Writes the application folder of a web server into a new ZIP archive, while the application is in use. The folder
    holds the keys of what is in the database, so that a backup of the database without it is worthless.
  - Every file's SHA-256 stands in a manifest, in the archive and beside it. The archive is read back where it lies and
    compared with it, and the manifest beside it is written last, so that an archive with a manifest beside it is whole.
  - A file that is locked or changes while it is read is tried again twice, after all others. One that stays locked ends
    the backup, one that keeps changing is reported; O(unreadable) and O(exclude) say otherwise.
  - A run that was interrupted leaves nothing that another run would take for an archive, and the next run clears it
    away.
options:
  path:
    description:
      - Folder of the application on the web server.
    type: str
    required: true
  destination:
    description:
      - Folder to write the archive to, on the web server or on a share. It is made when it is not there.
      - The archive is named after the application folder and the time in UTC. Give each server a folder of its own.
    type: str
    required: true
  stage_path:
    description:
      - Folder on a disk of the web server in which the archive is made and verified, before it is copied to
        O(destination) and compared there.
      - When O(destination) cannot be reached, or the account has no rights there, the task fails and the archive waits
        in this folder. The next run brings it over, before its own. The newest three wait.
      - By default the archive is made where it is to stay.
    type: str
  exclude:
    description:
      - Patterns with C(*) and C(?) of what is left out. One without a slash is looked for at any depth, one with a
        slash is relative to O(path). One that matches a folder leaves out all that is in it.
    type: list
    elements: str
    default: []
  unreadable:
    description:
      - What becomes of the backup when a file stays locked or cannot be read for another reason.
      - V(fail) archives nothing.
      - V(report) leaves such files out and says so. Without files that the application cannot do without, such as
        C(*.config) and C(*.dll), it fails as well.
    type: str
    choices: [fail, report]
    default: fail
  key_files:
    description:
      - Files that hold the installation's keys, relative to O(path). They are looked into on the server for what would
        bind them to it, EFS, DPAPI or an RSA key of the machine. Their content does not leave it but in the archive.
    type: list
    elements: str
    default: [encryption.config]
  plain_copies:
    description:
      - For files that this server alone can use, an unprotected copy that is archived under their name instead. By name
        relative to O(path), the full path of the copy on the web server or on a share.
      - The archive is then as secret as the copy.
    type: dict
    default: {}
  retention:
    description:
      - It is about the whole archives of this application in O(destination). The newest one always stays, and the
        newest of which nobody said that the application did not answer. Nothing is removed before the newest was read
        to its end.
  skip_unchanged:
    description:
      - Write no archive when the newest whole one in O(destination) already holds exactly what is in the folder. It is
        read to its end again, and a damaged one is no reason to write none.
    type: bool
    default: false
  labels:
    description:
      - What else the manifest is to remember, as texts by name, such as the recovery set that the archive belongs to.
    type: dict
    default: {}
  healthy:
    description:
      - Whether the application answered when it was archived, as whoever runs this task has found out. It becomes the
        label C(healthy).
      - M(prs.recovery.app_restore) tries an archive of an application that did not answer after all others.
    type: bool
  log_path:
    description:
      - Folder on the web server for the log of this run. The newest 90 logs stay. Empty for none.
    type: str
    default: C:\ProgramData\prs.recovery\log
extends_documentation_fragment:
  - prs.recovery.retention
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says which files would be archived, under which name, and which archives would be removed.
  diff_mode:
    support: full
    details:
      - Shows the files of the newest archive and those of the folder.
seealso:
  - module: prs.recovery.app_backup_info
  - module: prs.recovery.app_restore
  - module: prs.recovery.sql_backup
"""

EXAMPLES = r"""
- name: Archive the application to a share, and keep two weeks of nights
  prs.recovery.app_backup:
    path: C:\inetpub\wwwroot\PasswordResetServer
    destination: \\files.example.com\backup\web01
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    retention:
      last: 14
  register: backup

- name: Archive it although the share may be away tonight
  prs.recovery.app_backup:
    path: C:\inetpub\wwwroot\PasswordResetServer
    destination: \\files.example.com\backup\web01
    stage_path: D:\stage
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    retention:
      last: 7
      age: 30
    labels:
      recovery_set: 2026-03-01-night

- name: Archive the unprotected copy of a key that DPAPI protects
  prs.recovery.app_backup:
    path: C:\inetpub\wwwroot\PasswordResetServer
    destination: D:\backup
    plain_copies:
      encryption.config: D:\keys\encryption.config

- name: Archive it to another disk of the web server, without what the application logs
  prs.recovery.app_backup:
    path: C:\inetpub\wwwroot\PasswordResetServer
    destination: D:\backup
    exclude: ["*.log", "App_Data/temp"]
    skip_unchanged: true
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
archive:
  description: The archive that was written, or that would be written in check mode. The newest one when nothing had
    changed.
  returned: always
  type: dict
  contains:
    path:
      description: Where the archive is.
      type: str
      sample: \\files.example.com\backup\web01\PasswordResetServer_20260301T020000Z.zip
    manifest:
      description: Where the manifest beside it is.
      type: str
    sha256:
      description: SHA-256 of the archive. Empty in check mode.
      type: str
    bytes:
      description: Size of the archive. 0 in check mode.
      type: int
    files:
      description: How many files it holds.
      type: int
    content_bytes:
      description: Size of these files.
      type: int
    created:
      description: When it was begun, in UTC.
      type: str
      sample: "2026-03-01T02:00:00Z"
    labels:
      description: Labels that it was given.
      type: dict
    healthy:
      description: Whether the application answered; V(null) when nobody said.
      type: bool
    verified:
      description: Whether it was read back where it lies and found to be what was read. False in check mode.
      type: bool
excluded:
  description: Files and folders that O(exclude) left out.
  returned: always
  type: list
  elements: str
not_archived:
  description: What could not be archived, such as links and files that stayed locked, each with its name and the
    reason.
  returned: always
  type: list
  elements: dict
changed_meanwhile:
  description: Files that became others while they were read, even when it was tried again. The archive holds what was
    read.
  returned: always
  type: list
  elements: str
protected:
  description: Files of O(key_files) that this server alone can use, each with V(efs), V(dpapi) or V(rsa).
  returned: always
  type: dict
log:
  description: What was done, step by step.
  returned: always
  type: dict
  contains:
    path:
      description: Where the log is on the web server; V(null) in check mode and without O(log_path).
      type: str
    lines:
      description: Its lines, each with its time in UTC.
      type: list
      elements: str
staged:
  description: Where the archive waits that could not be brought to O(destination).
  returned: when the task failed after the archive was made in O(stage_path)
  type: str
removed:
  description: Archives that were removed, or would be.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.retention_rules import retention_argument_spec
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.backup import ApplicationBackup
from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module


def main() -> None:
    module = windows_module(
        {
            "path": {"type": "str", "required": True},
            "destination": {"type": "str", "required": True},
            "stage_path": {"type": "str"},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "unreadable": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
            "key_files": {"type": "list", "elements": "str", "default": ["encryption.config"], "no_log": False},
            "plain_copies": {"type": "dict", "default": {}},
            **retention_argument_spec(),
            "skip_unchanged": {"type": "bool", "default": False},
            "labels": {"type": "dict", "default": {}},
            "healthy": {"type": "bool"},
            "log_path": {"type": "str", "default": "C:\\ProgramData\\prs.recovery\\log"},
        }
    )
    run(module, lambda files: ApplicationBackup(files, module.params, now=files.now, show_diff=module._diff).run())


if __name__ == "__main__":
    main()
