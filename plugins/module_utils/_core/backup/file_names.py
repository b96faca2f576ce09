# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of backup files, made from a template, valid on Windows whatever a database is called."""

from __future__ import annotations

import datetime as dt
import re
import string

from ..errors import RecoveryError
from ..windows_paths import FORBIDDEN_IN_NAMES, check_folder, device_path, safe_name
from .backup_set import BackupKind

__all__ = [
    "DEFAULT_TEMPLATE",
    "MANIFEST_FORMAT",
    "backup_files",
    "is_beside",
    "manifest_name",
]

DEFAULT_TEMPLATE = "{database}_{kind}_{time}.{extension}"

MANIFEST_FORMAT = "prs.recovery sql backup 1"
"""What the manifest beside a backup begins with."""

FIELDS = ("database", "server", "kind", "time", "date", "extension", "stripe", "stripes")

_PARTS = string.Formatter().parse
"""A template -> its parts: text, name of the field after it, its format, its conversion."""

_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)
_BESIDE = r"(?i)\.(manifest|lease|unfinished)\.json(\.(partial|removed|(draft|over)-[0-9a-f]+(\.partial)?))?$"
# Compiled when it is asked for first: a run that takes a backup does not pay for it.


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
        device_path(folder, _file_name(template, {**common, "stripe": str(stripe)})) for stripe in range(1, stripes + 1)
    ]


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
            code="option_invalid",
            advice=f"It may hold {_fields()} and plain text",
        ) from None
    if FORBIDDEN_IN_NAMES.search(name):
        raise RecoveryError(
            f"'{name}' is no name of a file on Windows",
            code="option_invalid",
            advice='It must not contain any of < > : " / \\ | ? *',
        )
    if not name.strip(" .") or name[-1] in " ." or _RESERVED.match(name):
        raise RecoveryError(
            f"'{name}' is no name of a file on Windows",
            code="option_invalid",
            advice="Change the template of file names",
        )
    return name


def _fields() -> str:
    return ", ".join(f"{{{field}}}" for field in FIELDS)


def manifest_name(first_file: str) -> str:
    """Path of the manifest beside the files of a backup. first_file: path of its first stripe."""
    return f"{first_file}.manifest.json"


def is_beside(path: str) -> bool:
    """Whether a file is one of ours that lies beside backups and is none: a manifest, a note, a lease, or one of them
    half-way.
    """
    return re.search(_BESIDE, path) is not None
