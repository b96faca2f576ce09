# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of the certificates that are to be imported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from .facts import FAILED, SKIPPED, Certificate, HostFacts
from .versions import version_numbers

__all__ = ["certificate_problems"]

_SERVER_2016 = (10, 0, 14393)
_AES = (
    "If it is: Windows Server 2016 reads no PFX that is encrypted by AES, as OpenSSL 3 writes them. Write it anew with "
    "openssl pkcs12 -export -legacy."
)

_ANOTHER_PROVIDER = (
    "it takes an exchange key (AT_KEYEXCHANGE) of a legacy provider (CSP) alone, none of a key storage provider (CNG). "
    'Write the PFX anew for "Microsoft RSA SChannel Cryptographic Provider" (openssl pkcs12 -export -keyex -CSP), or '
    "have the certificate issued from a template of a legacy provider."
)


def certificate_problems(facts: HostFacts, now: dt.datetime) -> Iterator[str]:
    """now: aware. One certificate after the other, each with all that is wrong with it."""
    for certificate in facts.certificates:
        yield from no_file(certificate)
        yield from not_read(certificate, facts)
        yield from not_valid_for(certificate)
        yield from expired(certificate, now)
        yield from not_for_sql_server(certificate)


def no_file(certificate: Certificate) -> Iterator[str]:
    if certificate.answer.state == SKIPPED:
        yield (
            f"there is no certificate {certificate.pfx or 'named'} on the control node. Put the PFX there, or correct "
            "the path in the inventory."
        )


def not_read(certificate: Certificate, facts: HostFacts) -> Iterator[str]:
    """Windows Server 2016 calls the password wrong where it does not know how the file is encrypted."""
    if certificate.answer.state != FAILED:
        return
    reason = " ".join(certificate.answer.problem.split())
    old = version_numbers(facts.windows.value.version)[:3] <= _SERVER_2016
    also = f" {_AES}" if old else ""
    yield f"the certificate {certificate.pfx} cannot be read: {reason} Is its password right?{also}"


def not_valid_for(certificate: Certificate) -> Iterator[str]:
    if not certificate.answer.ok:
        return
    names = certificate.answer.value.names
    for name in certificate.needed:
        if name and not _covers(names, name.lower()):
            yield (
                f"the certificate {certificate.pfx} is not valid for {name.lower()}, only for {', '.join(names)}. "
                "Have one issued with that name."
            )


def expired(certificate: Certificate, now: dt.datetime) -> Iterator[str]:
    if certificate.answer.ok and certificate.answer.value.not_after < f"{now:%Y-%m-%dT%H:%M:%SZ}":
        yield (
            f"the certificate {certificate.pfx} expired at {certificate.answer.value.not_after}. Have a new one issued."
        )


def not_for_sql_server(certificate: Certificate) -> Iterator[str]:
    """Its service does not start with a key that it cannot use (17182, 26014), and the database is down."""
    if certificate.part == "sql" and certificate.answer.ok and certificate.answer.value.key != "exchange":
        yield f"the key of the certificate {certificate.pfx} is none that SQL Server can use: {_ANOTHER_PROVIDER}"


def _covers(names: Iterable[str], name: str) -> bool:
    """A wildcard stands for the first label of a name."""
    known = {entry.lower() for entry in names}
    return name in known or f"*.{name.partition('.')[2]}" in known
