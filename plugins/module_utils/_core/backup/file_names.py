# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of backup files, made from a template, valid on Windows whatever a database is called."""

from __future__ import annotations

import datetime as dt
import re
import string

from ..errors import RecoveryError
from .backup_set import BackupKind

__all__ = [
    "DEFAULT_TEMPLATE",
    "MANIFEST_FORMAT",
    "backup_files",
    "check_folder",
    "is_beside",
    "is_full_path",
    "join_path",
    "manifest_name",
    "parent_path",
    "safe_name",
]

DEFAULT_TEMPLATE = "{database}_{kind}_{time}.{extension}"

MANIFEST_FORMAT = "prs.recovery sql backup 1"
"""What the manifest beside a backup begins with."""

FIELDS = ("database", "server", "kind", "time", "date", "extension", "stripe", "stripes")

_PARTS = string.Formatter().parse
"""A template -> its parts: text, name of the field after it, its format, its conversion."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)
_BESIDE = r"(?i)\.(manifest|lease|unfinished)\.json(\.(partial|removed|(draft|over)-[0-9a-f]+(\.partial)?))?$"
# Compiled when it is asked for first: a run that takes a backup does not pay for it.
_LONGEST_PATH = 259
"""Characters; SQL Server takes no longer path of a backup device."""


def backup_files(
    *,
    folder: str,
    database: str,
    server: str,
    kind: BackupKind,
    time: dt.datetime,
    copy_only: bool = False,
    stripes: int = 1,
    template: str = DEFAULT_TEMPLATE,
) -> list[str]:
    """Full paths of the files of one backup, one per stripe.

    time: aware; the name says it in UTC. A striped backup whose template has no {stripe} gets "_1of3" before its
    extension.
    """
    check_folder(folder)
    if stripes > 1 and "{stripe}" not in template:
        stem, dot, extension = template.rpartition(".")
        template = f"{stem or extension}_{{stripe}}of{{stripes}}{dot}{extension if stem else ''}"
    utc = time.astimezone(dt.timezone.utc)
    common = {
        "database": database,
        "server": server,
        "kind": f"{kind}_copy" if copy_only else kind.value,
        "time": f"{utc:%Y%m%dT%H%M%S}{utc.microsecond // 1000:03}Z",
        "date": utc.strftime("%Y%m%d"),
        "extension": kind.extension,
        "stripes": str(stripes),
    }
    return [
        join_path(folder, _file_name(template, {**common, "stripe": str(stripe)})) for stripe in range(1, stripes + 1)
    ]


def check_folder(folder: str) -> None:
    """Raises RecoveryError for a folder that Windows cannot have, before anything is written that would have to be
    brought there.
    """
    if not is_full_path(folder):
        raise RecoveryError(
            f"'{folder}' is no full path, and what it is below depends on who looks",
            advice="Begin it with a drive or a share",
        )
    parts = folder.replace("/", "\\").removeprefix("\\\\?\\").split("\\")
    if any(part[-1:] in (" ", ".") and part.strip(".") for part in parts):
        raise RecoveryError(
            f"'{folder}' is no path on Windows, which leaves out a blank or a dot at the end of a folder's name",
            advice="Choose another",
        )
    if not folder.startswith("/") and any(map(_FORBIDDEN.search, parts[1:] if parts[0][1:] == ":" else parts)):
        raise RecoveryError(
            f"'{folder}' is no path on Windows",
            advice='The name of a folder must not contain any of < > : " / \\ | ? *',
        )


def is_full_path(path: str) -> bool:
    """Whether a path begins with a drive, a share, or (on Linux) at the root."""
    return re.match(r"[A-Za-z]:($|[\\/])|\\\\|/", path) is not None


def _file_name(template: str, values: dict[str, str]) -> str:
    safe = {field: safe_name(value) for field, value in values.items()}
    name = ""
    try:
        for text, field, form, conversion in _PARTS(template):
            if field is not None and (
                field not in safe or form or conversion
            ):  # the full language of templates could ask for gigabytes
                raise ValueError(f"there is no {{{field}}}" if field not in safe else f"{{{field}}} has no other form")
            name += text + safe.get(field or "", "")
    except ValueError as problem:
        raise RecoveryError(
            f"The template of file names '{template}' cannot be used ({problem})",
            advice=f"It may hold {_fields()} and plain text",
        ) from None
    if _FORBIDDEN.search(name):
        raise RecoveryError(
            f"'{name}' is no name of a file on Windows", advice='It must not contain any of < > : " / \\ | ? *'
        )
    if not name.strip(" .") or name[-1] in " ." or _RESERVED.match(name):
        raise RecoveryError(f"'{name}' is no name of a file on Windows", advice="Change the template of file names")
    return name


def _fields() -> str:
    return ", ".join(f"{{{field}}}" for field in FIELDS)


def safe_name(text: str) -> str:
    """A text as a part of a file's name."""
    return _FORBIDDEN.sub("_", text)


def manifest_name(first_file: str) -> str:
    """Path of the manifest beside the files of a backup. first_file: path of its first stripe."""
    return f"{first_file}.manifest.json"


def is_beside(path: str) -> bool:
    """Whether a file is one of ours that lies beside backups and is none: a manifest, a note, a lease, or one of them
    half-way.
    """
    return re.search(_BESIDE, path) is not None


def join_path(folder: str, name: str) -> str:
    """A file in a folder, as Windows writes it; refuses what SQL Server would cut off."""
    separator = "/" if folder.startswith("/") else "\\"
    path = f"{folder.rstrip(separator)}{separator}{name}"
    if len(path) > _LONGEST_PATH:
        raise RecoveryError(
            f"The path {path} has {len(path)} characters, more than the {_LONGEST_PATH} that SQL Server takes",
            advice="Choose a shorter folder or template",
        )
    return path


def parent_path(path: str) -> str:
    """The folder of a file."""
    return path[: max(path.rfind("\\"), path.rfind("/"))] if "\\" in path or "/" in path else ""
