# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that speak to SQL Server have in common: their options, and the one place where a run begins and
ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._core.errors import RecoveryError
from .._outcome import failures_reported, show_warnings
from .._progress import HOST, Progress
from .connection.connection import Connection, ServerAddress, connect
from .connection.session import Session

__all__ = ["run", "sql_connection_argument_spec"]


def sql_connection_argument_spec(*, failover_partner: bool = False) -> dict[str, dict[str, Any]]:
    """The argument spec of doc_fragments/sql_connection.py; with failover_partner that of sql_partner.failover, too."""
    partner: dict[str, dict[str, Any]] = {}
    if failover_partner:
        from .connection.partner import sql_partner_failover_argument_spec

        partner = sql_partner_failover_argument_spec()
    return {
        **partner,
        "login_host": {"type": "str"},
        "login_port": {"type": "int"},
        "login_instance": {"type": "str"},
        "login_user": {"type": "str", "required": True},
        "login_password": {"type": "str", "required": True, "no_log": True},
        "encrypt": {"type": "str", "choices": ["mandatory", "strict", "optional"], "default": "mandatory"},
        "certificate_name": {"type": "str"},
        "ca_file": {"type": "path"},
        "driver": {"type": "str"},
        "connect_timeout": {"type": "int", "default": 15},
    }


def run(module: AnsibleModule, act: Callable[[Session], dict[str, Any]], *, database: str = "database") -> None:
    """Connect, act, report. `act` returns what the task returns; whatever is raised ends here as one message without
    secrets.

    database: the option that names the database which decides between login_host and failover_partner.
    """
    session = Session(
        params=module.params, check_mode=module.check_mode, progress=Progress(secrets=module.no_log_values)
    )
    with (
        failures_reported(module, warnings=session.warnings, made=session.made),
        closing(_connection(session, _target(module), database)) as session.connection,
    ):
        result = act(session)
    show_warnings(module, session.warnings)
    module.exit_json(**result, **session.answered)


def _connection(session: Session, target: ServerAddress, option: str) -> Connection:
    """To login_host, or to the principal of the two where a partner is given, too."""
    given = session.params.get("failover_partner")
    if not given:
        return connect(target)
    database = given["database"] or session.params.get(option)
    if not database:
        raise RecoveryError(
            "'failover_partner' does not say which database it is about, and the task is about none",
            code="option_invalid",
            advice="Give 'database' in failover_partner",
        )
    # A run without a partner does not pay for this: Python compiles all that a module imports anew in every run.
    from .connection.partner import partner_target
    from .connection.principal import connect_to_principal

    connection, standing = connect_to_principal(target, partner_target(target, given), database)
    session.answered = {
        "answered_by": {"login_host": connection.target.host, "role": standing.role, "session": standing.session}
    }
    if connection.target is not target:
        session.progress.line(f"{database} is served by {connection.target.server}")
        session.params = {**session.params, "winrm_host": None}  # that is another server's Windows
    return connection


def _target(module: AnsibleModule) -> ServerAddress:
    params = module.params
    if not params["login_host"]:
        raise RecoveryError(
            "No server is named",
            code="option_invalid",
            advice="Let the task target the database server's host, or set login_host",
        )
    login = {name: params[f"login_{name}"] for name in ("host", "port", "instance", "user", "password")}
    manner = {name: params[name] for name in ("encrypt", "certificate_name", "ca_file", "driver", "connect_timeout")}
    return ServerAddress(
        **login, **manner, name=os.environ.get(HOST, ""), program=f"prs.recovery {module._name.rpartition('.')[2]}"
    )
