"""Accounts of one host: local users and groups, well-known and virtual accounts, tokens, user rights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .domain import User, nt_hash
from .errors import WinError
from .parts import Part, host_part
from .security import WELL_KNOWN, pool_sid, service_sid, stable_authority

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["Accounts", "Group", "NetworkIdentity", "Token"]

_ADMINISTRATORS = WELL_KNOWN["BUILTIN\\Administrators"]
_SYSTEM = WELL_KNOWN["NT AUTHORITY\\SYSTEM"]
_EVERYONE = WELL_KNOWN["Everyone"]
_AUTHENTICATED = WELL_KNOWN["NT AUTHORITY\\Authenticated Users"]
_INTERACTIVE = WELL_KNOWN["NT AUTHORITY\\INTERACTIVE"]
_NETWORK = WELL_KNOWN["NT AUTHORITY\\NETWORK"]
_SERVICE = WELL_KNOWN["NT AUTHORITY\\SERVICE"]
_IIS_USERS = WELL_KNOWN["BUILTIN\\IIS_IUSRS"]
_BUILT_IN = {_SYSTEM, WELL_KNOWN["NT AUTHORITY\\LOCAL SERVICE"], WELL_KNOWN["NT AUTHORITY\\NETWORK SERVICE"]}

# prefix -> (as Windows shows it, name -> SID)
_VIRTUAL = {"nt service": ("NT SERVICE", service_sid), "iis apppool": ("IIS APPPOOL", pool_sid)}
# Spellings under which accounts are known whatever the language of Windows is. SYSTEM has none: LocalSystem is a word
# of the service manager alone.
_SPELLINGS = {
    "networkservice": WELL_KNOWN["NT AUTHORITY\\NETWORK SERVICE"],
    "nt authority\\networkservice": WELL_KNOWN["NT AUTHORITY\\NETWORK SERVICE"],
    "localservice": WELL_KNOWN["NT AUTHORITY\\LOCAL SERVICE"],
    "nt authority\\localservice": WELL_KNOWN["NT AUTHORITY\\LOCAL SERVICE"],
}
_BUILTIN_GROUPS = {
    "Administrators": "Administrators have complete and unrestricted access to the computer/domain",
    "Users": (
        "Users are prevented from making accidental or intentional system-wide changes and can run most applications"
    ),
    "Guests": (
        "Guests have the same access as members of the Users group by default, except for the Guest account "
        "which is further restricted"
    ),
    "Power Users": "Power Users are included for backwards compatibility and possess limited administrative powers",
    "Backup Operators": (
        "Backup Operators can override security restrictions for the sole purpose of backing up or restoring files"
    ),
    "Remote Desktop Users": "Members in this group are granted the right to logon remotely",
    "Remote Management Users": (
        "Members of this group can access WMI resources over management protocols (such as "
        "WS-Management via WinRM service)"
    ),
    "Performance Monitor Users": "Members of this group can access performance counter data locally and remotely",
    "Performance Log Users": "Members of this group may schedule logging of performance counters",
    "IIS_IUSRS": "Built-in group used by Internet Information Services.",
}
# The rights that matter to services and web applications, as a fresh server grants them (by SID).
_DEFAULT_RIGHTS = {
    "SeAssignPrimaryTokenPrivilege": ["S-1-5-19", "S-1-5-20"],
    "SeBatchLogonRight": [_ADMINISTRATORS, "S-1-5-32-551", "S-1-5-32-559", _IIS_USERS],
    "SeImpersonatePrivilege": ["S-1-5-19", "S-1-5-20", _ADMINISTRATORS, _SERVICE, _IIS_USERS],
    "SeInteractiveLogonRight": [_ADMINISTRATORS, "S-1-5-32-545", "S-1-5-32-551"],
    "SeNetworkLogonRight": [_EVERYONE, _ADMINISTRATORS, "S-1-5-32-545", "S-1-5-32-551"],
    "SeServiceLogonRight": ["S-1-5-80-0"],
    "SeManageVolumePrivilege": [_ADMINISTRATORS],
    "SeLockMemoryPrivilege": [],
}


@dataclass(frozen=True, kw_only=True)
class Token:
    """Who asks: `name` as whoami would say it, its SID, and every SID that counts for it."""

    name: str
    sid: str
    sids: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return _ADMINISTRATORS in self.sids

    @property
    def owner(self) -> str:
        """The SID that owns what this token creates."""
        return _ADMINISTRATORS if self.is_admin else self.sid


@dataclass(frozen=True, kw_only=True)
class NetworkIdentity:
    """Who an account is on other hosts: somebody of the domain, a local user by name and password, or nobody."""

    domain_sid: str | None = None
    name: str = ""
    nt_hash: str | None = None


@dataclass(kw_only=True)
class Group:
    name: str
    sid: str
    description: str = ""
    members: list[str] = field(default_factory=list)


@host_part("accounts")
class Accounts(Part):
    """Local accounts, and every question about who somebody is."""

    def __init__(self, host: WindowsHost) -> None:
        super().__init__(host)
        self.authority = stable_authority(host.name)
        # prefix -> the names that exist below it now; the parts that own such accounts put themselves in ("nt service",
        # "iis apppool").
        self.virtual_accounts: dict[str, Callable[[], Iterable[str]]] = {}

    def reset(self) -> None:
        speech = self.host.character.speech
        self._shown = {sid: speech.accounts.get(name, name) for name, sid in WELL_KNOWN.items()}
        self._english = {shown: name for name, shown in zip(WELL_KNOWN, self._shown.values(), strict=True)}
        administrator = User(
            name=speech.administrator, sid=f"{self.authority}-500", nt_hash=nt_hash(self.host.administrator_password)
        )
        administrator.description = "Built-in account for administering the computer/domain"
        administrator.password_never_expires = True
        guest = User(name=speech.guest, sid=f"{self.authority}-501", nt_hash=nt_hash(""), disabled=True)
        guest.description = "Built-in account for guest access to the computer/domain"
        self.users: dict[str, User] = {user.name.lower(): user for user in (administrator, guest)}
        self.groups: dict[str, Group] = {}
        for english, description in _BUILTIN_GROUPS.items():
            sid = WELL_KNOWN[f"BUILTIN\\{english}"]
            name = self._shown[sid].rsplit("\\", 1)[-1]
            self.groups[name.lower()] = Group(name=name, sid=sid, description=description)
        administrators, users = self.group(_ADMINISTRATORS), self.group(WELL_KNOWN["BUILTIN\\Users"])
        administrators.members = [administrator.sid]
        users.members = [_AUTHENTICATED, _INTERACTIVE]
        if self.host.directory:
            administrators.members.append(self.host.directory.group_sid("Domain Admins"))
            users.members.append(self.host.directory.group_sid("Domain Users"))
            self.host.directory.join(self.host.name)
        self.rights: dict[str, list[str]] = {right: list(sids) for right, sids in _DEFAULT_RIGHTS.items()}
        self._next_rid = 1000
        # Whoever prepared the server has logged on to it.
        self.host.drives.make_profile(administrator.name, administrator.sid)

    def add_user(self, name: str, password: str, *, groups: list[str] | None = None, **properties: Any) -> User:
        """A local user; `groups` are local groups by name."""
        with self.host.lock:
            user = User(name=name, sid=f"{self.authority}-{self._next_rid}", nt_hash=nt_hash(password), **properties)
            self._next_rid += 1
            self.users[name.lower()] = user
            for group in groups or []:
                self.group(group).members.append(user.sid)
        return user

    def remove_user(self, name: str) -> None:
        with self.host.lock:
            user = self.users.pop(name.lower())
            for group in self.groups.values():
                group.members = [member for member in group.members if member != user.sid]

    def group(self, name: str) -> Group:
        """A local group by name or SID; 1376 when there is none."""
        short = name.rsplit("\\", 1)[-1].lower()
        found = self.groups.get(short) or next((group for group in self.groups.values() if group.sid == name), None)
        if found is None:
            raise WinError(1376, name)
        return found

    # Names and SIDs

    def lookup(self, name: str) -> str:
        """The SID of an account in any spelling that this Windows takes, which are those of its language; 1332 when
        nobody has that name.
        """
        wanted = name.strip()
        key = wanted.lower()
        if key.startswith("s-1-"):
            return wanted.upper()
        if key in _SPELLINGS:
            return _SPELLINGS[key]
        for sid, shown in self._shown.items():
            if key in (shown.lower(), shown.rsplit("\\", 1)[-1].lower()):
                return sid
        prefix, _, short = wanted.rpartition("\\")
        prefix = prefix.lower()
        found = None
        if prefix in _VIRTUAL:
            found = _VIRTUAL[prefix][1](short) if short.lower() in map(str.lower, self._virtual_names(prefix)) else None
        elif prefix in ("", ".", self.host.name.lower()):
            found = self._local_sid(short)
        if found is None and self.host.directory:
            found = self._domain_sid(prefix, short, key)
        if found is None:
            raise WinError(1332, name)
        return found

    def sid_of(self, account: str) -> str:
        """The SID of an account that the twin itself names: as WELL_KNOWN has it, whatever this Windows calls it."""
        return WELL_KNOWN.get(account) or self.lookup(account)

    def english(self, name: str) -> str:
        """What an English Windows would call an account that this one shows as `name`."""
        return self._english.get(name, name)

    def name_of(self, sid: str) -> str:
        """The account's name as Windows shows it; the SID itself when nobody has it (any more)."""
        if sid in self._shown:
            return self._shown[sid]
        for account in (*self.users.values(), *self.groups.values()):
            if account.sid == sid:
                return f"{self.host.name}\\{account.name}"
        if self.host.directory and (name := self.host.directory.name_of(sid)):
            return name
        for prefix, (shown, make_sid) in _VIRTUAL.items():
            for name in self._virtual_names(prefix):
                if make_sid(name) == sid:
                    return f"{shown}\\{name}"
        return sid

    def _virtual_names(self, prefix: str) -> Iterable[str]:
        names = self.virtual_accounts.get(prefix)
        return names() if names else ()

    def _local_sid(self, short: str) -> str | None:
        account = self.users.get(short.lower()) or self.groups.get(short.lower())
        return account.sid if account else None

    def _domain_sid(self, prefix: str, short: str, key: str) -> str | None:
        domain = self.host.directory
        if prefix in ("", domain.name.lower(), domain.dns_name.lower()):
            short, _, suffix = (short if prefix else key).partition("@")
            if suffix in ("", domain.dns_name.lower(), domain.name.lower()):
                return domain.lookup(short)
        return None

    # Tokens

    def token(self, account: str) -> Token:
        """The token of an account that runs here (a service, a pool, a person at the console); no password is asked."""
        return self._token(self.sid_of(account))

    def log_on(self, account: str, password: str, *, network: bool = False) -> Token:
        """Check name and password as LogonUser does: 1326, 1331, 1330."""
        return self.log_on_hash(account, nt_hash(password), network=network)

    def log_on_hash(self, account: str, password_hash: str, *, network: bool = False) -> Token:
        user = self.find_user(account)
        if user is None:
            raise WinError(1326, account)
        user.check(password_hash)
        return self._token(user.sid, network=network)

    def find_user(self, account: str) -> User | None:
        """The user with a password behind a name: local, or of the domain."""
        try:
            sid = self.sid_of(account)
        except WinError:
            return None
        users = [*self.users.values(), *(self.host.directory.users.values() if self.host.directory else ())]
        return next((user for user in users if user.sid == sid), None)

    def network_identity(self, token: Token) -> NetworkIdentity:
        """Who this host's account is when it goes to another host: the built-in and virtual ones are `DOMAIN\\HOST$`."""
        domain = self.host.directory
        if token.sid in _BUILT_IN or token.sid.startswith(("S-1-5-80-", "S-1-5-82-")):
            if token.sid == WELL_KNOWN["NT AUTHORITY\\LOCAL SERVICE"]:
                return NetworkIdentity()
            return NetworkIdentity(
                domain_sid=domain.join(self.host.name) if domain else None, name=f"{self.host.name}$"
            )
        if domain and token.sid.startswith(domain.authority):
            return NetworkIdentity(domain_sid=token.sid, name=token.name)
        user = next((user for user in self.users.values() if user.sid == token.sid), None)
        return NetworkIdentity(name=user.name if user else token.name, nt_hash=user.nt_hash if user else None)

    def accept(self, identity: NetworkIdentity) -> Token:
        """The token that somebody from another host gets here: 5 for nobody, 1326 for somebody unknown."""
        if (
            identity.domain_sid
            and self.host.directory
            and identity.domain_sid.startswith(self.host.directory.authority)
        ):
            return self._token(identity.domain_sid, network=True)
        if not identity.name:
            raise WinError(5)
        if identity.nt_hash:
            return self.log_on_hash(f"{self.host.name}\\{identity.name}", identity.nt_hash, network=True)
        raise WinError(1326)

    def _token(self, sid: str, *, network: bool = False) -> Token:
        sids = {sid, _EVERYONE, _AUTHENTICATED}
        domain = self.host.directory
        if sid == _SYSTEM:
            sids.add(_ADMINISTRATORS)
        elif sid.startswith("S-1-5-80-"):
            sids |= {WELL_KNOWN["NT SERVICE\\ALL SERVICES"], _SERVICE}
        elif sid.startswith("S-1-5-82-"):
            sids |= {"S-1-5-82-0", _IIS_USERS, _SERVICE}
        elif sid in _BUILT_IN:
            sids.add(_SERVICE)
        else:
            sids.add(_NETWORK if network else _INTERACTIVE)
            if domain and sid.startswith(domain.authority):
                sids |= domain.sids_of(sid)
        while True:
            more = {group.sid for group in self.groups.values() if sids & set(group.members)} - sids
            if not more:
                return Token(name=self.name_of(sid), sid=sid, sids=frozenset(sids))
            sids |= more

    # Keeping

    def to_state(self) -> dict[str, Any]:
        return {
            "users": {key: asdict(user) for key, user in self.users.items()},
            "groups": {key: asdict(group) for key, group in self.groups.items()},
            "rights": self.rights,
            "next_rid": self._next_rid,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.users = {key: User(**user) for key, user in state["users"].items()}
        self.groups = {key: Group(**group) for key, group in state["groups"].items()}
        self.rights, self._next_rid = state["rights"], state["next_rid"]
