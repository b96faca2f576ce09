"""A running estate: its hosts, made from the description and brought back from what is kept of them."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from ..record import Record
from ..sqlserver.mirroring.machine import stop_together
from ..windows.domain import Domain
from ..windows.host import WindowsHost
from ..windows.security import CONTAINER, OBJECT, WELL_KNOWN, Ace, Descriptor, Rights
from ..windows.shares import Share
from ..windows.winrm import WinRmSettings
from . import inventory
from .authority import Authority
from .config import EstateConfig, HostConfig
from .description import Description, describe
from .faults import FaultyWinRm
from .kdc import KeyDistributionCenter
from .media import media_files
from .network import Network
from .secrets import Secrets

__all__ = ["Estate"]

CLIENT_PRINCIPAL = "administrator@localhost"
"""The user principal name in the certificate of a client, as those that map it write it for a local account."""
_SYSTEM = "NT AUTHORITY\\SYSTEM"
_LEVELS = {"read": Rights.READ_EXECUTE, "change": Rights.MODIFY, "full": Rights.FULL}


class Estate:
    """All hosts of one lab in this process. ``start()`` brings them up, ``close()`` keeps them for the next time."""

    def __init__(self, *, config: EstateConfig, state_dir: Path, network: str):
        self.config = config
        self.state_dir = state_dir
        self.description: Description = describe(config=config, state_dir=state_dir, network=network)
        self.secrets: Secrets = self.description.secrets
        certificates = Path(self.description.ca_file).parent
        if config.own_inventory:
            inventory.write(
                folder=state_dir / "inventory",
                config=config,
                network=network,
                secrets=self.secrets,
                certificates=certificates,
            )
        self.record = Record(state_dir / "record.jsonl")
        self.network = Network(config=config, base=network)
        self.trusted_roots = (Path(self.description.ca_file).read_bytes(),)
        # Microsoft's driver finds the CA here; the application's twin connects with it as SqlClient would with the
        # machine's store.
        os.environ["SSL_CERT_FILE"] = self.description.ca_file
        self.domain = Domain(config.domain, config.dns_suffix)
        self._load_domain()
        self._add_accounts()
        self.kdc = self._start_kdc() if config.ticket_life else None
        self._winrm = self._winrm_settings()
        self.hosts: dict[str, WindowsHost] = {host.name.lower(): self._make(host) for host in config.hosts}

    # What hosts ask

    def resolve(self, name: str) -> WindowsHost | None:
        return self.network.resolve(name)

    def reachable(self, from_host: WindowsHost, to_host: WindowsHost) -> bool:
        return self.network.reachable(from_host, to_host)

    def is_cut(self, host: WindowsHost) -> bool:
        return self.network.is_cut(host)

    # Life

    def start(self) -> None:
        """Brings every host to where it was; a host that was never there boots for the first time."""
        for host in self.hosts.values():
            if host.load():
                host.power.resume()
            else:
                host.drives.reset()  # what is left where an earlier first boot did not come to its end
                self.prepare(host)
                host.power.start()
                host.save()
        self.apply_cuts()

    def close(self) -> None:
        # All at once: one after the other, a mirror would see its principal go and take over.
        stop_together([instance for host in self.hosts.values() for instance in host.sql_server.all_running()])
        for host in self.hosts.values():
            host.close()
        self.save()
        if self.kdc is not None:
            self.kdc.stop()
        self.record.close()
        self._hand_in_record()

    def _hand_in_record(self) -> None:
        """A test run judges what all of its labs were asked: it names a folder in PRS_LAB_RECORDS, where each leaves a
        copy of its record.
        """
        folder = os.environ.get("PRS_LAB_RECORDS")
        if folder:
            shutil.copyfile(
                self.state_dir / "record.jsonl", Path(folder) / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
            )

    def save(self) -> None:
        """Keeps what belongs to no single host."""
        state = {"domain": self.domain.to_state(), "network": self.network.to_state()}
        file = self.state_dir / "shared.json"
        scratch = file.with_suffix(".new")
        scratch.write_text(json.dumps(state))
        scratch.replace(file)

    def host(self, name: str) -> WindowsHost:
        """Raises KeyError with the names that there are."""
        found = self.hosts.get(name.lower()) or self.resolve(name)
        if found is None:
            raise KeyError(f"no host {name}; there are {', '.join(self.hosts)}")
        return found

    def wipe(self, name: str) -> None:
        """The host comes back as a prepared, empty server; a file server with its shares and media, but without what
        others put there.
        """
        host = self.host(name)
        host.power.wipe()
        self.prepare(host)
        host.save()

    def cut(self, site: str) -> None:
        self.network.cut(site)
        self.apply_cuts()

    def heal(self) -> None:
        self.network.heal()
        self.apply_cuts()

    def apply_cuts(self) -> None:
        """Closes what a cut site offered to the world, which is silence then, and opens it again when it was healed."""
        for host in self.hosts.values():
            host.connected = not self.is_cut(host)
            if not host.power.is_on:
                continue
            if host.connected:
                host.power.connect()
                host.close_network()
                host.open_network()
                _sync(host)
            else:
                host.power.cut_off(lambda host=host: (host.close_network(), _sync(host)))

    # Making hosts

    def _make(self, config: HostConfig) -> WindowsHost:
        root = self.state_dir / "hosts" / config.name.lower()
        root.mkdir(parents=True, exist_ok=True)
        host = WindowsHost(
            name=config.name,
            address=self.config.address(config, self.network.base),
            root=root,
            administrator_password=self.secrets.administrator,
            record=self.record,
            estate=self,
            directory=self.domain if config.joined else None,
            capacities={drive.letter: drive.size for drive in config.drives},
            character=config.character,
        )
        winrm = self._winrm_of(config)
        host.on_network(lambda one: FaultyWinRm(one, winrm))
        self.network.add(host)
        return host

    def prepare(self, host: WindowsHost) -> None:
        """The shares of a fresh host, and the media on the one that offers them."""
        for share in self.config.host(host.name).shares:
            view = host.files(_SYSTEM)
            view.make_dir(share.path)
            access = [(WELL_KNOWN["BUILTIN\\Administrators"], "full")]
            entries = []
            for level, accounts in share.rights.items():
                for account in accounts:
                    sid = host.accounts.sid_of(account)
                    access.append((sid, level))
                    entries.append(
                        Ace(sid=sid, mask=_LEVELS[level] | Rights.SYNCHRONIZE, inheritance=CONTAINER | OBJECT)
                    )
            administrators = [
                Ace(sid=WELL_KNOWN[name], mask=Rights.FULL, inheritance=CONTAINER | OBJECT)
                for name in (_SYSTEM, "BUILTIN\\Administrators")
            ]
            host.drives.set_descriptor(share.path, Descriptor(entries=[*administrators, *entries], protected=True))
            host.shares.add(Share(name=share.name, path=share.path, access=access))
            if share.name == self.config.media.share:
                for name, data in media_files(self.config.media).items():
                    path = f"{share.path}\\{name}"
                    view.make_dir(path.rsplit("\\", 1)[0])
                    view.write(path, data)

    def _load_domain(self) -> None:
        file = self.state_dir / "shared.json"
        if file.exists():
            state: dict[str, Any] = json.loads(file.read_text())
            self.domain.load_state(state["domain"])
            self.network.load_state(state["network"])
            return
        # In the file's order, so that a lab made again has the same SIDs.
        for host in self.config.hosts:
            if host.joined:
                self.domain.join(host.name)
        self._add_accounts()
        web = self.config.in_group("prs_web")
        if web:
            self.network.aliases[self.config.public_name.lower()] = web[0].name.lower()
        self.save()

    def _add_accounts(self) -> None:
        """Those that the domain does not have yet."""
        for account in self.config.accounts:
            if account.lower() not in self.domain.users:
                groups = ["Domain Admins"] if account in self.config.administrators else []
                self.domain.add_user(account, self.secrets.accounts[account], groups=groups)

    def _start_kdc(self) -> KeyDistributionCenter:
        """Acceptors of this process find the realm in KRB5_CONFIG; clients have to be told of the file."""
        kdc = KeyDistributionCenter(
            folder=self.state_dir / "kerberos",
            realm=self.config.dns_suffix.upper(),
            address=str(ipaddress.IPv4Address(self.network.base) + 1),
            ticket_life=self.config.ticket_life,
            clock_skew=min(300, max(1, self.config.ticket_life // 10)),
        )
        kdc.start(
            users=self.secrets.accounts,
            services={
                self._keytab(host): [f"{service}/{self.config.fqdn(host)}" for service in ("HTTP", "WSMAN", "host")]
                for host in self.config.hosts
                if host.joined
            },
        )
        os.environ["KRB5_CONFIG"] = str(kdc.configuration)
        return kdc

    def _keytab(self, host: HostConfig) -> Path:
        return self.state_dir / "kerberos" / f"{host.name.lower()}.keytab"

    def _winrm_of(self, config: HostConfig) -> WinRmSettings:
        """What a host has of its own: the keytab of its computer account."""
        if self.kdc is None or not config.joined:
            return self._winrm
        return replace(self._winrm, keytab=self._keytab(config))

    def _winrm_settings(self) -> WinRmSettings:
        """HTTP, and HTTPS with one certificate for all hosts."""
        names = [
            name
            for host in self.config.hosts
            for name in (host.name.lower(), self.config.fqdn(host), self.config.address(host, self.network.base))
        ]
        authority = Authority(folder=self.state_dir / "certificates")
        issued = authority.issue(label="winrm", names=tuple(names), password=self.secrets.certificate)
        key, certificate, _ = pkcs12.load_key_and_certificates(
            issued.pfx.read_bytes(), self.secrets.certificate.encode()
        )
        assert key is not None and certificate is not None
        certificate_file, key_file = issued.pfx.with_suffix(".pem"), issued.pfx.with_suffix(".key")
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        settings = WinRmSettings(certificate=certificate_file, key=key_file)
        if not self.config.client_certificates:
            return settings
        authority.issue_for_client(principal=CLIENT_PRINCIPAL)
        return replace(
            settings, client_authority=authority.ca_file, client_accounts={CLIENT_PRINCIPAL: "Administrator"}
        )


def _sync(host: WindowsHost) -> None:
    """Ports of services are open where the host is connected."""
    host.iis.sync()
    host.sql_server.sync()
