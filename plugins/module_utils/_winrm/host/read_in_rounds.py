# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files of a Windows host, each read by a reader that learns on the way which parts it needs, in few round trips.

Of all files the same ranges are fetched at once; what else a file turns out to need comes with that of the others in
the next call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..._core.binary.fetched_ranges import FetchedRanges, RangeMissing
from ..connection.errors import WindowsFault
from .files import WindowsFiles
from .reader import FileRanges

__all__ = ["LONGEST_RANGE", "Refusal", "read_in_rounds"]

MOST_ROUNDS = 64
"""Times that a file may ask for more."""

LONGEST_RANGE = 64 << 20
"""Bytes of a file that are fetched at a time, at most."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a file could not be read to the end of what was wanted of it. fault: of Windows, else the reason tells.

    changing: it became another one meanwhile.
    """

    reason: str = ""
    fault: WindowsFault | None = None
    changing: bool = False


Parse = Callable[[FileRanges, FetchedRanges], None]


def read_in_rounds(
    files: WindowsFiles,
    paths: Iterable[str],
    *,
    first: Sequence[tuple[int, int]],
    parse: Parse,
    refuse: Callable[[str, Refusal], None],
    at_once: int = 0,
) -> None:
    """first: offset and length of the ranges that every file is asked for; below zero from its end.

    parse: reads a file from what was fetched, and raises :class:`RangeMissing` for more. at_once: bytes that are worth
    fetching along with what is missing. refuse: told once of a file that is given up.
    """
    fetched: dict[str, FetchedRanges] = {}
    wanted: dict[str, list[tuple[int, int]]] = {path: list(first) for path in paths}
    for _round in range(MOST_ROUNDS):
        if not wanted:
            return
        missing: dict[str, list[tuple[int, int]]] = {}
        for answer in files.read_ranges(wanted.items()):
            known = _known(answer, fetched, refuse)
            if known is None:
                continue
            for (offset, _length), data in zip(wanted[answer.path], answer.ranges, strict=True):
                known.add(offset, data)
            try:
                parse(answer, known)
            except RangeMissing as more:
                if more.ranges[0][1] > LONGEST_RANGE:
                    refuse(answer.path, Refusal(reason="its headers are longer than can be"))
                else:
                    missing[answer.path] = _together(more.ranges, at_once)
        wanted = missing
    for path in wanted:
        refuse(path, Refusal(reason=f"its headers lie in more than {MOST_ROUNDS} places"))


def _known(
    answer: FileRanges, fetched: dict[str, FetchedRanges], refuse: Callable[[str, Refusal], None]
) -> FetchedRanges | None:
    """What was fetched of the file so far; None where there is nothing to go on with."""
    if answer.fault is not None:
        refuse(answer.path, Refusal(fault=answer.fault))
        return None
    known = fetched.setdefault(answer.path, FetchedRanges(answer.size))
    if known.size != answer.size:
        refuse(answer.path, Refusal(reason="it changes while it is read", changing=True))
        return None
    return known


def _together(ranges: list[tuple[int, int]], least: int) -> list[tuple[int, int]]:
    """As many of them as one call takes; the others are asked for again."""
    longer = [(offset, max(length, min(least, LONGEST_RANGE))) for offset, length in ranges]
    totals = accumulate(length for _offset, length in longer)
    return [part for part, total in zip(longer, totals, strict=True) if total <= LONGEST_RANGE]
