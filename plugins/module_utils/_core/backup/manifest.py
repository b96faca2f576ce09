# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a backup: what sql_backup reports of it, as JSON, in a file beside the backup and on the control
node.

It is written last, so its presence means that the backup is complete. What is not yet complete, and has to be brought
to another folder, is told by a note beside it until it is.
"""

from __future__ import annotations

import datetime as dt
import json
import ntpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..times import parse_stored_time
from .backup_set import BackupKind, BackupSet, Copy
from .file_names import MANIFEST_FORMAT, manifest_name

__all__ = ["PendingDelivery", "StoredBackup", "at_place", "manifest_lines", "note_name", "parse_manifest", "parse_note"]

NOTE_FORMAT = "prs.recovery unfinished sql backup 1"

_SAME = (
    "guid",
    "database",
    "server",
    "family_guid",
    "first_lsn",
    "last_lsn",
    "checkpoint_lsn",
    "database_backup_lsn",
    "differential_base_guid",
    "first_fork",
    "last_fork",
    "copy_only",
    "checksums",
    "damaged",
    "size",
    "compressed_size",
    "database_version",
    "collation",
    "recovery_model",
    "encryptor_thumbprint",
)
"""What a set of a manifest (BackupSet.to_dict) and BackupSet call alike."""


@dataclass(frozen=True, kw_only=True)
class StoredBackup:
    """A backup as the manifest beside it tells it, at the place where the manifest lies. sha256, sizes: by path."""

    set: BackupSet
    files: tuple[str, ...]
    sha256: Mapping[str, str]
    sizes: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class PendingDelivery:
    """What a run left that was interrupted: its report so far, and the files that SQL Server wrote, or was about to."""

    report: dict[str, Any]
    written: tuple[str, ...]

    def lines(self) -> list[str]:
        return json.dumps({"format": NOTE_FORMAT, "report": self.report, "written": self.written}, indent=2).split("\n")


def manifest_lines(report: Mapping[str, Any]) -> list[str]:
    """The text of a manifest."""
    return json.dumps(report, indent=2, sort_keys=True).split("\n")


def at_place(
    report: Mapping[str, Any], files: list[str], *, hashes: Mapping[str, tuple[str | None, int]]
) -> dict[str, Any]:
    """What the manifest beside one copy of a backup says. files: of that copy; hashes: SHA-256 and size of each."""
    sets = [{**backup_set, "files": files} for backup_set in report["sets"]]
    return {
        **{key: value for key, value in report.items() if key != "copy_files"},
        "files": files,
        "sets": sets,
        "sha256": {file: hashes[file][0] for file in files},
        "file_sizes": {file: hashes[file][1] for file in files},
        "manifest_beside": manifest_name(files[0]),
    }


def parse_manifest(lines: Iterable[str], *, path: str, present: Mapping[str, int]) -> StoredBackup | None:
    """The backup that a manifest beside it tells of; None for a file that is none.

    path: of the manifest; the files are taken to lie beside it, wherever they were when it was written. present: size
    by path, in lower case, of the files that there are. One that is missing or has another size is a problem of the
    copy.
    """
    folder = ntpath.dirname(path)
    try:
        content = json.loads("\n".join(lines))
        if content["format"] != MANIFEST_FORMAT:
            return None
        files = tuple(ntpath.join(folder, ntpath.basename(file)) for file in content["files"])
        names = {file: ntpath.join(folder, ntpath.basename(file)) for file in content["files"]}
        sizes = {names[file]: int(size) for file, size in content["file_sizes"].items()}
        hashes = {names[file]: str(digest) for file, digest in content["sha256"].items() if digest}
        [values] = content["sets"]
        wrong = [file for file in files if present.get(file.lower()) != sizes[file]]
        copy = Copy(
            stripes=files,
            position=int(values["position"]),
            problem=f"{wrong[0]} is missing or was changed" if wrong else "",
        )
        return StoredBackup(set=_set_of(values, copies=(copy,)), files=files, sha256=hashes, sizes=sizes)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _set_of(values: Mapping[str, Any], *, copies: tuple[Copy, ...]) -> BackupSet:
    """The reverse of BackupSet.to_dict."""
    return BackupSet(
        **{name: values[name] for name in _SAME},
        kind=BackupKind(values.get("kind") or values["type"]),  # earlier versions called it type
        started=parse_stored_time(values["started_at"]),
        finished=parse_stored_time(values["finished_at"]),
        utc_offset=dt.timedelta() if values["time_zone_known"] else None,
        version=tuple(map(int, values["server_version"].split("."))),
        copies=copies,
    )


def note_name(first_file: str) -> str:
    """Path of the note beside a backup that is not yet where it belongs. first_file: path of its first stripe."""
    return f"{first_file}.unfinished.json"


def parse_note(lines: Iterable[str]) -> PendingDelivery | None:
    """None for a file that is no note, or that cannot be read."""
    try:
        content = json.loads("\n".join(lines))
        if content["format"] != NOTE_FORMAT:
            return None
        report = content["report"]
        _needed = report["database"], report["server"], report["files"][0], content["written"][0]
        return PendingDelivery(report=report, written=tuple(content["written"]))
    except (ValueError, TypeError, KeyError, IndexError):
        return None
