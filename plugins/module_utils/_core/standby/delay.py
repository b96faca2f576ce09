# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a standby that stays behind on purpose does not take yet: a mistake of this morning is not in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..backup.backup_set import BackupSet
from ..errors import RecoveryError

__all__ = ["kept_back"]


def kept_back(sets: Iterable[BackupSet], moment: datetime, *, zone_known: bool) -> list[BackupSet]:
    """Those that were finished at that moment (aware) or before. Where no full backup is that old, the oldest full one
    as well: without it there would be no standby at all.

    zone_known: somebody said the zone of the server. Raises RecoveryError where nobody knows when a backup was
    finished: its server told a local time without its zone.
    """
    known = list(sets)
    untold = next((entry for entry in known if entry.utc_offset is None), None)
    if untold is not None and not zone_known:
        raise RecoveryError(
            f"When the {untold} was finished nobody knows: its server tells a local time without the zone",
            code="option_invalid",
            advice="Give the zone of that server in 'source.time_zone' (prs_sql_time_zone), Europe/Berlin for example",
        )
    old_enough = [entry for entry in known if entry.finished <= moment]
    if any(entry.kind.begins_chain and not entry.problem for entry in old_enough):
        return old_enough
    fulls = [entry for entry in known if entry.kind.begins_chain and not entry.problem]
    return old_enough + sorted(fulls, key=lambda entry: (entry.finished, entry.last_lsn))[:1]
