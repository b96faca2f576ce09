"""The logins of an instance: in memory while it runs, in master for ever."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...windows.languages import LANGUAGES
from ..errors import SqlError
from ..security import Login, hash_password

if TYPE_CHECKING:
    from ..instance import Instance

__all__ = ["Logins", "windows_sid"]

_WELL_KNOWN = {
    "NT AUTHORITY\\SYSTEM": "010100000000000512000000",
    "NT AUTHORITY\\NETWORK SERVICE": "010100000000000514000000",
    "BUILTIN\\Administrators": "01020000000000052000000020020000",
}


def windows_sid(account: str) -> bytes:
    """A SID for a Windows account that the host cannot tell: well-known ones as they are, others derived from the name
    (revision 1, S-1-5-...).
    """
    for english, sid in _WELL_KNOWN.items():
        if account.lower() in {language.accounts.get(english, english).lower() for language in LANGUAGES.values()}:
            return bytes.fromhex(sid)
    digest = hashlib.sha256(account.lower().encode()).digest()
    if account.lower().startswith("nt service\\"):
        return (
            bytes.fromhex("010600000000000550000000")
            + hashlib.sha1(account.split("\\", 1)[1].upper().encode("utf-16-le"), usedforsecurity=False).digest()
        )
    return bytes.fromhex("010500000000000515000000") + digest[:16]


class Logins:
    """Logins by name without regard to case."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.RLock()
        self._logins: dict[str, Login] = {}

    def __iter__(self) -> Iterator[Login]:
        with self._lock:
            return iter(sorted(self._logins.values(), key=lambda login: login.principal_id))

    def get(self, name: str) -> Login | None:
        return self._logins.get(str(name).lower())

    def by_sid(self, sid: bytes | None) -> Login | None:
        return next((login for login in self if login.sid == sid), None)

    def load(self) -> None:
        with self._instance.master() as metadata:
            self._logins = {
                document["name"].lower(): Login.from_document(document) for document in metadata.all("login")
            }

    def first(self) -> None:
        """The logins that setup makes: sa, the service's own, the administrators that were named."""
        settings = self._instance.settings
        now = self._instance.now().isoformat(" ", "milliseconds")
        self.save(
            Login(
                name="sa",
                sid=b"\x01",
                principal_id=1,
                password_hash=hash_password(settings.sa_password, version=settings.version)
                if settings.sa_password
                else None,
                disabled=not settings.mixed_mode or not settings.sa_password,
                created="2003-04-08 09:10:35.460",
                modified=now,
                password_set=now,
                roles=["sysadmin"],
            )
        )
        service = settings.service_account if settings.service_account.lower().startswith("nt service\\") else ""
        system = settings.system_account
        for account in dict.fromkeys((*settings.sysadmins, service, system)):
            if account and self.get(account) is None:
                roles = [] if account == system and account not in settings.sysadmins else ["sysadmin"]
                self.save(
                    Login(
                        name=account,
                        sid=windows_sid(account),
                        principal_id=self.next_id(),
                        type="U",
                        created=now,
                        modified=now,
                        roles=roles,
                    )
                )

    def next_id(self) -> int:
        return max([256, *(login.principal_id for login in self)]) + 1

    def save(self, login: Login, *, old_name: str = "") -> None:
        """Write a login, new or changed."""
        with self._lock, self._instance.master() as metadata:
            if old_name and old_name.lower() != login.name.lower():
                metadata.delete("login", old_name)
                self._logins.pop(old_name.lower(), None)
            metadata.put("login", login.name, login.to_document())
            self._logins[login.name.lower()] = login

    def drop(self, login: Login) -> None:
        with self._lock, self._instance.master() as metadata:
            metadata.delete("login", login.name)
            self._logins.pop(login.name.lower(), None)

    def require(self, name: str, *, verb: str = "find") -> Login:
        """Raises 15151."""
        found = self.get(name)
        if found is None:
            raise SqlError(
                15151, f"Cannot {verb} the login '{name}', because it does not exist or you do not have permission."
            )
        return found

    def documents(self) -> list[dict[str, Any]]:
        return [login.to_document() for login in self]
