"""Which of two partners SqlClient opens its connection to, and what it remembers of them.

With a failover partner in the connection string it tries the server and the partner in turn, twice as patiently in
every round, until the login time-out. The partner that the principal names at login replaces the one of the connection
string for as long as the worker process lives. A partner that answers, but mirrors nothing, is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["ATTEMPTS", "Partner", "SqlFailure", "open_with_partner"]

ATTEMPTS = 6
"""Attempts within the 15 seconds of the login time-out: each takes 8 % of it, in the next rounds 16 % and 24 %. Here
they take no time.
"""

FINAL = (18456, 18488, 1346)
"""Errors that end the attempts: login refused, password to be changed, impersonation failed."""


class SqlFailure(Exception):
    """A server could not be used. ``number`` is SQL Server's error number, 0 or negative when no server answered."""

    def __init__(self, number: int, message: str):
        self.number = number
        super().__init__(message)


@dataclass
class Partner:
    """What one worker process remembers of one connection string. ``leads``: the last connection was the partner's, so
    the next begins there.
    """

    name: str
    leads: bool = False


def open_with_partner(known: Partner, *, server: str, database: str, connect: Callable[[str], tuple[Any, str]]) -> Any:
    """Opens a connection to ``server`` or to its partner.

    ``connect`` answers the connection and the name of the partner as the server gives it at login, "" without a mirror.
    """
    if not known.name:
        connection, known.name = connect(server)
        return connection
    at_partner, tried = known.leads, 0
    while True:
        try:
            connection, partner = connect(known.name if at_partner else server)
            break
        except SqlFailure as refused:
            tried += 1
            if refused.number in FINAL or tried == ATTEMPTS:
                raise
            at_partner = not at_partner
    if at_partner and not partner:
        connection.close()
        raise SqlFailure(0, f"Server {known.name}, database {database} is not configured for database mirroring.")
    known.leads = at_partner
    if not at_partner:
        known.name = partner
    return connection
