#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: app_backup_info
short_description: List the archives of an application folder, and say which are whole
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Reads a folder of archives that M(prs.recovery.app_backup) wrote, and says of each whether it is whole and what it
    holds.
options:
  path:
    description:
      - Folder of the application on the web server. Archives count that are named after its last part; the folder
        itself is not looked at.
    type: str
    required: true
  destination:
    description:
      - Folder of the archives, on the web server or on a share.
    type: str
    required: true
  verify:
    description:
      - Read archives to their end and compare them with their manifests. V(newest) reads one archive, V(all) takes its
        time.
      - Every archive with its manifest beside it was verified when it was written. This says whether it still is what
        it was.
    type: str
    choices: [none, newest, all]
    default: none
extends_documentation_fragment:
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
  - prs.recovery.attributes.reads_only
seealso:
  - module: prs.recovery.app_backup
  - module: prs.recovery.app_restore
"""

EXAMPLES = r"""
- name: Look at the archives, and read the newest one to its end
  prs.recovery.app_backup_info:
    path: C:\inetpub\wwwroot\PasswordResetServer
    destination: \\files.example.com\backup\web01
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    verify: newest
  register: archives

- name: The newest whole archive must not be older than a day and a bit
  ansible.builtin.assert:
    that:
      - archives.newest is not none
      - archives.newest.age_seconds < 26 * 3600
"""

RETURN = r"""
error_code:
  description: What kind of failure it was, in a word of docs/errors.md. It stays the same while messages may change.
  returned: on failure
  type: str
  sample: not_found
archives:
  description: All archives of the application, newest first.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Where it is.
      type: str
    state:
      description:
        - V(whole) when it can be restored from, as far as O(verify) looked.
        - V(unpaired) when no manifest belongs to it, because the run that wrote it did not end, or another archive's
          lies beside it.
        - V(damaged) when it is not what its manifest says, or that cannot be read.
      type: str
    whole:
      description: Whether RV(archives[].state) is V(whole).
      type: bool
    problem:
      description: Why it is not whole.
      type: str
    verified:
      description: Whether it was read to its end.
      type: bool
    created:
      description: When it was begun, in UTC.
      type: str
    taken_at:
      description: The same time, with its zone.
      type: str
      sample: "2026-03-01T02:00:00+00:00"
    age_seconds:
      description: How long ago that was, by the web server's clock.
      type: int
    bytes:
      description: Size of the archive.
      type: int
    files:
      description: How many files it holds; V(null) when its manifest cannot be read.
      type: int
    host:
      description: Name of the server that it is from; V(null) when its manifest cannot be read.
      type: str
    application:
      description: Folder that it is of; V(null) when its manifest cannot be read.
      type: str
    labels:
      description: Labels that it was given; V(null) when its manifest cannot be read.
      type: dict
    healthy:
      description: Whether the application answered when it was taken; V(null) when nobody said.
      type: bool
    protected:
      description: Files in it that only RV(archives[].host) can use, each with what protects it; V(null) when its
        manifest cannot be read.
      type: dict
    sha256:
      description: SHA-256 as its manifest says; V(null) when that cannot be read.
      type: str
newest:
  description: The newest whole one of RV(archives), or V(null).
  returned: always
  type: dict
unpaired:
  description: Manifests whose archive is not there.
  returned: always
  type: list
  elements: str
leftovers:
  description: What interrupted runs left, or others are writing now. The next backup of the same server clears it away,
    after a day that of any other.
  returned: always
  type: list
  elements: str
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_catalog import (
    StoredArchive,
    newest,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.times import to_text
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_paths import full_path, join
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.archive_folder import ArchiveFolder
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run, windows_module


def gather(files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    destination = full_path(params["destination"], option="destination")
    folder = ArchiveFolder(files, destination, application=full_path(params["path"], option="path"))
    verified: set[str] = set()

    def examined(archive: StoredArchive) -> StoredArchive:
        verified.add(archive.name)
        return replace(archive, problem=folder.content_problem(archive))

    with files.share(destination, user=params["share_user"], password=params["share_password"]):
        store = folder.read()
        archives = list(store.archives)
        if params["verify"] == "all":
            archives = [examined(archive) if archive.complete else archive for archive in archives]
        # A damaged newest one makes the one before it the newest, which is then looked at in turn.
        while params["verify"] == "newest" and (last := newest(archives)) and last.name not in verified:
            archives[archives.index(last)] = examined(last)
    shown = {
        archive.name: describe(archive, folder, now=now, verified=archive.name in verified) for archive in archives
    }
    last = newest(archives)
    return {
        "changed": False,
        "archives": list(shown.values()),
        "newest": shown[last.name] if last else None,
        "unpaired": [join(destination, name) for name in store.orphans],
        "leftovers": [join(destination, name) for name in store.leftovers],
    }


def describe(archive: StoredArchive, folder: ArchiveFolder, *, now: dt.datetime, verified: bool) -> dict[str, Any]:
    manifest = archive.manifest
    return {
        "path": folder.full_path(archive),
        "state": archive.state,
        "whole": archive.complete,
        "problem": archive.problem,
        "verified": verified,
        "created": to_text(archive.moment),
        "taken_at": archive.moment.isoformat(),
        "age_seconds": int((now - archive.moment).total_seconds()),
        "bytes": archive.size,
        "files": manifest.planned if manifest else None,
        "host": manifest.host if manifest else None,
        "application": manifest.path if manifest else None,
        "labels": dict(manifest.labels) if manifest else None,
        "healthy": manifest.healthy if manifest else None,
        "protected": dict(manifest.protected) if manifest else None,
        "sha256": manifest.archive_sha256 if manifest else None,
    }


def main() -> None:
    module = windows_module(
        {
            "path": {"type": "str", "required": True},
            "destination": {"type": "str", "required": True},
            "verify": {"type": "str", "choices": ["none", "newest", "all"], "default": "none"},
        }
    )
    run(module, lambda files: gather(files, module.params, now=files.now))


if __name__ == "__main__":
    main()
