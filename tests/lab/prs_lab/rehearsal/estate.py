"""From a user's inventory to an estate of the laboratory: the same servers, drives, shares, accounts and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .reading import RehearsalError, UserInventory, plain
from .servers import ELSEWHERE, Server, problems, servers

__all__ = ["PlannedEstate", "plan_estate", "texts"]

_DRIVE_SIZE = "100 GB"
_ACCOUNT = re.compile(r"(?P<domain>[\w-]+)\\(?P<name>[\w.$-]+)|(?P<user>[\w.-]+)@(?P<suffix>[\w.-]+)")
_UNC = re.compile(r"\\\\(?P<server>[^\\]+)\\(?P<share>[^\\]+)(?:\\(?P<rest>.*))?")
_VERSION = "15.0.4430.1"
_IGNORED = ("prs_sql_updates", "prs_dotnet_media")
"""Variables of media that the lab has none of; the inventory of the rehearsal has them empty."""


@dataclass(frozen=True, kw_only=True)
class PlannedEstate:
    """``document``: as the lab reads it from YAML. ``computers``: the inventory's hosts -> names of computers. ``notes``: what is
    not as it really is, a sentence each. ``domain``: its NetBIOS name.
    """

    document: dict[str, Any]
    computers: dict[str, str]
    domain: str
    notes: tuple[str, ...] = ()


def plan_estate(inventory: UserInventory, *, low_ports: bool) -> PlannedEstate:
    """Raises RehearsalError with all that stands in the way. ``low_ports``: whether this process may serve ports below 1024."""
    wrong = problems(inventory)
    if wrong:
        raise RehearsalError(wrong)
    return _Planner(inventory, low_ports=low_ports).plan()


def texts(values: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(name, text) of every text in a variable, with those of lists and mappings under the name that stands nearest."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from texts(value, str(key))
    elif isinstance(values, list):
        for value in values:
            yield from texts(value, name)
    elif isinstance(values, str):
        yield name, values


class _Planner:
    def __init__(self, inventory: UserInventory, *, low_ports: bool) -> None:
        self.low_ports = low_ports
        self.servers = servers(inventory)
        self.values = {server.host: _relevant(inventory.values[server.host]) for server in self.servers}
        self.suffix = self.servers[0].suffix
        self.shares: dict[str, dict[str, dict[str, Any]]] = {}
        self.aliases: dict[str, str] = {}
        self.wrong: list[str] = []
        self.notes: list[str] = []

    def plan(self) -> PlannedEstate:
        domain, accounts = self._accounts()
        for name, path in self._texts():
            match = _UNC.fullmatch(path)
            if match:
                self.shares.setdefault(self._file_server(match["server"]), {})[match["share"].lower()] = {"name": name}
        media = self._media()
        hosts = self._hosts(domain, accounts, str(media["share"]).lower())
        self._ports()
        if self.wrong:
            raise RehearsalError(self.wrong)
        document = {
            "domain": domain,
            "dns_suffix": self.suffix,
            "public_name": str(self._value("prs_app_public_name") or self._web.fqdn),
            "sql_alias": str(self._value("prs_sql_alias") or "prs-sql"),
            "sql_partner_alias": str(self._value("prs_sql_partner_alias") or ""),
            "https_port": int(self._value("prs_app_https_port") or 443) if self.low_ports else 8443,
            "https_only": True,
            "accounts": accounts,
            "aliases": self.aliases,
            "own_inventory": False,
            "hosts": hosts,
            "media": media,
        }
        computers = plain({server.host: server.name for server in self.servers})
        return PlannedEstate(document=plain(document), computers=computers, domain=domain, notes=tuple(self.notes))

    @property
    def _web(self) -> Server:
        return next(server for server in self.servers if "prs_web" in server.groups)

    def _value(self, name: str) -> Any:
        """Of the first server that has it."""
        return next((values[name] for values in self.values.values() if values.get(name)), None)

    def _texts(self) -> Iterator[tuple[str, str]]:
        for values in self.values.values():
            yield from texts({name: value for name, value in values.items() if name not in _IGNORED})

    def _accounts(self) -> tuple[str, list[str]]:
        domains, names = {}, []
        for name, text in self._texts():
            match = _ACCOUNT.fullmatch(text) if name.endswith(("_user", "_account")) else None
            if match:
                domains.setdefault((match["domain"] or "").upper(), name)
                names.append((match["name"] or match["user"]).lower())
        named = {domain: name for domain, name in domains.items() if domain}
        if len(named) > 1:
            said = ", ".join(f"{domain} ({name})" for domain, name in named.items())
            self.wrong.append(f"accounts are of several domains: {said}; the laboratory has one domain")
        default = self.suffix.split(".")[0].upper()[:15]
        return next(iter(named), default), list(dict.fromkeys([*names, "svc-prs"]))

    def _file_server(self, server: str) -> str:
        """The computer behind the name of a share's server: one of the inventory, or one that is made for it."""
        wanted = server.lower()
        for known in self.servers:
            if wanted in (known.name.lower(), known.fqdn):
                return known.name
        if wanted not in self.aliases:
            label = re.sub(r"[^a-z0-9-]", "-", wanted if re.fullmatch(r"[\d.]+", wanted) else wanted.split(".")[0])
            name = (label if label[0].isalpha() else f"s{label}")[:15].rstrip("-")
            taken = {known.name.lower() for known in self.servers} | set(self.aliases.values())
            while name in taken:
                name = f"{name[:13]}-{len(taken) % 10}"
            self.aliases[wanted] = name
            self.notes.append(f"{server}, which has shares, is no host of the inventory: a file server stands for it")
        return self.aliases[wanted]

    def _media(self) -> dict[str, Any]:
        sql, zip_path = str(self._value("prs_sql_media") or ""), self._application_media()
        match, application = _UNC.fullmatch(sql), _UNC.fullmatch(zip_path)
        if match is None or not match["rest"]:
            self.wrong.append(
                f"prs_sql_media is {sql!r}: a rehearsal needs a folder on a share, \\\\server\\share\\folder"
            )
        if application is None or not application["rest"]:
            self.wrong.append(
                f"prs_media_path and prs_app_media give {zip_path!r}: a rehearsal needs a file on a share, \\\\server\\share\\..."
            )
        if match is None or application is None:
            return {"share": "media"}
        if (match["server"].lower(), match["share"].lower()) != (
            application["server"].lower(),
            application["share"].lower(),
        ):
            self.wrong.append(
                "prs_sql_media and prs_media_path are on different shares; the laboratory has media on one"
            )
        enterprise = str(self._value("prs_mirror_safety")) == "asynchronous"
        installer = application["rest"] or ""
        return {
            "share": match["share"].lower(),
            "sql_folder": match["rest"] or "",
            "sql_version": str(self._value("prs_sql_build") or _VERSION),
            "sql_edition": "Enterprise Edition (64-bit)" if enterprise else "Standard Edition (64-bit)",
            ("application_msi" if installer.lower().endswith(".msi") else "application_zip"): installer,
        }

    def _application_media(self) -> str:
        package = self._value("prs_app_package")
        return str(
            package
            or f"{self._value('prs_media_path') or ''}\\{self._value('prs_app_media') or 'PasswordResetServer.zip'}"
        )

    def _hosts(self, domain: str, accounts: list[str], media: str) -> dict[str, Any]:
        made = {
            name: Server(host=name, name=name, suffix=self.suffix, site=ELSEWHERE, groups=())
            for name in self.aliases.values()
        }
        everyone = [f"{domain}\\{server.name.upper()}$" for server in self.servers]
        everyone += [f"{domain}\\{account}" for account in accounts if account != "svc-prs"]
        hosts = {}
        for number, server in enumerate([*self.servers, *made.values()], start=11):
            shares = {
                share: {"path": f"C:\\Shares\\{share}", ("read" if share == media else "change"): everyone}
                for share in self.shares.get(server.name, {})
            }
            hosts[server.name] = {
                "site": server.site,
                "number": number,
                "groups": list(server.groups or ("prs_share",)),
                "drives": dict.fromkeys(self._drives(server), _DRIVE_SIZE),
                "shares": shares,
            }
        if len(hosts) > 200:
            self.wrong.append(f"the inventory has {len(hosts)} servers; the laboratory takes 200")
        return hosts

    def _drives(self, server: Server) -> list[str]:
        """C, and those on which its variables have paths. A web server has none for the paths of SQL Server."""
        only = "prs_sql" in server.groups or "prs_witness" in server.groups
        named = {
            text[0].upper()
            for variable, value in self.values.get(server.host, {}).items()
            for _, text in texts(value, variable)
            if re.match(r"[A-Za-z]:\\", text) and (only or not variable.startswith("prs_sql_"))
        }
        return sorted({"C", *named})

    def _ports(self) -> None:
        for name in ("prs_app_https_port", "prs_sql_port", "prs_mirror_port"):
            for host, values in self.values.items():
                given = values.get(name)
                if given is not None and not (str(given).isdigit() and 1 <= int(given) <= 65535):
                    self.wrong.append(f"{name} (of {host}) is {given!r}, which is no port")
        if not self.low_ports and int(self._value("prs_app_https_port") or 443) < 1024:
            self.notes.append("the page is on port 8443, since only root may serve ports below 1024 here")


def _relevant(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name.startswith("prs_")}
