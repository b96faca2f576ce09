"""SMB shares of one host."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .accounts import Token
from .errors import WinError
from .parts import Part, host_part
from .security import WELL_KNOWN, Rights

__all__ = ["Share", "Shares"]

_MASKS = {
    "full": Rights.FULL,
    "change": Rights.MODIFY | Rights.SYNCHRONIZE,
    "read": Rights.READ_EXECUTE | Rights.SYNCHRONIZE,
}


@dataclass(kw_only=True)
class Share:
    """A shared folder. `access` lists (SID, full|change|read|deny)."""

    name: str
    path: str
    description: str = ""
    access: list[tuple[str, str]] = field(default_factory=lambda: [(WELL_KNOWN["Everyone"], "read")])
    encrypt: bool = False
    caching_mode: str = "Manual"
    list_access_based: bool = False

    def rights(self, sids: frozenset[str]) -> int:
        mine = [level for sid, level in self.access if sid in sids]
        if "deny" in mine:
            return 0
        granted = 0
        for level in mine:
            granted |= _MASKS[level]
        return granted


@host_part("shares")
class Shares(Part):
    """Shares by name; the administrative ones (C$, ADMIN$) are there without being listed."""

    def reset(self) -> None:
        self.by_name: dict[str, Share] = {}

    def add(self, share: Share) -> None:
        with self.host.lock:
            self.by_name[share.name.lower()] = share

    def find(self, name: str) -> Share | None:
        return self.by_name.get(name.lower())

    def remove(self, name: str) -> None:
        with self.host.lock:
            self.by_name.pop(name.lower(), None)

    def enter(self, name: str, token: Token, asked: str) -> tuple[str, int]:
        """The local folder behind a share and the rights that it leaves this token: 67 when there is no such share, 5
        when none.
        """
        share = self.find(name) or self._administrative(name)
        if share is None:
            raise WinError(67, asked)
        rights = share.rights(token.sids)
        if not rights:
            raise WinError(5, asked)
        return share.path, rights

    def _administrative(self, name: str) -> Share | None:
        full = [(WELL_KNOWN["BUILTIN\\Administrators"], "full")]
        if name.lower() == "admin$":
            return Share(name="ADMIN$", path="C:\\Windows", access=full)
        if len(name) == 2 and name[1] == "$" and name[0].upper() in self.host.drives.volumes:
            return Share(name=name.upper(), path=f"{name[0].upper()}:\\", access=full)
        return None

    def to_state(self) -> Any:
        return {key: asdict(share) for key, share in self.by_name.items()}

    def load_state(self, state: Any) -> None:
        self.by_name = {
            key: Share(**{**share, "access": [(sid, level) for sid, level in share["access"]]})
            for key, share in state.items()
        }
