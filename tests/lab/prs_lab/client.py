"""The lab for programs: ``Lab(folder).up()``, wreck it, look at it, ``down()``. The command line ``prs-lab`` is a thin
layer over this.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .application.browser import Browser, Page
from .estate import config as estate_config
from .estate.control import SAID, CommandFailed, NotRunning, request
from .estate.description import Description

__all__ = ["CommandFailed", "Lab", "LabError", "NotRunning"]

UP_SECONDS = 120
DOWN_SECONDS = 30


class LabError(Exception):
    """The lab did not do what was asked; the text says why and what to do."""


class Lab:
    """One lab: everything of it lies in ``state_dir``."""

    def __init__(self, state_dir: str | Path):
        self.state_dir = Path(state_dir).resolve()

    # Up and down

    def up(self, *, estate: str | Path = "", network: str = "") -> dict[str, Any]:
        """Starts the lab, or finds it running; returns what ``ping`` says.

        ``estate`` and ``network`` are by default those of the lab that lies in the folder, of a new one ``default`` and
        ``DEFAULT_NETWORK``. Raises ConfigError, LabError (the folder holds another estate, or its lab runs on another
        network).
        """
        known = self._known()
        estate, network = (
            str(estate or known.get("source") or known.get("name") or "default"),
            network or known.get("network") or estate_config.DEFAULT_NETWORK,
        )
        name = estate_config.load(estate).name
        _check_network(network)
        self._check_estate(name)
        self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.state_dir / "up.lock").open("w") as lock:
            # Two that start the same lab at once: the second waits and then finds it running.
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                found = self.ping()
            except NotRunning:
                self._wait_for_the_last()
                return self._spawn(estate, network)
            if (found["estate"], found["network"]) != (name, network):
                raise LabError(
                    f"the lab in {self.state_dir} runs the estate {found['estate']} on {found['network']}: end it "
                    "first (make lab-down), or give the "
                    "other one a folder of its own (prs-lab up --state)"
                )
            return found

    def _known(self) -> dict[str, Any]:
        """What is kept of the lab in the folder; nothing when it never came up."""
        try:
            return json.loads((self.state_dir / "estate.json").read_text())
        except FileNotFoundError:
            return {}

    def _check_estate(self, name: str) -> None:
        """Hosts of two estates do not go together. Where no host has ever booted there is nothing to lose."""
        kept = self._known().get("name", name)
        if kept != name and any(self.state_dir.glob("hosts/*/host.json")):
            raise LabError(
                f"{self.state_dir} holds the estate {kept}: give {name} a folder of its own (prs-lab up --state), "
                "or remove this one to begin anew"
            )

    def _wait_for_the_last(self) -> None:
        """A daemon that is just ending still has the addresses and writes its state."""
        file = self.state_dir / "daemon.pid"
        deadline = time.monotonic() + DOWN_SECONDS
        while file.exists() and _is_daemon(int(file.read_text() or 0)):
            if time.monotonic() > deadline:
                raise LabError(
                    f"the lab's process {file.read_text()} lives but does not answer; end it and run this again"
                )
            time.sleep(0.05)

    def _spawn(self, estate: str, network: str) -> dict[str, Any]:
        if Path(estate).exists():
            estate = str(Path(estate).resolve())
        log = self.state_dir / "daemon.log"
        begin = log.stat().st_size if log.exists() else 0
        command = [
            sys.executable,
            "-m",
            "prs_lab.estate.daemon",
            "--estate",
            estate,
            "--state",
            str(self.state_dir),
            "--network",
            network,
        ]
        package = str(Path(__file__).resolve().parents[1])
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")])),
        }
        with log.open("ab") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=str(self.state_dir),
                env=environment,
            )
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                said = log.read_bytes()[begin:].decode(errors="replace").splitlines()
                if process.returncode == SAID:
                    raise LabError(f"the lab did not start: {said[-1]}")
                raise LabError(
                    f"the lab did not start (exit code {process.returncode}); the end of {log}:\n"
                    + "\n".join(said[-15:])
                )
            try:
                return self.ping()
            except NotRunning:
                time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)
        raise LabError(f"the lab did not answer within {UP_SECONDS} s; look into {log}")

    def down(self) -> bool:
        """Ends the lab, keeping its state; False when it did not run."""
        try:
            pid = self.ping()["pid"]
        except NotRunning:
            return False
        try:
            self._ask("down")
        except NotRunning:
            pass  # it may end before the answer is through
        deadline = time.monotonic() + DOWN_SECONDS
        while time.monotonic() < deadline:
            if not _alive(pid):
                return True
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        raise LabError(
            f"the lab (process {pid}) did not end within {DOWN_SECONDS} s and was killed; its last changes may be lost"
        )

    @property
    def running(self) -> bool:
        try:
            self.ping()
        except NotRunning:
            return False
        return True

    # Wrecking

    def wipe(self, host: str) -> None:
        self._ask("wipe", host=host)

    def kill(self, host: str) -> None:
        self._ask("kill", host=host)

    def start(self, host: str) -> None:
        self._ask("start", host=host)

    def cut(self, site: str) -> None:
        self._ask("cut", site=site)

    def heal(self) -> None:
        self._ask("heal")

    def damage(self, path: str, **how: Any) -> int:
        """See faults.damage; answers the file's size."""
        return self._ask("damage", path=path, **how)

    def fault(self, name: str, **arguments: Any) -> None:
        """See faults for names and arguments."""
        self._ask("fault", name=name, arguments=arguments)

    def unfault(self, name: str, **arguments: Any) -> None:
        self._ask("fault", name=name, arguments=arguments, undone=True)

    # Looking

    def ping(self) -> dict[str, Any]:
        return self._ask("ping")

    def state(self, host: str = "") -> dict[str, Any]:
        return self._ask("state", host=host)

    def digest(self, host: str = "") -> dict[str, str]:
        """Host -> fingerprint; equal fingerprints mean that nothing was changed."""
        return self._ask("digest", host=host)

    def record(self, kind: str = "", *, host: str = "", since: int = 0) -> list[dict[str, Any]]:
        return self._ask("record", kind=kind, host=host, since=since)

    def mark_record(self) -> int:
        return self._ask("mark-record")

    def unmodelled(self, *, since: int = 0) -> list[dict[str, Any]]:
        return self._ask("unmodelled", since=since)

    @property
    def description(self) -> Description:
        return Description.load(self.state_dir)

    # The person at the browser

    def browser(self, *, host: str = "", path: str = "/") -> Browser:
        """A browser that asks for the public name; ``host`` says which web server the name leads to.

        By default to the first one whose application runs, as the person who moves the name would have it. Raises
        LabError for an unknown host.
        """
        description = self.description
        try:
            web = description.host(host or self._web(description, path))
        except KeyError as error:
            raise LabError(error.args[0]) from error
        return Browser(
            url=f"https://{description.public_name}:{description.https_port}{path}",
            address=web.address,
            ca_file=description.ca_file,
        )

    def _web(self, description: Description, path: str) -> str:
        names = [web.name for web in description.in_group("prs_web")]
        try:
            serving = self._ask("serving", port=description.https_port, path=path) if len(names) > 1 else []
        except NotRunning:
            serving = []
        return next((name for name in names if name in serving), names[0])

    def page(self, *, host: str = "", path: str = "/") -> Page:
        return self.browser(host=host, path=path).page()

    def mark(self, labels: list[str], *, host: str = "", path: str = "/") -> Page:
        """Writes marker rows as the administrator whom ``wizard`` made."""
        return self.browser(host=host, path=path).mark(
            user="admin", password=self.description.secrets.wizard_administrator, labels=labels
        )

    def partner(self, name: str, *, host: str = "", path: str = "/") -> Page:
        """Tells the application its failover partner, as the administrator whom ``wizard`` made; "": none any more."""
        browser, password = self.browser(host=host, path=path), self.description.secrets.wizard_administrator
        return browser.partner(user="admin", password=password, name=name)

    def wizard(
        self,
        *,
        host: str = "",
        path: str = "/",
        server: str = "",
        database: str = "PasswordResetServer",
        login: str = "prs_app",
        password: str = "",
        encrypt: bool = True,
        failover_partner: str = "",
    ) -> Page:
        """Plays the person who finishes the installation; by default with the estate's own values. Raises WizardStuck."""
        description = self.description
        secrets = description.secrets
        account = next(iter(description.accounts), "svc-prs")
        answers = {
            2: {
                "server": server or description.sql_alias,
                "database": database,
                "authentication": "sql",
                "login": login,
                "password": password or secrets.application_login,
                "encrypt": "yes" if encrypt else "no",
                "failover_partner": failover_partner,
            },
            3: {"accept": "yes"},
            4: {"user": "admin", "password": secrets.wizard_administrator},
            5: {
                "domain": description.dns_suffix,
                "account": f"{description.domain}\\{account}",
                "password": secrets.accounts.get(account, ""),
            },
        }
        return self.browser(host=host, path=path).wizard(answers=answers)

    def _ask(self, command: str, **arguments: Any) -> Any:
        return request(self.state_dir, command, **arguments)


def _check_network(network: str) -> None:
    try:
        base = ipaddress.IPv4Address(network)
    except ValueError as error:
        raise LabError(f"--network {network}: {error}") from error
    if not base.is_loopback or int(base) & 0xFF:
        raise LabError(f"--network {network}: give a loopback network that ends in .0, such as 127.61.0.0")


def _is_daemon(pid: int) -> bool:
    """Whether the process is one of ours, where the system can say so: numbers of processes are used again."""
    if not pid or not _alive(pid):
        return False
    try:
        return b"prs_lab.estate.daemon" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True


def _alive(pid: int) -> bool:
    """Whether the process runs; a zombie that is our own child is collected and counts as ended."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
