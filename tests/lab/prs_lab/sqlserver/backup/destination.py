"""Where a BACKUP writes: new media, overwritten media, or after the sets that are there already."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from ...windows.errors import WinError
from ..context import InstanceContext
from ..errors import SqlError, Unmodelled
from ..parse.ir import Backup, BackupOptions, Device
from ..storage.media import Family, Label, labels_for, scan
from ..storage.set_writer import append_to, begin_media, terminate
from ..storage.tape.writer import TapeWriter
from .devices import cannot_open, path_of
from .messages import error, os_error

__all__ = ["Destination"]


@dataclass
class _Place:
    """One device: its path, its open file, what was on it. created: the file was not there before. tape: what writes
    it, once the backup has begun.
    """

    path: str
    logical: str | None
    file: BinaryIO | None = None
    found: Family | None = None
    created: bool = False
    tape: TapeWriter | None = None


@dataclass
class Destination:
    """The media of one BACKUP, per family its devices (the first, then its mirrors). Close it by `close`, or by `abort`
    when it failed.
    """

    instance: InstanceContext
    owner: str
    places: list[list[_Place]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    position: int = 1
    _fresh: bool = False

    @classmethod
    def open(cls, instance: InstanceContext, statement: Backup, *, owner: str, compressed: bool) -> Destination:
        """Look at every device and open it for writing; nothing is written yet. Raises SqlError."""
        columns = [statement.devices, *statement.mirrors]
        if any(len(column) != len(statement.devices) for column in columns):
            raise error(3010)
        if statement.mirrors and not statement.options.format:
            raise error(3215)
        destination = cls(instance, owner)
        try:
            destination.places = [
                [destination._look(device, statement.options) for device in family]
                for family in zip(*columns, strict=True)
            ]
            destination._decide(statement.options, compressed=compressed)
            destination._open_files()
        except BaseException:
            destination.abort()
            raise
        return destination

    @property
    def tapes(self) -> list[list[TapeWriter]]:
        """Per family what writes its files, where the next set begins."""
        return [[place.tape for place in family if place.tape] for family in self.places]

    @property
    def paths(self) -> list[list[str]]:
        return [[place.path for place in family] for family in self.places]

    @property
    def logical(self) -> list[list[str | None]]:
        return [[place.logical for place in family] for family in self.places]

    def begin(self) -> None:
        """Write the labels of new media, or go to the end of others. Raises WinError."""
        for family, label in zip(self.places, self.labels, strict=True):
            for place in family:
                assert place.file is not None
                if self._fresh:
                    (place.tape,) = begin_media([place.file], label)
                else:
                    assert place.found is not None
                    place.tape = append_to(place.found, place.file)

    def _look(self, device: Device, options: BackupOptions) -> _Place:
        path = path_of(self.instance, device)
        place = _Place(path, str(device.name) if device.kind == "logical" else None)
        files = self.instance.files()
        try:
            if files.exists(path) and not files.is_dir(path):
                place.file = files.open(path, "r+b")
            else:
                files.open(path, "xb").close()
                place.created = True
                place.file = files.open(path, "r+b")
            files.hold(path, self.owner)
        except WinError as failure:
            self._forget(place)
            raise cannot_open(path, failure) from failure
        try:
            if not place.created and not options.format and place.file.seek(0, 2):
                place.found = scan(path, place.file)
        except BaseException:
            self._forget(place)
            raise
        return place

    def _decide(self, options: BackupOptions, *, compressed: bool) -> None:
        """New media, or those that are there. Raises SqlError where they do not agree with what is asked."""
        known = [place.found for family in self.places for place in family]
        count = len(self.places)
        mirrors = len(self.places[0])
        now = self.instance.now().replace(microsecond=0)
        if not any(known):
            self._fresh = True
            self.labels = labels_for(
                count,
                mirror_count=mirrors,
                media_name=options.media_name,
                description=options.media_description,
                date=now.isoformat(),
                compressed=compressed,
                encrypted=options.encryption is not None,
            )
            return
        families = [place.found for family in self.places for place in family if place.found]
        first = families[0]
        if first.label.family_count != count:
            if first.label.family_count > count:
                raise error(3132, families=first.label.family_count, given=count)
            raise error(3231, device=first.device, found=first.label.family_count, wanted=count)
        for family in families:
            if family.label.media_set_id != first.label.media_set_id:
                raise error(3258, device=family.device)
        if len(families) != len(known):
            raise error(3231, device=first.device, found=first.label.family_count, wanted=count)
        if options.media_name is not None and options.media_name != first.label.media_name and not options.skip:
            raise error(4037, asked=options.media_name, found=first.label.media_name or "", device=first.device)
        self.labels = [family.label for family in sorted(families, key=lambda one: one.label.family_sequence)]
        self.places.sort(key=lambda family: family[0].found.label.family_sequence if family[0].found else 0)
        if options.init:
            self._check_expiry(families, now, skip=options.skip)
            self.labels = [
                dataclasses.replace(label, compressed=compressed, encrypted=options.encryption is not None)
                for label in self.labels
            ]
            self._fresh = True
        else:
            self._check_append(families, options, compressed=compressed)
            self.position = len(first.sets) + 1

    def _check_expiry(self, families: Sequence[Family], now: dt.datetime, *, skip: bool) -> None:
        for family in families:
            for found in family.sets:
                expires = dt.datetime.fromisoformat(found.header.expiration) if found.header.expiration else None
                if expires and expires > now and not skip:
                    raise error(4030, device=family.device, date=f"{expires:%b %e %Y %l:%M:%S:000%p}")

    def _check_append(self, families: Sequence[Family], options: BackupOptions, *, compressed: bool) -> None:
        for family in families:
            if not family.own:
                raise Unmodelled("BACKUP onto media that this twin did not write, without INIT or FORMAT")
            if not family.ends or any(found.cut or found.torn for found in family.sets):
                raise error(3266, device=family.device)
            if options.encryption is not None or family.label.encrypted:
                raise error(3095)
            if family.label.compressed != compressed:
                asked, instead = ("COMPRESSION", "NO_COMPRESSION") if compressed else ("NO_COMPRESSION", "COMPRESSION")
                raise error(3098, asked=asked, instead=instead)

    def _open_files(self) -> None:
        for place in (place for family in self.places for place in family):
            assert place.file is not None
            if self._fresh:
                place.file.truncate(0)
                place.file.seek(0)

    def write_error(self, failure: WinError) -> SqlError:
        """3202 for the device that could not be written."""
        return error(3202, device=failure.path, cause=os_error(failure))

    def close(self) -> None:
        """The set is written."""
        for place in (place for family in self.places for place in family):
            self._release(place)

    def abort(self) -> None:
        """The backup failed: files that it made are removed, in others the unfinished set stays, closed by filemarks."""
        for place in (place for family in self.places for place in family):
            self._forget(place)

    def _release(self, place: _Place) -> None:
        if place.file is not None:
            place.file.close()
            place.file = None
            self.instance.files().release(place.path, self.owner)

    def _forget(self, place: _Place) -> None:
        if place.file is not None:
            if place.tape and not place.created:
                with contextlib.suppress(WinError):
                    terminate(place.tape)
            place.file.close()
            place.file = None
        with contextlib.suppress(WinError):
            self.instance.files().release(place.path, self.owner)
        if place.created:
            with contextlib.suppress(WinError):
                self.instance.files().remove(place.path)
