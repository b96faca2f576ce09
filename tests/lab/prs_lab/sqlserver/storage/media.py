"""Backup media: one or more families (stripes), each a file, with any number of backup sets after each other. README.md
has the format.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import BinaryIO, Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ..errors import SqlError
from .boot import new_guid
from .frames import PREAMBLE, BadFrame, EndOfData, Frame, find_frame, read_frame, write_frame
from .pages import PAGE, intact
from .setheader import SetHeader

__all__ = ["Certificate", "Family", "Label", "SetReader", "SetWriter", "StoredSet", "labels_for", "scan", "set_key"]

CHUNK_PAGES = 16
_NUMBER = struct.Struct("<I")


class Certificate(Protocol):
    """What opens an encrypted set."""

    thumbprint: bytes

    def encrypt(self, data: bytes) -> bytes: ...
    def decrypt(self, data: bytes) -> bytes: ...


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
    """A backup set as found in one family. `tail` None: it was never finished, or its end is lost (`cut`: in the middle
    of a frame).

    `torn`: something in it is no longer a frame.
    """

    position: int
    head: SetHeader
    frames: list[Frame] = field(default_factory=list)
    tail: SetHeader | None = None
    cut: bool = False
    torn: bool = False

    @property
    def header(self) -> SetHeader:
        return self.tail or self.head


@dataclass
class Family:
    """One family's file: device as the statement named it; end: where the next set would begin."""

    device: str
    file: BinaryIO
    label: Label
    sets: list[StoredSet]
    end: int


def incorrectly_formed(device: str) -> SqlError:
    return SqlError(
        3241,
        f"The media family on device '{device}' is incorrectly formed. SQL Server cannot process this media family.",
        state=0,
    )


def scan(device: str, file: BinaryIO) -> Family:
    """Read the label and find all sets. Raises SqlError 3254 (empty), 3242 (not a backup at all), 3241 (damaged)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(len(PREAMBLE))
    if not start:
        raise SqlError(3254, f"The volume on device '{device}' is empty.")
    if start != PREAMBLE:
        if start.strip(b"\0") and len(start) == len(PREAMBLE):
            raise incorrectly_formed(device)
        raise SqlError(3242, f"The file on device '{device}' is not a valid Microsoft Tape Format backup set.", state=2)
    try:
        frame = read_frame(file, len(PREAMBLE), size=size)
        label = Label(**_json(frame, file, "LABL"))
    except (BadFrame, EndOfData) as error:
        raise incorrectly_formed(device) from error
    family = Family(device=device, file=file, label=label, sets=[], end=frame.end if frame else 0)
    _find_sets(family, size)
    return family


def _json(frame: Frame | None, file: BinaryIO, kind: str) -> dict:
    if frame is None or frame.kind != kind:
        raise BadFrame
    data = frame.payload(file)
    if not frame.intact(data):
        raise BadFrame
    return json.loads(data)


def _find_sets(family: Family, size: int) -> None:
    """Walk over the frames. A damaged frame is stepped over; the set that it belongs to is torn then."""
    place = family.end
    while True:
        current = family.sets[-1] if family.sets else None
        within = current is not None and current.tail is None
        try:
            frame = read_frame(family.file, place, size=size)
            if frame is None:
                break
            _take(family, frame)
            place = frame.end
        except BadFrame as error:
            if not within:
                raise incorrectly_formed(family.device) from error
            current.torn = True  # type: ignore[union-attr]
            place = find_frame(family.file, place + 1, size=size)
        except EndOfData as error:
            if current is None:
                raise incorrectly_formed(family.device) from error
            # Else it is the head of a further set that is cut off: the sets before it are whole.
            current.cut = within
            break
    family.end = place


def _take(family: Family, frame: Frame) -> None:
    """Add a frame to what is known of the family's sets. Raises BadFrame where it does not belong or is damaged."""
    current = family.sets[-1] if family.sets else None
    if frame.kind == "HEAD":
        family.sets.append(StoredSet(len(family.sets) + 1, SetHeader.from_dict(_json(frame, family.file, "HEAD"))))
    elif current is None or current.tail is not None:
        raise BadFrame
    elif frame.kind == "TAIL":
        current.tail = SetHeader.from_dict(_json(frame, family.file, "TAIL"))
    else:
        current.frames.append(frame)


def set_key(header: SetHeader, certificate: Certificate | None) -> bytes | None:
    """The key of a set, None for a plain one. Raises SqlError 33111 when the certificate is missing or has no private
    key.
    """
    if header.encryption is None:
        return None
    if certificate is None:
        raise SqlError(
            33111, f"Cannot find server certificate with thumbprint '0x{header.encryption.thumbprint}'.", state=3
        )
    try:
        return certificate.decrypt(bytes.fromhex(header.encryption.key))
    except Exception as error:
        raise SqlError(
            33111, f"Cannot find server certificate with thumbprint '0x{header.encryption.thumbprint}'.", state=3
        ) from error


def _crypt(key: bytes, sequence: int, data: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CTR(sequence.to_bytes(16, "big"))).encryptor().update(data)


