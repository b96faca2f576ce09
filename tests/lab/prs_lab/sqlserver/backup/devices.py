"""Backup devices: names to files, opened with the rights of the service account."""

from __future__ import annotations

import contextlib
import ntpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from ...windows.errors import WinError
from ..context import InstanceContext
from ..errors import Unmodelled
from ..parse.ir import Device
from ..storage.media import Family, StoredSet, scan
from ..storage.set_key import set_key
from .messages import error, os_error

__all__ = ["MediaSet", "cannot_open", "key_of", "opened", "path_of"]

_MAX_PATH = 259


def path_of(instance: InstanceContext, device: Device) -> str:
    """The Windows path of a device; a bare file name lies in the instance's backup folder."""
    name = str(device.name)
    if device.kind == "logical":
        found = instance.backup_device(name)
        if found is None:
            raise error(3206, device=name)
        name = found
    elif device.kind != "disk":
        raise Unmodelled(f"a backup device of kind {device.kind}")
    if not name.strip():
        raise error(3044)
    if len(name) > _MAX_PATH:
        raise error(3057, limit=_MAX_PATH)
    if "\0" in name:
        raise cannot_open(name, WinError(123, name))
    return name if ntpath.isabs(name) or name.startswith("\\\\") else ntpath.join(instance.settings.backup_dir, name)


def cannot_open(device: str, failure: WinError) -> Exception:
    """3201."""
    return error(3201, device=device, cause=os_error(failure), state=2)


def key_of(instance: InstanceContext, found: StoredSet) -> bytes | None:
    """The key of an encrypted set, None for a plain one. Raises SqlError 33111 unless its certificate is in master."""
    encryption = found.header.encryption
    return set_key(
        found.header, instance.certificate_by_thumbprint(bytes.fromhex(encryption.thumbprint)) if encryption else None
    )


@dataclass
class MediaSet:
    """Opened families of one media set, for reading."""

    families: list[Family]

    @property
    def first(self) -> Family:
        return self.families[0]

    def check_complete(self) -> None:
        """Raises SqlError 3132 unless every family is given."""
        wanted = self.first.label.family_count
        if len(self.families) != wanted:
            raise error(3132, families=wanted, given=len(self.families))

    def stored(self, position: int) -> StoredSet:
        """The set at a position. Raises SqlError 4038."""
        for family in self.families:
            if not 1 <= position <= len(family.sets):
                raise error(4038, position=position, device=family.device)
        return self.first.sets[position - 1]


@contextlib.contextmanager
def opened(
    instance: InstanceContext, devices: Sequence[Device], *, media_name: str | None = None
) -> Iterator[MediaSet]:
    """The devices of a RESTORE, open while the block runs.

    Raises SqlError 3201 (with the operating system's error), 3241, 3242, 3254 (no media), 3258 (of different sets),
    3227 (the same family twice), 4037 (another media name).
    """
    files = instance.files()
    with contextlib.ExitStack() as closing:
        families: list[Family] = []
        for device in devices:
            path = path_of(instance, device)
            try:
                file: BinaryIO = closing.enter_context(files.open(path, "rb"))
            except WinError as failure:
                instance.log(
                    f"Error: 18204, Severity: 16, State: 1. BackupDiskFile::OpenMedia: Backup device '{path}' failed to "
                    f"open. Operating system error {os_error(failure)}."
                )
                raise cannot_open(path, failure) from failure
            families.append(scan(path, file))
        _check_same_media(families)
        if media_name is not None and (families[0].label.media_name or "") != media_name:
            raise error(4037, asked=media_name, found=families[0].label.media_name or "", device=families[0].device)
        yield MediaSet(families)


def _check_same_media(families: Sequence[Family]) -> None:
    seen: dict[int, str] = {}
    for family in families:
        label = family.label
        if label.media_set_id != families[0].label.media_set_id:
            raise error(3258, device=family.device)
        if label.family_sequence in seen:
            raise error(3227, device=family.device, family=label.family_sequence, other=seen[label.family_sequence])
        seen[label.family_sequence] = family.device
