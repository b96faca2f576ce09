# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of the control node: the same for every host, and shown once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["CHECKS", "ControlNode", "missing_authorities", "secret_state", "vault_name"]

MISSING, PLACEHOLDER, SET = "missing", "placeholder", "set"

_VAULT_NAMES = {
    "ansible_password": "vault_prs_windows_password",
    "prs_sql_certificate_password": "vault_prs_certificate_password",
    "prs_app_certificate_password": "vault_prs_certificate_password",
}
"""Secrets whose variable in the vault of inventory.example is not called like them."""


@dataclass(frozen=True, kw_only=True)
class ControlNode:
    """python: the interpreter that runs ansible. driver_problem: why pyodbc cannot be loaded, '' when it can.

    missing_authorities: files of authorities that are not there. secrets: name -> secret_state.
    """

    ha: str
    python: str
    driver_problem: str
    missing_authorities: Sequence[str]
    secrets: Mapping[str, str]


def secret_state(value: Any) -> str:
    """What is wrong with the value of a secret, without the value."""
    return {"": MISSING, "CHANGE-ME": PLACEHOLDER}.get(value, SET)


def vault_name(secret: str) -> str:
    """The variable of the examples' vault that holds a secret."""
    return _VAULT_NAMES.get(secret, f"vault_{secret}")


def availability_group(node: ControlNode) -> Iterator[str]:
    if node.ha == "availability_group":
        yield (
            "prs_ha: availability_group is not built yet. Use prs_ha: mirror, which SQL Server has from Standard on, "
            "or none."
        )


def missing_authorities(node: ControlNode) -> Iterator[str]:
    for path in node.missing_authorities:
        yield (
            f"there is no file {path} with the authorities to trust. Put it there, or correct prs_ca_file (and "
            "ansible_winrm_ca_trust_path) in the inventory."
        )


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


CHECKS = (availability_group, missing_authorities, no_driver, secrets_not_set, placeholders_left)
