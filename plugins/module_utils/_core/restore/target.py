# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person writes as the target of a restore, understood."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import RecoveryError
from ..times import parse_user_time
from .plan import Target

__all__ = ["parse_target", "parse_time", "parse_zone"]

YEARS = range(1753, 9999)
"""Of the T-SQL type datetime, which STOPAT takes; without the last one, so that a moment can be told in every zone."""

FORMS = (
    "latest, a time with its zone such as 2026-03-01T14:30:00+01:00, lsn:NUMBER, before-lsn:NUMBER, mark:NAME "
    "or before-mark:NAME"
)


def parse_target(text: str, *, mark_after: str | None = None) -> Target:
    """latest | time | lsn:N | before-lsn:N | mark:NAME | before-mark:NAME. Raises RecoveryError that
    names the forms.
    """
    kind, colon, rest = text.partition(":")
    if text == "latest":
        return Target.latest()
    if colon and kind in ("mark", "before-mark"):
        if not rest:
            raise RecoveryError(
                f"'{text}' is no target of a restore, since it names no mark",
                code="option_invalid",
                advice=f"Write one of: {FORMS}",
            )
        return Target.at_mark(
            rest,
            before=kind == "before-mark",
            after=parse_time(mark_after, option="mark_after") if mark_after else None,
        )
    if colon and kind in ("lsn", "before-lsn"):
        return Target.at_lsn(_number_of_lsn(rest), before=kind == "before-lsn")
    return Target.at_time(parse_time(text))


def parse_time(text: str, *, option: str = "target") -> datetime:
    """A time that SQL Server can restore to."""
    moment = parse_user_time(text, option=option, advice=f"Write one of: {FORMS}")
    if moment.year not in YEARS:
        raise RecoveryError(
            f"SQL Server knows no backups of the year {moment.year}",
            code="option_invalid",
            advice="For the newest point write 'latest'",
        )
    return moment


def parse_zone(name: str | None) -> tzinfo | None:
    """A zone by its name, Europe/Berlin; None stays None."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RecoveryError(
            f"The control node does not know the time zone '{name}'",
            code="dependency_missing",
            advice="Write a name such as Europe/Berlin; the package tzdata brings them",
        ) from None


def _number_of_lsn(text: str) -> int:
    """An LSN as headers have it, or as three hexadecimal parts with colons (as fn_dblog shows it)."""
    if re.fullmatch("[0-9]{1,25}", text):  # numeric(25,0); str.isdigit() lets signs pass that int() refuses
        return int(text)
    parts = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{8}):([0-9a-fA-F]{8}):([0-9a-fA-F]{4})", text)
    if not parts:
        raise RecoveryError(
            f"'{text}' is no LSN", code="option_invalid", advice="Write the number that backup headers show"
        )
    file, block, slot = (int(part, 16) for part in parts.groups())
    return file * 10**15 + block * 10**5 + slot
