"""The estate's YAML file as data classes.

One file describes one estate: its domain, its hosts (with site, groups, drives, shares), the accounts of its domain and
the media on its file server. ``load`` reports every problem of the file at once, each with the place where it is.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from ..windows.character import Character, character_from

__all__ = [
    "ConfigError",
    "Drive",
    "EstateConfig",
    "HostConfig",
    "MediaConfig",
    "Share",
    "built_in",
    "load",
    "parse",
    "parse_size",
]

DEFAULT_NETWORK = "127.61.0.0"
_UNITS = {"KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}


class ConfigError(Exception):
    """The estate file is wrong; ``problems`` holds one sentence per fault."""

    def __init__(self, source: str, problems: list[str]):
        self.source = source
        self.problems = problems
        super().__init__(f"{source}: " + "; ".join(problems))


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A volume of a host: ``letter`` like ``C``, ``size`` in bytes."""

    letter: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Share:
    """A folder that a host offers: ``rights`` maps ``read``, ``change`` or ``full`` to account names."""

    name: str
    path: str
    rights: dict[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """One Windows host. ``number`` is the last part of its address in the lab's network."""

    name: str
    site: str
    number: int
    groups: tuple[str, ...] = ()
    character: Character = field(default_factory=Character)
    joined: bool = True
    drives: tuple[Drive, ...] = ()
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MediaConfig:
    """What lies on the media share: names are relative to the share's folder."""

    share: str = "media"
    sql_folder: str = "sql"
    sql_version: str = "15.0.4430.1"
    sql_edition: str = "Standard Edition (64-bit)"
    sql_restart: bool = False
    application_zip: str = "PasswordResetServer.zip"
    application_msi: str = "PasswordResetServer.msi"
    application_version: str = "5.3.000020"


@dataclass(frozen=True, kw_only=True)
class EstateConfig:
    """A whole estate; ``source`` is what it was read from, as ``load`` takes it.

    ``administrators`` are those of the accounts that are Domain Admins. With a ``ticket_life`` (seconds) the domain has a
    KDC, and its hosts take Kerberos. With ``client_certificates`` they take those of the lab's authority. ``aliases`` are
    further names in its DNS, each with the host that it leads to. Without ``own_inventory`` whoever made the estate brings
    the inventory as well.
    """

    name: str
    domain: str
    dns_suffix: str
    public_name: str
    sql_alias: str
    https_port: int
    hosts: tuple[HostConfig, ...]
    accounts: tuple[str, ...] = ()
    https_only: bool = False
    media: MediaConfig = field(default_factory=MediaConfig)
    administrators: tuple[str, ...] = ()
    ticket_life: int = 0
    client_certificates: bool = False
    sql_partner_alias: str = ""
    aliases: dict[str, str] = field(default_factory=dict)
    own_inventory: bool = True
    source: str = ""

    @property
    def partner_alias(self) -> str:
        """The SQL client alias of the failover partner."""
        return self.sql_partner_alias or f"{self.sql_alias}-partner"

    def host(self, name: str) -> HostConfig:
        """The host of that name (any case); raises KeyError."""
        for host in self.hosts:
            if host.name.lower() == name.lower():
                return host
        raise KeyError(name)

    def fqdn(self, host: HostConfig) -> str:
        return f"{host.name}.{self.dns_suffix}".lower()

    def address(self, host: HostConfig, network: str) -> str:
        """The host's address when the lab's network starts at ``network``."""
        return str(ipaddress.IPv4Address(network) + host.number)

    @property
    def sites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(host.site for host in self.hosts))

    def in_group(self, group: str) -> tuple[HostConfig, ...]:
        return tuple(host for host in self.hosts if group in host.groups)

    def share_host(self, share: str) -> tuple[HostConfig, Share] | None:
        """Who offers the share of that name."""
        for host in self.hosts:
            for offered in host.shares:
                if offered.name.lower() == share.lower():
                    return host, offered
        return None


