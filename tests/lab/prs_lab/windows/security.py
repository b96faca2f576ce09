"""Access control: security identifiers, rights, access control entries, and who may do what.

Accounts are held as SID strings, as Windows does, because names differ by language. Entries and their inheritance
follow NTFS: explicit entries before inherited ones, denials before permissions; what a child inherits is computed from
its parents, except where inheritance was switched off (`protected`) or where a folder was moved and still carries what
it inherited at its old place (`moved`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

__all__ = [
    "CONTAINER", "INHERIT_ONLY", "NO_PROPAGATE", "OBJECT", "WELL_KNOWN", "Ace", "Descriptor", "Rights", "allowed", "inherit", "pool_sid", "service_sid",
    "stable_authority",
]  # fmt: skip

# Inheritance and propagation flags, with the numbers of .NET.
CONTAINER, OBJECT = 1, 2
NO_PROPAGATE, INHERIT_ONLY = 1, 2

# name as Windows writes it -> SID
WELL_KNOWN = {
    "Everyone": "S-1-1-0",
    "CREATOR OWNER": "S-1-3-0",
    "CREATOR GROUP": "S-1-3-1",
    "NT AUTHORITY\\NETWORK": "S-1-5-2",
    "NT AUTHORITY\\BATCH": "S-1-5-3",
    "NT AUTHORITY\\INTERACTIVE": "S-1-5-4",
    "NT AUTHORITY\\SERVICE": "S-1-5-6",
    "NT AUTHORITY\\ANONYMOUS LOGON": "S-1-5-7",
    "NT AUTHORITY\\Authenticated Users": "S-1-5-11",
    "NT AUTHORITY\\IUSR": "S-1-5-17",
    "NT AUTHORITY\\SYSTEM": "S-1-5-18",
    "NT AUTHORITY\\LOCAL SERVICE": "S-1-5-19",
    "NT AUTHORITY\\NETWORK SERVICE": "S-1-5-20",
    "BUILTIN\\Administrators": "S-1-5-32-544",
    "BUILTIN\\Users": "S-1-5-32-545",
    "BUILTIN\\Guests": "S-1-5-32-546",
    "BUILTIN\\Power Users": "S-1-5-32-547",
    "BUILTIN\\Backup Operators": "S-1-5-32-551",
    "BUILTIN\\Remote Desktop Users": "S-1-5-32-555",
    "BUILTIN\\Performance Monitor Users": "S-1-5-32-558",
    "BUILTIN\\Performance Log Users": "S-1-5-32-559",
    "BUILTIN\\IIS_IUSRS": "S-1-5-32-568",
    "BUILTIN\\Remote Management Users": "S-1-5-32-580",
    "NT SERVICE\\ALL SERVICES": "S-1-5-80-0",
    "NT SERVICE\\TrustedInstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES": "S-1-15-2-1",
}


class Rights:
    """File system rights, with the numbers of .NET's `FileSystemRights`."""

    READ_DATA = LIST = 1
    WRITE_DATA = CREATE_FILES = 2
    APPEND_DATA = CREATE_FOLDERS = 4
    READ_EXTENDED = 8
    WRITE_EXTENDED = 16
    EXECUTE = 32
    DELETE_CHILD = 64
    READ_ATTRIBUTES = 128
    WRITE_ATTRIBUTES = 256
    DELETE = 65536
    READ_PERMISSIONS = 131072
    CHANGE_PERMISSIONS = 262144
    TAKE_OWNERSHIP = 524288
    SYNCHRONIZE = 1048576
    WRITE = 278
    READ = 131209
    READ_EXECUTE = 131241
    MODIFY = 197055
    FULL = 2032127


