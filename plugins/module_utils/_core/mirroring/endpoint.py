# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a mirroring endpoint differs from what is wanted, property by property."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["ENCRYPTION", "differences", "fits_edition", "wanted_endpoint"]

ENCRYPTION = {"required": "AES", "supported": "NONE, AES", "disabled": "NONE"}
"""Choice of the module -> encryption_algorithm_desc of the catalog."""

COMPARED = ("state", "port", "role", "authentication", "encryption", "certificate")


def wanted_endpoint(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options of sql_endpoint in the catalog's words; None: leave as it is."""
    authentication = {"windows": "NEGOTIATE", "certificate": "CERTIFICATE", None: None}[params["authentication"]]
    return {
        "state": params["state"].upper(),
        "port": params["port"],
        "role": params["role"],
        "authentication": authentication,
        "encryption": ENCRYPTION[params["encryption"]],
        "certificate": params["certificate"],
    }


def differences(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names of the properties that have to be altered, in the order in which they are."""
    return [name for name in COMPARED if wanted[name] is not None and _folded(existing[name]) != _folded(wanted[name])]


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def fits_edition(role: str, edition: str) -> bool:
    """Express and Web can be a witness, and nothing else."""
    return role == "WITNESS" or not edition.startswith(("Express", "Web"))
