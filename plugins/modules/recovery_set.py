#!/usr/bin/python
# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: recovery_set
short_description: Write down which backup of the database and which archive of the application belong together
version_added: 0.1.0
author:
  - prs.recovery contributors (@prs-recovery)
description:
  - Makes a recovery set of what M(prs.recovery.sql_backup) and M(prs.recovery.app_backup) returned. Its manifest is
    written last, so its presence means that everything which it names is complete.
  - A differential or log backup makes a set too. Its manifest names all backups that it continues, so that each set is
    restored by what it names. Those come from earlier sets, or from the manifests that M(prs.recovery.sql_backup) left
    beside its files.
  - A set is healthy when the application answered before it was taken, both halves were read back, and the chain is
    complete.
  - Once the new set is complete, removes old ones with what only they need (O(retention)). The newest set and the
    newest healthy one stay, whatever the rules say. What failed runs left goes too, once it is older than all that is
    kept. Backups that were taken copy-only stay, and archives that were not made for a set.
options:
  label:
    description:
      - Name of the set, and of its file.
    type: str
    required: true
  site:
    description:
      - Name of the site that it was taken at.
    type: str
    default: ""
  database:
    description:
      - RV(prs.recovery.sql_backup#module:backup).
    type: dict
    required: true
  application:
    description:
      - RV(prs.recovery.app_backup#module:archive). Without it the archive of the newest earlier set is named, as fits a
        log backup.
    type: dict
  application_state:
    description:
      - Whether the application answered before the backup. Anything but V(answered) makes a set that is not healthy.
    type: str
    default: answered
  facts:
    description:
      - Whatever else the manifest says, such as logins and versions. No secrets.
    type: dict
    default: {}
extends_documentation_fragment:
  - prs.recovery.recovery_place
  - prs.recovery.recovery_place.retention
  - prs.recovery.winrm_connection
  - prs.recovery.winrm_connection.share
  - prs.recovery.attributes
attributes:
  check_mode:
    support: full
    details:
      - Says what the manifest would hold and what would be removed.
  diff_mode:
    support: none
seealso:
  - module: prs.recovery.recovery_set_info
  - module: prs.recovery.recovery_set_copy
"""

EXAMPLES = r"""
- name: Join the two halves
  prs.recovery.recovery_set:
    path: \\files.example.com\backup
    share_user: EXAMPLE\svc-backup
    share_password: "{{ prs_share_password }}"
    label: 20260301T020000Z
    database: "{{ taken.backup }}"
    application: "{{ archived.archive }}"
    retention:
      age: 14
      months: 12
"""

RETURN = r"""
set:
  description: The manifest.
  returned: always
  type: dict
  contains:
    label:
      description: Its name.
      type: str
    healthy:
      description: Whether it is one to rely on.
      type: bool
    problems:
      description: Why it is not healthy.
      type: list
      elements: str
    database:
      description: The backup, with all that it continues as C(chain).
      type: dict
    application:
      description: The archive.
      type: dict
manifest:
  description: Where the manifest is.
  returned: always
  type: str
removed:
  description: Labels of sets that were removed, or would be, oldest first.
  returned: always
  type: list
  elements: str
removed_files:
  description: The files that went with them.
  returned: always
  type: list
  elements: str
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._compile_once import compile_once

compile_once()

from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import (
    RULES,
    RecoverySet,
    Surplus,
    chain_of,
    compose,
    files_of_link,
    link_of,
    moment,
    surplus,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    share_argument_spec,
    winrm_argument_spec,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from ansible_collections.prs.recovery.plugins.module_utils._winrm.module import run
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.repository import (
    RecoverySetRepository,
    place_spec,
)


def make_set(files: WindowsFiles, params: dict[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    """Look, write, prune.

    now: the control node's clock, aware. A set is as old as the database server says; where the two clocks differ, the
    one by which less goes counts.
    """
    folders = RecoverySetRepository.from_params(files, params)
    backup = params["database"]
    if not backup.get("sets"):
        raise RecoveryError(
            "'database' is no result of a backup that was taken",
            advice="Give what sql_backup returned as 'backup', not in check mode",
        )
    with folders.keys():
        refuse_taken_label(folders, params["label"])
        earlier = earlier_sets(folders, backup)
        archive = params["application"] or archive_of(earlier)
    with folders.data():
        refuse_missing(files, folders, backup["files"])
        chain = chain_to(folders, backup, earlier)
    with folders.keys():
        refuse_elsewhere(folders, named_files(archive, []))
        refuse_missing(files, folders, named_files(archive, []))
        taken_at = moment(link_of(backup)["finished_at"])
        made = compose(
            label=params["label"],
            site=params["site"],
            now=taken_at,
            backup=backup,
            archive=archive,
            application_state=params["application_state"],
            chain=chain,
            facts=params["facts"] or facts_of(earlier),
            elsewhere=folders.elsewhere(named_files(archive, chain)),
        )
        manifest = folders.write(made)
        rules = params["retention"]
        unusable: list[dict[str, str]] = []
        sets = [made, *rest(folders, params, unusable=unusable)] if rules else []
        gone = surplus(sets, rules, now=min(now, taken_at)) if rules else Surplus()
    if (
        any(rules.values() if rules else ()) and not unusable and not files.check_mode
    ):  # a set that cannot be read may need what seems to be nobody's
        left = folders.strays([one for one in sets if one.label not in gone.labels], database=backup["database"])
        gone = replace(
            gone, database=(*gone.database, *left.database), application=(*gone.application, *left.application)
        )
    gone = folders.remove(gone)
    return {
        "changed": True,
        "set": dict(made.values),
        "manifest": manifest,
        "removed": list(gone.labels),
        "removed_files": [*gone.application, *gone.database],
    }


def named_files(archive: dict[str, Any], chain: Iterable[dict[str, Any]]) -> list[str]:
    return [
        archive.get("archive") or archive["path"],
        archive["manifest"],
        *(path for link in chain for path in files_of_link(link)),
    ]


def refuse_elsewhere(folders: RecoverySetRepository, paths: list[str]) -> None:
    """Not asked there at all: an earlier manifest may name any server."""
    there = folders.elsewhere(paths)
    if there:
        raise RecoveryError(
            f"{there[0]}, the archive of the set before this one, lies on another server than the sets, from which "
            "no restore takes it",
            advice="Take a full backup (backup_prs)",
        )


def refuse_taken_label(folders: RecoverySetRepository, label: str) -> None:
    if label.lower() in map(str.lower, folders.labels()):
        raise RecoveryError(
            f"There is a recovery set {label} already in {folders.place.sets}",
            advice="Choose another label, or leave it out",
        )


def earlier_sets(folders: RecoverySetRepository, backup: dict[str, Any]) -> list[RecoverySet]:
    """As many as are needed to know the chain, mostly the newest alone; nothing from before the newest full one is part
    of it.
    """
    found: list[RecoverySet] = []
    for one in folders.newest_first(unusable=[]):
        found.append(one)
        if one.type == "full" or chain_of(link_of(backup), [link for known in found for link in known.chain]):
            break
    return found


def archive_of(earlier: Iterable[RecoverySet]) -> dict[str, Any]:
    for one in earlier:
        return dict(one.values["application"])
    raise RecoveryError(
        "There is no earlier set whose archive of the application this backup could belong to",
        advice="Take a full backup first",
    )


def facts_of(earlier: Iterable[RecoverySet]) -> dict[str, Any]:
    """What the newest set of which somebody looked tells: a log backup every quarter of an hour asks nobody again."""
    return next((found for one in earlier if (found := one.facts)), {})


def chain_to(
    folders: RecoverySetRepository, backup: dict[str, Any], earlier: Iterable[RecoverySet]
) -> list[dict[str, Any]]:
    """From the sets; where these have a gap, also from what failed runs left beside their files."""
    own, known = link_of(backup), [link for one in earlier for link in one.chain]
    chain = chain_of(own, known)
    if not chain:
        in_sets = {path for link in known for path in (link.get("manifest_beside"), *link["files"]) if path}
        beside = [path for path in folders.database_listing() if path not in in_sets]
        chain = chain_of(own, [*known, *folders.links_beside(beside, database=backup["database"])])
    return chain


def refuse_missing(files: WindowsFiles, folders: RecoverySetRepository, paths: list[str]) -> None:
    gone = folders.missing(paths)
    if gone and not files.check_mode:
        raise RecoveryError(
            f"{gone[0]} is not there, seen from {files.host}",
            advice="No set was written. Look who removed it, and run the backup again",
        )


def rest(
    folders: RecoverySetRepository, params: dict[str, Any], *, unusable: list[dict[str, str]]
) -> list[RecoverySet]:
    """All other sets of the place."""
    return [one for one in folders.newest_first(unusable=unusable) if one.label != params["label"]]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **winrm_argument_spec(),
            **share_argument_spec(),
            **place_spec(),
            "label": {"type": "str", "required": True},
            "site": {"type": "str", "default": ""},
            "database": {"type": "dict", "required": True},
            "application": {"type": "dict"},
            "application_state": {"type": "str", "default": "answered"},
            "facts": {"type": "dict", "default": {}},
            "retention": {"type": "dict", "options": {rule: {"type": "int"} for rule in RULES}},
        },
        supports_check_mode=True,
    )
    now = dt.datetime.now(dt.timezone.utc)
    run(module, lambda files: make_set(files, module.params, now=now))


if __name__ == "__main__":
    main()
