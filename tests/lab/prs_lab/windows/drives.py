"""Drives of a host as folders of this machine: paths, case-insensitive lookup, capacity, open handles, access control
entries.

No rights are checked here; that is `filesystem.FileView`. Paths are local Windows paths such as `C:\\inetpub\\wwwroot`.
"""

from __future__ import annotations

import contextlib
import errno
import ntpath
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .character import Character
from .errors import WinError
from .security import CONTAINER, INHERIT_ONLY, OBJECT, WELL_KNOWN, Ace, Descriptor, Rights, inherit

__all__ = ["Drives", "Volume", "normal", "os_errors", "split_unc"]

_FORBIDDEN = set('<>:"|?*') | {chr(code) for code in range(32)}
_ERRNO = {
    errno.ENOENT: 2,
    errno.EACCES: 5,
    errno.EPERM: 5,
    errno.EISDIR: 5,
    errno.ENOTDIR: 3,
    errno.EEXIST: 183,
    errno.ENOTEMPTY: 145,
    errno.ENOSPC: 112,
    errno.EDQUOT: 112,
    errno.ENAMETOOLONG: 123,
    errno.EINVAL: 123,
}
_USAGE_MAX_AGE = 2.0
_BOTH = CONTAINER | OBJECT
_ADMINISTRATORS, _SYSTEM, _USERS = (
    WELL_KNOWN[name] for name in ("BUILTIN\\Administrators", "NT AUTHORITY\\SYSTEM", "BUILTIN\\Users")
)


def _full(sid: str) -> Ace:
    return Ace(sid=sid, mask=Rights.FULL, inheritance=_BOTH)


# What a fresh server grants, by icacls: users may read, make folders anywhere, and own what they make.
_ROOT_ENTRIES = [
    _full(_SYSTEM),
    _full(_ADMINISTRATORS),
    Ace(sid=_USERS, mask=Rights.READ_EXECUTE, inheritance=_BOTH),
    Ace(sid=_USERS, mask=Rights.CREATE_FOLDERS, inheritance=CONTAINER),
    Ace(sid=_USERS, mask=Rights.CREATE_FILES, inheritance=CONTAINER, propagation=INHERIT_ONLY),
    Ace(sid=WELL_KNOWN["CREATOR OWNER"], mask=Rights.FULL, inheritance=_BOTH, propagation=INHERIT_ONLY),
]
_READABLE = [_full(_SYSTEM), _full(_ADMINISTRATORS), Ace(sid=_USERS, mask=Rights.READ_EXECUTE, inheritance=_BOTH)]
_PRIVATE = [_full(_SYSTEM), _full(_ADMINISTRATORS)]
_TEMP = [
    *_PRIVATE,
    Ace(sid=_USERS, mask=Rights.CREATE_FILES | Rights.CREATE_FOLDERS | Rights.EXECUTE, inheritance=CONTAINER),
    _ROOT_ENTRIES[-1],
]
# What Windows' own folders grant instead, below C: only.
_SYSTEM_FOLDERS = {
    "Windows": _READABLE,
    "Windows\\System32": None,
    "Windows\\System32\\drivers\\etc": None,
    "Windows\\Temp": _TEMP,
    "Program Files": _READABLE,
    "Program Files (x86)": _READABLE,
    "ProgramData": None,
    "Users": _READABLE,
    "Users\\Public": None,
}
_SYSTEM_FILES = {
    "Windows\\System32\\drivers\\etc\\hosts": b"# Copyright (c) 1993-2009 Microsoft Corp.\r\n#\r\n"
    b"# This is a sample HOSTS file used by Microsoft TCP/IP for Windows.\r\n",
}


def split_unc(path: str) -> tuple[str, str, str] | None:
    """(server, share, rest) of a `\\\\server\\share\\rest`, or None for a local path."""
    if not path.startswith(("\\\\", "//")) or path[2:4] in ("?\\", ".\\"):
        return None
    parts = [part for part in path.replace("/", "\\")[2:].split("\\") if part]
    if len(parts) < 2:
        raise WinError(67 if parts else 123, path)
    return parts[0], parts[1], "\\".join(parts[2:])