@dataclass(frozen=True, kw_only=True)
class Ace:
    """One access control entry. `mask` is a sum of rights; `inherited` says that it came from a parent."""

    sid: str
    mask: int
    allow: bool = True
    inheritance: int = 0
    propagation: int = 0
    inherited: bool = False

    def to_state(self) -> list[Any]:
        return [self.sid, self.mask, self.allow, self.inheritance, self.propagation]

    @classmethod
    def from_state(cls, state: list[Any], *, inherited: bool = False) -> Ace:
        sid, mask, allow, inheritance, propagation = state
        return cls(
            sid=sid, mask=mask, allow=allow, inheritance=inheritance, propagation=propagation, inherited=inherited
        )


@dataclass
class Descriptor:
    """What one file or folder carries itself: explicit entries, owner, and whether it takes its parent's entries."""

    entries: list[Ace] = field(default_factory=list)
    protected: bool = False
    owner: str | None = None
    moved: list[Ace] | None = None

    @property
    def is_plain(self) -> bool:
        """True when it says nothing that would not hold anyway."""
        return not (self.entries or self.protected or self.owner or self.moved is not None)

    def to_state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"entries": [ace.to_state() for ace in self.entries]}
        if self.protected:
            state["protected"] = True
        if self.owner:
            state["owner"] = self.owner
        if self.moved is not None:
            state["moved"] = [ace.to_state() for ace in self.moved]
        return state

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Descriptor:
        moved = state.get("moved")
        return cls(
            entries=[Ace.from_state(entry) for entry in state["entries"]],
            protected=state.get("protected", False),
            owner=state.get("owner"),
            moved=None if moved is None else [Ace.from_state(entry, inherited=True) for entry in moved],
        )


@lru_cache(maxsize=4096)
def inherit(ace: Ace, *, folder: bool, owner: str | None = None) -> tuple[Ace, ...]:
    """The entries that a child gets from one entry of its parent. CREATOR OWNER becomes the child's owner where it
    takes effect.
    """
    creator = ace.sid == WELL_KNOWN["CREATOR OWNER"] and owner is not None
    here = replace(ace, sid=owner if creator else ace.sid, inheritance=0, propagation=0, inherited=True)
    if not folder:
        return (here,) if ace.inheritance & OBJECT else ()
    passed_on = () if ace.propagation & NO_PROPAGATE else (replace(ace, propagation=INHERIT_ONLY, inherited=True),)
    if not ace.inheritance & CONTAINER:
        return passed_on if ace.inheritance & OBJECT else ()
    if creator or not passed_on:
        return (here, *passed_on)
    return (replace(ace, propagation=0, inherited=True),)


def allowed(entries: Iterable[Ace], sids: frozenset[str]) -> int:
    """The rights that a token with these SIDs has by entries in canonical order (explicit before inherited, denial
    before permission).
    """
    granted = denied = 0
    for inherited in (False, True):
        of_level = [
            ace
            for ace in entries
            if ace.inherited is inherited and not ace.propagation & INHERIT_ONLY and ace.sid in sids
        ]
        for ace in of_level:
            if not ace.allow:
                denied |= ace.mask & ~granted
        for ace in of_level:
            if ace.allow:
                granted |= ace.mask & ~denied
    return granted


def service_sid(name: str) -> str:
    """The SID of `NT SERVICE\\name`: made from the name alone, the same on every machine."""
    return _hashed_sid("S-1-5-80", name.upper())


def pool_sid(name: str) -> str:
    """The SID of `IIS AppPool\\name`."""
    return _hashed_sid("S-1-5-82", name.lower())


def stable_authority(name: str) -> str:
    """A `S-1-5-21-a-b-c` for a machine or domain: invented, but the same every time for the same name."""
    digest = hashlib.sha256(name.lower().encode()).digest()
    return "S-1-5-21-" + "-".join(str(int.from_bytes(digest[i : i + 4], "little")) for i in (0, 4, 8))


def _hashed_sid(prefix: str, name: str) -> str:
    digest = hashlib.sha1(name.encode("utf-16-le")).digest()
    return prefix + "".join(f"-{int.from_bytes(digest[i : i + 4], 'little')}" for i in range(0, 20, 4))