class SetWriter:
    """Writes one set over the families of a media set. Every file is written at its present place; WinError comes
    through as it is.

    files: per family its file, and those of its mirrors.
    """

    def __init__(self, files: Sequence[Sequence[BinaryIO]], header: SetHeader, *, key: bytes | None = None) -> None:
        self._files = files
        self.header = header
        self._key = key
        self._sequence = 0

    @staticmethod
    def write_label(files: Sequence[BinaryIO], label: Label) -> None:
        """Begin new media: the files must be empty and at their start."""
        for file in files:
            file.write(PREAMBLE + write_frame("LABL", json.dumps(asdict(label)).encode()))

    def begin(self) -> None:
        self._to_all("HEAD")

    def pages(self, images: Sequence[tuple[int, bytes]]) -> None:
        """Pages of the data file, at most CHUNK_PAGES at once."""
        self._data("PAGE", b"".join(_NUMBER.pack(number) + image for number, image in images))
        self.header.pages += len(images)

    def log(self, records: Sequence[bytes]) -> None:
        """Packed log records."""
        self._data("LOGR", b"".join(_NUMBER.pack(len(record)) + record for record in records))

    def finish(self) -> None:
        """The set is whole: only now it counts."""
        self._to_all("TAIL")

    def _data(self, kind: str, plain: bytes) -> None:
        data = zlib.compress(plain, 1) if self.header.compressed else plain
        if self._key:
            data = _crypt(self._key, self._sequence, data)
        frame = write_frame(
            kind,
            data,
            sequence=self._sequence,
            plain_length=len(plain),
            checked=self.header.checksums,
            compressed=self.header.compressed,
            encrypted=self._key is not None,
        )
        for file in self._files[self._sequence % len(self._files)]:
            file.write(frame)
        self._sequence += 1
        self.header.size += len(plain)
        self.header.stored_size += len(data)

    def _to_all(self, kind: str) -> None:
        frame = write_frame(kind, json.dumps(self.header.to_dict()).encode())
        for copies in self._files:
            for file in copies:
                file.write(frame)


class SetReader:
    """Reads one set back, its families (in any order, all of them) side by side.

    `damaged` collects (file id, page) of damaged pages when `tolerant`; otherwise the first damage raises SqlError
    3183, 3189 or 3203.
    """

    def __init__(
        self, families: Sequence[Family], position: int, *, key: bytes | None, database: str, tolerant: bool = False
    ) -> None:
        self._families = sorted(families, key=lambda family: family.label.family_sequence)
        self._sets = [family.sets[position - 1] for family in self._families]
        self._key = key
        self._database = database
        self._tolerant = tolerant
        self.header = self._sets[0].header
        self.damaged: list[int] = []

    def check_whole(self) -> None:
        """Raises SqlError 3256 (never finished), 3203 (the end is lost) or 3189 (damaged between its frames)."""
        for family, found in zip(self._families, self._sets, strict=True):
            if found.cut:
                raise SqlError(3203, f'Read on "{family.device}" failed: 38(Reached the end of the file.)')
            if found.torn:
                raise self._damage()
            if found.tail is None:
                raise SqlError(
                    3256,
                    f"The backup set on device '{family.device}' was terminated while it was being created and is "
                    "incomplete. RESTORE sequence is "
                    "terminated abnormally.",
                )

    @property
    def stored_bytes(self) -> int:
        """Bytes that `chunks` will read."""
        return sum(frame.length for found in self._sets for frame in found.frames)

    def chunks(self) -> Iterator[tuple[str, list, int]]:
        """("PAGE", [(number, image)], stored bytes) and ("LOGR", [record bytes], stored bytes) in the order they were
        written.
        """
        for sequence in range(sum(len(found.frames) for found in self._sets)):
            place, turn = divmod(sequence, len(self._sets))
            family = self._families[turn]
            frames = self._sets[turn].frames
            if place >= len(frames) or frames[place].sequence != sequence:
                raise self._damage()
            plain = self._plain(family, frames[place])
            if plain is not None:
                yield frames[place].kind, _split(frames[place].kind, plain), frames[place].length

    def _plain(self, family: Family, frame: Frame) -> bytes | None:
        try:
            data = frame.payload(family.file)
        except EndOfData as error:
            raise SqlError(3203, f'Read on "{family.device}" failed: 38(Reached the end of the file.)') from error
        sound = frame.intact(data)
        plain = _crypt(self._key, frame.sequence, data) if self._key and frame.encrypted else data
        if frame.compressed:
            try:
                plain = zlib.decompress(plain)
            except zlib.error as error:
                if self._tolerant:
                    self.damaged.append(0)
                    return None
                raise SqlError(3203, f'Read on "{family.device}" failed: 13(The data is invalid.)') from error
        if not sound and not (self._tolerant and frame.kind == "PAGE"):
            bad = (
                next((number for number, image in _split("PAGE", plain) if not intact(image)), None)
                if frame.kind == "PAGE"
                else None
            )
            raise self._damage() if bad is None else self._bad_page(bad)
        if not sound:
            self.damaged += [number for number, image in _split("PAGE", plain) if not intact(image)]
        return plain

    def _bad_page(self, number: int) -> SqlError:
        return SqlError(
            3183,
            f'RESTORE detected an error on page (1:{number - 1}) in database "{self._database}" as read from the '
            "backup set.",
        )

    def _damage(self) -> SqlError:
        return SqlError(3189, "Damage to the backup set was detected.")


def _split(kind: str, plain: bytes) -> list:
    if kind == "PAGE":
        step = PAGE + _NUMBER.size
        return [
            (_NUMBER.unpack_from(plain, place)[0], plain[place + _NUMBER.size : place + step])
            for place in range(0, len(plain) - step + 1, step)
        ]
    records = []
    place = 0
    while place + _NUMBER.size <= len(plain):
        length = _NUMBER.unpack_from(plain, place)[0]
        records.append(plain[place + _NUMBER.size : place + _NUMBER.size + length])
        place += _NUMBER.size + length
    return records
