"""A small lab of Windows twins for tests: hosts on loopback addresses of their own, a domain, and ways to ask them."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from prs_lab.record import Record
from prs_lab.windows.decode import Become, Job
from prs_lab.windows.dispatch import Dispatcher
from prs_lab.windows.domain import Domain
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.models import load_models
from prs_lab.windows.winrm import WinRm, WinRmSettings

PASSWORD = "Ä-Passw0rd:1 2!"
# Far away from where a lab of `make lab-up` lives; the process id keeps test runs side by side apart.
_ADDRESSES = (
    f"127.{100 + os.getpid() % 100}.{(os.getpid() // 100 + more) % 250 + 1}.{last}"
    for more in itertools.count()
    for last in range(1, 100)
)


class Network:
    """An estate as hosts need it: names, and links that can be cut."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hosts: dict[str, WindowsHost] = {}
        self.cut: set[str] = set()
        self.record = Record()
        self.domain = Domain("PRSLAB", "prs.lab")
        self.domain.add_user("svc-backup", "Backup1!")
        self.domain.add_user("dba", "Dba-1234", groups=["Domain Admins"])

    def resolve(self, name: str) -> WindowsHost | None:
        return self.hosts.get(name.split(".", 1)[0].upper()) or next(
            (host for host in self.hosts.values() if host.address == name), None
        )

    def reachable(self, from_host: WindowsHost, to_host: WindowsHost) -> bool:
        return from_host.name not in self.cut and to_host.name not in self.cut

    def add(
        self, name: str, *, joined: bool = True, listen: WinRmSettings | None = None, **options: Any
    ) -> WindowsHost:
        """A booted host; `listen` opens WinRM on it."""
        host = WindowsHost(
            name=name, address=next(_ADDRESSES), root=self.root / name, administrator_password=PASSWORD, record=self.record, estate=self,
            directory=self.domain if joined else None, **options,
        )  # fmt: skip
        self.hosts[host.name] = host
        if listen:
            host.network.append(WinRm(host, listen))
        host.power.start()
        return host

    def close(self) -> None:
        for host in self.hosts.values():
            host.close()


class Runner:
    """Runs models of modules as ansible would, without the wire. Answers results."""

    def __init__(self, host: WindowsHost, account: str = "Administrator") -> None:
        load_models()
        self.host = host
        self._dispatcher = Dispatcher(host)
        self._token = host.accounts.token(account)

    def __call__(
        self,
        name: str,
        /,
        *,
        check: bool = False,
        diff: bool = True,
        legacy: bool = False,
        become: str | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        full = name if "." in name else f"ansible.windows.{name}"
        sent = {**arguments, "_ansible_check_mode": check, "_ansible_diff": diff}
        caller = self._dispatcher._caller(self._token, {})
        if become:
            caller = self._dispatcher._become(caller, Become(user=become, password=None, flags={}))
        return self._dispatcher._module(Job(kind="module", name=full, arguments=sent, legacy=legacy), caller)

    def ok(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        result = self(name, **arguments)
        assert not result.get("failed"), result["msg"]
        return result

    def failure(self, name: str, /, **arguments: Any) -> str:
        result = self(name, **arguments)
        assert result.get("failed"), f"{name} should have failed: {result}"
        return result["msg"]