def parse_size(text: str | int) -> int:
    """``60 GB`` -> bytes; raises ValueError."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    found = re.fullmatch(r"\s*(\d+)\s*([KMGT]B)\s*", str(text), re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r} is not a size such as '60 GB'")
    return int(found[1]) * _UNITS[found[2].upper()]


def built_in(name: str) -> Path:
    """The path of an estate that comes with the lab: ``default``, ``single`` or ``odd``."""
    return Path(str(resources.files("prs_lab").joinpath("estates", f"{name}.yml")))


def load(path: str | Path) -> EstateConfig:
    """Reads an estate file; a bare word such as ``default`` means one that comes with the lab. Raises ConfigError."""
    file = Path(path)
    if not file.exists() and re.fullmatch(r"[a-z0-9-]+", str(path)):
        file = built_in(str(path))
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror}"]) from error
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(str(path), [f"is not YAML: {error}"]) from error
    return parse(data, source=str(path), name=file.stem)


class _Reader:
    """Takes values out of nested mappings and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def wrong(self, place: str, what: str) -> None:
        self.problems.append(f"{place} {what}")

    def mapping(self, value: Any, place: str, allowed: tuple[str, ...] | None = None) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(place, "must be a mapping")
            return {}
        for key in value:
            if allowed is not None and key not in allowed:
                self.wrong(f"{place}.{key}", f"is unknown; known are {', '.join(allowed)}")
        return value

    def value(self, data: dict[str, Any], key: str, place: str, kind: type, default: Any = ...) -> Any:
        if key not in data or data[key] is None:
            if default is ...:
                self.wrong(f"{place}.{key}", "is missing")
                return kind()
            return default
        found = data[key]
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            self.wrong(f"{place}.{key}", f"must be of type {kind.__name__}, not {found!r}")
            return kind()
        return found

    def names(self, data: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
        found = data.get(key) or []
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self.wrong(f"{place}.{key}", "must be a list of names")
            return ()
        return tuple(found)


def parse(data: Any, *, source: str = "estate", name: str = "estate") -> EstateConfig:
    """The estate that a parsed YAML document describes; raises ConfigError with everything that is wrong."""
    reader = _Reader()
    top = reader.mapping(
        data,
        "estate",
        (
            "domain", "dns_suffix", "public_name", "sql_alias", "https_port", "https_only", "accounts", "hosts", "media", "administrators",
            "ticket_life", "client_certificates", "sql_partner_alias", "aliases", "own_inventory",
        ),
    )  # fmt: skip
    hosts = tuple(_host(reader, key, value) for key, value in reader.mapping(top.get("hosts"), "hosts").items())
    media_fields = tuple(MediaConfig.__dataclass_fields__)
    media_data = reader.mapping(top.get("media"), "media", media_fields)
    media = MediaConfig(
        **{
            key: reader.value(media_data, key, "media", type(getattr(MediaConfig, key)))
            for key in media_fields
            if key in media_data
        }
    )
    config = EstateConfig(
        name=name,
        domain=reader.value(top, "domain", "estate", str, "PRSLAB"),
        dns_suffix=reader.value(top, "dns_suffix", "estate", str, "prslab.test"),
        public_name=reader.value(top, "public_name", "estate", str, "reset.prslab.test"),
        sql_alias=reader.value(top, "sql_alias", "estate", str, "prs-sql"),
        https_port=reader.value(top, "https_port", "estate", int, 8443),
        hosts=hosts,
        accounts=reader.names(top, "accounts", "estate"),
        https_only=reader.value(top, "https_only", "estate", bool, False),
        media=media,
        administrators=reader.names(top, "administrators", "estate"),
        ticket_life=reader.value(top, "ticket_life", "estate", int, 0),
        client_certificates=reader.value(top, "client_certificates", "estate", bool, False),
        sql_partner_alias=reader.value(top, "sql_partner_alias", "estate", str, ""),
        aliases={name.lower(): str(host) for name, host in reader.mapping(top.get("aliases"), "aliases").items()},
        own_inventory=reader.value(top, "own_inventory", "estate", bool, True),
        source=source,
    )
    _check_whole(reader, config)
    if reader.problems:
        raise ConfigError(source, reader.problems)
    return config


def _host(reader: _Reader, name: Any, value: Any) -> HostConfig:
    place = f"hosts.{name}"
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,14}", name):
        reader.wrong(place, "is not a Windows computer name (letters, digits and dashes, at most 15)")
    known = ("site", "number", "groups", "character", "joined", "drives", "shares")
    data = reader.mapping(value, place, known)
    number = reader.value(data, "number", place, int)
    if not 2 <= number <= 254:
        reader.wrong(f"{place}.number", "must lie between 2 and 254")
    drives = tuple(
        _drive(reader, letter, size, f"{place}.drives")
        for letter, size in reader.mapping(data.get("drives") or {"C": "60 GB"}, f"{place}.drives").items()
    )
    if "C" not in {drive.letter for drive in drives}:
        reader.wrong(f"{place}.drives", "must contain C")
    shares = tuple(
        _share(reader, key, share, f"{place}.shares.{key}")
        for key, share in reader.mapping(data.get("shares"), f"{place}.shares").items()
    )
    for share in shares:
        if share.path[:1].upper() not in {drive.letter for drive in drives}:
            reader.wrong(f"{place}.shares.{share.name}.path", f"lies on a drive that the host has not: {share.path}")
    character = character_from(
        reader.mapping(data.get("character"), f"{place}.character"),
        drives=frozenset(drive.letter for drive in drives),
        wrong=lambda trait, what: reader.wrong(f"{place}.character.{trait}", what),
    )
    return HostConfig(
        name=str(name),
        site=reader.value(data, "site", place, str),
        number=number,
        groups=reader.names(data, "groups", place),
        character=character,
        joined=reader.value(data, "joined", place, bool, True),
        drives=drives,
        shares=shares,
    )


