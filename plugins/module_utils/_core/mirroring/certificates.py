# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a server's certificates is in use, when it needs a successor, and what that is called."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..errors import RecoveryError

__all__ = [
    "Known",
    "current",
    "decoded",
    "imported_name",
    "key_files",
    "missing_successors",
    "successor_name",
    "thumbprint",
]

LONGEST_BASE = 110
"""Characters of a name that still leave room for what is added to it."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A certificate in master. expires: UTC, naive, as SQL Server has it. private_key: whether it is there, opened by
    the master key.
    """

    name: str
    thumbprint: str
    expires: datetime
    private_key: bool

    def days_left(self, now: datetime) -> int:
        """Whole days; negative once it is over."""
        return (self.expires - now).days


def current(known: Iterable[Known], *, name: str, own: bool) -> tuple[Known | None, list[Known]]:
    """The certificate of that name or its newest successor, and those that it has superseded. own: with a
    private key.
    """
    pattern = re.compile(rf"{re.escape(name)}(_[0-9A-F]{{8}}|_\d{{8}})?", re.IGNORECASE)
    family = sorted(
        (side for side in known if pattern.fullmatch(side.name) and side.private_key == own),
        key=lambda side: side.expires,
    )
    return (family[-1], family[:-1]) if family else (None, [])


def successor_name(name: str, *, expires: datetime, taken: Iterable[str]) -> str:
    """NAME_YYYYMMDD after the day on which it ends: SQL Server cannot rename certificates, and old and new live side by
    side for a while.
    """
    base = name[:LONGEST_BASE]
    wanted = f"{base}_{expires:%Y%m%d}"
    if wanted.lower() in {taken_item.lower() for taken_item in taken}:
        raise RecoveryError(
            f"There is a certificate {wanted} already, which is to end on the same day as its successor would",
            code="already_exists",
            advice="Give another day in 'expires'",
        )
    return wanted


def key_files(wanted: Mapping[str, str], *, added: str) -> dict[str, str]:
    """The files of a key's backup; those of a successor have what was added to its name, before their extension."""
    named = {}
    for what in ("certificate_file", "key_file"):
        folder, slash, file = wanted[what].rpartition("\\")
        stem, dot, extension = file.rpartition(".")
        named[what] = f"{folder}{slash}{stem}{added}{dot}{extension}" if dot else f"{folder}{slash}{file}{added}"
    return {**wanted, **named}


def missing_successors(
    name: str, files: Iterable[str], *, wanted: Mapping[str, str], taken: Iterable[str]
) -> list[str]:
    """Names of successors of a certificate whose two files lie beside its own, and that are not there yet; by the day
    on which they end.
    """
    existing, known = {file.lower() for file in files}, {certificate.lower() for certificate in taken}
    pattern = re.compile(
        re.escape(key_files(wanted, added="_DAY")["certificate_file"]).replace("_DAY", r"(_\d{8})"), re.I
    )
    added = sorted(match[1] for file in existing if (match := pattern.fullmatch(file)))
    return [
        f"{name}{day}"
        for day in added
        if f"{name}{day}".lower() not in known and key_files(wanted, added=day)["key_file"].lower() in existing
    ]


def imported_name(name: str, *, mark: str, taken: Iterable[str]) -> str:
    """What a certificate of somebody else is called here: the name, or with the first digits of its thumbprint where an
    older one has it.
    """
    return f"{name[:LONGEST_BASE]}_{mark[:8]}" if name.lower() in {taken_item.lower() for taken_item in taken} else name


def decoded(text: str) -> bytes:
    """A certificate (DER) from base64 or PEM. Raises RecoveryError."""
    body = "".join(line.strip() for line in text.splitlines() if not line.startswith("-----"))
    try:
        der = base64.b64decode(body, validate=True)
    except binascii.Error:
        der = b""
    if not der.startswith(b"\x30"):
        raise RecoveryError(
            "'public' holds no certificate",
            code="option_invalid",
            advice="Give what sql_certificate returned as 'certificate.public' on the other server, or PEM",
        )
    return der


def thumbprint(der: bytes) -> str:
    """SHA-1 in capitals, as SQL Server shows it."""
    return hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
