# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Composes a recovery set of a backup and an archive, and says what keeps it from being healthy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from ..times import to_text
from .chain import link_of
from .recovery_set import FORMAT, RecoverySet

__all__ = ["compose"]

_OF_BACKUP = ("substitute_for", "server", "family_guid", "encryption", "verified", "parent_fork", "fork_point_lsn")


def compose(
    *,
    label: str,
    site: str,
    now: dt.datetime,
    backup: Mapping[str, Any],
    archive: Mapping[str, Any],
    application_state: str,
    chain: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    elsewhere: Sequence[str] = (),
) -> RecoverySet:
    """A set of a backup (as sql_backup returns it) and an archive (as app_backup returns it, or as an earlier set has
    it).

    elsewhere: files of these that no restore from this place will take, since another file server has them.
    """
    [backup_set] = backup["sets"]
    problems = [sentence for sentence in (
        "" if application_state == "answered" else ("the application did not work when the set was taken "
                                                    f"({application_state})"),
        "" if backup["verified"] else "the backup of the database was not read back",
        "" if archive["verified"] else "the archive was not read back",
        "" if chain else "a backup that it continues is in no set and not in the folder, so that it cannot be "
                         "restored by itself; take a full backup "
        "(backup_prs), which the next ones continue",
        (f"{elsewhere[0]} lies on another server than the sets, from which no restore takes it; take a full backup "
         "(backup_prs)") if elsewhere else "",
    ) if sentence]  # fmt: skip
    database = {
        **link_of(backup),
        **{name: backup.get(name) for name in _OF_BACKUP if name in backup},
        "name": backup["database"],
        **{
            name: backup_set.get(name)
            for name in ("server_version", "database_version", "recovery_model", "encryptor_thumbprint", "collation")
        },
        "chain": [dict(link) for link in chain],
    }
    application = {
        "archive": archive.get("archive") or archive["path"],
        **{name: archive.get(name) for name in ("manifest", "sha256", "bytes", "files", "created", "verified")},
    }
    values = {
        **facts,
        "format": FORMAT,
        "label": label,
        "taken_at": to_text(now),
        "site": site,
        "healthy": not problems,
        "problems": problems,
        "application_state": application_state,
        "database": database,
        "application": application,
    }
    return RecoverySet(label=label, taken_at=now, healthy=not problems, values=values)