def _drive(reader: _Reader, letter: Any, size: Any, place: str) -> Drive:
    if not isinstance(letter, str) or not re.fullmatch(r"[A-Za-z]", letter):
        reader.wrong(place, f"{letter!r} is not a drive letter")
        letter = "C"
    try:
        return Drive(letter=letter.upper(), size=parse_size(size))
    except ValueError as error:
        reader.wrong(f"{place}.{letter}", str(error))
        return Drive(letter=letter.upper(), size=0)


def _share(reader: _Reader, name: Any, value: Any, place: str) -> Share:
    data = reader.mapping(value, place, ("path", "read", "change", "full"))
    path = reader.value(data, "path", place, str)
    if not re.match(r"[A-Za-z]:\\", path):
        reader.wrong(f"{place}.path", "must be a Windows path such as D:\\Shares\\backup")
    rights = {right: reader.names(data, right, place) for right in ("read", "change", "full") if right in data}
    return Share(name=str(name), path=path, rights=rights)


def _check_whole(reader: _Reader, config: EstateConfig) -> None:
    if not config.hosts:
        reader.wrong("hosts", "must name at least one host")
    seen_numbers: dict[int, str] = {}
    seen_names: set[str] = set()
    for host in config.hosts:
        if host.number in seen_numbers:
            reader.wrong(f"hosts.{host.name}.number", f"is already the number of {seen_numbers[host.number]}")
        seen_numbers[host.number] = host.name
        if host.name.lower() in seen_names:
            reader.wrong(f"hosts.{host.name}", "appears twice (names of computers know no case)")
        seen_names.add(host.name.lower())
    for alias, name in config.aliases.items():
        if name.lower() not in seen_names:
            reader.wrong(f"aliases.{alias}", f"leads to {name}, which is no host of the estate")
    if not 1 <= config.https_port <= 65535:
        reader.wrong("estate.https_port", "must be a port number")
    if config.share_host(config.media.share) is None:
        reader.wrong("media.share", f"names the share {config.media.share!r}, which no host offers")
