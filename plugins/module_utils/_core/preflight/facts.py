# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role preflight gathered of one host, typed. A fact that is missing raises: nothing is judged by a guess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..errors import RecoveryError
from ..windows_files import NOTHING_THERE
from ..windows_paths import lies_in, same_folder

__all__ = [
    "FAILED", "OK", "SKIPPED", "UNREACHABLE", "Answer", "BackupFiles", "Certificate", "Choice", "Chosen", "Database",
    "HostFacts", "HostOptions", "Iis", "Instance", "NewestFile", "OtherSite", "PathFacts", "PlannedRestore",
    "ReadCertificate", "Settings", "Shares", "StandbyMove", "SurvivingDatabase", "Windows", "missing",
]  # fmt: skip

T = TypeVar("T")
OK, FAILED, UNREACHABLE, SKIPPED = "ok", "failed", "unreachable", "skipped"


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T]):
    """What came of asking a host. state: ok, failed, unreachable, or skipped where nobody asked.

    problem: why it failed; name: which fact it is, for the error.
    """

    name: str
    state: str
    problem: str = ""
    content: T | None = None

    @property
    def ok(self) -> bool:
        return self.state == OK

    @property
    def value(self) -> T:
        """What was found; raises RecoveryError where there is none."""
        if self.content is None:
            raise missing(self.name)
        return self.content


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the inventory asks for. setup, package, web_config: paths of files; archives: a pattern such as
    \\\\server\\share\\*.zip; sql_build: '' where setup.exe says it; sql_updates: a folder, or ''.
    firewall: managed or ignored. data_file_folders: where somebody said that data files lie.
    """

    sql_instance: str
    sql_port: int
    sql_mixed_mode: bool
    sql_updates: str
    firewall: str
    sql_collation: str
    sql_build: str
    sql_folders: Sequence[str]
    database: str
    sql_service_account: str
    setup: str
    package: str
    web_config: str
    archives: str
    application_folder: str
    application_pool: str
    application_path: str
    database_path: str
    share_user: str
    staged_by: str
    dotnet_release: int
    free_gb: int
    data_file_folders: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Of inspect_server.ps1. domain_role: 4 and 5 are domain controllers; free_bytes: by drive such as C:;
    mounted_bytes: the same by the folders in which volumes are mounted; pending_restart: reasons why Windows waits for
    a restart.
    """

    name: str
    domain: str
    domain_role: int
    caption: str
    version: str
    dotnet_release: int
    free_bytes: Mapping[str, int]
    mounted_bytes: Mapping[str, int]
    pending_restart: Sequence[str]
    firewall_running: bool

    def volume_of(self, folder: str) -> str:
        """The drive, such as D:, or the folder in which the volume is mounted that a folder lies on."""
        mounted = [name for name in self.mounted_bytes if same_folder(folder, name) or lies_in(folder, name)]
        return max(mounted, key=len, default=folder[:2].upper())

    def free_on(self, volume: str) -> int | None:
        """Bytes that are free on what volume_of returns; None where there is no such drive."""
        return self.mounted_bytes.get(volume, self.free_bytes.get(volume))


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Of inspect_sql_instance.ps1: what Windows knows of the instance of SQL Server, and what it reads at its next
    start: login_mode, listens_on_all_addresses, tcp_enabled, tcp_port, tcp_dynamic_ports (both may be lists),
    certificate (its thumbprint). service_state: '' without a service.
    """

    installed: bool
    partly_installed: bool
    version: str
    collation: str
    service_account: str
    login_mode: int
    listens_on_all_addresses: bool
    tcp_enabled: int
    tcp_port: str
    tcp_dynamic_ports: str
    certificate: str
    service_state: str


@dataclass(frozen=True, kw_only=True)
class Iis:
    """Of inspect_protection.ps1. service: state of W3SVC; site: state of the application's, '' where there is none;
    asked_state: of the application's pool, likewise. error, message: of Windows, 0 for none; then the rest is what was
    read before.
    """

    installed: bool
    service: str
    site: str
    asked_state: str
    error: int
    message: str


@dataclass(frozen=True, kw_only=True)
class PathFacts:
    """One file or folder, as the account that read it saw it. error: of Windows, 0 for none; missing: of a package."""

    path: str
    exists: bool
    version: str
    missing: Sequence[str]
    error: int
    message: str

    @property
    def is_hidden(self) -> bool:
        """Whether nobody can tell if it is there."""
        return not self.exists and self.error not in (0, *NOTHING_THERE)


@dataclass(frozen=True, kw_only=True)
class NewestFile:
    """The newest file that a pattern finds. path and modified are '' where count is 0. unreadable: folders that
    may hold more, and nobody could look into.
    """

    pattern: str
    count: int
    path: str
    modified: str
    error: int
    message: str
    unreadable: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of inspect_paths.ps1."""

    paths: Sequence[PathFacts]
    newest: Sequence[NewestFile]


@dataclass(frozen=True, kw_only=True)
class Database:
    """Of sql_info. mirroring_role: '' without a session. standby: it can be read, and a restore of it goes on."""

    name: str
    state: str
    mirroring_role: str
    standby: bool

    def is_named(self, name: str) -> bool:
        return self.name.lower() == name.lower()


@dataclass(frozen=True, kw_only=True)
class StandbyMove:
    """What a move to the standby of another site would come to. complete: nothing is lost; else since when (UTC), empty
    where nothing tells. problem: why it cannot be opened, or empty.
    """

    complete: bool
    since: str
    problem: str


