"""What a client of the lab needs to know of an estate: hosts, addresses, names, credentials, certificates. No daemon is
needed for it.

``describe`` makes it from the estate's file and the lab's folder; it is kept as ``estate.json`` there (without any
secret) and read back by ``Description.load``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .authority import Authority
from .config import EstateConfig
from .secrets import Secrets, load_or_make

__all__ = ["Description", "HostDescription", "describe"]


@dataclass(frozen=True, kw_only=True)
class HostDescription:
    """A host as a client sees it; ``pfx`` is the certificate for its SQL Server, '' for a host without."""

    name: str
    fqdn: str
    address: str
    site: str
    groups: tuple[str, ...]
    computer_account: str
    pfx: str = ""


@dataclass(frozen=True, kw_only=True)
class Description:
    """A whole estate, read from ``source``. Paths are of this machine unless they begin with ``\\\\``."""

    name: str
    state_dir: str
    network: str
    domain: str
    dns_suffix: str
    public_name: str
    https_port: int
    sql_alias: str
    administrator: str
    accounts: tuple[str, ...]
    ca_file: str
    site_pfx: str
    hosts: tuple[HostDescription, ...]
    shares: dict[str, str] = field(default_factory=dict)
    media: dict[str, str] = field(default_factory=dict)
    source: str = ""

    def host(self, name: str) -> HostDescription:
        """Raises KeyError with the names that there are."""
        for host in self.hosts:
            if name.lower() in (host.name, host.fqdn, host.address):
                return host
        raise KeyError(f"no host {name}; there are {', '.join(host.name for host in self.hosts)}")

    def in_group(self, group: str) -> tuple[HostDescription, ...]:
        return tuple(host for host in self.hosts if group in host.groups)

    @property
    def sites(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(host.site for host in self.hosts))

    @property
    def secrets(self) -> Secrets:
        return Secrets(**json.loads((Path(self.state_dir) / "secrets.json").read_text()))

    @classmethod
    def load(cls, state_dir: str | Path) -> Description:
        """The estate of a lab that was up at least once; raises FileNotFoundError otherwise."""
        data: dict[str, Any] = json.loads((Path(state_dir) / "estate.json").read_text())
        hosts = tuple(HostDescription(**{**host, "groups": tuple(host["groups"])}) for host in data["hosts"])
        return cls(**{**data, "hosts": hosts, "accounts": tuple(data["accounts"])})


def describe(*, config: EstateConfig, state_dir: Path, network: str) -> Description:
    """Makes (or finds) secrets and certificates of the lab and writes ``estate.json``."""
    secrets = load_or_make(folder=state_dir, config=config)
    authority = Authority(folder=state_dir / "certificates")
    issue = authority.issue
    hosts = []
    for host in config.hosts:
        fqdn, address = config.fqdn(host), config.address(host, network)
        pfx = ""
        if {"prs_sql", "prs_witness"} & set(host.groups):
            aliases = (config.sql_alias, config.partner_alias)
            names = (
                host.name.lower(),
                fqdn,
                *(name for alias in aliases for name in (alias, f"{alias}.{config.dns_suffix}")),
                address,
            )
            pfx = str(
                issue(
                    label=host.name.lower(),
                    names=tuple(dict.fromkeys(names)),
                    password=secrets.certificate,
                    legacy=not host.character.windows.aes_pfx,
                ).pfx
            )
        hosts.append(
            HostDescription(
                name=host.name.lower(),
                fqdn=fqdn,
                address=address,
                site=host.site,
                groups=host.groups,
                pfx=pfx,
                computer_account=f"{config.domain}\\{host.name.upper()}$" if host.joined else "",
            )
        )
    web = config.in_group("prs_web")
    site_names = [config.public_name]
    site_names += [
        name for host in web for name in (host.name.lower(), config.fqdn(host), config.address(host, network))
    ]
    site = issue(
        label="site",
        names=tuple(dict.fromkeys(site_names)),
        password=secrets.certificate,
        legacy=not all(host.character.windows.aes_pfx for host in web),
    )
    shares = {share.name: f"\\\\{config.fqdn(host)}\\{share.name}" for host in config.hosts for share in host.shares}
    media = config.media
    result = Description(
        name=config.name,
        state_dir=str(state_dir),
        network=network,
        domain=config.domain,
        dns_suffix=config.dns_suffix,
        public_name=config.public_name,
        https_port=config.https_port,
        sql_alias=config.sql_alias,
        administrator="Administrator",
        accounts=config.accounts,
        source=config.source,
        ca_file=str(authority.ca_file),
        site_pfx=str(site.pfx),
        hosts=tuple(hosts),
        shares=shares,
        media={
            "path": shares[media.share],
            "sql": f"{shares[media.share]}\\{media.sql_folder}",
            "zip": media.application_zip,
            "msi": media.application_msi,
            "sql_version": media.sql_version,
            "application_version": media.application_version,
        },
    )
    (state_dir / "estate.json").write_text(json.dumps(asdict(result), indent=2))
    return result
