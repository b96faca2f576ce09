# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module needs to reach its server, read from the connection of the task's own host.

Nothing but dictionaries in and out: `option(name)` answers what the connection plugin of the host says, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["HostConnection", "Refused", "options_for"]

Option = Callable[[str], Any]

ALSO_OVER_WINRM = ("sql_backup", "sql_restore")
"""Modules that speak to SQL Server, and for some of their options to its Windows as well."""


class Refused(Exception):
    """A sentence for the person who wrote the task: what cannot work, and what to write instead."""


@dataclass(frozen=True, kw_only=True)
class HostConnection:
    """A task's host: its name in the inventory, and how its connection plugin reaches it. The fallbacks are those of
    the play.
    """

    host: str
    transport: str
    option: Option
    fallback_address: str | None = None
    fallback_password: str | None = None

    @property
    def address(self) -> str | None:
        return self.option("remote_addr") or self.fallback_address


def options_for(module: str, *, given: Mapping[str, Any], connection: HostConnection, run: str) -> dict[str, Any]:
    """What a module is given beside its task's own arguments.

    given: the task's own arguments. run: who is at work, "user@controller pid number", the name under which a lease is
    held.
    """
    if module == "recovery_lease":
        return {"owner": run, **_winrm_options(module, given, connection)}
    if not module.startswith("sql_"):
        return _winrm_options(module, given, connection)
    filled = _sql_options(module, given, connection)
    if module in ALSO_OVER_WINRM:
        filled |= {"lease_owner": run, **_winrm_beside_sql(module, given, connection)}
    return filled


def _sql_options(module: str, given: Mapping[str, Any], connection: HostConnection) -> dict[str, Any]:
    """The address alone: an account of Windows is none of SQL Server."""
    if given.get("login_host"):
        return {}
    if connection.transport == "local":
        raise Refused(
            f"{module} does not know which server is meant: {connection.host} has a local connection. "
            "Let the task target the database server's host, or name the server in 'login_host'."
        )
    address = connection.option("remote_addr") or connection.option("host") or connection.fallback_address
    if not address:
        raise Refused(
            f"{module} does not know the address of {connection.host}. Set ansible_host for it in the inventory, or "
            "name the server in 'login_host'."
        )
    return {"login_host": address}


def _winrm_beside_sql(module: str, given: Mapping[str, Any], connection: HostConnection) -> dict[str, Any]:
    """What WinRM needs, where the server's own host is reached over it. Only some of the options need it, so its lack
    is no error.
    """
    elsewhere = given.get("login_host") not in (None, connection.address)
    if connection.transport not in TRANSPORTS or elsewhere:
        return {}
    try:
        return _winrm_options(module, given, connection)
    except Refused:
        return {}


def _winrm_options(module: str, given: Mapping[str, Any], connection: HostConnection) -> dict[str, Any]:
    """Everything that a WinRM session needs. A task that names another server gets nothing: one host's password is not
    for another.
    """
    option, host, transport, address = connection.option, connection.host, connection.transport, connection.address
    named = given.get("winrm_host")
    if named and named != address:
        return {}
    try:
        read = TRANSPORTS[transport]
    except KeyError:
        if named and given.get("winrm_user"):
            return {}
        raise Refused(
            f"{module} speaks WinRM, but {host} is reached over {transport or 'no connection at all'}. "
            "Set ansible_connection to winrm (or psrp) for it in the inventory, or give winrm_host, winrm_user and "
            "winrm_password."
        ) from None
    filled = {
        "winrm_host": address,
        "winrm_user": option("remote_user"),
        "winrm_password": option("remote_password") or connection.fallback_password,
        **read(option),
    }
    missing = [name for name in ("winrm_host", "winrm_user") if not (filled[name] or given.get(name))]
    if missing:
        variables = {"winrm_host": "ansible_host", "winrm_user": "ansible_user"}
        raise Refused(
            f"{module} lacks {' and '.join(missing)} for {host}. Set "
            f"{' and '.join(variables[name] for name in missing)} for it in the inventory, "
            f"or give the option in the task."
        )
    return {name: value for name, value in filled.items() if value is not None}


def _from_winrm(option: Option) -> dict[str, Any]:
    port = option("port")
    scheme = option("scheme") or ("http" if port == 5985 else "https")
    extras = option("_extras") or {}
    return {
        "winrm_port": port or 5986,
        "winrm_scheme": scheme,
        "winrm_path": option("path"),
        "winrm_transport": next(iter(option("transport") or []), None)
        or _guessed_transport(scheme, option("remote_user")),
        "winrm_timeout": option("connection_timeout"),
        "winrm_ca_file": extras.get("ansible_winrm_ca_trust_path"),
        "winrm_server_cert_validation": extras.get("ansible_winrm_server_cert_validation"),
    }


def _guessed_transport(scheme: str, user: str | None) -> str:
    """What ansible's own connection takes when nothing is said."""
    if user and "@" in user:
        return "kerberos"
    return "ssl" if scheme == "https" else "plaintext"


def _from_psrp(option: Option) -> dict[str, Any]:
    """psrp and WinRM share their listener: only the words differ."""
    port = option("port") or 5986
    ways = {
        "negotiate": "ntlm",
        "certificate": "certificate",
        "kerberos": "kerberos",
        "ntlm": "ntlm",
        "credssp": "credssp",
    }
    scheme = option("protocol") or ("http" if port == 5985 else "https")
    basic = "ssl" if scheme == "https" else "plaintext"
    path = option("path")
    return {
        "winrm_port": port,
        "winrm_scheme": scheme,
        "winrm_path": f"/{path.lstrip('/')}" if path else None,
        "winrm_transport": ways.get(option("auth") or "negotiate", basic),
        "winrm_timeout": option("operation_timeout"),
        "winrm_ca_file": option("ca_cert"),
        "winrm_server_cert_validation": option("cert_validation"),
    }


TRANSPORTS = {"winrm": _from_winrm, "psrp": _from_psrp}
"""How each connection that speaks WS-Management names what WinRM needs."""
