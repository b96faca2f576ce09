# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module needs to reach its server, read from the connection of the task's own host.

Nothing but dictionaries in and out: `option(name)` answers what the connection plugin of the host says, or None.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import needs_user

from ._connection_options import PLUGINS, NotHonoured, Option, Refused

__all__ = ["HostConnection", "Refused", "options_for"]

ALSO_OVER_WINRM = ("sql_backup", "sql_restore", "sql_standby_failover")
"""Modules that speak to SQL Server, and for some of their options to its Windows as well."""


@dataclass(frozen=True, kw_only=True)
class HostConnection:
    """A task's host: its name in the inventory, and how its connection plugin reaches it. The fallbacks are those of
    the play. known_to_pywinrm: names of arguments of its protocol.
    """

    host: str
    transport: str
    option: Option
    fallback_address: str | None = None
    fallback_password: str | None = None
    known_to_pywinrm: Collection[str] = ()

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
    is no error; what it asks for and cannot have is, where the task would use it.
    """
    elsewhere = given.get("login_host") not in (None, connection.address)
    if connection.transport not in PLUGINS or elsewhere:
        return {}
    try:
        return _winrm_options(module, given, connection)
    except NotHonoured:
        if _uses_windows(module, given):
            raise
        return {}
    except Refused:
        return {}


def _uses_windows(module: str, given: Mapping[str, Any]) -> bool:
    """Whether a task asks for something that is done over WinRM. What only may be done (a manifest by V(auto)) is left
    out, as for a host that is not reached that way.
    """
    if module == "sql_backup":
        manifest = str(given.get("manifest_beside") or "false").lower()
        delivery = ("stage_path", "copy_to", "retention", "copy_retention")
        return manifest not in ("auto", "false", "no") or any(given.get(name) for name in delivery)
    source = given.get("source")
    folders = isinstance(source, Mapping) and source.get("folders")  # whose lease is looked at
    return bool(given.get("stage_path") or given.get("read_headers") == "files" or folders)


def _winrm_options(module: str, given: Mapping[str, Any], connection: HostConnection) -> dict[str, Any]:
    """Everything that a WinRM session needs. A task that names another server gets nothing: one host's password is not
    for another.
    """
    option, host, transport, address = connection.option, connection.host, connection.transport, connection.address
    named = given.get("winrm_host")
    if named and named != address:
        return {}
    try:
        plugin = PLUGINS[transport]
    except KeyError:
        if named and given.get("winrm_user"):
            return {}
        raise Refused(
            f"{module} speaks WinRM, but {host} is reached over {transport or 'no connection at all'}. "
            "Set ansible_connection to winrm (or psrp) for it in the inventory, or give winrm_host, winrm_user and "
            "winrm_password."
        ) from None
    plugin.refuse_unknown_extras(option, connection.known_to_pywinrm)
    filled = {
        "winrm_host": address,
        "winrm_user": option("remote_user"),
        "winrm_password": option("remote_password") or connection.fallback_password,
        **plugin.options(option),
    }
    transports = given.get("winrm_transport") or filled["winrm_transport"]
    transports = transports.split(",") if isinstance(transports, str) else transports
    certificate = given.get("winrm_cert_pem") or filled.get("winrm_cert_pem")
    needed = ("winrm_host", "winrm_user") if needs_user(transports, certificate=certificate) else ("winrm_host",)
    missing = [name for name in needed if not (filled[name] or given.get(name))]
    if missing:
        variables = {"winrm_host": "ansible_host", "winrm_user": "ansible_user"}
        raise Refused(
            f"{module} lacks {' and '.join(missing)} for {host}. Set "
            f"{' and '.join(variables[name] for name in missing)} for it in the inventory, "
            f"or give the option in the task."
        )
    return {name: value for name, value in filled.items() if value is not None}
