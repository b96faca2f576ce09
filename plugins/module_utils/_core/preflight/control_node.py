# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of the control node: the same for every host, and shown once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..binary.certificate_file import certificates_in, is_root

__all__ = ["ABSENT", "CHECKS", "USABLE", "ControlNode", "authority_state", "root_state", "secret_state", "vault_name"]

MISSING, PLACEHOLDER, NUMBER, SET = "missing", "placeholder", "number", "set"

_VAULT_NAMES = {
    "ansible_password": "vault_prs_windows_password",
    "prs_sql_certificate_password": "vault_prs_certificate_password",
    "prs_app_certificate_password": "vault_prs_certificate_password",
}
"""Secrets whose variable in the vault of inventory.example is not called like them."""

ABSENT, USABLE, DER, UTF_16, NO_PEM = "absent", "usable", "der", "utf-16", "no_pem"
NO_CERTIFICATE, NO_ROOT = "no_certificate", "no_root"
_ROOT_PROBLEMS = {
    ABSENT: "is not there. Put it there, or correct prs_trusted_roots in the inventory",
    UTF_16: "is text in UTF-16, as PowerShell writes it, and must be plain ASCII or UTF-8, or DER. Save it anew",
    NO_CERTIFICATE: "holds no certificate in PEM or DER. Put the right file there",
    NO_ROOT: "holds a certificate that another authority issued, which is no root. Name the file of that authority",
}
_CONVERSIONS = {
    DER: "it is in DER, and must be in PEM. Convert it with openssl x509 -inform der -in FILE -out FILE.pem",
    UTF_16: "it is text in UTF-16, as PowerShell writes it, and must be plain ASCII or UTF-8. Save it anew",
    NO_PEM: "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----). Put the right file there",
}


@dataclass(frozen=True, kw_only=True)
class ControlNode:
    """python: the interpreter that runs ansible. driver_problem: why pyodbc cannot be loaded, '' when it can.

    authorities: path -> authority_state, of those files that cannot be used. roots: path -> root_state, likewise.
    secrets: name -> secret_state.
    """

    ha: str
    python: str
    driver_problem: str
    authorities: Mapping[str, str]
    roots: Mapping[str, str]
    secrets: Mapping[str, str]


def authority_state(content: bytes) -> str:
    """Whether a file of authorities can be read by OpenSSL, and what it is where it cannot."""
    if b"-----BEGIN CERTIFICATE-----" in content or b"-----BEGIN TRUSTED CERTIFICATE-----" in content:
        return USABLE
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return UTF_16
    return DER if content.startswith(b"\x30") else NO_PEM


def root_state(content: bytes) -> str:
    """Whether a file holds roots that Windows can be told to trust, and what it is where it does not."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return UTF_16
    try:
        return USABLE if all(map(is_root, certificates_in(content))) else NO_ROOT
    except ValueError:
        return NO_CERTIFICATE


def secret_state(value: Any) -> str:
    """What is wrong with the value of a secret, without the value."""
    if isinstance(value, (int, float)):
        return NUMBER
    return {"": MISSING, "CHANGE-ME": PLACEHOLDER}.get(value, SET)


def vault_name(secret: str) -> str:
    """The variable of the examples' vault that holds a secret."""
    return _VAULT_NAMES.get(secret, f"vault_{secret}")


def availability_group(node: ControlNode) -> Iterator[str]:
    if node.ha == "availability_group":
        yield (
            "prs_ha: availability_group is not built yet. Use prs_ha: mirror, which SQL Server has from Standard on, "
            "standby, which every edition can do, or none."
        )


def missing_authorities(node: ControlNode) -> Iterator[str]:
    for path, state in node.authorities.items():
        if state == ABSENT:
            yield (
                f"there is no file {path} with the authorities to trust. Put it there, or correct prs_ca_file (and "
                "ansible_winrm_ca_trust_path) in the inventory."
            )


def unusable_authorities(node: ControlNode) -> Iterator[str]:
    for path, state in node.authorities.items():
        if state in _CONVERSIONS:
            yield f"the authorities to trust in {path} cannot be read: {_CONVERSIONS[state]}."


def unusable_roots(node: ControlNode) -> Iterator[str]:
    for path, state in node.roots.items():
        yield f"the file {path} of prs_trusted_roots {_ROOT_PROBLEMS[state]}."


def no_driver(node: ControlNode) -> Iterator[str]:
    if node.driver_problem:
        yield (
            f"the Python package pyodbc cannot be loaded ({node.driver_problem}). For the Python that runs ansible "
            f"({node.python}): pip install pyodbc mssql-python-odbc; also unixODBC (Debian: apt install unixodbc)."
        )


def secrets_not_set(node: ControlNode) -> Iterator[str]:
    for secret, state in node.secrets.items():
        if state == MISSING:
            yield f"the secret {secret} is not set. Set it in the inventory's vault."


def placeholders_left(node: ControlNode) -> Iterator[str]:
    for secret, state in node.secrets.items():
        if state == PLACEHOLDER:
            yield f"the secret {secret} is still CHANGE-ME. Set {vault_name(secret)} in the inventory's vault."


def numbers_without_quotes(node: ControlNode) -> Iterator[str]:
    """A number or a boolean, of which another text is left than the one that was written."""
    for name, state in node.secrets.items():
        if state == NUMBER:
            yield (
                f"the value of {name} is no text to YAML, which reads 0x5A1D, 01234567 or yes as something else. Put "
                "it into quotes in the inventory."
            )


CHECKS = (
    availability_group,
    missing_authorities,
    unusable_authorities,
    unusable_roots,
    no_driver,
    secrets_not_set,
    placeholders_left,
    numbers_without_quotes,
)
