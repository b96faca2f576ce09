"""The nightly job over a fleet: what the controller spends for 10, 50 and 100 lab servers.

Each server is a Windows twin with a SQL Server twin, a small database and a small application's folder; the job is a
full backup of the one and an archive of the other onto a share. The twins live in this process, the job is
ansible-playbook: its processor time (with all that it started, also what outlives it for a moment) and the memory of
its processes together are what is measured. ``cpu_growth`` is what a further server costs between 50 and 100 by what it
costs between 10 and 50: 1 is linear. Memory is mostly that of the forks; ``memory_mb_per_further_server`` is what the
largest fleet holds beyond the smallest.

Seconds of the clock say little here: the twins compute on the same machine. ``compare`` measures the largest fleet of an
earlier checkout beside this one's, each with its own twins, ansible-playbook and collections.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SIZES = (10, 50, 100)
COMPARED = ("cpu_seconds_per_server", "memory_mb")
FORKS = 10
NETWORK = "127.119.0.0"
PASSWORD = "Fleet-Passw0rd"
FOLDER = "C:\\inetpub\\wwwroot\\PasswordResetServer"
SYSTEM = "NT AUTHORITY\\SYSTEM"
JOB = [
    {
        "hosts": "fleet",
        "gather_facts": False,
        "strategy": "host_pinned",
        "module_defaults": {
            "group/prs.recovery.sql": {"login_user": "sa", "login_password": PASSWORD, "encrypt": "optional"}
        },
        "tasks": [
            {
                "name": "Back up the database",
                "prs.recovery.sql_backup": {"database": "Fleet", "path": "{{ share }}\\{{ inventory_hostname }}"},
            },
            {
                "name": "Back up the application",
                "prs.recovery.app_backup": {
                    "path": FOLDER,
                    "destination": "{{ share }}\\{{ inventory_hostname }}",
                    "share_user": "PRSLAB\\svc-backup",
                    "share_password": "{{ share_password }}",
                },
            },
        ],
    },
]


def run() -> dict[str, Any]:
    measured = measure(ROOT, *SIZES)
    small, middle, large = (measured[str(size)] for size in SIZES)
    return {
        "fleet": {
            **measured,
            "cpu_growth": round(further("cpu_seconds", middle, large) / further("cpu_seconds", small, middle), 3),
            "memory_mb_per_further_server": round(further("memory_mb", small, large), 3),
        }
    }


def compare(other: Path) -> dict[str, Any]:
    """What of the largest fleet does not depend on the clock, with the other checkout's and this one's share of it."""
    here, there = (measure(root, max(SIZES))[str(max(SIZES))] for root in (ROOT, other))
    ratios = {
        name: {"this": here[name], "other": there[name], "ratio": round(here[name] / there[name], 3)}
        for name in COMPARED
    }
    return {"fleet_compared": {str(max(SIZES)): ratios}}


def measure(root: Path, *sizes: int) -> dict[str, dict[str, Any]]:
    """What a checkout spends for fleets of these sizes, in a process that knows no other checkout."""
    command = [str(root / "build/venv/bin/python"), __file__, str(root), *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{root}: {done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def measure_here(root: Path, *sizes: int) -> dict[str, dict[str, Any]]:
    adopt_orphans()
    sys.path[:0] = [str(root / "build" / "collections"), str(root / "tests" / "lab")]
    with tempfile.TemporaryDirectory() as name, fleet(Path(name), max(sizes)) as inventory:
        return {str(size): job(root, Path(name), inventory, size) for size in sizes}


def adopt_orphans() -> None:
    """The server of modules loses its parent, a task, while it works: it is to become a child of this process."""
    set_child_subreaper = 36
    if ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0):
        raise SystemExit(os.strerror(ctypes.get_errno()))


def further(what: str, before: dict[str, Any], after: dict[str, Any]) -> float:
    """What each server more costs."""
    return (after[what] - before[what]) / (after["servers"] - before["servers"])


@contextlib.contextmanager
def fleet(folder: Path, size: int) -> Iterator[dict[str, Any]]:
    """That many servers and one with a share; their inventory."""
    from prs_lab.estate import config
    from prs_lab.estate.estate import Estate

    (folder / "lab").mkdir()
    names = [f"srv{number:03}" for number in range(size)]
    share = {
        "path": "D:\\Shares\\backup",
        "change": ["PRSLAB\\svc-backup", *(f"PRSLAB\\{name.upper()}$" for name in names)],
    }
    hosts: dict[str, Any] = {
        name: {"site": "site-a", "number": 100 + number, "drives": {"C": "60 GB", "D": "60 GB"}}
        for number, name in enumerate(names)
    }
    hosts[names[0]]["groups"] = ["prs_web", "prs_sql"]  # the lab's own inventory wants one of each
    hosts["files"] = {
        "site": "site-a",
        "number": 2,
        "shares": {"backup": share, "media": {"path": "D:\\media"}},
        "drives": {"C": "60 GB", "D": "500 GB"},
    }
    estate = Estate(
        config=config.parse({"dns_suffix": "prslab.test", "accounts": ["svc-backup"], "hosts": hosts}, name="fleet"),
        state_dir=folder / "lab",
        network=NETWORK,
    )
    estate.start()
    try:
        for name in names:
            install(estate.host(name))
            estate.host("files").files(SYSTEM).make_dir(f"{share['path']}\\{name}")
        addresses = {name: estate.host(name).address for name in names}
        yield {
            "vars": {
                "ansible_connection": "winrm",
                "ansible_winrm_transport": "ntlm",
                "ansible_winrm_scheme": "http",
                "ansible_port": 5985,
                "ansible_user": "Administrator",
                "ansible_password": estate.secrets.administrator,
                "share": "\\\\files.prslab.test\\backup",
                "share_password": estate.secrets.accounts["svc-backup"],
            },
            "hosts": {name: {"ansible_host": address} for name, address in addresses.items()},
        }
    finally:
        estate.close()


def install(host: Any) -> None:
    """SQL Server by its setup, a database, and a folder of some files."""
    import pyodbc
    from prs_lab.estate import media
    from prs_lab.windows.models import CommandCall
    from prs_lab.windows.packages import read_media
    from prs_lab.windows.sql_setup import run_setup

    files = host.files(SYSTEM)
    files.make_dir("C:\\media")
    files.write("C:\\media\\setup.exe", media.media_files(media.MediaConfig())["sql\\setup.exe"])
    options = {
        "ACTION": "Install",
        "Q": "True",
        "IACCEPTSQLSERVERLICENSETERMS": "True",
        "FEATURES": "SQLENGINE",
        "INSTANCENAME": "MSSQLSERVER",
        "TCPENABLED": "1",
        "SQLSYSADMINACCOUNTS": "BUILTIN\\Administrators",
        "SECURITYMODE": "SQL",
        "SAPWD": PASSWORD,
        "SQLCOLLATION": "SQL_Latin1_General_CP1_CI_AS",
    }
    arguments = [f"/{name}={value}" for name, value in options.items()]
    call = CommandCall(
        host=host,
        token=host.accounts.token(SYSTEM),
        delegated=True,
        files=files,
        environment={},
        text="",
        program="C:\\media\\setup.exe",
        arguments=arguments,
    )
    done = run_setup(call, read_media(files, "C:\\media\\setup.exe"))
    if done.rc:
        raise SystemExit(done.stdout)
    files.make_dir(f"{FOLDER}\\bin")
    for number in range(20):
        files.write(f"{FOLDER}\\bin\\part{number}.dll", bytes(range(256)) * 40)
    files.write(f"{FOLDER}\\encryption.config", b"<encryptionSettings>the key</encryptionSettings>")
    connection = pyodbc.connect(
        f"DRIVER={{{odbc_driver()}}};SERVER=tcp:{host.address},1433;UID=sa;PWD={PASSWORD};Encrypt=optional",
        autocommit=True,
    )
    connection.execute("CREATE DATABASE Fleet")
    connection.close()


def odbc_driver() -> str:
    """By today's names, or by those of 95c6376."""
    names = "ansible_collections.prs.recovery.plugins.module_utils._sql"
    try:
        module = import_module(f"{names}.connection.odbc_driver")
    except ModuleNotFoundError:
        module = import_module(f"{names}.driver")
    return module.find_driver(None).name


