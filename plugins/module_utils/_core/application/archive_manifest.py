# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of an archived folder: what every file was, so that what comes back can be compared with it.

It is kept as lines of JSON, because that is what old PowerShell can read and write at any length: a head, then one line
for each file. The same lines are in the archive (as its last entry) and in a file beside it; the one beside also says
what the archive itself is, and is written last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import RecoveryError
from ..windows_files import PresentFile
from .archive_entries import name_key, name_problem

__all__ = [
    "HEALTHY",
    "INSIDE_NAME",
    "OWN_FOLDER",
    "Comparison",
    "Manifest",
    "ManifestFile",
    "compare",
    "parse_manifest",
]

FORMAT = "prs.recovery application archive"
VERSION = 1
OWN_FOLDER = ".prs-recovery"
INSIDE_NAME = f"{OWN_FOLDER}/manifest.jsonl"
HEALTHY = "healthy"
"""The label that says whether the application answered."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class ManifestFile:
    """One file: name relative to the folder with /, size in bytes, SHA-256 in hex, modified in UTC (ISO 8601)."""

    name: str
    size: int
    sha256: str
    modified: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """path, host, created (UTC, ISO 8601): what was archived, where, when. archive_*: only in the manifest beside the
    archive.

    labels: whatever else is to be remembered. protected: files whose content only their own machine can use, by name
    what protects them (efs, dpapi, rsa). plain: names of files that were taken from an unprotected copy elsewhere
    instead.
    """

    path: str
    host: str
    created: str
    files: tuple[ManifestFile, ...]
    planned: int
    folders: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    archive_name: str = ""
    archive_size: int = 0
    archive_sha256: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    protected: Mapping[str, str] = field(default_factory=dict)
    plain: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool | None:
        """Whether the application answered when it was archived; None when nobody said."""
        return {"true": True, "false": False}.get(self.labels.get(HEALTHY, ""))

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def sizes(self) -> dict[str, int]:
        """Size by name_key."""
        return {name_key(file.name): file.size for file in self.files}

    def without(self, names: Iterable[str]) -> Manifest:
        """The manifest as if these files had never been archived."""
        gone = {name_key(name) for name in names}
        left = tuple(file for file in self.files if name_key(file.name) not in gone)
        return replace(self, files=left, planned=len(left))

    def head(self) -> str:
        """The first line."""
        values: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "path": self.path,
            "host": self.host,
            "created": self.created,
            "files": self.planned,
            "folders": list(self.folders),
            "excluded": list(self.excluded),
        }
        for name, report in (
            ("labels", dict(self.labels)),
            ("protected", dict(self.protected)),
            ("plain", list(self.plain)),
        ):
            if report:
                values[name] = report
        if self.archive_sha256:
            values["archive"] = {"name": self.archive_name, "size": self.archive_size, "sha256": self.archive_sha256}
        return json.dumps(values, sort_keys=True)

    def open_head(self) -> str:
        """The first line before anybody knows how many files can be read: {count} stands for their number."""
        return replace(self, planned=-1).head().replace('"files": -1', '"files": {count}')

    def lines(self) -> list[str]:
        return [self.head(), *(json.dumps(_file_values(file), sort_keys=True) for file in self.files)]


def _file_values(file: ManifestFile) -> dict[str, Any]:
    return {"name": file.name, "size": file.size, "sha256": file.sha256, "modified": file.modified}


def parse_manifest(lines: Iterable[str], *, where: str, head_only: bool = False) -> Manifest:
    """Raises RecoveryError when it is none, is not whole, or names what no archive may hold.

    where: how a message names it. head_only: there is but the first line.
    """
    text = [line for line in lines if line.strip()]
    try:
        head = json.loads(text[0])
        if head["format"] != FORMAT:
            raise ValueError
    except (IndexError, ValueError, TypeError, KeyError):
        raise RecoveryError(
            f"{where} is no manifest of an archive", code="damaged", advice="Use another archive"
        ) from None
    if head.get("version") != VERSION:
        raise RecoveryError(
            f"{where} has version {head.get('version')}, this collection reads {VERSION}",
            code="unsupported",
            advice="Update the collection prs.recovery",
        )
    try:
        files = tuple(_parse_file(line) for line in text[1:])
        archive = head.get("archive") or {}
        manifest = Manifest(
            path=str(head["path"]),
            host=str(head["host"]),
            created=str(head["created"]),
            files=files,
            planned=int(head["files"]),
            folders=tuple(str(name) for name in head["folders"]),
            excluded=tuple(str(pattern) for pattern in head["excluded"]),
            archive_name=str(archive.get("name", "")),
            archive_size=int(archive.get("size", 0)),
            archive_sha256=str(archive.get("sha256", "")),
            labels=_texts(head.get("labels")),
            protected=_texts(head.get("protected")),
            plain=tuple(str(name) for name in head.get("plain") or ()),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RecoveryError(
            f"{where} is damaged: a line of it cannot be read", code="damaged", advice="Use another archive"
        ) from None
    if len(files) != manifest.planned and not head_only:
        raise RecoveryError(
            f"{where} is not whole: it names {len(files)} of {manifest.planned} files",
            code="damaged",
            advice="Use another archive",
        )
    return manifest


def _parse_file(line: str) -> ManifestFile:
    values = json.loads(line)
    file = ManifestFile(
        name=values["name"], size=values["size"], sha256=values["sha256"], modified=values.get("modified", "")
    )
    if (
        not isinstance(file.name, str)
        or name_problem(file.name)
        or not _is_size(file.size)
        or not _SHA256.fullmatch(file.sha256)
    ):
        raise ValueError
    return file


def _texts(values: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items()}


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Files of the manifest that are missing or different, and files that the manifest does not know; all sorted by
    name.
    """

    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = field(default=())

    @property
    def matches(self) -> bool:
        """Every file of the manifest is there as it was; there may be others."""
        return not (self.missing or self.different or self.unreadable)

    @property
    def identical(self) -> bool:
        return self.matches and not self.extra


def compare(manifest: Manifest, present: Mapping[str, PresentFile]) -> Comparison:
    """present: files by name. Names that Windows takes for one are one."""
    now = {name_key(name): file for name, file in present.items()}
    missing, different, unreadable = [], [], []
    for file in manifest.files:
        result = now.pop(name_key(file.name), None)
        if result is None:
            missing.append(file.name)
        elif result.size != file.size or result.sha256 not in (file.sha256, None):
            different.append(file.name)
        elif result.sha256 is None:
            unreadable.append(file.name)
    extra = [name for name in present if name_key(name) in now]
    return Comparison(
        missing=tuple(sorted(missing)),
        different=tuple(sorted(different)),
        extra=tuple(sorted(extra)),
        unreadable=tuple(sorted(unreadable)),
    )
