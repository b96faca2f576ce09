# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of backup files, made from a template, valid on Windows whatever a database is called."""

from __future__ import annotations

import datetime as dt
import re
import string
from itertools import takewhile

from ..errors import RecoveryError
from ..windows_paths import FORBIDDEN_IN_NAMES, check_folder, device_path, safe_name
from .backup_set import BackupKind

__all__ = [
    "DEFAULT_TEMPLATE",
    "MANIFEST_FORMAT",
    "backup_files",
    "is_beside",
    "made_since",
    "manifest_name",
    "pattern_since",
]

DEFAULT_TEMPLATE = "{database}_{kind}_{time}.{extension}"

MANIFEST_FORMAT = "prs.recovery sql backup 1"
"""What the manifest beside a backup begins with."""

FIELDS = ("database", "server", "kind", "time", "date", "extension", "stripe", "stripes")

_PARTS = string.Formatter().parse
"""A template -> its parts: text, name of the field after it, its format, its conversion."""

_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)
_BESIDE = r"(?i)\.(manifest|lease|unfinished)\.json(\.(partial|removed|(draft|over)-[0-9a-f]+(\.partial)?))?$"
_TIME = r"((?i:[0-9]{8}T[0-9]{9}Z))"
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


def pattern_since(name: str, now: dt.datetime) -> str:
    """A search pattern of Windows for the backups that were made after one of this name, and few others; empty where
    the name does not say when it was made. now: aware.
    """
    made = re.search(_TIME, name)
    if made is None:
        return ""
    until = f"{now.astimezone(dt.timezone.utc):%Y%m%dT%H%M%S}"
    common = takewhile(lambda pair: pair[0] == pair[1], zip(made[0], until, strict=False))
    return f"{name[: made.start()]}{''.join(left for left, _right in common)}*"


def made_since(name: str, other: str) -> bool:
    """Whether a name is that of a backup which was made when the other one was, or later, and is called like it but for
    the time.
    """
    later, earlier = (re.fullmatch(f"(.*?){_TIME}(.*)", text.lower()) for text in (name, other))
    return bool(later and earlier) and later[1] == earlier[1] and later[3] == earlier[3] and later[2] >= earlier[2]


def is_beside(path: str) -> bool:
    """Whether a file is one of ours that lies beside backups and is none: a manifest, a note, a lease, or one of them
    half-way.
    """
    return re.search(_BESIDE, path) is not None
