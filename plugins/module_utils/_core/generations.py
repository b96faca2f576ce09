# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of which every run leaves one, such as journals: their names begin with a time, and the oldest go."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["outgrown"]

_SLACK = 20
"""A twentieth more than are kept may be there: to remove one file in each run would cost each run its time."""


def outgrown(names: Iterable[str], *, like: str, keep: int) -> list[str]:
    """Which of the names in a folder are too many, oldest first: of those that are like another one but for what stands
    before the first hyphen, which is the time (as C(20260301T020000Z) sorts). keep: how many stay.
    """
    kind = like.partition("-")[2].lower()
    alike = sorted(name for name in names if kind and name.partition("-")[2].lower() == kind)
    return alike[:-keep] if len(alike) > keep + keep // _SLACK else []
