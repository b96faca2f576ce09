# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of SQL Server and of its drivers, with number, state, message and advice as fields.

Raw texts of a driver may repeat the connection string. They are taken apart here and go no further.
"""

from __future__ import annotations

import re
from typing import Any

from ..._core.advice.sql_server import advice_for, operating_system_error
from ..._core.errors import RecoveryError, code_of_windows_error

__all__ = ["ConnectionFailed", "SqlError", "classify", "is_from_server", "plain_text"]

_NATIVE_NUMBER = re.compile(r"\((-?\d+)\) \(SQL[A-Za-z]+\)")
_PROVIDER = re.compile(r"\w+ Provider:")
_ORIGIN = re.compile(r"^(\s*\[[^\]]*\])+")

TIMEOUT_STATES = ("HYT00", "HYT01")
UNREACHED_STATES = ("08001", *TIMEOUT_STATES)
LOST_STATES = ("08S01", "08003", "08007")
FREETDS_NUMBERS = range(20000, 20300)
LOST_NUMBERS = (20003, 20004, 20006, 20017, 20047)
"""FreeTDS has numbers of its own for a dropped connection."""


class SqlError(RecoveryError):
    """An error that SQL Server, or the driver on its way, reported.

    number: SQL Server's own, or the driver's; None when neither gave one. sqlstate: five characters. text: the message
    alone. os_error: the Windows error inside the message, or None.
    """

    def __init__(
        self, doing: str, *, text: str, number: int | None, sqlstate: str, account: str = "", advice: str = ""
    ) -> None:
        self.number = number
        self.sqlstate = sqlstate
        self.text = text
        self.os_error = operating_system_error(text) if number is not None else None
        lost = sqlstate in LOST_STATES or number in LOST_NUMBERS
        if not advice and lost:
            advice = (
                "The connection broke, and with it the server ended what it was doing. Check the server and "
                "the network, then run again"
            )
        advice = advice or advice_for(number, text, account=account)
        shown = (
            f"{text} (SQL Server error {number})"
            if is_from_server(text=text, number=number, sqlstate=sqlstate) and not lost
            else text
        )
        fields = {"number": number, "sqlstate": sqlstate, "message": text, "os_error": self.os_error}
        code = "sql_connection_lost" if lost else code_of_windows_error(self.os_error, otherwise="sql_error")
        super().__init__(f"{doing}: {shown}" if doing else shown, advice=advice, code=code, sql_error=fields)


class ConnectionFailed(SqlError):
    """No session with the server could be opened. answered: whether something answers there all the same, so that the
    server is not lost, and be it that nobody listens on the port. code: why not, as far as it is known.
    """

    def __init__(self, doing: str, *, answered: bool, code: str = "sql_unreachable", **fields: Any) -> None:
        super().__init__(doing, **fields)
        self.code = code
        self.details["sql_error"]["answered"] = answered


def is_from_server(*, text: str, number: int | None, sqlstate: str) -> bool:
    """Whether an error's number is one of SQL Server's own, so that the server has answered. The drivers pass on those
    of network and security, too.
    """
    ours = sqlstate not in (*UNREACHED_STATES, *LOST_STATES) and not _PROVIDER.match(text)
    return ours and number is not None and number > 0 and number not in FREETDS_NUMBERS


def classify(problem: Exception) -> dict[str, Any]:
    """Take apart what pyodbc raised: C(text), C(number), C(sqlstate) for SqlError.

    By number and SQLSTATE only; the two drivers raise different classes for one cause.
    """
    sqlstate = str(problem.args[0]) if problem.args else ""
    raw = str(problem.args[1]) if len(problem.args) > 1 else str(problem)
    match = _NATIVE_NUMBER.search(raw)
    first = raw[: match.start()] if match else raw.partition("; [")[0]
    return {
        "text": plain_text(first),
        "number": int(match.group(1)) if match else None,
        "sqlstate": sqlstate if len(sqlstate) == 5 else "",
    }


def plain_text(message: str) -> str:
    """A driver's message without the names of those it went through."""
    return _ORIGIN.sub("", message).strip()
