# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirroring on two servers: what both say of it, the statements that change it, and waiting for what takes its time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.mirroring.session import Side, health
from ..._core.mirroring.setup import MAY_HAVE_WORKED, PASSING
from ..connection.connection import Connection
from ..connection.errors import SqlError
from ..connection.quoting import compose, quote_text
from ..connection.session import Session
from .endpoint import read_endpoint

__all__ = [
    "ALREADY_ENABLED",
    "NOT_MIRRORED",
    "read_lag",
    "read_mirroring",
    "read_obstacles",
    "read_side",
    "set_partner",
    "settings_statement",
    "wait_until",
]

ALREADY_ENABLED, NOT_MIRRORED = 1405, 1416

_SESSION = """
SELECT d.state_desc, d.recovery_model_desc, r.family_guid, CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition,
       m.mirroring_guid, m.mirroring_role_desc, m.mirroring_state_desc, m.mirroring_partner_name,
           m.mirroring_witness_name,
       m.mirroring_witness_state_desc, m.mirroring_safety_level_desc, m.mirroring_connection_timeout,
           m.mirroring_role_sequence,
       m.mirroring_failover_lsn, m.mirroring_end_of_log_lsn
FROM sys.databases AS d
JOIN sys.database_mirroring AS m ON m.database_id = d.database_id
LEFT JOIN sys.database_recovery_status AS r ON r.database_id = d.database_id
WHERE d.name = ?
"""

_EDITION = "SELECT CAST(SERVERPROPERTY('Edition') AS nvarchar(128)) AS edition"

LOOK_EVERY = 0.5
"""Seconds between two looks at a state that takes its time."""


def read_side(connection: Connection, database: str, *, address: str | None) -> Side:
    """One server's side. address: how the others reach its endpoint; by default the name that we reach the server by,
    and the endpoint's port.
    """
    endpoint = read_endpoint(connection) or {}
    host = connection.target.host
    row = connection.row(_SESSION, database, doing=f"Cannot read the mirroring of {database}")
    edition = row["edition"] if row else connection.value(_EDITION)
    common = {
        "server": connection.target.server,
        "address": address or f"TCP://{host}:{endpoint.get('port', 5022)}",
        "edition": edition,
        "endpoint": endpoint.get("state", ""),
        "endpoint_role": endpoint.get("role", ""),
    }
    if row is None:
        return Side(**common)
    return Side(
        **common,
        state=row["state_desc"],
        recovery_model=row["recovery_model_desc"],
        family=row["family_guid"],
        guid=row["mirroring_guid"] or "",
        role=row["mirroring_role_desc"] or "",
        session=row["mirroring_state_desc"] or "",
        partner=row["mirroring_partner_name"] or "",
        witness=row["mirroring_witness_name"] or "",
        witness_state=row["mirroring_witness_state_desc"] or "",
        safety=row["mirroring_safety_level_desc"] or "",
        timeout=row["mirroring_connection_timeout"],
        role_sequence=row["mirroring_role_sequence"] or 0,
        failover_lsn=row["mirroring_failover_lsn"],
        end_of_log_lsn=row["mirroring_end_of_log_lsn"],
    )


_SETTINGS = "SELECT * FROM sys.databases WHERE name = ?"
"""All columns: some came with 2019 and 2022, and older servers refuse a question that names them."""


def read_obstacles(connection: Connection, database: str) -> frozenset[str]:
    """Settings of a database that mirroring cannot have, as Side.obstacles names them."""
    row = connection.row(_SETTINGS, database, doing=f"Cannot read the settings of {database}") or {}
    settings = {
        "auto_close": row.get("is_auto_close_on"),
        "read_only": row.get("is_read_only"),
        "single_user": row.get("user_access_desc") == "SINGLE_USER",
        "accelerated_recovery": row.get("is_accelerated_database_recovery_on"),
        "ledger": row.get("is_ledger_on"),
    }
    return frozenset(name for name, value in settings.items() if value)


def settings_statement(database: str, action: str, value: str) -> str:
    """ALTER DATABASE ... SET of a step of the plan."""
    head = compose("ALTER DATABASE {database} SET", database=database)
    words = {
        "end": "PARTNER OFF",
        "resume": "PARTNER RESUME",
        "suspend": "PARTNER SUSPEND",
        "failover": "PARTNER FAILOVER",
        "force": "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS",
        "safety": f"PARTNER SAFETY {value}",
        "timeout": f"PARTNER TIMEOUT {value}",
        "partner": f"PARTNER = {quote_text(value, what='address')}",
        "witness": f"WITNESS = {quote_text(value, what='address')}" if value else "WITNESS OFF",
    }
    return f"{head} {words[action]}"