def normal(path: str) -> str:
    """A local path in its usual form: `c:/a/../b\\` becomes `C:\\b`. Relative and malformed paths raise 123, as nothing
    here has a current folder.
    """
    if path.startswith("\\\\?\\"):
        path = path[4:]
    drive, rest = ntpath.splitdrive(ntpath.normpath(path.replace("/", "\\")))
    if len(drive) != 2 or not drive[0].isalpha() or not rest.startswith("\\") or _FORBIDDEN & set(rest):
        raise WinError(123, path)
    tidy = "\\".join(part.rstrip(" .") for part in rest.split("\\") if part)
    return f"{drive[0].upper()}:\\{tidy}"


@contextlib.contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Turn this machine's errors into the ones that Windows would give for `path`."""
    try:
        yield
    except OSError as error:
        raise WinError(_ERRNO.get(error.errno or 0, 87), path) from error


class Volume:
    """One drive, or a volume that is mounted in a folder of one: a folder of this machine with a capacity in bytes.

    deduplicated: its files from a size on were optimised by Data Deduplication (how old they are does not count here).
    mount_point: its path on the host, such as `S:\\` or `S:\\Data\\`.
    """

    def __init__(self, *, letter: str, root: Path, capacity: int, mount_point: str = "") -> None:
        self.letter = letter
        self.root = root
        self.capacity = capacity
        self.deduplicated = False
        self.mount_point = mount_point or f"{letter}:\\"
        self.mounted_inside: list[Path] = []
        self._used = 0
        self._counted_at = float("-inf")
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def locate(self, path: str) -> str:
        """The path on this machine for a normal local path: names as they are on disk, and as given where nothing
        exists yet.
        """
        parts = [part for part in path[3:].split("\\") if part]
        root = os.fspath(self.root)
        straight = os.path.join(root, *parts)
        if os.path.lexists(straight):
            return straight
        found = root
        for position, part in enumerate(parts):
            exact = os.path.join(found, part)
            if not os.path.lexists(exact):
                try:
                    exact = next(
                        os.path.join(found, name) for name in os.listdir(found) if name.lower() == part.lower()
                    )
                except (StopIteration, OSError):
                    return os.path.join(found, *parts[position:])
            found = exact
        return found

    def free(self) -> int:
        """Bytes left. Counted anew at most every two seconds, so that files written past us (SQLite) are seen as well."""
        with self._lock:
            self._recount()
            return max(0, self.capacity - self._used)

    def count(self) -> int:
        """Bytes left as they are at this moment, whoever wrote meanwhile."""
        self.changed()
        return self.free()

    def take(self, wanted: int) -> int:
        """Claim room for `wanted` more bytes; answers how many were still to be had."""
        with self._lock:
            self._recount()
            granted = max(0, min(wanted, self.capacity - self._used))
            self._used += granted
            return granted

    def changed(self) -> None:
        """Something was removed: count again at the next question."""
        self._counted_at = float("-inf")

    def _recount(self) -> None:
        now = time.monotonic()
        if now - self._counted_at < _USAGE_MAX_AGE:
            return
        self._used = sum(_sizes(os.fspath(self.root)))
        self._used -= sum(size for inside in self.mounted_inside for size in _sizes(os.fspath(inside)))
        self._counted_at = now


def _sizes(folder: str) -> Iterator[int]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(entry.path)
            else:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.stat(follow_symlinks=False).st_size


