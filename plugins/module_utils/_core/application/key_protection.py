# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What protects a file of keys in such a way that only the machine it lies on can use it: EFS, DPAPI, the machine's own
RSA keys.

An archive of such a file restores on the same machine alone, as long as that lives. Somewhere else it is as good as
lost.
"""

from __future__ import annotations

import base64
from collections.abc import Collection

__all__ = ["BOUND", "MARKS", "NAMES", "protection"]

_BLOB = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb")
"""How every DPAPI blob begins: its version and the provider's GUID."""

_TEXTS = {
    base64.b64encode(_BLOB[:18]).decode(): "dpapi",
    _BLOB.hex(): "dpapi",
    _BLOB.hex().upper(): "dpapi",
    "DataProtectionConfigurationProvider": "dpapi",
    "DpapiProtectedConfigurationProvider": "dpapi",
    "RsaProtectedConfigurationProvider": "rsa",
}

_MEANINGS = {
    _BLOB.decode("latin-1"): "dpapi",
    **{form: kind for text, kind in _TEXTS.items() for form in (text, text.encode("utf-16-le").decode("latin-1"))},
}

MARKS = tuple(_MEANINGS)
"""What to look for in a file, one character for each byte."""

BOUND = ("dpapi", "rsa")
"""What an archive does not take off, and what makes the same key look different each time."""

NAMES = {"efs": "EFS", "dpapi": "DPAPI", "rsa": "an RSA key of its machine"}


def protection(*, encrypted: bool, marks: Collection[str]) -> str:
    """efs, dpapi, rsa, or empty when nothing of that is seen. encrypted: as its attributes say; marks: those of MARKS
    that are in it.

    What is protected twice is called by what an archive does not take off: EFS ends when a file is read.
    """
    inner = {_MEANINGS[mark] for mark in marks}
    for kind in BOUND:
        if kind in inner:
            return kind
    return "efs" if encrypted else ""
