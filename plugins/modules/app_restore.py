#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: app_restore
short_description: Bring the application folder of Password Reset Server back from an archive
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Takes the newest whole archive that M(prs.recovery.app_backup) wrote, or a given one, proves it, unpacks it beside
    the application folder, compares every file with the manifest and only then puts it in the folder's place.
  - The old folder is kept until the new one was verified where it lies. When anything goes wrong the old folder comes
    back.
  - A folder that is as it should be is left alone. An archive that turns out to be damaged is passed over for the next
    older one.
  - A run that was interrupted at any point is put right by the next one.
options:
  path:
    description:
      - Folder of the application on the web server. It may be missing.
    type: str
    required: true
  source:
    description:
      - Folder with archives, or one archive (C(.zip)), on the web server or on a share.
      - Of a folder the newest whole archive is taken that is named after the last part of O(path). Archives of which
        M(prs.recovery.app_backup) was told that the application did not answer are tried after all others.
      - A given archive may also be one of the product's own backup page, which has no manifest. Then its checksums are
        compared, and the task says so. One whose name is of M(prs.recovery.app_backup) has a manifest, or is refused.
    type: str
    required: true
  until:
    description:
      - Take the newest archive of O(source) that was begun at this time at the latest.
      - ISO 8601 with a zone, such as C(2026-03-01T14:30:00+01:00).
    type: str
  replace:
    description:
      - What may be replaced.
      - V(never) restores only when O(path) is missing or empty.
      - V(damaged) restores also when files of the archive are missing in O(path) or are not as they were. Files named
        in O(expected_differences) are the server's own. A folder that holds another installation, as O(key_files) tell,
        is refused.
      - V(always) restores also over a folder that is whole or of another installation. One that is exactly as the
        archive stays.
      - Take an archive after an upgrade. To V(damaged) an upgraded folder differs from an older archive as a damaged
        one does.
    type: str
    choices: [never, damaged, always]
    default: damaged
  database_config:
    description:
      - Whose C(database.config), the file that says where the database is, the restored folder has.
      - V(archive) takes the archive's, which fits when the database is still found under the same name or alias.
      - V(keep) takes the one that is in O(path) now, and the archive's when there is none.
      - V(remove) leaves it out, so that the setup wizard asks for the database.
    type: str
    choices: [archive, keep, remove]
    default: archive
  application_pool:
    description:
      - Application pool of IIS that runs the application. Before the folder is replaced it is stopped, and its worker
        process is waited for.
      - Without it the folder is replaced as soon as Windows allows.
    type: str
  pool_timeout:
    description:
      - Seconds to wait for the worker process to end.
    type: int
    default: 120
  start_pool:
    description:
      - Start O(application_pool) at the end, also when nothing had to be restored.
      - By default a pool that was stopped for the restore stays stopped. When the restore fails, it runs again if it
        ran before.
    type: bool
    default: false
  expected_differences:
    description:
      - Patterns of files that an administrator or the application changes. Other content in them is no damage, unless
        the file is empty or carries the very time that the archive knows.
    type: list
    elements: str
    default: ["*.config"]
  key_files:
    description:
      - Files that hold the installation's keys, relative to O(path). Where one of them differs from the archive's and
        the folder has a C(database.config), the folder belongs to another installation.
      - One that is empty, is no XML any more where the archive's is, or carries the very time that the archive knows,
        is damaged.
      - One that this server protects by EFS or DPAPI is the server's own where the archive holds the unprotected copy
        of it.
      - The same key looks different each time that DPAPI or RSA protects it. Where one of the two is protected so, and
        they differ, nobody can tell whether they are the same, and the task says so. A folder that is whole otherwise
        stays. One that is damaged is restored and kept beside the new one, but refused with V(replace=damaged) where
        the archive's is the protected one, of which nobody knows whether it is of any use here.
    type: list
    elements: str
    default: [encryption.config]
  keep_old:
    description:
      - Keep the old folder, under a name with the time beside O(path), also after the new one was verified.
      - One with other keys, as O(key_files) tell, is always kept, and so is one that may have them.
    type: bool
    default: false
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Looks at the archive, its names and sizes and at the folder, and says what would be done.
  diff_mode:
    support: full
    details:
      - Shows the files that are missing, different or not known to the archive, and what becomes of them.
