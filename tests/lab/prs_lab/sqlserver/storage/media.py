"""Backup media: one or more families (stripes), each a file, with any number of backup sets after each other. README.md
has the format.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ..errors import SqlError
from .boot import new_guid
from .frames import BadFrame, EndOfData, Frame, InvalidData, find_frame, read_frame
from .setheader import SetHeader
from .tape.blocks import is_block, streams_of
from .tape.foreign import ForeignSet, read_foreign_set
from .tape.packed import SIGNATURE
from .tape.reader import BadTape, Part, open_tape
from .tape.values import guid, moment, number, text

__all__ = ["OWN_STREAM", "Family", "Label", "StoredSet", "is_backup", "labels_for", "scan"]

OWN_STREAM = b"PRSL"
"""A stream of the head of the media by which this twin knows its own files, with what Microsoft's say elsewhere."""

_SHORTEST = 17


@dataclass(frozen=True, kw_only=True)
class Label:
    """What RESTORE LABELONLY shows of one family. date: the server's local time, ISO."""

    media_set_id: str
    family_id: str
    family_sequence: int
    family_count: int
    mirror_count: int = 1
    media_name: str | None = None
    description: str | None = None
    date: str = ""
    compressed: bool = False
    encrypted: bool = False


def labels_for(count: int, **fields: object) -> list[Label]:
    """Labels of a new media set with `count` families."""
    media_set_id = new_guid()
    return [
        Label(
            media_set_id=media_set_id,
            family_id=new_guid()[:8] + "-0000-0000-0000-000000000000",
            family_sequence=number,
            family_count=count,
            **fields,
        )  # type: ignore[arg-type]
        for number in range(1, count + 1)
    ]


@dataclass
class StoredSet:
    """A backup set as found in one family. `tail` None: it was never finished, or its end is lost (`cut`).

    `torn`: something in it is no longer what was written; `invalid`: so that it cannot be unpacked. `foreign`: what a set says that this twin did not write.
    """

    position: int
    head: SetHeader
    frames: list[Frame] = field(default_factory=list)
    tail: SetHeader | None = None
    cut: bool = False
    torn: bool = False
    invalid: bool = False
    foreign: ForeignSet | None = None
    part: Part | None = None

    @property
    def header(self) -> SetHeader:
        return self.tail or self.head


@dataclass
class Family:
    """One family's file: device as the statement named it; marks: of its filemarks. own: this twin wrote it; ends: with a
    filemark.
    """

    device: str
    file: BinaryIO
    label: Label
    sets: list[StoredSet]
    marks: list[int]
    mark_size: int
    own: bool = True
    ends: bool = True


def incorrectly_formed(device: str) -> SqlError:
    return SqlError(
        3241,
        f"The media family on device '{device}' is incorrectly formed. SQL Server cannot process this media family.",
        state=0,
    )


def is_backup(start: bytes) -> bool:
    """Whether a file that begins so is a backup."""
    return start.startswith((b"TAPE", SIGNATURE))


def scan(device: str, file: BinaryIO) -> Family:
    """Read the label and find all sets. Raises SqlError 3254 (empty), 3242 (not a backup at all), 3241 (damaged)."""
    file.seek(0)
    start = file.read(_SHORTEST)
    if not start:
        raise SqlError(3254, f"The volume on device '{device}' is empty.")
    if not is_backup(start):
        if start.strip(b"\0") and len(start) == _SHORTEST:
            raise incorrectly_formed(device)
        raise SqlError(3242, f"The file on device '{device}' is not a valid Microsoft Tape Format backup set.", state=2)
    try:
        tape = open_tape(file)
        label, own = _label(tape.media, compressed=tape.packed)
    except (BadTape, ValueError, struct.error) as error:
        raise incorrectly_formed(device) from error
    family = Family(
        device=device,
        file=file,
        label=label,
        sets=[],
        marks=tape.marks,
        mark_size=tape.mark_size,
        own=own,
        ends=tape.ends,
    )
    ends = tape.parts[1::2]
    for index, part in enumerate(tape.parts[::2]):
        whole = index < len(ends) and ends[index].closed
        found = _find_set(family, part, position=index + 1) if own else _foreign_set(family, part, position=index + 1)
        if found is None:
            # The head of a further set is cut off: the sets before it are whole.
            break
        if not whole:
            found.tail, found.cut = None, True
        family.sets.append(found)
    return family


def _label(media: bytes, *, compressed: bool) -> tuple[Label, bool]:
    """What TAPE says, and whether this twin wrote it."""
    streams = {kind: media[start:end] for kind, start, end in streams_of(media)}
    raid, own = streams[b"RAID"], streams.get(OWN_STREAM)
    date = moment(media, 0x58)
    label = Label(
        media_set_id=str(guid(raid, 0)).upper(),
        family_id=f"{number(media, 0x34, 'I'):08X}-0000-0000-0000-000000000000",
        family_sequence=number(raid, 0x18, "H"),
        family_count=number(raid, 0x14, "H"),
        media_name=text(media, 0x44),
        description=text(media, 0x48),
        date=date.isoformat() if date else "",
        compressed=compressed,
    )
    return (dataclasses.replace(label, **json.loads(own)) if own else label), own is not None


def _json(frame: Frame) -> dict[str, Any]:
    data = frame.payload()
    if not frame.intact(data):
        raise BadFrame
    return json.loads(data)


def _find_set(family: Family, part: Part, *, position: int) -> StoredSet | None:
    """Walk over the blocks of a part. A damaged one is stepped over, and the set is torn then. None: it begins too
    close to the end of the file.
    """
    at = 0
    try:
        for kind in (b"SSET", b"VOLB", b"MSCI"):
            if not is_block(part.read(at, 52), kind):
                raise BadFrame
            at += part.block_length(at)
        frame = read_frame(part, at)
        if frame.kind != "HEAD":
            raise BadFrame
        found = StoredSet(position, SetHeader.from_dict(_json(frame)), part=part, torn=not frame.block_intact())
    except (BadFrame, EndOfData, ValueError, struct.error) as error:
        if position == 1 or part.closed or part.read(0, 4) != b"SSET":
            raise incorrectly_formed(family.device) from error
        return None
    place: int | None = frame.end
    while place is not None:
        try:
            frame = read_frame(part, place)
            if frame.kind == "TAIL":
                found.tail = SetHeader.from_dict(_json(frame))
                found.torn |= not frame.block_intact() or not is_block(part.read(frame.end, 52), b"MSLS")
                return found
            if frame.kind not in ("PAGE", "LOGR"):
                raise BadFrame
            found.frames.append(frame)
            place = frame.end
        except (BadFrame, ValueError) as error:
            found.torn = True
            found.invalid |= isinstance(error, (InvalidData, ValueError))
            place = find_frame(part, place)
        except EndOfData:
            break
    return found


def _foreign_set(family: Family, part: Part, *, position: int) -> StoredSet:
    try:
        foreign = read_foreign_set(part, position=position)
    except (ValueError, struct.error, IndexError) as error:
        raise incorrectly_formed(family.device) from error
    head = foreign.header()
    return StoredSet(position, head, tail=head if foreign.complete else None, foreign=foreign, part=part)
