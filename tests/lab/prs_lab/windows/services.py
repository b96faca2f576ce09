"""The service manager of one host. Starting a service may start something real (a port, a site): parts hang hooks on
names.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import WinError
from .parts import Part, host_part

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["Service", "Services"]

_SVCHOST = r"C:\Windows\system32\svchost.exe -k "
_SYSTEM, _LOCAL, _NETWORK = (f"NT AUTHORITY\\{name}" for name in ("SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE"))
# name, display name, state, start mode, path, account, dependencies
_FRESH = [
    ("Dnscache", "DNS Client", "running", "auto", _SVCHOST + "NetworkService -p", _NETWORK, ["nsi", "Tcpip"]),
    ("EventLog", "Windows Event Log", "running", "auto", _SVCHOST + "LocalServiceNetworkRestricted -p", _LOCAL, []),
    ("LanmanServer", "Server", "running", "auto", _SVCHOST + "netsvcs -p", _SYSTEM, ["SamSS", "Srv2"]),
    ("LanmanWorkstation", "Workstation", "running", "auto", _SVCHOST + "NetworkService -p", _NETWORK, []),
    (
        "MpsSvc",
        "Windows Defender Firewall",
        "running",
        "auto",
        _SVCHOST + "LocalServiceNoNetworkFirewall -p",
        _LOCAL,
        ["mpsdrv", "bfe"],
    ),
    (
        "RpcSs",
        "Remote Procedure Call (RPC)",
        "running",
        "auto",
        _SVCHOST + "rpcss -p",
        _NETWORK,
        ["RpcEptMapper", "DcomLaunch"],
    ),
    (
        "Schedule",
        "Task Scheduler",
        "running",
        "auto",
        _SVCHOST + "netsvcs -p",
        _SYSTEM,
        ["RPCSS", "SystemEventsBroker"],
    ),
    ("Spooler", "Print Spooler", "running", "auto", r"C:\Windows\System32\spoolsv.exe", _SYSTEM, ["RPCSS", "http"]),
    (
        "TrustedInstaller",
        "Windows Modules Installer",
        "stopped",
        "manual",
        r"C:\Windows\servicing\TrustedInstaller.exe",
        _SYSTEM,
        [],
    ),
    ("W32Time", "Windows Time", "running", "auto", _SVCHOST + "LocalService", _LOCAL, []),
    (
        "WinRM",
        "Windows Remote Management (WS-Management)",
        "running",
        "delayed",
        _SVCHOST + "NetworkService -p",
        _NETWORK,
        ["RPCSS", "HTTP"],
    ),
    ("Winmgmt", "Windows Management Instrumentation", "running", "auto", _SVCHOST + "netsvcs -p", _SYSTEM, ["RPCSS"]),
    ("wuauserv", "Windows Update", "stopped", "manual", _SVCHOST + "netsvcs -p", _SYSTEM, ["rpcss"]),
]

StartHook = Callable[[], None]
StopHook = Callable[..., None]


@dataclass(kw_only=True)
class Service:
    """One service. `state`: running stopped paused; `start_mode`: auto delayed manual disabled; `account` as
    `Token.name` has it.
    """

    name: str
    display_name: str
    path: str
    state: str = "stopped"
    start_mode: str = "auto"
    account: str = "NT AUTHORITY\\SYSTEM"
    description: str | None = None
    dependencies: list[str] = field(default_factory=list)
    password_hash: str | None = None
    desktop_interact: bool = False
    error_control: str = "normal"
    service_type: str = "win32_own_process"
    sid_info: str = "none"
    load_order_group: str = ""
    pre_shutdown_timeout_ms: int = 180000
    required_privileges: list[str] = field(default_factory=list)
    failure_actions: list[dict[str, Any]] = field(default_factory=list)
    failure_actions_on_non_crash_failure: bool = False
    failure_command: str | None = None
    failure_reboot_msg: str | None = None
    failure_reset_period_sec: int = 0
    process_id: int = 0


@host_part("services")
class Services(Part):
    """Services by name.

    `on_start(name, fn)`: `fn()` runs when the service starts, before it counts as running; raising `WinError` makes the
    start fail (1067 is usual for a process that ends by itself). `on_stop(name, fn)`: `fn(crash=False)` runs when it
    stops; `crash=True` when the machine lost power or the process was killed. Hooks are wiring, not state: they stay
    when the host is wiped, and do nothing until a service of that name is installed again.
    """

    def __init__(self, host: WindowsHost) -> None:
        super().__init__(host)
        self._start_hooks: dict[str, list[StartHook]] = {}
        self._stop_hooks: dict[str, list[StopHook]] = {}
        self._next_process = 4200
        host.accounts.virtual_accounts["nt service"] = lambda: [service.name for service in self.all()]

    def reset(self) -> None:
        self._services: dict[str, Service] = {}
        for name, display_name, state, start_mode, path, account, dependencies in _FRESH:
            self.add(
                Service(
                    name=name, display_name=display_name, path=path, start_mode=start_mode, state=state, account=account,
                    dependencies=dependencies, service_type="win32_share_process" if "svchost" in path else "win32_own_process",
                    process_id=self._new_process() if state == "running" else 0,
                )
            )  # fmt: skip
        if not self.host.character.firewall_service:
            firewall = self.get("MpsSvc")
            firewall.state, firewall.start_mode, firewall.process_id = "stopped", "disabled", 0

    def on_start(self, name: str, hook: StartHook) -> None:
        self._start_hooks.setdefault(name.lower(), []).append(hook)

    def on_stop(self, name: str, hook: StopHook) -> None:
        self._stop_hooks.setdefault(name.lower(), []).append(hook)

    def all(self) -> list[Service]:
        return list(self._services.values())

    def find(self, name: str) -> Service | None:
        """A service by its name, or by its display name."""
        key = name.lower()
        return self._services.get(key) or next(
            (service for service in self.all() if service.display_name.lower() == key), None
        )

    def get(self, name: str) -> Service:
        """A service by name; 1060 when it is not installed."""
        found = self.find(name)
        if found is None:
            raise WinError(1060, name)
        return found

    def add(self, service: Service) -> Service:
        """Install a service; 1073 when the name is taken."""
        with self.host.lock:
            if service.name.lower() in self._services:
                raise WinError(1073, service.name)
            self._services[service.name.lower()] = service
        return service

    def remove(self, name: str) -> None:
        """Remove a service, stopping it first."""
        service = self.get(name)
        if service.state != "stopped":
            self.stop(service.name, force=True)
        with self.host.lock:
            del self._services[service.name.lower()]

    def is_running(self, name: str) -> bool:
        service = self.find(name)
        return service is not None and service.state == "running"

    def dependents(self, name: str) -> list[Service]:
        """The services that need this one."""
        return [service for service in self.all() if name.lower() in map(str.lower, service.dependencies)]

    def start(self, name: str) -> None:
        """Start a service after those that it needs. 1060 not installed, 1058 disabled, 1069 its account cannot log on,
        1068 a needed one failed.
        """
        service = self.get(name)
        if service.state == "running":
            return
        if service.start_mode == "disabled":
            raise WinError(1058, service.name)
        for needed in service.dependencies:
            if needed.lower() in self._services:
                try:
                    self.start(needed)
                except WinError as error:
                    raise WinError(1068, service.name) from error
        self._check_logon(service)
        self._run_start_hooks(service)
        service.state, service.process_id = "running", self._new_process()

    def stop(self, name: str, *, force: bool = False, crash: bool = False) -> None:
        """Stop a service. 1051 while others that need it run, unless `force`, which stops those first."""
        service = self.get(name)
        if service.state == "stopped":
            return
        for dependent in self.dependents(service.name):
            if dependent.state != "stopped":
                if not force:
                    raise WinError(1051, service.name)
                self.stop(dependent.name, force=True, crash=crash)
        service.state, service.process_id = "stopped", 0
        for hook in self._stop_hooks.get(service.name.lower(), []):
            hook(crash=crash)

    def restart(self, name: str) -> None:
        service = self.get(name)
        running = [dependent.name for dependent in self.dependents(service.name) if dependent.state == "running"]
        self.stop(service.name, force=True)
        self.start(service.name)
        for dependent in running:
            self.start(dependent)

    # What power does

    def boot(self) -> None:
        """Start everything that starts by itself; a failing service does not keep the host from booting."""
        for service in self.all():
            if service.start_mode in ("auto", "delayed"):
                with self._survive(service):
                    self.start(service.name)

    def halt(self, *, crash: bool) -> None:
        """Stop everything, those that others need last."""
        for service in self.all():
            with self._survive(service):
                self.stop(service.name, force=True, crash=crash)

    def resume(self) -> None:
        """After the lab itself was stopped and started again: bring back what stands behind services that were running."""
        for service in self.all():
            if service.state == "running":
                service.state = "stopped"
                with self._survive(service):
                    self._run_start_hooks(service)
                    service.state = "running"

    def suspend(self) -> None:
        """Before the lab is stopped: end what stands behind running services, which stay marked as running."""
        for service in self.all():
            if service.state == "running":
                with self._survive(service):
                    for hook in self._stop_hooks.get(service.name.lower(), []):
                        hook(crash=False)

    @contextlib.contextmanager
    def _survive(self, service: Service) -> Iterator[None]:
        """One service must not keep a host from going up or down. What Windows would report is recorded, a defect of
        the twin counts as not modelled.
        """
        try:
            yield
        except WinError as error:
            self.host.record.add(
                "power", self.host.name, event="service failed", service=service.name, error=str(error)
            )
        except Exception:
            self.host.record.unmodelled(
                self.host.name, f"service {service.name}, on which the twin broke", traceback.format_exc()
            )

    def _run_start_hooks(self, service: Service) -> None:
        for hook in self._start_hooks.get(service.name.lower(), []):
            hook()

    def _check_logon(self, service: Service) -> None:
        """An account with a password must still have the one that the service was given, and the right to log on as a
        service.
        """
        user = self.host.accounts.find_user(service.account)
        if user is None:
            try:
                self.host.accounts.sid_of(service.account)
            except WinError as error:
                raise WinError(1069, service.name) from error
            return
        managed = user.name.endswith("$")
        if not managed:
            try:
                user.check(service.password_hash or "")
            except WinError as error:
                raise WinError(1069, service.name) from error
        sids = self.host.accounts.token(service.account).sids
        if not sids & set(self.host.accounts.rights.get("SeServiceLogonRight", [])):
            raise WinError(1069, service.name)

    def _new_process(self) -> int:
        self._next_process += 4
        return self._next_process

    # Keeping

    def to_state(self) -> Any:
        return {key: asdict(service) for key, service in self._services.items()}

    def load_state(self, state: Any) -> None:
        self._services = {key: Service(**service) for key, service in state.items()}
