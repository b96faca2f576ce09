# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the restore planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from .plan import Mark, Target

__all__ = ["Request"]


@dataclass(slots=True, frozen=True, kw_only=True)
class Request:
    """What is wanted.

    database: the name that the database gets. source_database: its name in the backups; without it that is
    ``database`` where the backups know it, and otherwise they must be of one database only. family_guid,
    recovery_fork: choose among several. zone: the time zone of the server that made the backups, where they do not
    tell it; what they tell wins. end: ``recovered``, ``norecovery`` or ``standby`` (then with standby_file). marks: of
    the source's msdb. unusable: sets that turned out bad while restoring, GUID -> reason. allow_damaged: also use sets
    whose database was damaged when it was backed up. resume: go on with a RESTORING database where that is less to read
    than starting over.
    """

    database: str
    target: Target = field(default_factory=Target.latest)
    source_database: str = ""
    family_guid: str = ""
    recovery_fork: str = ""
    zone: tzinfo | None = None
    end: str = "recovered"
    standby_file: str = ""
    marks: Sequence[Mark] = ()
    unusable: Mapping[str, str] | None = None
    allow_damaged: bool = False
    resume: bool = True
