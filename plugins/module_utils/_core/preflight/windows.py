# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of Windows itself: what it is, .NET Framework, room on the system drive."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import HostFacts
from .versions import version_numbers

__all__ = ["domain_controller", "dotnet_too_old", "firewall_off", "too_little_room", "windows_too_old"]

_BACKUP_DOMAIN_CONTROLLER = 4
"""Win32_ComputerSystem.DomainRole: 4 and 5 are domain controllers."""
_SERVER_2016 = "10.0.14393"
_SYSTEM_DRIVE = "C:"


def domain_controller(facts: HostFacts) -> Iterator[str]:
    if facts.windows.value.domain_role >= _BACKUP_DOMAIN_CONTROLLER:
        yield (
            "is a domain controller. Password Reset Server must never run on one: name another server in the inventory."
        )


def windows_too_old(facts: HostFacts) -> Iterator[str]:
    windows = facts.windows.value
    if version_numbers(windows.version) < version_numbers(_SERVER_2016):
        yield f"runs {windows.caption} ({windows.version}). Windows Server 2016 or later is needed."


def dotnet_too_old(facts: HostFacts) -> Iterator[str]:
    present, needed = facts.windows.value.dotnet_release, facts.settings.dotnet_release
    if facts.web and present < needed:
        yield (
            f".NET Framework is too old or absent (release key {present}, at least {needed}). Install .NET Framework "
            "4.8 and restart the server."
        )


def firewall_off(facts: HostFacts) -> Iterator[str]:
    """No rule can be written where the service does not run."""
    if facts.provision and facts.settings.firewall == "managed" and not facts.windows.value.firewall_running:
        yield (
            "the service of Windows Firewall (MpsSvc) does not run, so no rules can be set. Start it, or set "
            "prs_firewall: ignored where another product filters what comes in."
        )


def too_little_room(facts: HostFacts) -> Iterator[str]:
    installs = facts.install_sql or any(
        path.path == facts.settings.web_config and not path.exists for path in facts.paths
    )
    free = facts.windows.value.free_bytes.get(_SYSTEM_DRIVE, 0) >> 30
    if installs and free < facts.settings.free_gb:
        yield f"has {free} GB free on {_SYSTEM_DRIVE}, {facts.settings.free_gb} GB are needed. Make room."
