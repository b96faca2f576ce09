# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in a file of an authority, in PEM or DER, by their bytes (RFC 7468; RFC 5280 4.1; X.690)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

__all__ = ["certificates_in", "is_root", "pem_of", "thumbprint_of"]

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----")
_SEQUENCE, _VERSION = 0x30, 0xA0


def certificates_in(content: bytes) -> list[bytes]:
    """Each as DER: all of a text, or the one that a binary file is. Raises ValueError for what is no certificate."""
    try:
        certificates = [base64.b64decode(text, validate=False) for text in _PEM.findall(content)] or [content]
    except binascii.Error as problem:
        raise ValueError(str(problem)) from None
    for certificate in certificates:
        _issuer_and_subject(certificate)
        if len(_element(certificate)) != len(certificate):
            raise ValueError("more follows than the certificate")
    return certificates


def is_root(certificate: bytes) -> bool:
    """Whether who issued it is who it is for, as of every root, and of no intermediate authority."""
    issuer, subject = _issuer_and_subject(certificate)
    return issuer == subject


def thumbprint_of(certificate: bytes) -> str:
    """As Windows names it."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest().upper()


def pem_of(certificate: bytes) -> str:
    text = base64.b64encode(certificate).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _issuer_and_subject(certificate: bytes) -> tuple[bytes, bytes]:
    signed = _content(_content(certificate))
    fields: list[bytes] = []
    while signed and len(fields) < 7:
        element = _element(signed)
        fields.append(element)
        signed = signed[len(element) :]
    if fields and fields[0][0] == _VERSION:
        fields = fields[1:]
    if len(fields) < 5 or any(field[0] != _SEQUENCE for field in fields[1:5]):
        raise ValueError("it has no issuer and no subject")
    return fields[2], fields[4]


def _content(data: bytes) -> bytes:
    """What a sequence holds."""
    element = _element(data)
    if element[0] != _SEQUENCE:
        raise ValueError("it is no sequence of DER")
    return element[len(element) - _length(element)[1] :]


def _element(data: bytes) -> bytes:
    """The first one, with its tag and length."""
    header, length = _length(data)
    if len(data) < header + length:
        raise ValueError("it ends too soon")
    return data[: header + length]


def _length(data: bytes) -> tuple[int, int]:
    """Of the header, and of what follows it."""
    if len(data) < 2:
        raise ValueError("it ends too soon")
    more = data[1] & 0x7F if data[1] & 0x80 else 0
    if more > 4 or data[1] == 0x80:
        raise ValueError("it has a length that DER does not know")
    return 2 + more, int.from_bytes(data[2 : 2 + more], "big") if more else data[1]
