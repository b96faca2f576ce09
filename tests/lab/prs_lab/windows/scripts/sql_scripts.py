"""Models of the scripts that speak T-SQL on the server itself, over Windows authentication: their own statements run on
the twin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..languages import calling
from ..models import ScriptCall, ScriptResult, script

__all__: list[str] = []

_STATEMENTS = re.compile(r"-Statement (?:@'\s*\n(?P<long>.*?)\n'@|\"(?P<short>[^\"]+)\")", re.DOTALL)
_NO_CONNECTION = (
    "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The server "
    "was not found or was not accessible."
)


class _SqlFailed(Exception):
    """What SqlClient throws; the text is PowerShell's."""


@contextmanager
def _local(call: ScriptCall, instance_name: str) -> Iterator[Any]:
    """A session of the calling account on an instance of its own host."""
    from ...sqlserver.errors import SqlError

    instance = call.host.sql_server.running(instance_name)
    if instance is None:
        raise _SqlFailed(calling("Open", 0, _NO_CONNECTION))
    try:
        session = instance.local_session(call.token.name)
    except SqlError as error:
        raise _SqlFailed(calling("Open", 0, str(error))) from error
    try:
        yield session
    finally:
        session.close()


def _scalar(session: Any, text: str, values: dict[str, str]) -> Any:
    """ExecuteScalar: the first column of the first row; ``values`` travel as SqlClient sends a command's parameters,
    apart from the text.
    """
    from ...sqlserver.types import SqlType
    from ...sqlserver.wire.decode import Call, Parameter
    from ...sqlserver.wire.items import Error, Row, Rows

    kind = SqlType("nvarchar", 4000)
    declared = ", ".join(f"@{name} nvarchar(4000)" for name in values)
    sent = [("", text), ("", declared), *((f"@{name}", value) for name, value in values.items())]
    call = Call("sp_executesql", tuple(Parameter(name, kind, value) for name, value in sent))
    rows: list[Any] = []
    for item in session.call(call):
        if isinstance(item, Error):
            raise _SqlFailed(calling("ExecuteScalar", 0, item.text))
        if isinstance(item, Row):
            rows.append(item.values)
        elif isinstance(item, Rows):
            rows.extend(item.rows)
    return rows[0][0] if rows else None


@script("create_sql_admin_login")
def create_sql_admin_login(call: ScriptCall) -> ScriptResult:
    statements = [found["long"] or found["short"] for found in _STATEMENTS.finditer(call.text)]
    if len(statements) != 4:
        call.host.record.unmodelled(
            call.host.name, "script create_sql_admin_login with other statements than its model knows", call.text
        )
        return ScriptResult(
            changed=False, failed=True, error="The lab's model of create_sql_admin_login expects four statements"
        )
    ask_password, ask_member, set_login, add_member = statements
    values = {"name": str(call.parameter("LoginName")), "password": str(call.parameter("Password"))}
    try:
        with _local(call, str(call.parameter("InstanceName"))) as session:
            match = int(_scalar(session, ask_password, values))
            member = int(_scalar(session, ask_member, values))
            if match != 1 and not call.check_mode:
                _scalar(session, set_login, values)
            if member != 1 and not call.check_mode:
                _scalar(session, add_member, values)
    except _SqlFailed as error:
        return ScriptResult(changed=False, failed=True, error=str(error))
    return ScriptResult(
        changed=match != 1 or member != 1,
        result={"created": match == -1, "password_set": match == 0, "made_sysadmin": member != 1},
    )
