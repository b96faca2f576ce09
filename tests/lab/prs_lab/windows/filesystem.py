"""Files as one account on one host sees them: local drives and shares of other hosts, with rights, capacity and open
handles.
"""

from __future__ import annotations

import contextlib
import io
import ntpath
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from stat import S_ISDIR, S_ISLNK
from typing import TYPE_CHECKING, BinaryIO

from .accounts import Token
from .drives import Drives, Volume, normal, os_errors, split_unc
from .errors import WinError
from .security import Ace, Descriptor, Rights, allowed

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["FileView", "Security", "Stat"]

OWNER_WRITES = 0o200
"""Without this bit of its mode here, a file is one that Windows has marked as read-only."""

SYMBOLIC_LINK, MOUNT_POINT, DEDUPLICATED = 0xA000000C, 0xA0000003, 0x80000013
"""Tags of reparse points (ntifs.h)."""
LINK_TAGS = frozenset({SYMBOLIC_LINK, MOUNT_POINT})
DEDUPLICATED_FROM = 32768
"""Bytes: Data Deduplication leaves smaller files alone (MinimumFileSize)."""


@dataclass(frozen=True, kw_only=True)
class Stat:
    """What a folder entry says: size in bytes, times in UTC, the name as it is on disk, the tag of its reparse point (0
    where it is none) and whether EFS protects it.
    """

    name: str
    size: int
    created: datetime
    modified: datetime
    is_dir: bool
    reparse_tag: int = 0
    encrypted: bool = False

    @property
    def link(self) -> bool:
        """Whether it leads elsewhere. Of all reparse points only symbolic links and junctions do."""
        return self.reparse_tag in LINK_TAGS


