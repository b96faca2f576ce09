"""Disasters by name: what each does to a lab, and whether what was written since the backup is lost by it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..client import Lab
from .playbooks import Playbooks

__all__ = ["DISASTERS", "Disaster", "Scene", "listing"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a disaster happens. ``web`` and ``sql`` are the computers of the active site, ``web_host`` and ``sql_host`` what the
    inventory calls them; ``values`` are the variables of the database server, ``other_site`` is '' where there is none.
    """

    lab: Lab
    playbooks: Playbooks
    web: str
    sql: str
    web_host: str
    sql_host: str
    values: Mapping[str, Any]
    other_site: str = ""

    def value(self, name: str, default: str) -> str:
        return str(self.values.get(name) or default)

    @property
    def application(self) -> str:
        return self.value("prs_app_path", r"C:\inetpub\wwwroot\PasswordResetServer")

    @property
    def service(self) -> str:
        instance = self.value("prs_sql_instance", "MSSQLSERVER")
        return instance if instance.upper() == "MSSQLSERVER" else f"MSSQL${instance}"

    def set_service(self, state: str) -> None:
        self.playbooks.module(
            self.sql_host, "ansible.windows.win_service", name=self.service, state=state, force_dependent_services=True
        )

    def set_pool(self, state: str) -> None:
        name = self.value("prs_app_name", "PasswordResetServer")
        self.playbooks.module(self.web_host, "microsoft.iis.web_app_pool", name=name, state=state)

    def delete(self, path: str) -> None:
        self.playbooks.module(self.web_host, "ansible.windows.win_file", path=path, state="absent")

    def files(self, server: str, pattern: str) -> list[Path]:
        """Files of a host on this machine's disk."""
        return sorted((self.lab.state_dir / "hosts" / server.lower() / "drives").rglob(pattern))


@dataclass(frozen=True, kw_only=True)
class Disaster:
    """``happen``: makes it so, and returns whether what was written since the first backup is lost. ``moves``: the service has to
    go to the other site. ``second_backup``: another backup is taken before, which the disaster damages.
    """

    sentence: str
    happen: Callable[[Scene], bool]
    moves: bool = False
    second_backup: bool = False


def _total_loss(scene: Scene) -> bool:
    for computer in {scene.web, scene.sql}:
        scene.lab.wipe(computer)
    return True


def _sql_lost(scene: Scene) -> bool:
    scene.lab.wipe(scene.sql)
    return True


def _web_lost(scene: Scene) -> bool:
    scene.lab.wipe(scene.web)
    return scene.web == scene.sql


def _site_lost(scene: Scene) -> bool:
    for computer in {scene.web, scene.sql}:
        scene.lab.kill(computer)
    return scene.values.get("prs_ha") != "mirror"


def _database_suspect(scene: Scene) -> bool:
    scene.set_service("stopped")
    data = next(file for file in scene.files(scene.sql, "*.mdf") if _is_database(file, scene))
    with data.open("r+b") as file:
        file.write(b"\xa5" * 65536)
    scene.set_service("started")
    return True


def _is_database(file: Path, scene: Scene) -> bool:
    return file.stem.lower().startswith(scene.value("prs_database", "PasswordResetServer").lower())


def _sql_stopped(scene: Scene) -> bool:
    scene.set_service("stopped")
    return False


def _application_stopped(scene: Scene) -> bool:
    scene.set_pool("stopped")
    return False


def _application_deleted(scene: Scene) -> bool:
    scene.set_pool("stopped")
    scene.delete(scene.application)
    return False


def _keys_lost(scene: Scene) -> bool:
    scene.set_pool("stopped")
    for name in ("encryption.config", "database.config"):
        scene.delete(f"{scene.application}\\{name}")
    return False


def _backups_damaged(scene: Scene) -> bool:
    backups = [
        file
        for host in scene.lab.description.hosts
        for file in scene.files(host.name, "*.bak")
        if "Shares" in file.parts
    ]
    newest = max(backups, key=lambda file: file.stat().st_mtime_ns)
    for file in backups:
        if file.name == newest.name:  # with its copies at other places
            os.truncate(file, file.stat().st_size // 2)
    return _sql_lost(scene)


DISASTERS = {
    "total-loss": Disaster(sentence="the servers of the active site are wiped", happen=_total_loss),
    "sql-lost": Disaster(sentence="its database server is wiped", happen=_sql_lost),
    "web-lost": Disaster(sentence="its web server is wiped", happen=_web_lost),
    "site-lost": Disaster(
        sentence="the active site is gone; the service moves to the other one", happen=_site_lost, moves=True
    ),
    "database-suspect": Disaster(sentence="the database's data file is damaged", happen=_database_suspect),
    "sql-stopped": Disaster(sentence="the service of SQL Server is stopped", happen=_sql_stopped),
    "application-stopped": Disaster(sentence="the application pool is stopped", happen=_application_stopped),
    "application-deleted": Disaster(sentence="the application's folder is deleted", happen=_application_deleted),
    "keys-lost": Disaster(sentence="the application's keys and its database settings are deleted", happen=_keys_lost),
    "backups-damaged": Disaster(
        sentence="the newest backup is cut off at every place, and the database server wiped",
        happen=_backups_damaged,
        second_backup=True,
    ),
}


def listing() -> str:
    """One disaster a line, as a table."""
    return "\n".join(f"  {name:<22}{disaster.sentence}" for name, disaster in DISASTERS.items())
