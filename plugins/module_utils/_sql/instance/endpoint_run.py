# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of sql_endpoint: compares the mirroring endpoint with what is wanted, and changes what differs."""

from __future__ import annotations

from typing import Any

from ..._core.errors import RecoveryError
from ..._core.mirroring.endpoint import differences, fits_edition, wanted_endpoint
from ..connection.quoting import compose
from ..connection.session import Session
from .endpoint import alter_endpoint, create_endpoint, drop_endpoint, grant_connect, read_endpoint
from .server import read_server

__all__ = ["apply"]


PORT = 5022


def apply(session: Session) -> dict[str, Any]:
    """Compare, change what differs, report."""
    before = read_endpoint(session.connection)
    if session.params["state"] == "absent":
        if before:
            drop_endpoint(session, before["name"])
    else:
        _provide(session, before)
    after = read_endpoint(session.connection)
    return {
        "changed": session.changed,
        "endpoint": after or {},
        "statements": session.statements,
        "diff": {"before": before or {}, "after": _expected(session, before)},
    }


def _provide(session: Session, before: dict[str, Any] | None) -> None:
    wanted = wanted_endpoint(session.params)
    name = before["name"] if before else session.params["name"]
    if before is None:
        _complete(session, wanted)
    if wanted["authentication"] == "CERTIFICATE" and not wanted["certificate"]:
        wanted["certificate"] = (before or {}).get("certificate")
    if wanted["authentication"] == "CERTIFICATE" and not wanted["certificate"]:
        raise RecoveryError(
            "An endpoint with certificates needs one of its own",
            code="option_invalid",
            advice="Give its name in 'certificate', sql_certificate makes it",
        )
    if wanted["certificate"] and wanted["authentication"] is None:
        wanted["authentication"] = "CERTIFICATE"
    _check_edition(session, wanted["role"] or (before or {}).get("role", ""))
    may = {login.lower() for login in (before or {"connect": []})["connect"]}
    new = list({login.lower(): login for login in session.params["connect"] if login.lower() not in may}.values())
    missing = _missing_logins(session, new)
    if before is None:
        create_endpoint(session, name, wanted)
    else:
        alter_endpoint(
            session,
            name,
            differences(before, wanted),
            {**before, **{key: value for key, value in wanted.items() if value is not None}},
        )
    for login in new:
        if login in missing:
            session.change(
                compose("CREATE LOGIN {login} FROM WINDOWS", login=login), doing=f"Cannot create the login {login}"
            )
        grant_connect(session, name, login)


def _complete(session: Session, wanted: dict[str, Any]) -> None:
    """What a new endpoint is where nothing is said."""
    witness = read_server(session.connection)["edition"].startswith(("Express", "Web"))
    wanted["port"] = wanted["port"] or PORT
    wanted["role"] = wanted["role"] or ("WITNESS" if witness else "ALL")
    wanted["authentication"] = wanted["authentication"] or ("CERTIFICATE" if wanted["certificate"] else "NEGOTIATE")


def _check_edition(session: Session, role: str) -> None:
    edition = read_server(session.connection)["edition"]
    if not fits_edition(role, edition):
        raise RecoveryError(
            f"SQL Server on {session.connection.target.server} is an {edition}, which can be a witness and nothing "
            "else",
            code="unsupported",
            advice="Set 'role: WITNESS', or use Standard or Enterprise for the partners",
        )


def _missing_logins(session: Session, logins: list[str]) -> list[str]:
    """Accounts of Windows that are no logins yet. Raises RecoveryError for another login that is not there, before
    anything is changed.

    In check mode that is a warning: the task before this one would have made it.
    """
    query = "SELECT COUNT(*) AS found FROM sys.server_principals WHERE name = ?"
    missing = [
        login for login in logins if not session.connection.value(query, login, doing=f"Cannot read the login {login}")
    ]
    unknown = [login for login in missing if "\\" not in login]
    if unknown:
        said = (
            f"There is no login {unknown[0]} on {session.connection.target.server} that could connect to the endpoint"
        )
        advice = (
            "sql_certificate makes it together with the other server's certificate (options 'public' and 'identity')"
        )
        if not session.check_mode:
            raise RecoveryError(said, code="not_found", advice=advice)
        session.warnings.append(
            f"{said} yet. Unless a task before this one makes it, the run itself will fail: {advice}."
        )
    return [login for login in missing if login not in unknown]


def _expected(session: Session, before: dict[str, Any] | None) -> dict[str, Any]:
    if session.params["state"] == "absent":
        return {}
    wanted = {key: value for key, value in wanted_endpoint(session.params).items() if value is not None}
    connect = sorted({*(before or {"connect": []})["connect"], *session.params["connect"]})
    return {"name": session.params["name"], **(before or {}), **wanted, "connect": connect}
