"""IIS of one host: pools, sites, applications and bindings, the services behind them, and what answers a request.

Configuration lives here; sockets in ``http_listener``; what an application does with a request in
``prs_lab.application``. A started site of a running W3SVC listens on the host's own address for every binding; requests
walk the way they walk in reality: binding, application, pool, worker process, application.
"""

from __future__ import annotations

import copy
import re
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from ..application.database import Partners
from ..application.messages import PageError, Request, Response, error_response
from ..application.site import Site as PrsSite
from .errors import WinError
from .http_listener import CannotListen, Listener
from .iis_setup import follow_features
from .languages import SPOKEN
from .parts import Part, host_part
from .pool_schema import DEFAULTS, canonical_name, convert, show

__all__ = ["DENIED", "Application", "Binding", "Iis", "IisError", "Pool", "Site"]

DENIED = "Cannot read configuration file due to insufficient permissions"
_IDENTITIES = {
    "LocalSystem": "NT AUTHORITY\\SYSTEM",
    "LocalService": "NT AUTHORITY\\LOCAL SERVICE",
    "NetworkService": "NT AUTHORITY\\NETWORK SERVICE",
}


class IisError(Exception):
    """What a WebAdministration cmdlet throws."""

    @property
    def number(self) -> int:
        """The Win32 error in its HRESULT, 0 where there is none."""
        code = re.search(r"0x8007([0-9A-F]{4})", str(self))
        return int(code[1], 16) if code else 0


@dataclass(kw_only=True)
class Pool:
    """An application pool; ``attributes`` are those of pool_schema.DEFAULTS, ``state`` Started or Stopped."""

    name: str
    state: str = "Started"
    attributes: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(DEFAULTS))

    def identity(self) -> str:
        """The account of its worker process."""
        kind = self.attributes["processModel.identityType"]
        if kind == "ApplicationPoolIdentity":
            return f"IIS APPPOOL\\{self.name}"
        return _IDENTITIES.get(kind) or self.attributes["processModel.userName"]


@dataclass(kw_only=True)
class Binding:
    """``ip`` is ``*`` or an address; ``certificate_hash`` what HTTP.sys uses for this address and port."""

    ip: str = "*"
    port: int = 80
    hostname: str = ""
    protocol: str = "http"
    ssl_flags: int = 0
    certificate_hash: str = ""
    certificate_store: str = ""

    @property
    def information(self) -> str:
        return f"{self.ip}:{self.port}:{self.hostname}"


@dataclass(kw_only=True)
class Application:
    """``path`` is ``/`` for the site's own, else ``/Name``; user name and password are those of "connect as"."""

    path: str
    physical_path: str
    pool: str
    user_name: str = ""
    password: str = ""
    enabled_protocols: str = "http"


@dataclass(kw_only=True)
class Site:
    """A site. ``applications[0]`` is its root application."""

    name: str
    number: int
    state: str = "Started"
    bindings: list[Binding] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)

    @property
    def root(self) -> Application:
        return self.applications[0]

    def find(self, name: str) -> Application | None:
        """An application below the root by name, with or without slash."""
        wanted = "/" + name.strip("/").lower()
        return next((application for application in self.applications[1:] if application.path.lower() == wanted), None)


@dataclass(kw_only=True)
class _Worker:
    """A w3wp.exe: ``ends_at`` is set while it outlives its pool's stop, ``partners`` is what its SqlClient remembers of
    mirrors.
    """

    process_id: int
    folders: set[str] = field(default_factory=set)
    partners: Partners = field(default_factory=dict)
    ends_at: float | None = None