class Drives:
    """All drives of one host, with what hangs on paths: descriptors (rights, owners) and open handles."""

    def __init__(self, *, root: Path, capacities: dict[str, int], character: Character | None = None) -> None:
        self.root = root
        self.character = character or Character()
        self.lock = threading.RLock()
        self._capacities = {letter.upper(): capacity for letter, capacity in capacities.items()}
        self.volumes: dict[str, Volume] = {}
        self._mounted: dict[str, Volume] = {}
        self._descriptors: dict[str, Descriptor] = {}
        self._encrypted: dict[str, str] = {}
        self._holds: dict[str, list[str]] = {}
        self._part_locked: set[str] = set()
        self._scanned: dict[str, float] = {}
        self._mount()
        if not any(self.root.glob("C/*")):
            self._prepare()

    def _mount(self) -> None:
        self._mounted = {}
        self.volumes = {
            letter: Volume(letter=letter, root=self.root / letter, capacity=capacity)
            for letter, capacity in self._capacities.items()
        }
        for letter in self.character.deduplicated:
            self.volumes[letter].deduplicated = True

    def _prepare(self) -> None:
        """The folders and rights of a freshly installed server."""
        self._descriptors = {
            f"{letter.lower()}:\\": Descriptor(entries=list(_ROOT_ENTRIES), protected=True) for letter in self.volumes
        }
        for folder, entries in _SYSTEM_FOLDERS.items():
            path = f"C:\\{folder}"
            os.makedirs(self.locate(path), exist_ok=True)
            if entries is not None:
                self._descriptors[path.lower()] = Descriptor(entries=list(entries), protected=True)
        for file, content in _SYSTEM_FILES.items():
            Path(self.locate(f"C:\\{file}")).write_bytes(content)

    def make_profile(self, account: str, sid: str) -> str:
        """The profile folder of an account, made when it is not there; answers its path."""
        path = f"C:\\Users\\{account}"
        with self.lock:
            if not os.path.isdir(self.locate(path)):
                os.makedirs(self.locate(path + "\\AppData\\Local\\Temp"))
                self._descriptors[path.lower()] = Descriptor(entries=[*_PRIVATE, _full(sid)], protected=True, owner=sid)
        return path

    def reset(self) -> None:
        """Erase every drive and prepare it as a fresh server has it."""
        with self.lock:
            for volume in self.volumes.values():
                shutil.rmtree(volume.root, ignore_errors=True)
            self._holds.clear()
            self._part_locked.clear()
            self._scanned.clear()
            self._encrypted.clear()
            self._mount()
            self._prepare()

    # Places

    def mounted_volumes(self) -> list[Volume]:
        """The volumes that are mounted in folders."""
        return list(self._mounted.values())

    def mount(self, path: str, capacity: int) -> Volume:
        """Mount a volume of its own in an empty folder, as the disk management does."""
        drive, real = self._drive(path), Path(self.locate(path))
        real.mkdir(parents=True, exist_ok=True)
        drive.mounted_inside.append(real)
        volume = Volume(letter=path[0], root=real, capacity=capacity, mount_point=f"{path}\\")
        self._mounted[volume.mount_point.lower()] = volume
        return volume

    def unmount(self, path: str) -> None:
        """What lay on the volume lies on the drive of the folder then, as if it had been copied there."""
        volume = self._mounted.pop(f"{path}\\".lower())
        self._drive(path).mounted_inside.remove(volume.root)

    def volume(self, path: str) -> Volume:
        """Where a normal local path takes its room from; 3 when there is no drive of that letter."""
        inside = [point for point in self._mounted if f"{path}\\".lower().startswith(point)]
        return self._mounted[max(inside, key=len)] if inside else self._drive(path)

    def locate(self, path: str) -> str:
        return self._drive(path).locate(path)

    def _drive(self, path: str) -> Volume:
        try:
            return self.volumes[path[0]]
        except KeyError:
            raise WinError(3, path) from None

    # Open handles

    def hold(self, path: str, owner: str) -> None:
        with self.lock:
            self._holds.setdefault(path.lower(), []).append(owner)

    def release(self, path: str, owner: str) -> None:
        with self.lock:
            owners = self._holds.get(path.lower(), [])
            if owner in owners:
                owners.remove(owner)
            if not owners:
                self._holds.pop(path.lower(), None)

    def release_all(self, owner: str | None = None) -> None:
        """Close the handles of one owner, or of everyone (the machine stopped)."""
        with self.lock:
            for path in list(self._holds):
                left = [] if owner is None else [holder for holder in self._holds[path] if holder != owner]
                if left:
                    self._holds[path] = left
                else:
                    del self._holds[path]

    def held(self, path: str, *, below: bool = False, owner: str | None = None) -> bool:
        """Whether somebody other than `owner` has the file open, or anything below the folder."""
        key = path.lower()
        inside = key.rstrip("\\") + "\\"
        with self.lock:
            return any(
                (held == key or (below and held.startswith(inside))) and any(holder != owner for holder in holders)
                for held, holders in self._holds.items()
            )

    def written(self, path: str) -> None:
        """An antivirus, where there is one, opens what was just written, and for its seconds lets others read and write
        it, but neither rename nor remove it.
        """
        if self.character.scanner:
            with self.lock:
                self._scanned[path.lower()] = time.monotonic() + self.character.scanner

    def scanned(self, path: str, *, below: bool = False) -> bool:
        """Whether the antivirus has the file open, or anything below the folder."""
        now, key = time.monotonic(), path.lower()
        inside = key.rstrip("\\") + "\\"
        with self.lock:
            self._scanned = {file: until for file, until in self._scanned.items() if until > now}
            return any(file == key or (below and file.startswith(inside)) for file in self._scanned)

    def lock_part(self, path: str) -> None:
        with self.lock:
            self._part_locked.add(path.lower())

    def unlock_part(self, path: str) -> None:
        with self.lock:
            self._part_locked.discard(path.lower())

    def part_locked(self, path: str) -> bool:
        return path.lower() in self._part_locked

    # Encryption (EFS)

    def encrypt(self, path: str, sid: str) -> None:
        """Only this account can read the file from now on. It stays so wherever it moves on this host's drives."""
        with self.lock:
            self._encrypted[path.lower()] = sid

    def encrypted_for(self, path: str) -> str | None:
        return self._encrypted.get(path.lower())

    # Rights and owners

    def descriptor(self, path: str) -> Descriptor:
        """What the path carries itself. Give a changed one back to `set_descriptor`."""
        return self._descriptors.get(path.lower()) or Descriptor()

    def owner(self, path: str) -> str:
        return self.descriptor(path).owner or _ADMINISTRATORS

    def set_descriptor(self, path: str, descriptor: Descriptor) -> None:
        """Set what the path carries. Everything below inherits anew, moved folders included, as Windows' propagation
        does.
        """
        with self.lock:
            key = path.lower()
            if descriptor.is_plain:
                self._descriptors.pop(key, None)
            else:
                self._descriptors[key] = descriptor
            inside = key.rstrip("\\") + "\\"
            for below in [known for known in self._descriptors if known.startswith(inside)]:
                self._descriptors[below].moved = None

    def entries(self, path: str, *, folder: bool) -> list[Ace]:
        """The whole list that holds for a path: its own entries, then the inherited ones. `folder` says what the path
        is (or will be).
        """
        descriptor = self.descriptor(path)
        if descriptor.protected:
            return list(descriptor.entries)
        if descriptor.moved is not None:
            return [*descriptor.entries, *descriptor.moved]
        parent = ntpath.dirname(path)
        if parent == path:
            return list(descriptor.entries)
        inherited = [
            mine
            for ace in self.entries(parent, folder=True)
            for mine in inherit(ace, folder=folder, owner=descriptor.owner or _ADMINISTRATORS)
        ]
        return [*descriptor.entries, *inherited]

    def created(self, path: str, owner: str) -> None:
        """Remember who made a file or folder, where it is not an administrator (whose files belong to the group)."""
        if owner not in (_ADMINISTRATORS, _SYSTEM):
            with self.lock:
                self._descriptors[path.lower()] = Descriptor(owner=owner)

    def forget(self, path: str) -> None:
        """The path was removed, with everything below."""
        key = path.lower()
        inside = key.rstrip("\\") + "\\"
        with self.lock:
            for table in (self._descriptors, self._encrypted):
                for known in [known for known in table if known == key or known.startswith(inside)]:
                    del table[known]
        self.volume(path).changed()

    def moved(self, old: str, new: str, *, folder: bool) -> None:
        """The path was renamed: descriptors go along, and it keeps the rights that it had inherited at its old place."""
        with self.lock:
            if ntpath.dirname(old).lower() != ntpath.dirname(new).lower():
                descriptor = self._descriptors.setdefault(old.lower(), Descriptor())
                if not descriptor.protected and descriptor.moved is None:
                    descriptor.moved = [ace for ace in self.entries(old, folder=folder) if ace.inherited]
            key = old.lower()
            for table in (self._descriptors, self._encrypted):
                for known in [known for known in table if known == key or known.startswith(key + "\\")]:
                    table[new.lower() + known[len(key) :]] = table.pop(known)  # type: ignore[attr-defined, assignment]

    # Keeping

    def to_state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "capacities": {letter: volume.capacity for letter, volume in self.volumes.items()},
                "deduplicated": [letter for letter, volume in self.volumes.items() if volume.deduplicated],
                "descriptors": {path: descriptor.to_state() for path, descriptor in self._descriptors.items()},
                "encrypted": dict(self._encrypted),
            }

    def load_state(self, state: dict[str, Any]) -> None:
        with self.lock:
            for letter, capacity in state["capacities"].items():
                if letter in self.volumes:
                    self.volumes[letter].capacity = capacity
                    self.volumes[letter].deduplicated = letter in state.get("deduplicated", ())
            self._descriptors = {path: Descriptor.from_state(entry) for path, entry in state["descriptors"].items()}
            self._encrypted = dict(state.get("encrypted", {}))
