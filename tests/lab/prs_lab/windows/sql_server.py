"""SQL Server on one host, seen from Windows: registry, services and files of its instances, and the twin behind a
running service.

The registry is the truth, as it is on a real host: port, certificate, login mode and folders are read from it whenever
the service starts, so a value that was set takes effect with the next start and not before.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import WinError
from .parts import Part, host_part
from .security import WELL_KNOWN
from .services import Service

if TYPE_CHECKING:
    from ..sqlserver.instance import Instance
    from ..sqlserver.settings import Settings

__all__ = ["ROOT_KEY", "InstalledInstance", "SqlServerPart", "dynamic_port", "service_name"]

ROOT_KEY = r"HKLM\SOFTWARE\Microsoft\Microsoft SQL Server"


@dataclass(kw_only=True)
class InstalledInstance:
    """What only setup knew: ``sysadmins`` are Windows accounts; ``sa_password`` is forgotten after the first start."""

    name: str
    identifier: str
    sysadmins: list[str]
    sa_password: str = ""

    @property
    def key(self) -> str:
        return f"{ROOT_KEY}\\{self.identifier}"


@host_part("sql_server")
class SqlServerPart(Part):
    """Instances by name. ``running(name)`` is the twin of a started one."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self._instances: dict[str, InstalledInstance] = {}
        self._running: dict[str, Instance] = {}
        self._hooked: set[str] = set()

    def reset(self) -> None:
        self._instances = {}
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def _root(self) -> Any:
        return self.host.root / "sqlserver"

    def installed(self) -> list[InstalledInstance]:
        return list(self._instances.values())

    def find(self, name: str) -> InstalledInstance | None:
        return self._instances.get(name.upper())

    def running(self, name: str) -> Instance | None:
        """The twin of the instance when its service runs."""
        return self._running.get(name.upper())

    def all_running(self) -> list[Instance]:
        return list(self._running.values())

    def install(self, instance: InstalledInstance, service: Service) -> None:
        """Puts a new instance in place (registry and files are setup's); its service is added, not started."""
        with self.host.lock:
            self._instances[instance.name.upper()] = instance
            self.host.services.add(service)
            self._hook(instance)

    def uninstall(self, name: str) -> None:
        """Takes the instance away; its databases' files stay where they are, as with the real setup."""
        instance = self._instances.pop(name.upper())
        self.host.services.remove(service_name(name))
        self.host.registry.delete_key(instance.key)
        self.host.registry.delete_value(f"{ROOT_KEY}\\Instance Names\\SQL", instance.name)
        shutil.rmtree(self._root / name.upper(), ignore_errors=True)

    def settings(self, name: str) -> Settings:
        """What the instance reads from the registry when it starts; KeyError when it is not installed."""
        from ..sqlserver.settings import Settings

        instance = self._instances[name.upper()]
        read = self.host.registry.get
        network = f"{instance.key}\\MSSQLServer\\SuperSocketNetLib"
        enabled = int(read(f"{network}\\Tcp", "Enabled", 0))
        port, *further_ports = self._ports(f"{network}\\Tcp") if enabled else [0]
        return Settings(
            version=read(f"{instance.key}\\Setup", "PatchLevel"),
            edition=read(f"{instance.key}\\Setup", "Edition") + " (64-bit)",
            port=port,
            further_ports=tuple(further_ports),
            mixed_mode=int(read(f"{instance.key}\\MSSQLServer", "LoginMode", 1)) == 2,
            collation=read(f"{instance.key}\\Setup", "Collation"),
            certificate_thumbprint=str(read(network, "Certificate", "") or ""),
            force_encryption=bool(int(read(network, "ForceEncryption", 0) or 0)),
            service_account=self.host.services.get(service_name(name)).account,
            data_dir=read(f"{instance.key}\\MSSQLServer", "DefaultData"),
            log_dir=read(f"{instance.key}\\MSSQLServer", "DefaultLog"),
            backup_dir=read(f"{instance.key}\\MSSQLServer", "BackupDirectory"),
            sa_password=instance.sa_password,
            sysadmins=tuple(instance.sysadmins),
            language_of_windows=self.host.character.language,
            system_account=self.host.accounts.name_of(WELL_KNOWN["NT AUTHORITY\\SYSTEM"]),
        )

    def _ports(self, tcp: str) -> list[int]:
        """All of both values of the registry, the fixed ones first; [0] where there is none. Those of all addresses
        count, or those of our own where it listens on single addresses.
        """
        read = self.host.registry.get
        keys = [f"{tcp}\\IPAll"]
        if int(read(tcp, "ListenOnAllIPs", 1)) == 0:
            single = [f"{tcp}\\IP{number}" for number in range(1, 20)]
            keys = [
                key for key in single if read(key, "IpAddress", "") == self.host.address and read(key, "Enabled", 0)
            ]
        values = [read(key, name, "") or "" for key in keys for name in ("TcpPort", "TcpDynamicPorts")]
        return [int(port) for port in ",".join(values).split(",") if port.strip()] or [0]

    def _choose_dynamic_port(self, instance: InstalledInstance) -> None:
        """A dynamic port of 0 is chosen at the start, and kept from then on."""
        address = f"{instance.key}\\MSSQLServer\\SuperSocketNetLib\\Tcp\\IPAll"
        if self.host.registry.get(address, "TcpDynamicPorts", "") == "0":
            self.host.registry.set(address, "TcpDynamicPorts", str(dynamic_port(instance.name)), "string")

    def sync(self) -> None:
        """Opens or closes the ports of running instances as the host is connected or cut off."""
        for instance in self._running.values():
            instance.set_connected(getattr(self.host, "connected", True))

    # The services

    def _hook(self, instance: InstalledInstance) -> None:
        name = service_name(instance.name)
        if name.lower() not in self._hooked:
            self._hooked.add(name.lower())
            self.host.services.on_start(name, lambda: self._start(instance.name))
            self.host.services.on_stop(name, lambda *, crash=False: self._stop(instance.name, crash=crash))

    def _start(self, name: str) -> None:
        # Imported here so that a lab of Windows hosts alone does not need the SQL Server twin; where it is needed, a
        # missing one is an error.
        from ..sqlserver.errors import SqlError
        from ..sqlserver.instance import Instance

        if name.upper() in self._running or self.find(name) is None:
            return
        self._choose_dynamic_port(self._instances[name.upper()])
        instance = Instance(self.host, name, self._root / name.upper())
        instance.faults.on_kill = lambda: self.host.services.stop(service_name(name), force=True, crash=True)
        self._root.mkdir(parents=True, exist_ok=True)
        try:
            instance.start()
        except (OSError, SqlError) as error:
            # A port that is taken, a certificate that cannot be used, system databases that cannot be opened, or made
            # because the drive is full.
            self.host.record.add("note", self.host.name, text=f"SQL Server {name} did not start: {error}")
            raise WinError(1067, service_name(name)) from error
        self._running[name.upper()] = instance
        self._instances[name.upper()].sa_password = ""

    def _stop(self, name: str, *, crash: bool) -> None:
        instance = self._running.pop(name.upper(), None)
        if instance is not None:
            instance.stop(crash=crash)

    # Keeping

    def to_state(self) -> Any:
        return [
            {"name": item.name, "identifier": item.identifier, "sysadmins": item.sysadmins}
            for item in self._instances.values()
        ]

    def load_state(self, state: Any) -> None:
        self._instances = {item["name"].upper(): InstalledInstance(**item) for item in state}
        for instance in self._instances.values():
            self._hook(instance)


def dynamic_port(instance: str) -> int:
    """The port that an instance gets, one for each name so that two do not meet."""
    return 49700 + sum(instance.upper().encode()) % 300


def service_name(instance: str) -> str:
    return "MSSQLSERVER" if instance.upper() == "MSSQLSERVER" else f"MSSQL${instance}"