@host_part("iis")
class Iis(Part):
    """Names go without regard to case. Change things through the methods, or call ``sync()`` afterwards."""

    def __init__(self, host: Any) -> None:
        super().__init__(host)
        self.pools: dict[str, Pool] = {}
        self.sites: dict[str, Site] = {}
        # Faults: how long a worker outlives its pool's stop, and how long every answer takes, in seconds.
        self.linger_seconds = 0.0
        self.busy_times = 0
        self.slow_seconds = 0.0
        self.is_denied = False
        self._listeners: dict[int, Listener] = {}
        self._failed: dict[int, str] = {}
        self._workers: dict[str, _Worker] = {}
        self._sync_lock = threading.RLock()
        self._running = False
        self._next_process = 8000
        host.accounts.virtual_accounts["iis apppool"] = lambda: [pool.name for pool in self.pools.values()]
        host.features.on_change(lambda: follow_features(self))
        host.services.on_start("W3SVC", self._service_started)
        host.services.on_stop("W3SVC", self._service_stopped)

    def reset(self) -> None:
        self._service_stopped(crash=True)
        self.pools, self.sites = {}, {}

    @property
    def installed(self) -> bool:
        return self.host.features.installed("Web-WebServer")

    @property
    def administrable(self) -> bool:
        """Whether the WebAdministration module is there: with the role on a server, as a feature of its own on client
        Windows.
        """
        return self.installed and (
            not self.host.features.is_client or self.host.features.installed("Web-Scripting-Tools")
        )

    # Pools

    def pool(self, name: str) -> Pool | None:
        return self.pools.get(name.lower())

    def add_pool(self, name: str) -> Pool:
        pool = Pool(name=name)
        with self.host.lock:
            self.pools[name.lower()] = pool
        return pool

    def remove_pool(self, name: str) -> None:
        self._end_worker(name)
        with self.host.lock:
            self.pools.pop(name.lower(), None)

    def set_attribute(self, pool: Pool, name: str, value: Any) -> None:
        """Raises pool_schema.UnknownAttribute."""
        known = canonical_name(name)
        with self.host.lock:
            pool.attributes[known] = convert(known, value)

    def _accept_control(self) -> None:
        """With the fault ``busy_times`` the service refuses so many starts and stops: a change before is under way."""
        if self.busy_times:
            self.busy_times -= 1
            raise IisError(
                "The service cannot accept control messages at this time. (Exception from HRESULT: 0x80070425)"
            )

    def start_pool(self, name: str) -> None:
        pool = self._known_pool(name)
        self._accept_control()
        pool.state = "Started"
        if pool.attributes["startMode"] == "AlwaysRunning" and self._running:
            self._worker(pool)

    def stop_pool(self, name: str) -> None:
        """The pool is stopped at once; its worker ends at once or, with the fault ``linger_seconds``, later."""
        pool = self._known_pool(name)
        self._accept_control()
        pool.state = "Stopped"
        self._end_worker(name, linger=self.linger_seconds)

    def workers(self, name: str) -> list[int]:
        """Process ids of the pool's w3wp.exe."""
        self._reap()
        worker = self._workers.get(name.lower())
        return [worker.process_id] if worker else []

    # Sites

    def site(self, name: str) -> Site | None:
        return self.sites.get(name.lower())

    def add_site(
        self, *, name: str, physical_path: str, pool: str = "DefaultAppPool", number: int | None = None
    ) -> Site:
        with self.host.lock:
            number = number or max((site.number for site in self.sites.values()), default=0) + 1
            root = Application(path="/", physical_path=physical_path, pool=pool)
            site = self.sites[name.lower()] = Site(name=name, number=number, applications=[root])
        return site

    def remove_site(self, name: str) -> None:
        with self.host.lock:
            self.sites.pop(name.lower(), None)
        self.sync()

    def start_site(self, site: Site) -> None:
        """Raises IisError when another started site has one of its bindings, or the port is taken."""
        if not self._running:
            raise IisError("The service has not been started. (Exception from HRESULT: 0x80070426)")
        for other in self.sites.values():
            if other is not site and other.state == "Started":
                taken = {binding.information for binding in other.bindings} & {
                    binding.information for binding in site.bindings
                }
                if taken:
                    raise IisError(
                        "Cannot create a file when that file already exists. (Exception from HRESULT: 0x800700B7)"
                    )
        site.state = "Started"
        self.sync()
        if any(binding.port in self._failed for binding in site.bindings):
            self.host.record.add("note", self.host.name, text=f"site {site.name}: " + "; ".join(self._failed.values()))

    def stop_site(self, site: Site) -> None:
        site.state = "Stopped"
        self.sync()

    # Sockets

    def sync(self) -> None:
        """Opens and closes sockets until they match what is configured, started, running and reachable."""
        with self._sync_lock:
            wanted = self._wanted()
            for port in list(self._listeners):
                if port not in wanted or self._listeners[port].key_pair != wanted[port]:
                    self._listeners.pop(port).close()
            self._failed = {port: text for port, text in self._failed.items() if port in wanted}
            for port, key_pair in wanted.items():
                if port not in self._listeners:
                    self._open(port, key_pair)

    def _wanted(self) -> dict[int, tuple[bytes, bytes] | None]:
        """Port -> key pair of its certificate, None for plain HTTP. An HTTPS binding without a usable certificate
        serves nobody.
        """
        wanted: dict[int, tuple[bytes, bytes] | None] = {}
        cut = self.host.estate is not None and getattr(self.host.estate, "is_cut", lambda _: False)(self.host)
        if not self._running or cut:
            return wanted
        for site in self.sites.values():
            for binding in site.bindings if site.state == "Started" else ():
                if binding.ip not in ("*", "", "0.0.0.0", self.host.address):
                    continue
                if binding.protocol == "http":
                    wanted.setdefault(binding.port, None)
                else:
                    try:
                        wanted[binding.port] = self.host.certificates.key_for(
                            binding.certificate_hash, "NT AUTHORITY\\SYSTEM"
                        )
                    except (KeyError, PermissionError):
                        continue
        return wanted

    def _open(self, port: int, key_pair: tuple[bytes, bytes] | None) -> None:
        try:
            self._listeners[port] = Listener(
                address=self.host.address,
                port=port,
                answer=self.answer,
                key_pair=key_pair,
                newest_tls=self.host.character.windows.newest_tls,
                accepts=lambda client: self.host.firewall.accepts(protocol="tcp", port=port, remote=client),
            )
            self._failed.pop(port, None)
        except CannotListen as error:
            if port not in self._failed:
                self.host.record.add("note", self.host.name, text=f"the lab cannot listen: {error}")
            self._failed[port] = str(error)

    def _service_started(self) -> None:
        self._running = True
        for pool in self.pools.values():
            if pool.attributes["autoStart"]:
                pool.state = "Started"
                if pool.attributes["startMode"] == "AlwaysRunning":
                    self._worker(pool)
        self.sync()

    def _service_stopped(self, *, crash: bool = False) -> None:
        self._running = False
        with self._sync_lock:
            while self._listeners:
                self._listeners.popitem()[1].close()
        for name in list(self._workers):
            self._end_worker(name)

    # Requests

    def answer(self, port: int, name: str, secure: bool, request: Request) -> Response:
        """One request, from the binding to the application's page."""
        SPOKEN.set(self.host.character.language)
        if self.slow_seconds:
            time.sleep(self.slow_seconds)
        site = self._site_for(port, name, secure)
        if site is None:
            return error_response(PageError(400, "Bad Request - Invalid Hostname"))
        application = self._application_for(site, request.path)
        base = application.path
        inside = request.path[len(base) :] if base != "/" else request.path
        pool = self.pool(application.pool)
        try:
            if pool is None or pool.state != "Started":
                raise PageError(503, "The service is unavailable.", pool=application.pool)
            self._check_logon(pool)
            worker = self._worker(pool)
            self._use_folder(worker, pool, application.physical_path)
            answer = PrsSite(
                host=self.host,
                folder=application.physical_path,
                account=pool.identity(),
                clr=pool.attributes["managedRuntimeVersion"],
                pipeline=pool.attributes["managedPipelineMode"],
                wow64=pool.attributes["enable32BitAppOnWin64"],
                aspnet=self.host.features.installed("Web-Asp-Net45"),
                partners=worker.partners,
            )
        except PageError as error:
            return error_response(error)
        return answer.answer(
            Request(
                method=request.method,
                path=inside.strip("/"),
                base=base,
                form=request.form,
                secure=secure,
                host=request.host,
                content_length=request.content_length,
            )
        )

    def serves(self, port: int, path: str) -> bool:
        """Whether an application that runs has that path of that port."""
        sites = [
            site
            for site in self.sites.values()
            if site.state == "Started" and any(binding.port == port for binding in site.bindings)
        ]
        pools = [self.pool(self._application_for(site, path).pool) for site in sites]
        return any(pool is not None and pool.state == "Started" for pool in pools)

    def _site_for(self, port: int, name: str, secure: bool) -> Site | None:
        candidates = [
            (binding.hostname.lower() == name.lower(), site)
            for site in self.sites.values()
            if site.state == "Started"
            for binding in site.bindings
            if binding.port == port
            and (binding.protocol == "https") == secure
            and binding.hostname.lower() in ("", name.lower())
        ]
        return max(candidates, key=lambda found: found[0])[1] if candidates else None

    @staticmethod
    def _application_for(site: Site, path: str) -> Application:
        below = [
            application
            for application in site.applications
            if application.path != "/" and (path.lower() + "/").startswith(application.path.lower() + "/")
        ]
        return max(below, key=lambda application: len(application.path), default=site.root)

    def _check_logon(self, pool: Pool) -> None:
        """A pool whose account cannot log on is stopped by WAS and answers 503."""
        try:
            if pool.attributes["processModel.identityType"] == "SpecificUser":
                self.host.accounts.log_on(pool.identity(), pool.attributes["processModel.password"])
            self.host.accounts.token(pool.identity())
        except WinError as error:
            pool.state = "Stopped"
            self.host.changed()
            raise PageError(
                503, f"The service is unavailable. The pool's identity cannot log on: {error.text}", pool=pool.name
            ) from error

    # Worker processes

    def _worker(self, pool: Pool) -> _Worker:
        self._reap()
        with self.host.lock:
            worker = self._workers.get(pool.name.lower())
            if worker is None or worker.ends_at is not None:
                self._end_worker(pool.name)
                self._next_process += 4
                worker = self._workers[pool.name.lower()] = _Worker(process_id=self._next_process)
            return worker

    def _use_folder(self, worker: _Worker, pool: Pool, folder: str) -> None:
        """The worker watches its application's folder: while it lives, the folder cannot be renamed or removed."""
        with self.host.lock:
            if folder.lower() not in worker.folders and folder[1:2] == ":":
                worker.folders.add(folder.lower())
                self.host.drives.hold(folder, _holder(pool.name))

    def _end_worker(self, name: str, *, linger: float = 0.0) -> None:
        with self.host.lock:
            worker = self._workers.get(name.lower())
            if worker is None:
                return
            if linger > 0:
                worker.ends_at = time.monotonic() + linger
                timer = threading.Timer(linger + 0.01, self._reap)
                timer.daemon = True
                timer.start()
                return
            del self._workers[name.lower()]
            self.host.drives.release_all(_holder(name))

    def _reap(self) -> None:
        now = time.monotonic()
        for name in [
            name for name, worker in list(self._workers.items()) if worker.ends_at is not None and worker.ends_at <= now
        ]:
            self._end_worker(name)

    def _known_pool(self, name: str) -> Pool:
        pool = self.pool(name)
        if pool is None:
            raise IisError(f"Cannot find path 'IIS:\\AppPools\\{name}' because it does not exist.")
        return pool

    # Keeping

    def to_state(self) -> Any:
        pools = [
            {
                "name": pool.name,
                "state": pool.state,
                "attributes": {key: show(value) for key, value in pool.attributes.items()},
            }
            for pool in self.pools.values()
        ]
        faults = {
            "linger_seconds": self.linger_seconds,
            "slow_seconds": self.slow_seconds,
            "busy_times": self.busy_times,
        }
        return {"pools": pools, "sites": [asdict(site) for site in self.sites.values()], "faults": faults}

    def load_state(self, state: Any) -> None:
        self.pools = {
            item["name"].lower(): Pool(
                name=item["name"],
                state=item["state"],
                attributes={key: convert(key, value) for key, value in item["attributes"].items()},
            )
            for item in state["pools"]
        }
        self.sites = {}
        for item in state["sites"]:
            bindings = [Binding(**binding) for binding in item["bindings"]]
            applications = [Application(**application) for application in item["applications"]]
            self.sites[item["name"].lower()] = Site(**{**item, "bindings": bindings, "applications": applications})
        self.linger_seconds, self.slow_seconds = state["faults"]["linger_seconds"], state["faults"]["slow_seconds"]
        self.busy_times = state["faults"].get("busy_times", 0)


def _holder(pool: str) -> str:
    return f"w3wp.exe {pool.lower()}"
