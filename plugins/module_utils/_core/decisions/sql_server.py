# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role sql_server sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sql_server_settings import start_settings

__all__ = ["certificate_in_place", "lacks_a_restart", "registry_settings"]

Facts = Mapping[str, Any]


def registry_settings(facts: Facts) -> list[dict[str, Any]]:
    """What differs of the settings that take effect when the service starts, for set_registry_values.ps1.

    facts: found: of inspect_sql_instance.ps1; mixed_mode; certificate: its thumbprint, may be empty; port;
    installed_now: whether this run installed the instance.
    """
    settings = start_settings(
        facts["found"],
        mixed_mode=bool(facts["mixed_mode"]),
        certificate=facts["certificate"],
        port=int(facts["port"]),
        keeps_ports=not facts["installed_now"],
    )
    root = f"HKLM:\\SOFTWARE\\Microsoft\\Microsoft SQL Server\\{facts['found']['id']}\\MSSQLServer"
    return [
        {
            "key": "\\".join(part for part in (root, setting.key) if part),
            "name": setting.name,
            "type": setting.type,
            "data": setting.wanted,
        }
        for setting in settings
        if setting.differs
    ]


def certificate_in_place(facts: Facts) -> str:
    """Thumbprint of the certificate where it lies in the store and the service reads its key, else ''. facts: seen:
    what preflight saw of it, may be empty; account: of the service.
    """
    return facts["seen"]["thumbprint"] if facts["account"] in facts["seen"].get("readers", ()) else ""


def lacks_a_restart(result: Facts) -> bool:
    """Whether an instance that answers runs without the certificate that the registry names. result: of the failure to
    log in.

    Only then somebody's service is restarted again: a port that does not answer may be a firewall's doing.
    """
    return result.get("error_code") == "certificate_untrusted"
