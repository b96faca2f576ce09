# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What backup_file_info returns of the files that were examined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from .._core.backup.backup_set import BackupSet
from .._core.backup.catalog import BackupCatalog
from .._core.backup.chain_report import by_age, examine, needed_for_newest
from .._core.backup_file.reading import ExaminedFile

__all__ = ["checked_report", "database_report", "media_report", "sets_report", "unreadable_report"]

_COLUMNS = {"copy_only": "IsCopyOnly", "encryptor_thumbprint": "EncryptorThumbprint"}
"""Of a set's report, by the column that tells it."""


def database_report(
    sets: Sequence[BackupSet], *, now: datetime, recovery_point_objective: timedelta | None
) -> dict[str, Any]:
    """One database: what :func:`examine` says of its sets, and what a restore to the newest point would need.

    Certificates and what is unencrypted are not known: files do not say whether they, or the database in them, are
    encrypted.
    """
    last = sets[-1]
    report = examine(sets, now=now, recovery_point_objective=recovery_point_objective)
    return {
        "database": last.database,
        "server": last.server,
        "family_guid": last.family_guid,
        **report,
        "certificates": None,
        "unencrypted": None,
        "needs": _needs(needed_for_newest(sets)),
        "not_known": sorted(set().union(*(backup_set.unknown for backup_set in sets))),
    }


def _needs(chain: Sequence[BackupSet]) -> dict[str, Any] | None:
    """build: the oldest server that restores it; bytes: room for the database's files; read: bytes of backups."""
    if not chain:
        return None
    sizes: dict[int, int] = {}
    for backup_set in chain:
        for file in backup_set.files:
            sizes[file.file_id] = max(sizes.get(file.file_id, 0), file.size)
    newest = max(backup_set.version for backup_set in chain)
    return {
        "build": ".".join(map(str, newest)),
        "bytes": sum(sizes.values()),
        "read": sum(backup_set.compressed_size for backup_set in chain),
    }


def sets_report(families: Iterable[Sequence[BackupSet]]) -> list[dict[str, Any]]:
    """All sets, oldest first."""
    ordered = sorted((backup_set for sets in families for backup_set in sets), key=by_age)
    return [_set_report(backup_set) for backup_set in ordered]


def _set_report(backup_set: BackupSet) -> dict[str, Any]:
    unknown = {key: None for key, column in _COLUMNS.items() if column in backup_set.unknown}
    return {
        **backup_set.to_dict(),
        **unknown,
        "problem": backup_set.problem,
        "not_known": sorted(backup_set.unknown),
    }


def media_report(examined: Iterable[ExaminedFile]) -> list[dict[str, Any]]:
    """The media sets: the files of each stripe, and the stripes of which there is none."""
    media: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    counts: dict[str, int] = {}
    for item in examined:
        if item.file is not None:
            label = item.file.media.label
            media[label["MediaSetId"]][label["FamilySequenceNumber"]].append(item.path)
            counts[label["MediaSetId"]] = label["FamilyCount"]
    return [
        {
            "media_set_id": media_set_id,
            "stripes": counts[media_set_id],
            "files": [path for number in sorted(stripes) for path in stripes[number]],
            "missing": [number for number in range(1, counts[media_set_id] + 1) if number not in stripes],
        }
        for media_set_id, stripes in media.items()
    ]


def unreadable_report(catalog: BackupCatalog) -> list[dict[str, Any]]:
    """Files, or places in files, that gave no set."""
    return [{"path": item.path, "position": item.position, "reason": item.reason} for item in catalog.unreadable]


def checked_report(examined: Iterable[ExaminedFile]) -> dict[str, Any]:
    """How much of all the files that were read to their end could be judged, and how much of that is damaged."""
    checks = [item.deep for item in examined if item.deep is not None]
    size, judged = sum(check.size for check in checks), sum(check.judged for check in checks)
    return {
        "files": len(checks),
        "bytes": size,
        "judged_bytes": judged,
        "share": round(judged / size, 4) if size else None,
        "damaged_files": sum(bool(check.flaws) for check in checks),
    }
