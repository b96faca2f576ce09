# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other server of a mirroring session, or of a warm standby: its options, how it is reached, and a session with it
that notes its changes beside ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .connection import ServerAddress, connect
from .errors import ConnectionFailed
from .session import Session

__all__ = [
    "partner_session",
    "partner_target",
    "sql_partner_argument_spec",
    "sql_partner_failover_argument_spec",
    "sql_partner_standby_argument_spec",
]


def sql_partner_argument_spec() -> dict[str, Any]:
    """The argument spec of the doc fragment sql_partner, for the mirroring modules."""
    return {"partner": {"type": "dict", "required": True, "options": {**_login_options(), "address": {"type": "str"}}}}


def sql_partner_standby_argument_spec() -> dict[str, Any]:
    """The argument spec of the doc fragment sql_partner.standby, for the old principal of a warm standby."""
    return {"partner": {"type": "dict", "required": True, "options": _login_options()}}


def sql_partner_failover_argument_spec() -> dict[str, dict[str, Any]]:
    """The argument spec of the doc fragment sql_partner.failover, for modules that work on whichever server is the
    principal.
    """
    return {"failover_partner": {"type": "dict", "options": {**_login_options(), "database": {"type": "str"}}}}


def _login_options() -> dict[str, dict[str, Any]]:
    return {
        "login_host": {"type": "str", "required": True},
        "login_port": {"type": "int"},
        "login_instance": {"type": "str"},
        "login_user": {"type": "str"},
        "login_password": {"type": "str", "no_log": True},
        "certificate_name": {"type": "str"},
    }


@contextmanager
def partner_session(session: Session, *, required: bool) -> Iterator[tuple[Session | None, str]]:
    """A session with the partner, and "" or why there is none. required: raise ConnectionFailed in that case."""
    try:
        connection = connect(partner_target(session.connection.target, session.params["partner"]), may_be_down=True)
    except ConnectionFailed as problem:
        if required:
            raise
        yield None, problem.message
        return
    other = Session(params=session.params, check_mode=session.check_mode, progress=session.progress)
    other.connection, other.statements, other.warnings = connection, session.statements, session.warnings
    try:
        yield other, ""
    finally:
        connection.close()


def partner_target(ours: ServerAddress, given: dict[str, Any]) -> ServerAddress:
    """Ours, with what the partner has of its own; another host has another name, in the inventory and in its
    certificate.
    """
    own = {name: given[f"login_{name}"] for name in ("user", "password") if given[f"login_{name}"] is not None}
    return replace(
        ours,
        name="",
        host=given["login_host"],
        port=given["login_port"],
        instance=given["login_instance"],
        certificate_name=given["certificate_name"],
        **own,
    )
