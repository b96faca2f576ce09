# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quantities in sentences, spans of time, sizes and counts; and lines of tables."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["age", "bytes_text", "counted", "table_line"]

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_SIZES = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def age(seconds: float) -> str:
    """A span in its two largest units: 3 d 4 h, 12 min, 0 s."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for size, unit in _UNITS:
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {unit}")
            left %= size
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def bytes_text(number: float) -> str:
    """A size to one digit after the point: 1.5 GB, 59 bytes, 1 byte."""
    for size, unit in _SIZES:
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return counted(int(number), "byte")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun: 1 minute, 2 minutes, 0 files. plural: where that is not the noun with an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def table_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells one beside the other, each as wide as its column."""
    return " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
