"""A web server and a file server as Windows twins, reached as a real one is: over WinRM with sealed NTLM."""

from __future__ import annotations

import datetime as dt
import itertools
import ntpath
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application import archive_writer, folder_swap
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.backup import ApplicationBackup
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.restore import ApplicationRestore
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import WinrmConnection
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host import files as host_files
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from ansible_collections.prs.recovery.plugins.modules import app_backup_info
from prs_lab.windows.domain import Domain
from prs_lab.windows.filesystem import FileView
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.scripts import verb_archives
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Descriptor, Rights
from prs_lab.windows.shares import Share
from prs_lab.windows.winrm import WinRm

PASSWORD = "Ä-Passw0rd:1 2!"
SHARE_PASSWORD = "Sh@re secret 'quoted' \"twice\""
APPLICATION = "C:\\inetpub\\wwwroot\\PasswordResetServer"
LOCAL = "D:\\backup"
LOGS = "C:\\ProgramData\\prs.recovery\\log"
REMOTE = "\\\\files\\backup\\web"
EVERYONE = "S-1-1-0"
POOL = "PasswordResetServer"
LONG_AGO = dt.datetime(2025, 6, 1, tzinfo=dt.timezone.utc).timestamp()
NIGHT = dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.timezone.utc)

CONTENT = {
    "web.config": b"<configuration/>\r\n",
    "database.config": b"<databaseSettings>opaque</databaseSettings>",
    "encryption.config": b"<encryptionSettings>the key</encryptionSettings>",
    "Default.aspx": b"<%@ Page %>",
    "bin/Prs.Web.dll": b"MZ" + bytes(range(256)) * 40,
    "bin/de/Prs.Web.resources.dll": b"MZ deutsch",
    "App_Data/Größe naïve 日本.txt": "Ünïcode".encode(),
    "App_Data/empty.txt": b"",
}

_ADDRESSES = (
    f"127.{100 + os.getpid() % 100}.{(os.getpid() // 100 + more) % 250 + 1}.{last}"
    for more in itertools.count()
    for last in range(101, 250)
)


