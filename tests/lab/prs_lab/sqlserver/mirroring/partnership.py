"""What an instance remembers of mirroring: a Partnership per mirrored database, a Witnessed per session that it
watches. Kept in master.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import SqlError

if TYPE_CHECKING:
    from ..instance import Instance

__all__ = ["MIRROR", "PRINCIPAL", "Memory", "Partnership", "Witnessed"]

PRINCIPAL, MIRROR = "PRINCIPAL", "MIRROR"
_RUNTIME = ("synchronized", "armed")


@dataclass(kw_only=True)
class Partnership:
    """One partner's side of a session.

    guid: of the session, "" while a mirror that was told its partner waits for the principal to begin. partner,
    witness: network addresses. role_sequence: counts changes of roles; of two principals the one with the higher number
    is right. diverged: its log may hold what the principal never got; it is dropped when the session runs on.
    takeover_lsn: where its log stood when it became principal. failover_lsn: up to there both have it on disk.
    synchronized, armed: known while the instance runs only. armed: should the principal be lost now, the mirror takes
    over by itself.
    """

    database: str
    role: str
    partner: str
    partner_instance: str = ""
    guid: str = ""
    witness: str = ""
    safety: str = "FULL"
    timeout: int = 10
    role_sequence: int = 1
    safety_sequence: int = 1
    suspended: bool = False
    diverged: bool = False
    takeover_lsn: int = 0
    failover_lsn: int = 0
    synchronized: bool = False
    armed: bool = False

    @property
    def established(self) -> bool:
        return bool(self.guid)


@dataclass(kw_only=True)
class Witnessed:
    """What a witness knows of a session; principal and mirror are network addresses, as the partners call each other."""

    guid: str
    database: str
    principal: str
    mirror: str
    family_guid: str
    safety: str = "FULL"
    role_sequence: int = 1
    safety_sequence: int = 1
    suspended: bool = False
    synchronized: bool = False


@dataclass
class Memory:
    """All of one instance. `ended`: GUIDs of sessions that were ended here while the partner could not be told."""

    instance: Instance
    partnerships: dict[str, Partnership] = field(default_factory=dict)
    witnessed: dict[str, Witnessed] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    _unsaved: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def load(self) -> None:
        with self.instance.master() as metadata:
            self.partnerships = {one["database"].lower(): Partnership(**one) for one in metadata.all("mirroring")}
            self.witnessed = {one["guid"]: Witnessed(**one) for one in metadata.all("witnessed")}
            self.ended = {one["guid"] for one in metadata.all("mirroring ended")}

    def get(self, database: str) -> Partnership | None:
        return self.partnerships.get(database.lower())

    def save(self, one: Partnership) -> None:
        self.partnerships[one.database.lower()] = one
        self._put(
            "mirroring",
            one.database,
            {name: value for name, value in dataclasses.asdict(one).items() if name not in _RUNTIME},
        )

    def forget(self, one: Partnership, *, tell: bool) -> None:
        """The session is over here. tell: the partner does not know it yet."""
        self.partnerships.pop(one.database.lower(), None)
        self._unsaved.pop(("mirroring", one.database), None)
        with self.instance.master() as metadata:
            metadata.delete("mirroring", one.database)
            if tell and one.guid:
                self.ended.add(one.guid)
                metadata.put("mirroring ended", one.guid, {"guid": one.guid})

    def told(self, guid: str) -> None:
        """The partner knows now that the session is over."""
        self.ended.discard(guid)
        with self.instance.master() as metadata:
            metadata.delete("mirroring ended", guid)

    def witness(self, one: Witnessed) -> None:
        if self.witnessed.get(one.guid) != one:
            self.witnessed[one.guid] = one
            self._put("witnessed", one.guid, dataclasses.asdict(one))

    def dismiss(self, guid: str) -> None:
        """The instance is no longer this session's witness."""
        self._unsaved.pop(("witnessed", guid), None)
        if self.witnessed.pop(guid, None) is not None:
            with self.instance.master() as metadata:
                metadata.delete("witnessed", guid)

    def _put(self, kind: str, name: str, document: dict[str, Any]) -> None:
        """master may have no room for it now; then it is written with the next thing that is."""
        self._unsaved[kind, name] = document
        with contextlib.suppress(SqlError), self.instance.master() as metadata:
            for (waiting, of), known in self._unsaved.items():
                metadata.put(waiting, of, known)
            self._unsaved.clear()
