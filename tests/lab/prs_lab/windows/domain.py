"""An Active Directory domain, as far as names, passwords and groups go. One belongs to an estate; hosts are joined to
it.

Passwords are kept as NT hashes, as a domain controller does: NTLM needs nothing else, and no clear text lies in a state
file.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass, field
from typing import Any

from spnego._ntlm_raw.crypto import ntowfv1

from .errors import WinError
from .security import stable_authority

__all__ = ["Domain", "User", "nt_hash"]


@functools.cache  # a file on a share is opened by a new logon each time, and MD4 in Python takes long
def nt_hash(password: str) -> str:
    """The NT hash of a password in hex."""
    return ntowfv1(password).hex()


@dataclass(kw_only=True)
class User:
    """An account with a password, local or of a domain."""

    name: str
    sid: str
    nt_hash: str
    full_name: str = ""
    description: str = ""
    disabled: bool = False
    locked: bool = False
    password_expired: bool = False
    password_never_expires: bool = False
    user_cannot_change_password: bool = False
    home_directory: str = ""
    login_script: str = ""
    profile: str = ""
    account_expires: float | None = None

    def check(self, password_hash: str) -> None:
        """Raise 1326 (wrong password), 1331 (disabled) or 1330 (password expired)."""
        if password_hash != self.nt_hash or self.locked:
            raise WinError(1326, self.name)
        if self.disabled:
            raise WinError(1331, self.name)
        if self.password_expired:
            raise WinError(1330, self.name)


@dataclass
class Domain:
    """`name` is the NetBIOS name (PRSLAB), `dns_name` the full one (prs.lab)."""

    name: str
    dns_name: str
    users: dict[str, User] = field(default_factory=dict)
    computers: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    _next_rid: int = 1103

    _WELL_KNOWN_GROUPS = {"Domain Admins": 512, "Domain Users": 513, "Domain Guests": 514, "Domain Computers": 515}

    def __post_init__(self) -> None:
        self.authority = stable_authority(self.dns_name)
        for group in self._WELL_KNOWN_GROUPS:
            self.groups.setdefault(group, [])

    def _new_sid(self) -> str:
        self._next_rid += 1
        return f"{self.authority}-{self._next_rid}"

    def add_user(self, name: str, password: str, *, groups: list[str] | None = None) -> User:
        user = self.users[name.lower()] = User(name=name, sid=self._new_sid(), nt_hash=nt_hash(password))
        for group in groups or []:
            self.groups.setdefault(group, []).append(user.sid)
        return user

    def join(self, computer: str) -> str:
        """The computer's account `HOST$`; answers its SID. Joining again keeps it, as resetting a computer account
        does.
        """
        return self.computers.setdefault(computer.upper(), self._new_sid())

    def group_sid(self, group: str) -> str:
        rid = self._WELL_KNOWN_GROUPS.get(group) or 2000 + sorted(self.groups).index(group)
        return f"{self.authority}-{rid}"

    def lookup(self, name: str) -> str | None:
        """The SID of a user, group or computer (`HOST$`) of this domain, or None."""
        if name.lower() in self.users:
            return self.users[name.lower()].sid
        if name.endswith("$"):
            return self.computers.get(name[:-1].upper())
        return next((self.group_sid(group) for group in self.groups if group.lower() == name.lower()), None)

    def name_of(self, sid: str) -> str | None:
        for user in self.users.values():
            if user.sid == sid:
                return f"{self.name}\\{user.name}"
        for computer, known in self.computers.items():
            if known == sid:
                return f"{self.name}\\{computer}$"
        return next((f"{self.name}\\{group}" for group in self.groups if self.group_sid(group) == sid), None)

    def sids_of(self, sid: str) -> set[str]:
        """A user's or computer's own SID and those of its groups."""
        everyone = "Domain Computers" if sid in self.computers.values() else "Domain Users"
        return {sid, self.group_sid(everyone)} | {
            self.group_sid(group) for group, members in self.groups.items() if sid in members
        }

    def to_state(self) -> dict[str, Any]:
        return {
            "users": {key: asdict(user) for key, user in self.users.items()},
            "computers": self.computers,
            "groups": self.groups,
            "next_rid": self._next_rid,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.users = {key: User(**user) for key, user in state["users"].items()}
        self.computers, self.groups, self._next_rid = state["computers"], state["groups"], state["next_rid"]
