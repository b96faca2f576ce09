# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wreck: what was found of an estate, typed. Nothing here is a guess: what nobody could find out is said to be
unknown, and a server that answers but refuses is not a lost one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

__all__ = [
    "Application", "ApplicationState", "Archive", "Attach", "BackupSource", "Consents", "Database", "DatabaseState",
    "Instance", "OtherCopy", "Reach", "Server", "SurvivingFiles", "Wreck",
]  # fmt: skip


class Reach(str, Enum):
    """REFUSES: it answers, but not to us (password, certificate, proxy). SILENT: nothing answers."""

    REACHED, REFUSES, SILENT = "reached", "refuses", "silent"


class Instance(str, Enum):
    """The instance of SQL Server. BROKEN: its installation did not finish. REFUSES: it runs and does not let us in."""

    RUNNING, STOPPED, ABSENT, BROKEN, REFUSES = "running", "stopped", "absent", "broken", "refuses"


class DatabaseState(str, Enum):
    """CLOSED: somebody set it offline. UNKNOWN: its instance is stopped or tells nothing.

    PENDING: RECOVERY_PENDING with its files there again; without them it is SUSPECT. WAITING: a mirror whose principal
    is not connected. OTHER: one of this name that is not the estate's.
    """

    HEALTHY, CLOSED, PENDING, SUSPECT, RESTORING = "healthy", "closed", "pending", "suspect", "restoring"
    WAITING, OTHER, MISSING, UNKNOWN = "waiting", "other", "missing", "unknown"


class ApplicationState(str, Enum):
    """STOPPED: complete, but its pool, site or service does not run. DAMAGED: files are missing or changed."""

    RUNNING, STOPPED, DAMAGED, MISSING, UNKNOWN = "running", "stopped", "damaged", "missing", "unknown"


class Attach(str, Enum):
    """What became of judging data files. LIKELY: by signs that are no proof."""

    SURE, LIKELY, IMPOSSIBLE = "sure", "likely", "impossible"


@dataclass(frozen=True, kw_only=True)
class Server:
    """problem: why it refuses or is silent, in words."""

    host: str
    reach: Reach = Reach.REACHED
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Database:
    """The database at the active site."""

    state: DatabaseState


@dataclass(frozen=True, kw_only=True)
class Application:
    """keys: fingerprint of the keys in its folder, '' where there are none or nobody looked."""

    state: ApplicationState
    keys: str = ""


@dataclass(frozen=True, kw_only=True)
class OtherCopy:
    """The estate's database at another site: its mirror or standby, or the principal itself.

    point: UTC, until when it has everything; None where nobody knows. complete: nothing was committed that it has not.
    application: '' where the application of its site could serve, else why not.
    """

    site: str
    server: Server
    kind: str
    point: dt.datetime | None = None
    complete: bool = False
    application: str = ""


@dataclass(frozen=True, kw_only=True)
class SurvivingFiles:
    """Data files of the database that no server holds, all of one moment.

    point: UTC, until when they have everything, by the times of the files; None where nobody knows. data, logs: their
    paths, the primary one first. needs: why somebody has to say yes, '' where nobody has to. problem: why they make no
    database as they are, and what to do. use: what their rows say of when the database was last used, and by whom.
    """

    folder: str
    attach: Attach
    point: dt.datetime | None = None
    problem: str = ""
    size: int = 0
    data: Sequence[str] = ()
    logs: Sequence[str] = ()
    needs: str = ""
    use: str = ""


@dataclass(frozen=True, kw_only=True)
class BackupSource:
    """Backups of the database from which one plan restores. kind: set (with a manifest) or files.

    elsewhere: it is the copy at another place, and place is its path. problem: why it cannot be restored, '' where it
    can. keys: fingerprint of the application's keys at that time, '' unknown.
    """

    name: str
    kind: str
    elsewhere: bool = False
    place: str = ""
    point: dt.datetime | None = None
    problem: str = ""
    size: int = 0
    keys: str = ""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An archive of the application."""

    name: str
    point: dt.datetime | None = None
    problem: str = ""
    keys: str = ""
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Consents:
    """What somebody said may be lost: prs_allow_database_loss, prs_allow_application_loss."""

    database: bool = False
    application: bool = False


@dataclass(frozen=True, kw_only=True)
class Wreck:
    """Everything that was found of an estate. now: aware, UTC.

    keys: fingerprint of the keys that the living database is encrypted with, '' where nobody knows. sql_media, package:
    why SQL Server, or an empty application, cannot be installed; '' where they can. busy: which other run has the
    lease, '' for none. replace_database, replace_application: somebody wants the backup in the place of what is there,
    healthy or not. other_sites: those whose servers all answer, where the service could be rebuilt.
    """

    now: dt.datetime
    site: str
    web: Server
    sql: Server
    instance: Instance
    database: Database
    application: Application
    copies: Sequence[OtherCopy] = ()
    files: Sequence[SurvivingFiles] = ()
    backups: Sequence[BackupSource] = ()
    archives: Sequence[Archive] = ()
    consents: Consents = Consents()
    keys: str = ""
    sql_media: str = ""
    package: str = ""
    busy: str = ""
    replace_database: bool = False
    replace_application: bool = False
    other_sites: Sequence[str] = ()

    @property
    def silent(self) -> list[Server]:
        servers = {server.host: server for server in (self.sql, self.web) if server.reach is Reach.SILENT}
        return list(servers.values())

    def with_new_servers(self) -> Wreck:
        """The same once prepared, empty servers stand in the place of those that are silent. Others stay as they are,
        those that refuse above all.
        """
        wreck = self
        if self.sql.reach is Reach.SILENT:
            new, database = Server(host=self.sql.host), Database(state=DatabaseState.MISSING)
            wreck = replace(wreck, sql=new, instance=Instance.ABSENT, database=database)
        if self.web.reach is Reach.SILENT:
            new, application = Server(host=self.web.host), Application(state=ApplicationState.MISSING)
            wreck = replace(wreck, web=new, application=application)
        return wreck
