"""The lab for programs: ``Lab(folder).up()``, wreck it, look at it, ``down()``. The command line ``prs-lab`` is a thin layer over this."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .application.browser import Browser, Page
from .estate import config as estate_config
from .estate.control import CommandFailed, NotRunning, request
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

    def up(self, *, estate: str | Path = "default", network: str = estate_config.DEFAULT_NETWORK) -> dict[str, Any]:
        """Starts the lab, or finds it running; returns what ``ping`` says. Raises ConfigError, LabError."""
        estate_config.load(estate)
        _check_network(network)
        self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.state_dir / "up.lock").open("w") as lock:
            # Two that start the same lab at once: the second waits and then finds it running.
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                return self.ping()
            except NotRunning:
                self._wait_for_the_last()
                return self._spawn(str(estate), network)

    def _wait_for_the_last(self) -> None:
        """A daemon that is just ending still has the addresses and writes its state."""
        file = self.state_dir / "daemon.pid"
        deadline = time.monotonic() + DOWN_SECONDS
        while file.exists() and _is_daemon(int(file.read_text() or 0)):
            if time.monotonic() > deadline:
                raise LabError(f"the lab's process {file.read_text()} lives but does not answer; end it and run this again")
            time.sleep(0.05)

    def _spawn(self, estate: str, network: str) -> dict[str, Any]:
        if Path(estate).exists():
            estate = str(Path(estate).resolve())
        log = self.state_dir / "daemon.log"
        command = [sys.executable, "-m", "prs_lab.estate.daemon", "--estate", estate, "--state", str(self.state_dir), "--network", network]
        package = str(Path(__file__).resolve().parents[1])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))}
        with log.open("ab") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=str(self.state_dir), env=environment
            )
        deadline = time.monotonic() + UP_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                raise LabError(f"the lab did not start (exit code {process.returncode}); the end of {log}:\n{tail}")
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
        raise LabError(f"the lab (process {pid}) did not end within {DOWN_SECONDS} s and was killed; its last changes may be lost")

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
        """A browser that asks for the public name; ``host`` says which web server the name leads to (default: the first)."""
        description = self.description
        web = description.host(host) if host else description.in_group("prs_web")[0]
        return Browser(
            url=f"https://{description.public_name}:{description.https_port}{path}", address=web.address, ca_file=description.ca_file
        )

    def page(self, *, host: str = "", path: str = "/") -> Page:
        return self.browser(host=host, path=path).page()

    def mark(self, labels: list[str], *, host: str = "", path: str = "/") -> Page:
        """Writes marker rows as the administrator whom ``wizard`` made."""
        return self.browser(host=host, path=path).mark(user="admin", password=self.description.secrets.wizard_administrator, labels=labels)

    def wizard(
        self, *, host: str = "", path: str = "/", server: str = "", database: str = "PasswordResetServer", login: str = "prs_app",
        password: str = "", encrypt: bool = True, failover_partner: str = "",
    ) -> Page:
        """Plays the person who finishes the installation; by default with the estate's own values. Raises WizardStuck."""
        description = self.description
        secrets = description.secrets
        account = next(iter(description.accounts), "svc-prs")
        answers = {
            2: {
                "server": server or description.sql_alias, "database": database, "authentication": "sql", "login": login,
                "password": password or secrets.application_login, "encrypt": "yes" if encrypt else "no", "failover_partner": failover_partner,
            },
            3: {"accept": "yes"},
            4: {"user": "admin", "password": secrets.wizard_administrator},
            5: {"domain": description.dns_suffix, "account": f"{description.domain}\\{account}", "password": secrets.accounts.get(account, "")},
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
