"""A Windows host: its parts, its place in the estate, its power, and how its state is kept."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..record import Record
from .accounts import Accounts
from .arguments import Specs, default_specs
from .character import Character
from .domain import Domain
from .drives import Drives
from .environment import Environment
from .errors import WinError
from .filesystem import FileView
from .parts import Part, attach_parts
from .power import Power, PowerLost
from .registry import Registry
from .services import Services
from .shares import Shares

if TYPE_CHECKING:
    from collections.abc import Callable

    from .models import ModuleFault

__all__ = ["Estate", "NetworkServer", "WindowsHost"]

_SAVE_DELAY = 0.5
_GIGABYTE = 1 << 30


class Estate(Protocol):
    """What a host needs to know of the others."""

    def resolve(self, name: str) -> WindowsHost | None: ...

    def reachable(self, from_host: WindowsHost, to_host: WindowsHost) -> bool: ...


class NetworkServer(Protocol):
    """Something that listens on the host's address while it is on (WinRM)."""

    def open(self) -> None: ...

    def close(self) -> None: ...


class WindowsHost:
    """One Windows server.

    `root` is its folder on this machine: `drives/C/...` and `host.json`. `address` is the loopback address that is its
    own.
    `directory` is the domain that it is joined to, None for a workgroup. `capacities` are bytes per drive letter.
    `character` is what sets it apart from an English Server 2022 without peculiarities.
    Parts (`registry`, `services`, `accounts`, `shares`, `environment`, `power` and every other `@host_part`) are
    attributes.
    `specs` are the options of Ansible's modules; hosts share them. Of the time that somebody gives to shutdown.exe,
    `shutdown_limit` seconds are waited at most, so that a rehearsal need not (None: as long as asked). The host is off
    when made: `power.start()` boots it, `load()` then `power.resume()` bring back a kept one.
    """

    accounts: Accounts
    registry: Registry
    environment: Environment
    services: Services
    shares: Shares
    power: Power

    def __init__(
        self,
        *,
        name: str,
        address: str,
        root: Path,
        administrator_password: str,
        record: Record | None = None,
        estate: Estate | None = None,
        directory: Domain | None = None,
        capacities: dict[str, int] | None = None,
        time_zone: str = "UTC",
        boot_seconds: float = 0.0,
        shutdown_limit: float | None = None,
        character: Character | None = None,
        specs: Specs | None = None,
    ) -> None:
        self.name = name.upper()
        self.address = address
        self.root = root
        self.administrator_password = administrator_password
        self.record = record or Record()
        self.estate = estate
        self.directory = directory
        self.time_zone = time_zone
        self.boot_seconds = boot_seconds
        self.shutdown_limit = shutdown_limit
        self.character = character or Character()
        self.specs = specs or default_specs()
        self.clock_offset = timedelta()
        self.module_faults: list[ModuleFault] = []
        self.script_faults: dict[str, str] = {}
        self.lock = threading.RLock()
        self.network: list[NetworkServer] = []
        self._save_lock = threading.Lock()
        self._save_timer: threading.Timer | None = None
        self.drives = Drives(
            root=root / "drives", capacities=capacities or {"C": 60 * _GIGABYTE}, character=self.character
        )
        self.parts: dict[str, Part] = attach_parts(self)

    def __repr__(self) -> str:
        return f"<WindowsHost {self.name} {self.address} {self.power.state}>"

    @property
    def domain(self) -> str | None:
        """The NetBIOS name of the domain, None in a workgroup."""
        return self.directory.name if self.directory else None

    @property
    def fqdn(self) -> str:
        return f"{self.name.lower()}.{self.directory.dns_name}" if self.directory else self.name.lower()

    def clock(self) -> datetime:
        """This host's idea of now, in UTC."""
        return datetime.now(UTC) + self.clock_offset

    def pause(self, seconds: float) -> None:
        """Let something on this host take its time; `PowerLost` is raised when the host goes down meanwhile, which ends
        what waited.
        """
        boot = self.power.boot_count
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            if not self.power.is_on or self.power.boot_count != boot:
                raise PowerLost(self.name)

    # Files and others

    def files(self, account: str, *, delegated: bool = True) -> FileView:
        """Files as an account that runs on this host sees them. `delegated=False` is a plain WinRM logon, which has no
        second hop.
        """
        return FileView(self, self.accounts.token(account), delegated=delegated)

    def find_host(self, name: str) -> WindowsHost | None:
        """The host behind a name or address if it answers from here: itself, or one of the estate that is on and not
        cut off.
        """
        short = name.lower().rstrip(".")
        if short in ("localhost", ".", "127.0.0.1", self.name.lower(), self.fqdn, self.address):
            return self
        found = self.estate.resolve(name) if self.estate else None
        if found is None or not found.power.is_on or not self.estate.reachable(self, found):
            return None
        return found

    def route(self, name: str, port: int) -> str | None:
        """The address behind a name when packets from here get through to that TCP port of it, whether or not somebody
        listens there.
        """
        found = self.find_host(name)
        if found is None or not found.firewall.accepts(protocol="tcp", port=port, remote=self.address):
            return None
        return found.address if self.firewall.lets_out(protocol="tcp", port=port, remote=found.address) else None

    def knows_account(self, name: str) -> bool:
        """Whether there is a user or group of that name, here or in the domain."""
        try:
            self.accounts.lookup(name)
        except WinError:
            return False
        return True

    def network_name(self, account: str) -> str | None:
        """Who an account of this host is for other hosts of its domain, DOMAIN\\name; None: nobody whom they know."""
        identity = self.accounts.network_identity(self.accounts.token(account))
        return self.directory.name_of(identity.domain_sid) if self.directory and identity.domain_sid else None

    # Network

    def open_network(self) -> None:
        for server in self.network:
            server.open()

    def close_network(self) -> None:
        for server in self.network:
            server.close()

    # Keeping

    @property
    def state_file(self) -> Path:
        return self.root / "host.json"

    def changed(self) -> None:
        """Something was changed: the state is written soon."""
        with self._save_lock:
            if self._save_timer is None:
                self._save_timer = threading.Timer(_SAVE_DELAY, self.save)
                self._save_timer.daemon = True
                self._save_timer.start()

    def save(self) -> None:
        """Write the state now, whole or not at all."""
        with self._save_lock:
            timer, self._save_timer = self._save_timer, None
            if timer is not None:
                timer.cancel()
            text = json.dumps(self.to_state())
            scratch = self.state_file.with_suffix(".tmp")
            scratch.write_text(text, encoding="utf-8")
            os.replace(scratch, self.state_file)

    def load(self) -> bool:
        """Take over the kept state; answers False when there is none (the host is fresh)."""
        if not self.state_file.exists():
            return False
        self.load_state(json.loads(self.state_file.read_text(encoding="utf-8")))
        return True

    def close(self) -> None:
        """The lab stops: end what runs, keep the state."""
        self.power.suspend()
        self.save()

    def to_state(self) -> dict[str, Any]:
        """Everything that is this host, as a copy in JSON types; the same before and after a look at it."""
        with self.lock:
            parts = {name: part.to_state() for name, part in self.parts.items()}
            return json.loads(json.dumps({"name": self.name, "drives": self.drives.to_state(), "parts": parts}))

    def load_state(self, state: dict[str, Any]) -> None:
        with self.lock:
            self.drives.load_state(state["drives"])
            for name, part in self.parts.items():
                if name in state["parts"]:
                    part.load_state(state["parts"][name])

    def on_network(self, server: Callable[[WindowsHost], NetworkServer]) -> None:
        """Add something that listens while the host is on."""
        self.network.append(server(self))
