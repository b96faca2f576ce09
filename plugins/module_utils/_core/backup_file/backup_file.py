# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup file of SQL Server (.bak, .trn, .dif), read without one: both ends of each set, never the data between.

Two reads suffice for most files, however large: HEAD bytes at the start and TAIL bytes at the end. What SQL Server 2005
to 2025 write to disk is read, packed or not. Offsets and their certainty stand in the files beside this one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file import file_record, set_record, set_start
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.blocks import (
    ADDRESS,
    ESET,
    MSCI,
    MSLS,
    SECTOR,
    is_block,
    require_block,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import (
    BrokenOff,
    Damaged,
    NotABackup,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.foreign_formats import not_a_backup
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.media_end import CUT_OFF, find_end
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.media_header import (
    MediaHeader,
    read_media_header,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.packed_frames import (
    FIRST_FRAME,
    FRAME_HEADER,
    SIGNATURE,
    frame_length,
    unpack_frame,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.parts import PackedPart, PlainPart
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.records import Records, read_records
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import moment, u16, u32, u64
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.fetched_ranges import RangeMissing
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader, Read

__all__ = ["HEAD", "PACKED_TAIL", "TAIL", "BackupFile", "StoredSet", "read_backup_file"]

HEAD, TAIL, PACKED_TAIL = 16384, 32768, 65536
"""Bytes that are read of the start and of the end: what is needed lies there in 304 of 304 files that are larger."""

LOOK_BACK = 64 << 20
"""Bytes in which the end of the last whole set is looked for, where another one behind it breaks off."""

MEDIA_BLOCK = 1024
HEAD_CUT_OFF = "it ends within the head of the media: it was cut off, or is only beginning to be written"

SLACK = 1 << 20
"""Bytes by which a set may tell that it is larger than its blocks: that it never is was seen in few releases."""

# ESET, the first block behind a set:
DAMAGED_OBJECTS = 0x38  # u32: 0 in all that were seen
SET_NUMBER = 0x4E  # u16: place of the set in the file (proven)
ENDED = 0x50  # time: between start and finish of the set (proven)
END_LENGTH = 0x60

_FILE_DEVICE = 2
"""DeviceType of a file."""

NEVER_TOLD = frozenset(
    (
        "CodePage",
        "Containment",
        "KeyAlgorithm",
        "EncryptorThumbprint",
        "EncryptorType",
        "LastValidRestoreTime",
        "TDEThumbprint",
    )
)
"""Columns whose place in a file is unknown. Encryption is among them: its algorithm and its certificate."""


@dataclass(slots=True, kw_only=True)
class StoredSet:
    """One backup set of a file.

    header: a row of RESTORE HEADERONLY, without the columns in unknown. files: rows of RESTORE FILELISTONLY. complete:
    whether the set has its end, so that all of header is final; columns that are provisional before are left out.
    problems: what is damaged, or missing; such a set is not to be restored. password: RESTORE asks for one.
    length: bytes of its blocks, unpacked, as the last of them tells; None where that was not found.
    """

    position: int
    header: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    unknown: frozenset[str] = NEVER_TOLD
    complete: bool = False
    problems: list[str] = field(default_factory=list)
    password: bool = False
    length: int | None = None


@dataclass(slots=True, kw_only=True)
class BackupFile:
    """media: the row of RESTORE LABELONLY and the sizes of blocks. problems: what is wrong with the file as a whole."""

    media: MediaHeader
    packed: bool
    sets: list[StoredSet] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ends: bool = False  # whether its closing filemark was found
    marks: list[int] = field(default_factory=list)  # offsets of its filemarks

    def extent(self, position: int, size: int) -> tuple[int, int]:
        """From where to where in the file a set lies, with the blocks behind it. size: of the file."""
        first = 2 * (position - 1)
        end = self.marks[first + 2] if first + 2 < len(self.marks) else size
        return self.marks[first], end


def read_backup_file(
    read: Read, size: int, *, head: int = HEAD, tail: int | None = None, look_back: int = LOOK_BACK
) -> BackupFile:
    """What a file says about itself. size: of the file in bytes. head, tail: bytes to read of its start and end;
    look_back: of one without an end, to find the sets before the one that breaks off.

    Raises :class:`NotABackup`, or :class:`Damaged` where not even the head of the media can be read.
    What read raises comes through; ranges that are missing are collected first.
    """
    reader = RangeReader(read, size)
    start = reader.get(0, head)
    packed = start.startswith(SIGNATURE)
    media = read_media_header(_media_block(start, packed=packed, read=head), packed=packed)
    kind, mark = PackedPart if packed else PlainPart, media.filemark
    marks, is_whole, problem = find_end(
        reader,
        first=-(-MEDIA_BLOCK // mark) * mark,
        mark=mark,
        packed=packed,
        window=tail or (PACKED_TAIL if packed else TAIL),
        look_back=look_back,
    )
    file = BackupFile(media=media, packed=packed, marks=marks, ends=is_whole, problems=[problem] if problem else [])
    missing: list[tuple[int, int]] = []
    for number in range(0, max(1, len(marks) - file.ends), 2):
        closed = number + 2 < len(marks)
        part = kind(reader, marks[number] + mark, marks[number + 1] if closed else size, window=head)
        end = kind(reader, marks[number + 1] + mark, marks[number + 2], window=head) if closed else None
        try:
            file.sets.append(_read_set(file, part, end, position=number // 2 + 1))
        except RangeMissing as problem:  # what the others need can be fetched along with it
            missing += problem.ranges
    if missing:
        raise RangeMissing(*missing)
    return file


def _media_block(start: bytes, *, packed: bool, read: int) -> bytes:
    """read: how many bytes of the start were asked for."""
    if packed:
        if len(start) < FIRST_FRAME + FRAME_HEADER:
            raise BrokenOff(HEAD_CUT_OFF)
        length = frame_length(start, FIRST_FRAME)
        if length is None:
            raise NotABackup(
                "it is a packed backup of a form that is not known here: encrypted, or compressed by another algorithm "
                "than MS_XPRESS. Only SQL Server can read it"
            )
        if len(start) < min(FIRST_FRAME + length, read):
            raise BrokenOff(HEAD_CUT_OFF)
        return unpack_frame(start, FIRST_FRAME)
    if not start.startswith(b"TAPE"):
        raise not_a_backup(start)
    if len(start) < MEDIA_BLOCK:
        raise BrokenOff(HEAD_CUT_OFF)
    return start[:MEDIA_BLOCK]


def _read_set(file: BackupFile, part: PlainPart, end: PlainPart | None, *, position: int) -> StoredSet:
    result = StoredSet(position=position)
    try:
        _fill(result, file, part, end)
    except Damaged as problem:
        result.header = {}
        result.problems = [f"it cannot be read: {problem}"]
    return result


def _fill(result: StoredSet, file: BackupFile, part: PlainPart, end: PlainPart | None) -> None:
    block = file.media.block
    data = part.head(3 * block)
    header = set_start.read_set_start(data)
    header["MachineName"] = set_start.machine_name(data, block=block)
    result.password = file.media.has_password or set_start.has_password(data)
    first = _first_records(data, part, block)
    last = _last_records(result, part, first, file) if end is not None else None
    if end is None:
        result.problems.append(CUT_OFF if not file.ends else "it has no end")
    else:
        _check_end(result, end, last, slack=file.media.filemark)
    result.complete = last is not None and not result.problems
    header |= set_record.read_set_record((last or first).set)
    if header["Position"] != result.position:
        result.problems.append(f"its header tells that it is number {header['Position']}")
    if set_start.started(data) != set_record.started(first.set):
        result.problems.append("its header tells its start or version in two ways")
    if not set_start.is_time_zone(header["TimeZone"]):
        result.problems.append("its header tells a time zone that there is none")
    header |= {"Position": result.position, "DeviceType": _FILE_DEVICE, "Compressed": int(file.packed)}
    header["CompressionAlgorithm"] = "MS_XPRESS" if file.packed else None
    result.files = file_record.read_file_records((last or first).files, (last or first).filegroups)
    if last is None:
        for column in ("BackupFinishDate", "BackupSize", "CompressedBackupSize"):
            del header[column]
        if not set_record.is_final_at_start(first.set):
            for column in set_record.LSNS:
                del header[column]
    elif file.media.label["FamilyCount"] == 1 and not _fits(
        header, held=result.length or 0, stored=part.end - part.start
    ):
        result.problems.append("it tells that it is larger than what the file holds")
    result.header = header
    _judge_copy_only(result, final=last is not None)


def _fits(header: dict[str, Any], *, held: int, stored: int) -> bool:
    """Whether both sizes of a set are those of its blocks: 2 to 4 KB less in 102 of 102, as they lie in the file and
    unpacked.
    """
    return header["BackupSize"] <= held + SLACK and header["CompressedBackupSize"] <= max(held, stored) + SLACK


def _first_records(data: bytes, part: PlainPart, block: int) -> Records:
    for offset in range(block, len(data) - block + 1, block):
        if is_block(data, offset, MSCI):
            return read_records(data, offset, more=part.head)
    raise Damaged("it has no block MSCI: it is no backup of SQL Server, or is damaged")


def _last_records(result: StoredSet, part: PlainPart, first: Records, file: BackupFile) -> Records | None:
    """The records that the set ends with; what is wrong with them goes to the set's problems."""
    try:
        for data in part.tails(first.end - first.block + file.media.block + file.media.filemark):
            at = len(data)
            while (at := data.rfind(MSLS, 0, at + len(MSLS) - 1)) >= 0:
                if at % SECTOR == 0 and is_block(data, at, MSLS):
                    last = read_records(data, at)
                    _compare(result, first, last)
                    result.length = u64(data, at + ADDRESS) * file.media.block + len(data) - at
                    if not file.packed and result.length != part.end - part.start:
                        result.problems.append(
                            "its last block belongs to another place: bytes are missing, or too many"
                        )
                    return last
        raise Damaged("no block MSLS at its end")
    except Damaged as problem:
        result.problems.append(str(problem))
        return None


def _compare(result: StoredSet, first: Records, last: Records) -> None:
    wrong = set_record.differing(first.set, last.set)
    if first.files != last.files and file_record.identities(first.files) != file_record.identities(last.files):
        wrong.append("the list of files")
    if first.filegroups != last.filegroups and (
        file_record.filegroup_names(first.filegroups) != file_record.filegroup_names(last.filegroups)
    ):
        wrong.append("the list of filegroups")
    result.problems += set_record.contradictions(last.set)
    result.problems += file_record.contradictions(last.files, set_record.files_told(last.set))
    if wrong:
        result.problems.append(f"its start and its end disagree on {', '.join(wrong)}")


def _check_end(result: StoredSet, end: PlainPart, last: Records | None, *, slack: int) -> None:
    try:
        data = end.begins_with(END_LENGTH)
        require_block(data, 0, ESET, where="behind the set")
        if u32(data, DAMAGED_OBJECTS):
            result.problems.append(f"its end counts {u32(data, DAMAGED_OBJECTS)} damaged objects")
        if u16(data, SET_NUMBER) != result.position:
            result.problems.append(f"its end belongs to set {u16(data, SET_NUMBER)}")
        if last is not None and not set_record.ran_at(last.set, moment(data, ENDED)):
            result.problems.append("its end is of another time")
        if not end.closes(ESET, slack=slack):
            result.problems.append("bytes follow its end, which do not belong to it")
    except Damaged as problem:
        result.problems.append(str(problem))


def _judge_copy_only(result: StoredSet, *, final: bool) -> None:
    """A full backup makes itself the base of its files, unless it is copy-only; of a log nothing tells it."""
    header = result.header
    if header["BackupType"] == 5:  # COPY_ONLY has no effect on a differential (documented)
        header["IsCopyOnly"] = False
        return
    bases = {
        (row["DifferentialBaseGUID"], row["DifferentialBaseLSN"]) for row in result.files if row.get("Type") == "D"
    }
    own = (header["BackupSetGUID"], header.get("CheckpointLSN"))
    if final and header["BackupType"] == 1 and bases == {own}:
        header["IsCopyOnly"] = False
        return
    result.unknown |= {"IsCopyOnly"}
    if final and header["BackupType"] == 1 and any((guid == own[0]) != (lsn == own[1]) for guid, lsn in bases):
        result.problems.append("its GUID or its checkpoint is told in two ways")
