# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage in the content of a backup file, in the same words whoever meets it: deep_check, or the verb check_content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .streams import BAD_HEADER, CUT_OFF

__all__ = ["Flaw", "flaw_at", "flaw_of_answer", "part_flaw", "reason"]

_REASONS = {
    "frame": "the packed frame at byte {at} fails its checksum",
    "held": "the packed frames from byte {at} on hold {bytes} bytes, where the last block of the set tells {told}",
    "page": "page {file}:{page} fails its checksum",
    "filemark": "the filemark at byte {at} is damaged",
    # What is behind these in the same part of the file cannot be found:
    "frames_end": "the packed frames end at byte {at}, before their end",
    "no_block": "no block where one should begin, at byte {at}",
    "stream_cut_off": CUT_OFF,
    "stream_checksum": BAD_HEADER,
    "data_end": "the data of the block at byte {at} end too early",
}


class Flaw(NamedTuple):
    """Where in the file, and what, as a clause."""

    at: int
    reason: str


def reason(kind: str, **place: int) -> str:
    """place: at, the byte where it is; of a page its file and page."""
    return _REASONS[kind].format_map(place)


def flaw_at(at: int, kind: str, **place: int) -> Flaw:
    return Flaw(at, reason(kind, at=at, **place))


def part_flaw(why: str, *, start: int, end: int) -> Flaw:
    """Of what lies between two filemarks: it is judged up to the flaw alone."""
    return Flaw(start, f"{why}, between byte {start} and {end}: what follows there was not judged")


def flaw_of_answer(answer: Mapping[str, int | str]) -> Flaw:
    """As the verb answers: kind, at; file and page of a page; bytes and told of frames that hold more or less than they
    should; start and end of a part that was not judged to its end.

    Raises KeyError for what no verb answers.
    """
    place = {name: int(value) for name, value in answer.items() if name != "kind"}
    why = reason(str(answer["kind"]), **place)
    if "end" in place:
        return part_flaw(why, start=place["start"], end=place["end"])
    return Flaw(place["at"], why)