@dataclass(frozen=True, kw_only=True)
class OtherSite:
    """The database server of another site. answer: ok, failed (it answers, and tells nothing) or unreachable.

    databases: the estate's there. standby: what it would come to as one; None where it was not asked, or serves.
    """

    site: str
    host: str
    answer: str
    problem: str
    databases: Sequence[Database]
    standby: StandbyMove | None


@dataclass(frozen=True, kw_only=True)
class PlannedRestore:
    """What SQL Server plans. recovery_point: UTC, '' where the plan has none."""

    recovery_point: str
    ends_mirroring: bool


@dataclass(frozen=True, kw_only=True)
class BackupFiles:
    """What the backups say that were read without a SQL Server.

    recovery_point, finished: UTC, of the plan and of its last backup; '' where there is no plan. backups: how many it
    restores; stripes: of one of them at most; read_bytes: of all; space: bytes by drive such as D:; build: of the
    newest server that made one; server: who made the last. refusal: why there is no plan. faults: path and reason of
    files that break off or are no backups; unclear: of those that only SQL Server can read. sets: all that were read.
    """

    recovery_point: str
    finished: str
    backups: int
    stripes: int
    read_bytes: int
    space: Mapping[str, int]
    build: str
    server: str
    refusal: str
    faults: Sequence[tuple[str, str]]
    unclear: Sequence[tuple[str, str]]
    sets: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class SurvivingDatabase:
    """A database of which data or log files were found. row: as database_file_info tells it; data: its data files, the
    primary one first; modified: UTC, when one of the files that count was written last, '' where nobody told.
    """

    row: Mapping[str, Any]
    data: Sequence[str]
    modified: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the role restore chose: a recovery set with its label, or files and folders without one. target: latest,
    or a moment. chain: the backups of the set, as its manifest tells them.
    """

    label: str
    healthy: bool
    site: str
    server: str
    recovery_point: str
    target: str
    build: str
    chain: Sequence[Mapping[str, Any]]
    files: Sequence[str]
    folders: Sequence[str]
    archive: str
    notes: Sequence[str]
    web: Mapping[str, Any]

    @property
    def is_archive(self) -> bool:
        """Whether one archive of the application was chosen, and not the folder of many."""
        return self.archive.lower().endswith(".zip")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """problem: why nothing could be chosen, code: its error code. named: a person named the set, or the moment."""

    problem: str
    code: str
    named: bool
    chosen: Chosen


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A PFX. part: web or sql, which is to show it. needed: names that it must be valid for. answer: (names, not_after,
    key); skipped where there is no file.
    """

    part: str
    pfx: str
    needed: Sequence[str]
    answer: Answer[ReadCertificate]


@dataclass(frozen=True, kw_only=True)
class ReadCertificate:
    """Of import_certificate.ps1. not_after: UTC, as 2026-03-01T12:00:00Z. key: exchange, signature or other."""

    names: Sequence[str]
    not_after: str
    key: str
    thumbprint: str


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """What is to be done with a host. address: host:port of WinRM; account: who logs on there; parts: web, sql;
    provision: whether servers are set up as well, or only restored to.
    """

    host: str
    address: str
    account: str
    parts: Sequence[str]
    provision: bool
    need_backup: bool
    overwrite_database: bool
    overwrite_application: bool


@dataclass(frozen=True, kw_only=True)
class HostFacts(HostOptions):
    """The same with everything that was found."""

    settings: Settings
    windows: Answer[Windows]
    instance: Answer[Instance]
    answers: Answer[Sequence[Database]]
    iis: Answer[Iis]
    other_sites: Sequence[OtherSite]
    shares: Answer[Shares]
    backups: Answer[Shares]
    backup_files: Answer[BackupFiles]
    restore: Answer[PlannedRestore]
    data_files: Answer[Sequence[SurvivingDatabase]]
    choice: Answer[Choice]
    certificates: Sequence[Certificate]

    @property
    def web(self) -> bool:
        return "web" in self.parts

    @property
    def sql(self) -> bool:
        return "sql" in self.parts

    @property
    def install_sql(self) -> bool:
        """Whether SQL Server is to be installed; of an instance that could not be inspected nobody knows."""
        return self.sql and self.instance.ok and not self.instance.value.installed

    @property
    def chosen(self) -> Chosen:
        return self.choice.value.chosen

    @property
    def paths(self) -> Sequence[PathFacts]:
        """What was seen of the shares: nothing where they could not be inspected."""
        return self.shares.value.paths if self.shares.ok else ()

    def path(self, name: str) -> PathFacts:
        return _first((path for path in self.shares.value.paths if path.path == name), f"shares.{name}")

    @property
    def archive(self) -> NewestFile:
        """The newest archive of the application in its folder."""
        pattern = self.settings.archives
        return _first((file for file in self.shares.value.newest if file.pattern == pattern), f"shares.{pattern}")

    @property
    def target_build(self) -> str:
        """Build of the instance that is to restore the backup; '' where nobody knows it."""
        if not self.install_sql:
            return self.instance.value.version if self.sql and self.instance.ok else ""
        media = (path.version for path in self.paths if path.path == self.settings.setup)
        return self.settings.sql_build or next(media, "")

    @property
    def sql_account(self) -> str:
        """Who SQL Server runs as, or will run as; '' for a virtual account."""
        running = self.instance.value.service_account if self.instance.ok else ""
        return running or self.settings.sql_service_account


def missing(name: str) -> RecoveryError:
    return RecoveryError(
        f"preflight cannot judge this host: the fact {name} was not gathered",
        advice="The role prs.recovery.preflight gathers what this module needs: give it as _preflight_facts does",
        code="option_invalid",
    )


def _first(items: Iterator[T], name: str) -> T:
    for item in items:
        return item
    raise missing(name)
