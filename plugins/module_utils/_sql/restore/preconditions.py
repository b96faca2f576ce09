# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the options of sql_restore before anything is done."""

from __future__ import annotations

from ..._core.errors import RecoveryError
from ..catalog.read_headers import require_windows
from ..connection.connection import Connection
from ..connection.quoting import quote_identifier
from ..connection.session import Session
from ..instance.databases import SYSTEM
from ..instance.logins import read_login
from ..instance.server import utc_now
from .options import RestoreOptions

__all__ = ["require_options", "require_settings", "respect_leases"]

OLDEST_LEVEL = 100
"""Compatibility level that SQL Server 2012 and all later ones have."""


def require_options(options: RestoreOptions) -> None:
    """What can be said without asking the server. Raises RecoveryError."""
    if not options.source.names_backups:
        raise RecoveryError(
            "'source' names neither folders nor files",
            code="option_invalid",
            advice="Say where the backups are, as the SQL Server service sees it",
        )
    if options.read_headers == "files":
        require_windows(has_windows=options.has_windows)
    quote_identifier(options.database, what="name of the database")
    if options.database.lower() in SYSTEM:
        raise RecoveryError(
            f"{options.database} is a system database, which this module does not restore",
            code="option_invalid",
            advice="See Microsoft's documentation for it",
        )


def require_settings(connection: Connection, options: RestoreOptions, *, version: str) -> None:
    """What the restored database is given last, when it would be late to refuse it. version: of the server.

    Raises RecoveryError.
    """
    host = connection.target.server
    level, newest = options.compatibility_level, int(version.partition(".")[0]) * 10
    if level is not None and level not in range(OLDEST_LEVEL, newest + 1, 10):
        raise RecoveryError(
            f"SQL Server on {host} has no compatibility level {level}",
            code="option_invalid",
            advice=f"Give one from {OLDEST_LEVEL} to {newest}, or leave it out",
        )
    is_windows_account = "\\" in options.owner  # needs no login
    if options.owner and not is_windows_account and read_login(connection, options.owner) is None:
        raise RecoveryError(
            f"There is no login {options.owner} on {host} that could own {options.database}",
            code="not_found",
            advice="Make it with sql_login, or leave out 'owner'",
        )


def respect_leases(session: Session, options: RestoreOptions) -> None:
    """Nothing is restored while somebody else rebuilds from these folders, as far as Windows lets us see that."""
    if session.check_mode or not options.has_windows:
        return
    from ..instance import windows_host  # a run that speaks SQL alone does not pay for it

    windows_host.respect_leases(
        session, options.source.folders, database=options.source_database, now=utc_now(session.connection)
    )