def job(root: Path, folder: Path, inventory: dict[str, Any], size: int) -> dict[str, Any]:
    """One night: what the controller spent."""
    chosen = dict(list(inventory["hosts"].items())[:size])
    (folder / "hosts.json").write_text(json.dumps({"fleet": {**inventory, "hosts": chosen}}))
    (folder / "job.json").write_text(json.dumps(JOB))
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(root / "build" / "collections"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
        "ANSIBLE_FORKS": str(FORKS),
    }
    before = os.times()
    with (folder / "job.log").open("w") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [root / "build/venv/bin/ansible-playbook", "-i", folder / "hosts.json", folder / "job.json"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        memory = Memory()
        code = process.wait()
        seconds = time.monotonic() - began
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
        megabytes = memory.stop() / 1024
    after = os.times()
    if code:
        raise SystemExit((folder / "job.log").read_text())
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "servers": size,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 2),
        "cpu_seconds_per_server": round(cpu / size, 3),
        "memory_mb": round(megabytes, 1),
        "memory_mb_per_server": round(megabytes / size, 2),
    }


class Memory:
    """The most that all that this process started held together, in KB: shared pages are divided among those that share
    them (PSS).
    """

    def __init__(self) -> None:
        self._most = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self._most = max(self._most, sum(map(self._held, children(os.getpid()))))

    def _held(self, pid: int) -> int:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:  # it has just ended
            return 0
        own = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        return own + sum(map(self._held, children(pid)))


def children(pid: int) -> list[int]:
    """Those of all of its threads."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it has just ended
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


if __name__ == "__main__":
    print(json.dumps(measure_here(Path(sys.argv[1]), *map(int, sys.argv[2:] or SIZES))))
