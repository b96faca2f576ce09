# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of an instance of SQL Server, and of the drives that a new one is to lie on."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .facts import FAILED, HostFacts

__all__ = ["CHECKS"]


def instance_not_inspected(facts: HostFacts) -> Iterator[str]:
    if facts.instance.state == FAILED:
        yield f"SQL Server cannot be looked at: {facts.instance.problem}"


def partly_installed(facts: HostFacts) -> Iterator[str]:
    if facts.instance.ok and facts.instance.value.partly_installed:
        yield (
            f"an installation of SQL Server {facts.settings.sql_instance} began and did not finish. Remove it under "
            '"Apps and features" and restart the server.'
        )


def other_collation(facts: HostFacts) -> Iterator[str]:
    if not (facts.instance.ok and facts.instance.value.installed):
        return
    present, needed = facts.instance.value.collation, facts.settings.sql_collation
    if present != needed:
        yield (
            f"SQL Server {facts.settings.sql_instance} has the collation {present}, Password Reset Server needs "
            f"{needed}. Name another instance, or remove this one."
        )


def missing_drives(facts: HostFacts) -> Iterator[str]:
    if not facts.install_sql:
        return
    drives = [folder[:2].upper() for folder in facts.settings.sql_folders if re.match("[A-Za-z]:", folder)]
    for drive in dict.fromkeys(drives):
        if drive not in facts.windows.value.free_bytes:
            yield (
                f"has no drive {drive}, which the folders of SQL Server are to lie on. Attach and format it, or "
                "correct prs_sql_data_dir, prs_sql_log_dir and prs_sql_backup_dir in the inventory."
            )


CHECKS = (instance_not_inspected, partly_installed, other_collation, missing_drives)