class Twins:
    """WEB with IIS and the application, FILES with the share \\\\files\\backup that svc-backup may write to."""

    def __init__(self, root: Path) -> None:
        self.domain = Domain("PRSLAB", "prs.lab")
        self.domain.add_user("svc-backup", SHARE_PASSWORD)
        self.domain.add_user("svc-reader", SHARE_PASSWORD)
        self.hosts: dict[str, WindowsHost] = {}
        self.root = root
        self.web = self._host("WEB", root, {"C": 8 << 30, "D": 8 << 30})
        self.share_host = self._host("FILES", root, {"C": 8 << 30, "E": 8 << 30})
        account = self.domain.lookup("svc-backup")
        entries = [
            Ace(sid="S-1-5-32-544", mask=Rights.FULL, inheritance=CONTAINER | OBJECT),
            Ace(sid=account, mask=Rights.MODIFY, inheritance=CONTAINER | OBJECT),
        ]
        self.system(self.share_host).make_dir("E:\\backup")
        self.share_host.drives.set_descriptor("E:\\backup", Descriptor(entries=entries, protected=True))
        self.share_host.shares.add(Share(name="backup", path="E:\\backup", access=[(EVERYONE, "full")]))
        self.files = self.system(self.web)
        self.install(CONTENT)

    def _host(self, name: str, root: Path, capacities: dict[str, int]) -> WindowsHost:
        host = WindowsHost(
            name=name,
            address=next(_ADDRESSES),
            root=root / name,
            administrator_password=PASSWORD,
            estate=self,
            directory=self.domain,
            capacities=capacities,
        )
        self.hosts[name] = host
        host.network.append(WinRm(host))
        host.power.start()
        return host

    def another_web_server(self) -> WindowsHost:
        """A fresh one, with nothing on it."""
        return self._host("WEB-B", self.root, {"C": 8 << 30, "D": 8 << 30})

    def close(self) -> None:
        for host in self.hosts.values():
            host.close()

    # What a host asks of its estate

    def resolve(self, name: str) -> WindowsHost | None:
        return self.hosts.get(name.split(".", 1)[0].upper()) or next(
            (host for host in self.hosts.values() if host.address == name), None
        )

    def reachable(self, from_host: WindowsHost, to_host: WindowsHost) -> bool:
        return True

    # What tests do to them, past WinRM

    @staticmethod
    def system(host: WindowsHost) -> FileView:
        return host.files("NT AUTHORITY\\SYSTEM")

    def install(self, content: dict[str, bytes], folder: str = APPLICATION) -> None:
        """Files that have been there for a while."""
        for name, data in content.items():
            self.write(f"{folder}\\{name}", data)
            os.utime(self.files.real_path(f"{folder}\\{name}"), (LONG_AGO, LONG_AGO))

    def write(self, path: str, data: bytes, host: WindowsHost | None = None) -> None:
        view = self.system(host or self.web)
        plain = path.replace("/", "\\")
        view.make_dir(ntpath.dirname(plain))
        view.write(plain, data)

    def tree(self, folder: str = APPLICATION, host: WindowsHost | None = None) -> dict[str, bytes]:
        """Files below a folder with their content, by name."""
        view = self.system(host or self.web)
        if not view.exists(folder):
            return {}
        return {
            path[len(folder) + 1 :].replace("\\", "/"): view.read(path)
            for path, stat in view.walk(folder)
            if not stat.is_dir
        }

    def names(self, folder: str, host: WindowsHost | None = None) -> list[str]:
        view = self.system(host or self.web)
        return view.list(folder) if view.exists(folder) else []

    def install_iis(self) -> None:
        features = self.web.features
        features.add(features.plan_install(["Web-Server", "Web-Asp-Net45"], management_tools=True))
        self.web.iis.add_pool(POOL)
        self.web.iis.start_pool(POOL)

    def scripts(self) -> list[str]:
        """Names of the verbs that the web server was asked for, in their order."""
        return [entry["name"] for entry in self.web.record.entries("script")]

    # What a module does

    def connection(self, **different: Any) -> WinrmConnection:
        values = {
            "host": self.web.address,
            "port": 5985,
            "scheme": "http",
            "user": "Administrator",
            "password": PASSWORD,
            **different,
        }
        return WinrmConnection(**values)

    @contextmanager
    def session(self, *, check_mode: bool = False, host: WindowsHost | None = None) -> Iterator[WindowsFiles]:
        with Session(self.connection(host=(host or self.web).address)) as session:
            yield WindowsFiles(session, check_mode=check_mode, progress=Progress())

    def backup(
        self,
        *,
        check_mode: bool = False,
        now: dt.datetime = NIGHT,
        show_diff: bool = False,
        host: WindowsHost | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        defaults = {
            "path": APPLICATION, "destination": LOCAL, "stage_path": None, "exclude": [], "unreadable": "fail", "key_files": ["encryption.config"],
            "plain_copies": {}, "retention": None, "skip_unchanged": False, "labels": {}, "healthy": None, "log_path": LOGS,
        }  # fmt: skip
        with self.session(check_mode=check_mode, host=host) as files:
            backup = ApplicationBackup(files, {**defaults, **NO_SHARE, **params}, now=now, show_diff=show_diff)
            return {**backup.run(), "warnings": files.warnings}

    def restore(
        self,
        *,
        check_mode: bool = False,
        now: dt.datetime = NIGHT,
        show_diff: bool = False,
        host: WindowsHost | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        defaults = {
            "path": APPLICATION, "source": LOCAL, "until": None,
            "replace": "damaged", "database_config": "archive", "application_pool": None, "pool_timeout": 5,
            "start_pool": False, "expected_differences": ["*.config"], "key_files": ["encryption.config"], "keep_old": False,
        }  # fmt: skip
        with self.session(check_mode=check_mode, host=host) as files:
            restore = ApplicationRestore(
                files, {**defaults, **NO_SHARE, **params}, now=lambda: now, show_diff=show_diff
            )
            return {**restore.run(), "warnings": files.warnings}

    def info(self, *, now: dt.datetime = NIGHT, **params: Any) -> dict[str, Any]:
        defaults = {"path": APPLICATION, "destination": LOCAL, "verify": "none"}
        with self.session() as files:
            return app_backup_info.gather(files, {**defaults, **NO_SHARE, **params}, now=now)


NO_SHARE = {"share_user": None, "share_password": None}
ON_SHARE = {"share_user": "PRSLAB\\svc-backup", "share_password": SHARE_PASSWORD}


def without_pauses(monkeypatch: Any) -> None:
    """Nobody waits for a virus scanner here."""
    monkeypatch.setattr(archive_writer, "PAUSE", 0.01)
    monkeypatch.setattr(verb_archives, "pause", lambda seconds: None)
    monkeypatch.setattr(folder_swap, "PAUSE", 0.01)
    monkeypatch.setattr(host_files, "PAUSE", 0.01)


def shells_end(winrm: WinRm, *, within: float = 20.0) -> bool:
    """Whether the last shell of a host has ended by then: a run's server of modules ends them when the run has ended."""
    until = time.monotonic() + within
    while winrm.wsman._shells and time.monotonic() < until:
        time.sleep(0.02)
    return not winrm.wsman._shells


def damage(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :]


def only(names: Sequence[str], ending: str) -> str:
    [found] = [name for name in names if name.endswith(ending)]
    return found
