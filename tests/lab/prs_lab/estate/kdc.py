"""The domain's key distribution center: MIT's krb5kdc, a real one, on an address of the lab and with a folder of its own.

Its database is made anew at every start, from the domain's passwords; nothing of it is kept. Who has its `krb5.conf`
in KRB5_CONFIG asks it; the machine's own configuration is left alone.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["KeyDistributionCenter", "missing_programs"]

PROGRAMS = {
    "krb5kdc": "krb5-kdc",
    "kdb5_util": "krb5-kdc",
    "kadmin.local": "krb5-admin-server",
    "kinit": "krb5-user",
}
"""Program -> Debian's package."""
PLACES = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
ANSWERS_WITHIN = 20.0
_PR_SET_PDEATHSIG = 1


def missing_programs() -> str:
    """What to install, as a sentence; empty where everything is there."""
    packages = {package for program, package in PROGRAMS.items() if not shutil.which(program, path=PLACES)}
    return f"no KDC without Debian's {', '.join(sorted(packages))}" if packages else ""


class KeyDistributionCenter:
    """A KDC for one realm. ticket_life: seconds, of every ticket. clock_skew: seconds that acceptors forgive; 300 with
    Windows, and then a ticket lives five minutes longer than it says.
    """

    def __init__(
        self, *, folder: Path, realm: str, address: str, ticket_life: int = 36000, clock_skew: int = 300
    ) -> None:
        self._folder = folder
        self._life = ticket_life
        self._skew = clock_skew
        self._process: subprocess.Popen[bytes] | None = None
        self.realm = realm
        self.address = address
        self.port = 0
        self.configuration = folder / "krb5.conf"

    def start(self, *, users: Mapping[str, str], services: Mapping[Path, Iterable[str]]) -> None:
        """users: name -> password. services: keytab to write -> names such as HTTP/web.prs.lab. Raises RuntimeError."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, mode=0o700)
        self.port = _free_port(self.address)
        self._write_configuration()
        self._run("kdb5_util", "create", "-s", "-r", self.realm, "-P", os.urandom(16).hex())
        lines = [f'add_principal -pw "{password}" "{name}"' for name, password in users.items()]
        for keytab, names in services.items():
            lines += [f"add_principal -randkey {name}" for name in names]
            lines += [f"ktadd -k {keytab} {name}" for name in names]
        said = self._run("kadmin.local", "-r", self.realm, asked="\n".join([*lines, "quit", ""]))
        made = said.count(" created.")
        if made != len(users) + sum(len(list(names)) for names in services.values()):
            raise RuntimeError(f"kadmin.local made {made} principals: {said}")
        self._process = subprocess.Popen(
            [_program("krb5kdc"), "-n", "-r", self.realm],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,
        )
        self._wait()

    def stop(self) -> None:
        """End the process and remove all that it had."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def asked_for(self, kind: str) -> list[str]:
        """The lines of its log about requests of a kind (AS_REQ, TGS_REQ) that were granted."""
        log = (self._folder / "kdc.log").read_text(encoding="utf-8", errors="replace")
        return [line for line in log.splitlines() if f"{kind} " in line and "ISSUE:" in line]

    def _wait(self) -> None:
        deadline = time.monotonic() + ANSWERS_WITHIN
        while True:
            try:
                socket.create_connection((self.address, self.port), timeout=1).close()
                return
            except OSError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = self._folder / "kdc.log"
                    self.stop_process()
                    raise RuntimeError(f"krb5kdc does not answer: {log.read_text() if log.exists() else ''}") from None
                time.sleep(0.05)

    def stop_process(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=10)

    def _write_configuration(self) -> None:
        domain = self.realm.lower()
        self.configuration.write_text(
            f"""[libdefaults]
default_realm = {self.realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
clockskew = {self._skew}

[realms]
{self.realm} = {{
  kdc = {self.address}:{self.port}
}}

[domain_realm]
.{domain} = {self.realm}
""",
            encoding="utf-8",
        )
        (self._folder / "kdc.conf").write_text(
            f"""[kdcdefaults]
kdc_listen = {self.address}:{self.port}
kdc_tcp_listen = {self.address}:{self.port}

[realms]
{self.realm} = {{
  database_name = {self._folder}/principal
  key_stash_file = {self._folder}/stash
  acl_file = {self._folder}/acl
  max_life = {self._life}s
  max_renewable_life = {self._life}s
}}

[logging]
kdc = FILE:{self._folder}/kdc.log
""",
            encoding="utf-8",
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": PLACES,
            "KRB5_CONFIG": str(self.configuration),
            "KRB5_KDC_PROFILE": str(self._folder / "kdc.conf"),
            "KRB5RCACHENAME": "none:",
        }

    def _run(self, program: str, *arguments: str, asked: str = "") -> str:
        """Passwords go to standard input: the list of processes shows arguments."""
        done = subprocess.run(
            [_program(program), *arguments],
            env=self._environment(),
            input=asked,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")
        return done.stdout


def _end_with_parent() -> None:
    """A lab that is killed leaves no KDC behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _program(name: str) -> str:
    found = shutil.which(name, path=PLACES)
    if found is None:
        raise RuntimeError(missing_programs())
    return found


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]
