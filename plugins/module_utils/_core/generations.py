# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of which every run leaves one, such as journals: their names begin with a time, and the oldest go."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["outgrown"]

_SLACK = 20
"""A twentieth more than are kept may be there: to remove one file in each run would cost each run its time."""


def outgrown(names: Iterable[str], *, like: str, keep: int) -> list[str]:
    """Which of the names in a folder are too many, oldest first: of those that are like another one but for what stands
    before the first hyphen, which is a time of the same form (as C(20260301T020000Z) sorts). keep: how many stay. That
    one itself, which was just written, is never too many.
    """
    kind = _kind(like)
    alike = sorted(name for name in names if _kind(name) == kind and kind[0])
    if len(alike) <= keep + keep // _SLACK:
        return []
    return [name for name in alike[:-keep] if name.lower() != like.lower()]


def _kind(name: str) -> tuple[str, str]:
    """The form of its time, empty where it has none, and the rest."""
    time, _hyphen, rest = name.lower().partition("-")
    return re.sub("[0-9]", "0", time) if rest and time[:1].isdecimal() else "", rest