seealso:
  - module: prs.recovery.app_backup
  - module: prs.recovery.app_backup_info
  - module: prs.recovery.sql_restore
"""

EXAMPLES = r"""
- name: Bring the application back if it is missing or damaged
  prs.recovery.app_restore:
    path: C:\inetpub\wwwroot\PasswordResetServer
    source: \\files.example.com\backup\web01
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    application_pool: PasswordResetServer
    start_pool: true

- name: Go back to what was there on Sunday evening
  prs.recovery.app_restore:
    path: C:\inetpub\wwwroot\PasswordResetServer
    source: D:\backup
    until: "2026-03-01T18:00:00+01:00"
    replace: always
    application_pool: PasswordResetServer

- name: Go back to one archive, whatever is there now, and keep that
  prs.recovery.app_restore:
    path: C:\inetpub\wwwroot\PasswordResetServer
    source: D:\backup\PasswordResetServer_20260301T020000Z.zip
    replace: always
    keep_old: true
    application_pool: PasswordResetServer
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
archive:
  description: The archive that was taken.
  returned: always
  type: dict
  contains:
    path:
      description: Where it is.
      type: str
    created:
      description: When it was begun, in UTC.
      type: str
    host:
      description: Name of the server that it is from.
      type: str
    files:
      description: How many files it brings.
      type: int
    bytes:
      description: Size of these files.
      type: int
    labels:
      description: Labels that it was given.
      type: dict
    healthy:
      description: Whether the application answered when it was taken; V(null) when nobody said.
      type: bool
    proven_by:
      description: V(manifest), or V(checksums) for one that has no manifest.
      type: str
folder:
  description: What O(path) was before, compared with the archive.
  returned: always
  type: dict
  contains:
    state:
      description: V(missing), V(identical), V(whole), V(damaged), V(foreign) or V(obscure), which is damaged where
        nobody can tell whose keys it has, and the archive's are protected for one machine alone.
      type: str
    damage:
      description: Files that are missing or not as they should be.
      type: list
      elements: str
    own:
      description: Files that differ because they are the server's own.
      type: list
      elements: str
    extra:
      description: Files that the archive does not know.
      type: list
      elements: str
    untold:
      description: Of O(key_files) those of which nobody can tell whether they are the archive's, as they are protected.
      type: list
      elements: str
reason:
  description: Why the folder was restored or left alone.
  returned: always
  type: str
  sample: is whole
restored:
  description: Whether the folder was replaced, or would be.
  returned: always
  type: bool
rejected:
  description: Newer archives that cannot be used, each with its path and the reason.
  returned: always
  type: list
  elements: dict
repaired:
  description: Whether an earlier run had been interrupted and was put right.
  returned: always
  type: bool
kept_old:
  description: Where the old folder is kept; V(null) when it is not.
  returned: always
  type: str
pool_running:
  description: Whether the application pool runs now; V(null) when none was named or IIS knows none of that name.
  returned: always
  type: bool
"""

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.restore import ApplicationRestore
from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module


def main() -> None:
    module = windows_module(
        {
            "path": {"type": "str", "required": True},
            "source": {"type": "str", "required": True},
            "until": {"type": "str"},
            "replace": {"type": "str", "choices": ["never", "damaged", "always"], "default": "damaged"},
            "database_config": {"type": "str", "choices": ["archive", "keep", "remove"], "default": "archive"},
            "application_pool": {"type": "str"},
            "pool_timeout": {"type": "int", "default": 120},
            "start_pool": {"type": "bool", "default": False},
            "expected_differences": {"type": "list", "elements": "str", "default": ["*.config"]},
            "key_files": {"type": "list", "elements": "str", "default": ["encryption.config"], "no_log": False},
            "keep_old": {"type": "bool", "default": False},
        }
    )
    run(
        module,
        lambda files: ApplicationRestore(files, module.params, now=lambda: files.now, show_diff=module._diff).run(),
    )


if __name__ == "__main__":
    main()