@dataclass(frozen=True, kw_only=True)
class Security:
    """Owner (SID), the entries that hold (own ones first), and whether inheritance is switched off."""

    owner: str
    entries: list[Ace]
    protected: bool


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a path leads: a host's drives, the local path there, the token that asks there, and what the share leaves
    of its rights.
    """

    asked: str
    host: WindowsHost
    drives: Drives
    path: str
    token: Token
    share_rights: int = Rights.FULL

    @cached_property
    def real(self) -> str:
        """Found once, as its status: a place is that of one call."""
        return self.drives.locate(self.path)

    @cached_property
    def status(self) -> os.stat_result | None:
        """Of what was there, links not followed; None where there was nothing."""
        try:
            return os.lstat(self.real)
        except (OSError, ValueError):
            return None

    @property
    def is_folder(self) -> bool:
        """Whether a folder was there, or a link to one."""
        if self.status is None:
            return False
        return S_ISDIR(self.status.st_mode) or (S_ISLNK(self.status.st_mode) and os.path.isdir(self.real))

    @property
    def volume(self) -> Volume:
        return self.drives.volume(self.path)

    @property
    def is_root(self) -> bool:
        return len(self.path) == 3

    def parent(self) -> _Place:
        return self.beside(ntpath.dirname(self.path))

    def beside(self, path: str) -> _Place:
        return _Place(
            asked=self.asked,
            host=self.host,
            drives=self.drives,
            path=path,
            token=self.token,
            share_rights=self.share_rights,
        )

    def rights(self) -> int:
        """The effective rights of the asking account on this existing path."""
        entries = self.drives.entries(self.path, folder=self.is_folder)
        granted = allowed(entries, self.token.sids)
        if self.drives.owner(self.path) in self.token.sids:
            granted |= Rights.READ_PERMISSIONS | Rights.CHANGE_PERMISSIONS
        return granted & self.share_rights

    def need(self, right: int) -> None:
        if self.rights() & right != right:
            raise WinError(5, self.asked)

    def need_delete(self) -> None:
        """An entry may be removed by who may delete it, or by who may delete the children of its folder."""
        if not self.rights() & Rights.DELETE and (self.is_root or not self.parent().rights() & Rights.DELETE_CHILD):
            raise WinError(5, self.asked)


class _PartlyLocked(io.FileIO):
    """A file of which another process has locked bytes: it opens, and whoever reads gets 33."""

    def __init__(self, real: str, *, asked: str) -> None:
        super().__init__(real)
        self._asked = asked

    def read(self, size: int | None = -1, /) -> bytes:
        raise WinError(33, self._asked)

    def readall(self) -> bytes:
        raise WinError(33, self._asked)

    def readinto(self, buffer: object, /) -> int:
        raise WinError(33, self._asked)


class _CountedFile(io.FileIO):
    """A file being written: every byte that makes it longer counts against the drive, and 112 comes in the middle, as
    on a real disk.

    64 comes when the share's host is lost or cut off meanwhile. Its time is the one of the host on which it lies.
    """

    def __init__(self, real: str, mode: str, *, place: _Place, reachable: Callable[[], bool]) -> None:
        self._place = place
        self._volume = volume = place.volume
        self._asked = place.asked
        self._reachable = reachable
        self._changed = mode[0] in "wx"
        if "w" in mode and os.path.lexists(real):
            volume.changed()  # what is in it goes
        super().__init__(real, mode.replace("b", ""))

    def close(self) -> None:
        if not self.closed and self._changed:
            _stamp(self.fileno(), self._place.host)
            self._place.drives.written(self._place.path)
        super().close()

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if not self._reachable():
            raise WinError(64, self._asked)
        self._changed = True
        view = memoryview(data).cast("B")
        size = os.fstat(self.fileno()).st_size
        start = size if "a" in self.mode else self.tell()
        growth = max(0, start + len(view) - size)
        granted = self._volume.take(growth) if growth else 0
        fitting = len(view) - (growth - granted)
        written = 0
        while written < fitting:
            written += super().write(view[written:fitting]) or 0
        if granted < growth:
            raise WinError(112, self._asked)
        return len(view)


class FileView:
    """Files as one account sees them from one host.

    A view from a plain WinRM logon (`delegated=False`) has no credentials for a second hop: shares of other hosts
    answer 5 until they were connected with explicit credentials. `network_credentials` (user, password) are those of
    `runas /netonly`. All methods raise `WinError` with the number that Windows would give.
    """

    def __init__(
        self,
        host: WindowsHost,
        token: Token,
        *,
        delegated: bool = True,
        network_credentials: tuple[str, str] | None = None,
    ) -> None:
        self._host = host
        self._token = token
        self._delegated = delegated
        self._network_credentials = network_credentials
        self._connections: dict[str, tuple[str, str]] = {}
        self._avoided: Mapping[str, WinError] = {}

    @property
    def account(self) -> str:
        return self._token.name

    # Connections with explicit credentials, as `net use` and New-PSDrive make them

    def connect(self, share: str, user: str, password: str) -> None:
        """Connect to `\\\\server\\share` under another name; 1219 when its server is already connected under a
        different one.
        """
        server, name, _ = split_unc(share) or (None, None, None)
        if server is None:
            raise WinError(67, share)
        known = self._connections.get(server.lower())
        if known and known[0].lower() != user.lower():
            raise WinError(1219, share)
        self._connections[server.lower()] = (user, password)
        try:
            self._place(f"\\\\{server}\\{name}")
        except WinError:
            if known is None:
                del self._connections[server.lower()]
            raise

    def disconnect(self, share: str) -> None:
        server = (split_unc(share) or ("", "", ""))[0].lower()
        if self._connections.pop(server, None) is None:
            raise WinError(2250, share)

    def log_off(self) -> None:
        """Connections are their logon's, and end with it."""
        self._connections.clear()

    @contextlib.contextmanager
    def avoiding(self, shares: Mapping[str, WinError]) -> Iterator[None]:
        """Answer for these shares, by their roots in lower case, what is known of them already: as a script does that
        asks them for nothing.
        """
        self._avoided = shares
        try:
            yield
        finally:
            self._avoided = {}

    # Asking

    def exists(self, path: str) -> bool:
        """Like Test-Path: what cannot be reached or seen is not there."""
        return self._kind(path) is not None

    def is_dir(self, path: str) -> bool:
        return self._kind(path) == "dir"

    def is_file(self, path: str) -> bool:
        return self._kind(path) == "file"

    def stat(self, path: str) -> Stat:
        place = self._existing(path)
        if not place.rights() & Rights.READ_ATTRIBUTES and (place.is_root or not place.parent().rights() & Rights.LIST):
            raise WinError(5, path)
        return replace(
            _stat(place, ahead=place.host.clock_offset, deduplicated=place.volume.deduplicated),
            encrypted=place.drives.encrypted_for(place.path) is not None,
        )

    def list(self, path: str) -> list[str]:
        """The names in a folder, sorted as NTFS does, without regard to case."""
        place = self._folder(path)
        place.need(Rights.LIST)
        with os_errors(path):
            return sorted(os.listdir(place.real), key=str.upper)

    def walk(self, path: str) -> Iterator[tuple[str, Stat]]:
        """Everything below a folder, depth first, folders before what they hold: (path, stat)."""
        for name in self.list(path):
            child = ntpath.join(path, name)
            stat = self.stat(child)
            yield child, stat
            if stat.is_dir and not stat.link:
                yield from self.walk(child)

    def spelling(self, path: str) -> str:
        """The path with the names as they are on disk; a share's stays as it was asked for."""
        place = self._existing(path)
        if split_unc(path):
            return path
        inside = os.path.relpath(place.real, place.volume.root)
        return place.path[:3] + ("" if inside == "." else inside.replace("/", "\\"))

    def security(self, path: str) -> Security:
        """Owner and entries of a path; 5 without the right to read them."""
        place = self._existing(path)
        place.need(Rights.READ_PERMISSIONS)
        descriptor = place.drives.descriptor(place.path)
        entries = place.drives.entries(place.path, folder=os.path.isdir(place.real))
        return Security(owner=place.drives.owner(place.path), entries=entries, protected=descriptor.protected)

    def set_security(
        self, path: str, *, entries: Sequence[Ace], protected: bool | None = None, owner: str | None = None
    ) -> None:
        """Replace the explicit entries of a path (inherited ones in `entries` are left out), its protection and owner
        where given.

        Everything below inherits anew. Needs the right to change permissions, or an administrator (who may restore and
        take ownership).
        """
        place = self._existing(path)
        if not place.token.is_admin:
            place.need(Rights.CHANGE_PERMISSIONS)
        old = place.drives.descriptor(place.path)
        place.drives.set_descriptor(
            place.path,
            Descriptor(
                entries=[ace for ace in entries if not ace.inherited],
                protected=old.protected if protected is None else protected,
                owner=old.owner if owner is None else owner,
            ),
        )

    def free_bytes(self, path: str) -> int:
        return self._place(path).volume.free()

    def mount_point(self, path: str) -> str:
        """Where the volume of a path is mounted: `D:\\`, or a folder."""
        return self._place(path).volume.mount_point

    def real_folder(self, path: str) -> Path:
        """The folder on this machine behind a path."""
        return Path(self._folder(path).real)

    def real_path(self, path: str, mode: str = "r+b", *, owner: str | None = None) -> Path:
        """The file on this machine behind a path, after the checks that `open` makes with this mode.

        A file that is to be made must have a folder in which the account may create it; it is not made here. Who opens
        it directly sees to the drive's capacity itself (`free_bytes`).
        """
        place = self._openable(path, mode, owner=owner)
        return Path(place.real)

    # Reading and writing

    def open(self, path: str, mode: str = "rb", *, owner: str | None = None) -> BinaryIO:
        """An open file: rb, wb, xb, ab, r+b, w+b. `owner` names the holder of `hold`, whose own handle does not shut it
        out.
        """
        place = self._openable(path, mode, owner=owner)
        real = place.real
        with os_errors(path):
            if mode == "rb":
                return _PartlyLocked(real, asked=path) if place.drives.part_locked(place.path) else open(real, "rb")  # type: ignore[return-value]
            is_new = not os.path.exists(real)
            file = _CountedFile(real, mode, place=place, reachable=lambda: self._reaches(place.host))
        if is_new:
            place.drives.created(place.path, place.token.owner)
        return file  # type: ignore[return-value]

    def read(self, path: str) -> bytes:
        with self.open(path) as file:
            return file.read()

    def write(self, path: str, data: bytes) -> None:
        with self.open(path, "wb") as file:
            file.write(data)

    def make_dir(self, path: str, *, parents: bool = True) -> None:
        """Make a folder. With `parents` also those above it, and an existing one is no error."""
        place = self._place(path)
        if os.path.isdir(place.real):
            if parents:
                return
            raise WinError(183, path)
        if os.path.lexists(place.real):
            raise WinError(183, path)
        parent = place.parent()
        if not os.path.isdir(parent.real):
            if not parents or os.path.lexists(parent.real) or parent.path == place.path:
                raise WinError(3, path)
            self.make_dir(ntpath.dirname(path.rstrip("\\/")), parents=True)
        parent.need(Rights.CREATE_FOLDERS)
        with os_errors(path):
            os.mkdir(place.real)
            _stamp(place.real, place.host)
        place.drives.created(place.path, place.token.owner)

    def remove(self, path: str) -> None:
        """Remove a file, or a folder that is empty."""
        place = self._existing(path)
        place.need_delete()
        if place.is_root or place.drives.held(place.path) or place.drives.scanned(place.path):
            raise WinError(32 if not place.is_root else 5, path)
        with os_errors(path):
            (os.rmdir if os.path.isdir(place.real) and not os.path.islink(place.real) else os.remove)(place.real)
        place.drives.forget(place.path)

    def remove_tree(self, path: str) -> None:
        """Remove a file or a folder with all that it holds; what could be removed before an error stays removed. A link
        goes, never what it leads to.
        """
        if self.is_dir(path) and not self.stat(path).link:
            for name in self.list(path):
                self.remove_tree(ntpath.join(path, name))
        self.remove(path)

    def rename(self, old: str, new: str) -> None:
        """Rename or move. A folder keeps the rights that it inherited at its old place; across drives only files can go
        (else 17).
        """
        source, target = self._existing(old), self._place(new)
        folder = os.path.isdir(source.real)
        same_entry = source.path.lower() == target.path.lower() and source.drives is target.drives
        if os.path.lexists(target.real) and not same_entry:
            raise WinError(183, new)
        if not os.path.isdir(target.parent().real):
            raise WinError(3, new)
        if source.drives is not target.drives or source.path[0] != target.path[0]:
            if folder:
                raise WinError(17, old)
            self.copy(old, new)
            self.remove(old)
            return
        source.need_delete()
        if source.drives.held(source.path) or source.drives.scanned(source.path):
            raise WinError(32, old)
        if folder and (source.drives.held(source.path, below=True) or source.drives.scanned(source.path, below=True)):
            raise WinError(5, old)
        target.parent().need(Rights.CREATE_FOLDERS if folder else Rights.CREATE_FILES)
        destination = os.path.join(target.parent().real, ntpath.basename(target.path))
        with os_errors(old):
            os.rename(source.real, destination)
        source.drives.moved(source.path, target.path, folder=folder)

    def copy(self, source: str, target: str) -> None:
        """Copy one file; an existing target is overwritten, its time is the source's, as with Copy-Item."""
        with self.open(source) as reader, self.open(target, "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
        with contextlib.suppress(OSError):
            times = os.stat(self._place(source).real)
            os.utime(self._place(target).real, ns=(times.st_atime_ns, times.st_mtime_ns))

    def set_read_only(self, path: str, marked: bool) -> None:
        """The attribute that keeps everybody from writing into a file, whatever the rights say."""
        real = self._existing(path).real
        os.chmod(real, os.stat(real).st_mode & ~0o222 | (0 if marked else OWNER_WRITES))

    def encrypt(self, path: str) -> None:
        """Protect a file by EFS, as this account: whoever else reads it gets 5, an administrator too."""
        place = self._existing(path)
        place.need(Rights.WRITE_DATA)
        place.drives.encrypt(place.path, place.token.sid)

    # Open handles

    def hold(self, path: str, owner: str) -> None:
        """Keep a file or folder open: others get 32 from `open`, `remove` and `rename` until `release`."""
        place = self._place(path)
        place.drives.hold(place.path, owner)

    def release(self, path: str, owner: str) -> None:
        place = self._place(path)
        place.drives.release(place.path, owner)

    def lock_part(self, path: str) -> None:
        """Lock bytes of a file, as a database does: others open it, and get 33 when they read, until `unlock_part`."""
        place = self._existing(path)
        place.drives.lock_part(place.path)

    def unlock_part(self, path: str) -> None:
        place = self._place(path)
        place.drives.unlock_part(place.path)

    # How a path is found

    def _place(self, path: str) -> _Place:
        unc = split_unc(path)
        if unc is None:
            return _Place(asked=path, host=self._host, drives=self._host.drives, path=normal(path), token=self._token)
        server, share_name, rest = unc
        if known := self._avoided.get(f"\\\\{server}\\{share_name}".lower()):
            raise known
        remote = self._host.find_host(server)
        if remote is None:
            raise WinError(53, path)
        at_home = remote is self._host and server.lower() not in self._connections
        token = self._token if at_home else self._remote_token(remote, server, path)
        folder, rights = remote.shares.enter(share_name, token, path)
        return _Place(
            asked=path,
            host=remote,
            drives=remote.drives,
            path=normal(ntpath.join(folder, rest)),
            token=token,
            share_rights=rights,
        )

    def _remote_token(self, remote: WindowsHost, server: str, path: str) -> Token:
        try:
            if server.lower() in self._connections:
                user, password = self._connections[server.lower()]
                return remote.accounts.log_on(user, password, network=True)
            if self._network_credentials:
                return remote.accounts.log_on(*self._network_credentials, network=True)
            if not self._delegated:
                raise WinError(5, path)
            return remote.accounts.accept(self._host.accounts.network_identity(self._token))
        except WinError as error:
            raise WinError(error.number, path) from error

    def _reaches(self, host: WindowsHost) -> bool:
        return host is self._host or self._host.find_host(host.name) is host

    def _existing(self, path: str) -> _Place:
        place = self._place(path)
        if place.status is None:
            raise WinError(2 if place.is_root or os.path.isdir(place.parent().real) else 3, path)
        return place

    def _folder(self, path: str) -> _Place:
        place = self._existing(path)
        if not os.path.isdir(place.real):
            raise WinError(267, path)
        return place

    def _kind(self, path: str) -> str | None:
        try:
            return "dir" if self.stat(path).is_dir else "file"
        except WinError:
            return None

    def _openable(self, path: str, mode: str, *, owner: str | None) -> _Place:
        place = self._place(path)
        if place.is_folder:
            raise WinError(5, path)
        if place.status is not None:
            if "x" in mode:
                raise WinError(80, path)
            wanted = (Rights.READ_DATA if "r" in mode or "+" in mode else 0) | (
                0 if mode == "rb" else Rights.WRITE_DATA
            )
            place.need(Rights.APPEND_DATA if "a" in mode else wanted)
            if place.drives.held(place.path, owner=owner):
                raise WinError(32, path)
            if place.drives.encrypted_for(place.path) not in (None, place.token.sid):
                raise WinError(5, path)
            if mode != "rb" and not os.stat(place.real).st_mode & OWNER_WRITES:
                raise WinError(5, path)
            return place
        parent = place.parent()
        if not os.path.isdir(parent.real):
            raise WinError(3, path)
        if mode == "rb":
            raise WinError(2, path)
        parent.need(Rights.CREATE_FILES)
        return place


def _stamp(real: str | int, host: WindowsHost) -> None:
    """What was just written is as old as the host's clock says, where that is not this machine's."""
    if host.clock_offset:
        now = host.clock().timestamp()
        os.utime(real, (now, now))


def _stat(place: _Place, *, ahead: timedelta, deduplicated: bool) -> Stat:
    """ahead: the clock of the host against this machine's, by which no file has a time of its own but the one of its
    last change. deduplicated: whether the volume is.
    """
    found, folder, tag = place.status, place.is_folder, 0
    if found is None:
        raise WinError(2, place.asked)
    if S_ISLNK(found.st_mode):
        tag = SYMBOLIC_LINK
    elif deduplicated and not folder and found.st_size >= DEDUPLICATED_FROM:
        tag = DEDUPLICATED
    return Stat(
        name=os.path.basename(place.real),
        size=0 if folder else found.st_size,
        created=datetime.fromtimestamp(min(found.st_ctime + ahead.total_seconds(), found.st_mtime), UTC),
        modified=datetime.fromtimestamp(found.st_mtime, UTC),
        is_dir=folder,
        reparse_tag=tag,
    )
