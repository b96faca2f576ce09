"""Reading a backup set back, its families side by side."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from ..errors import SqlError, Unmodelled
from .frames import BadFrame, EndOfData, Frame
from .headerblocks import header_blocks
from .media import Family, StoredSet
from .pages import PAGE, intact, place_of
from .set_key import crypt
from .set_writer import NUMBER
from .tape.records import set_end, set_start
from .tape.writer import MARK

__all__ = ["SetReader"]


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
        """Raises Unmodelled (of another server), SqlError as :meth:`check_ended` does, 3203 (it cannot be unpacked) or
        3189 (damaged between its frames).
        """
        for family, found in zip(self._families, self._sets, strict=True):
            if found.foreign:
                raise Unmodelled("reading the pages and the log of a backup that this twin did not write")
            _check_ended(family, found)
            if found.invalid:
                raise _invalid(family)
            if found.torn or not _blocks_intact(found):
                raise self._damage()

    def check_ended(self) -> None:
        """What damaged pages are no matter of. Raises SqlError 3256 (never finished), 3203 (the end is lost)."""
        for family, found in zip(self._families, self._sets, strict=True):
            _check_ended(family, found)

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
            data = frame.payload()
        except EndOfData as error:
            raise SqlError(3203, f'Read on "{family.device}" failed: 38(Reached the end of the file.)') from error
        except BadFrame as error:
            if self._tolerant:
                self.damaged.append(0)
                return None
            raise _invalid(family) from error
        sound = frame.intact(data)
        if sound and not frame.block_intact():
            raise self._damage()
        plain = crypt(self._key, frame.sequence, data) if self._key and frame.encrypted else data
        if frame.compressed:
            try:
                plain = zlib.decompress(plain)
            except zlib.error as error:
                if self._tolerant:
                    self.damaged.append(0)
                    return None
                raise _invalid(family) from error
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
            f'RESTORE detected an error on page (1:{place_of(number)}) in database "{self._database}" as read from the '
            "backup set.",
        )

    def _damage(self) -> SqlError:
        return SqlError(3189, "Damage to the backup set was detected.")


def _invalid(family: Family) -> SqlError:
    return SqlError(3203, f'Read on "{family.device}" failed: 13(The data is invalid.)')


def _check_ended(family: Family, found: StoredSet) -> None:
    if found.cut:
        raise SqlError(3203, f'Read on "{family.device}" failed: 38(Reached the end of the file.)')
    if found.tail is None and (found.torn or found.invalid):
        raise SqlError(3189, "Damage to the backup set was detected.")
    if found.tail is None:
        raise SqlError(
            3256,
            f"The backup set on device '{family.device}' was terminated while it was being created and is "
            "incomplete. RESTORE sequence is "
            "terminated abnormally.",
        )


def _blocks_intact(found: StoredSet) -> bool:
    """Whether the set's own blocks are what was written; without checksums nobody can tell."""
    if found.tail is None or found.part is None or not found.tail.checksums:
        return True
    start = set_start(header_blocks(found.head, final=False), found.position)
    part = found.part
    tail = len(set_end(header_blocks(found.tail, final=True), 0)) + MARK
    at = max(0, part.length - tail)
    try:
        end = part.read(at, tail)
        closing = set_end(header_blocks(found.tail, final=True), at + end.rfind(b"MSLS"))
        return part.read(0, len(start)) == start and closing in end
    except ValueError:
        return False


def _split(kind: str, plain: bytes) -> list:
    if kind == "PAGE":
        step = PAGE + NUMBER.size
        return [
            (NUMBER.unpack_from(plain, place)[0], plain[place + NUMBER.size : place + step])
            for place in range(0, len(plain) - step + 1, step)
        ]
    records = []
    place = 0
    while place + NUMBER.size <= len(plain):
        length = NUMBER.unpack_from(plain, place)[0]
        records.append(plain[place + NUMBER.size : place + NUMBER.size + length])
        place += NUMBER.size + length
    return records