PAUSES = (1, 2, 4, 8, 15)
"""Seconds before each further try of a command that failed for the moment."""

ROLE_CHANGES = ("failover", "force")
"""What must not be said a second time where the first may have worked: the roles may be the others by then."""


DONE = {"partner": ALREADY_ENABLED, "end": NOT_MIRRORED}
"""What the server says of a command that was carried out already."""


def set_partner(session: Session, database: str, action: str, value: str = "") -> None:
    """Run one of them, again where the server says that this will help."""
    statement = settings_statement(database, action, value)
    doing = f"Mirroring of {database} on {session.connection.target.server} could not be changed"
    again = PASSING if action in ROLE_CHANGES else (*PASSING, MAY_HAVE_WORKED)
    doubtful = False
    for pause in (*PAUSES, None):
        try:
            session.change(statement, doing=doing)
            return
        except SqlError as problem:
            if doubtful and problem.number == DONE.get(action):
                return  # by the command of which no answer came
            if pause is None or problem.number not in again:
                raise
            doubtful |= problem.number == MAY_HAVE_WORKED
            session.statements.pop()
            session.progress.line(f"trying again in {pause} s: {problem.text}")
            time.sleep(pause)


def wait_until(
    look: Callable[[], Side], fits: Callable[[Side], bool], *, seconds: float, what: str, session: Session
) -> Side:
    """Look again and again. Raises RecoveryError when it does not come to be in time."""
    ends = time.monotonic() + seconds
    said = ""
    while True:
        side = look()
        if fits(side):
            return side
        if time.monotonic() >= ends:
            raise RecoveryError(
                f"{what} was not reached within {round(seconds)} seconds: on {side.server} mirroring is "
                f"{side.session or 'not there'}",
                code="timeout",
                advice="Look at both servers' error logs; where there is only much to send, run again with a longer "
                "'wait'",
            )
        if side.session != said:
            said = side.session
            session.progress.line(f"waiting for {what}: {side.session or 'no session'} on {side.server}")
        time.sleep(LOOK_EVERY)


_SESSIONS = """
SELECT d.name, m.mirroring_role_desc, m.mirroring_state_desc, m.mirroring_safety_level_desc,
    m.mirroring_partner_name, m.mirroring_partner_instance,
       m.mirroring_witness_name, m.mirroring_witness_state_desc
FROM sys.database_mirroring AS m
JOIN sys.databases AS d ON d.database_id = m.database_id
WHERE m.mirroring_guid IS NOT NULL
ORDER BY d.name
"""


def read_mirroring(connection: Connection) -> list[dict[str, Any]]:
    """What sql_info returns as C(mirroring)."""
    result = []
    for row in connection.query(_SESSIONS, doing="Cannot read the mirroring sessions"):
        side = {
            "database": row["name"],
            "role": row["mirroring_role_desc"],
            "state": row["mirroring_state_desc"],
            "safety": row["mirroring_safety_level_desc"],
            "partner": row["mirroring_partner_name"],
            "partner_instance": row["mirroring_partner_instance"],
            "witness": row["mirroring_witness_name"] or "",
            "witness_state": row["mirroring_witness_state_desc"] or "",
        }
        problems = health(side["role"], side["state"], side["safety"], side["witness"], side["witness_state"])
        result.append(
            {**side, "healthy": not problems, "problems": problems, "lag": read_lag(connection, side["database"])}
        )
    return result


def read_lag(connection: Connection, database: str) -> dict[str, Any]:
    """How far the mirror is behind, by the mirroring monitor; empty where the login may not ask it.

    The monitor notes the status in its own table in msdb, as its job does every minute.
    """
    try:
        row = connection.row(f"EXEC msdb.sys.sp_dbmmonitorresults {quote_text(database)}, 0, 1")
    except SqlError as problem:
        if problem.lost:
            raise
        return {}
    if row is None:
        return {}
    return {
        "unsent_kb": row["unsent_log"],
        "unrestored_kb": row["unrestored_log"],
        "caught_up_to": row["time_behind"],
        "measured_at": row["local_time"],
    }
