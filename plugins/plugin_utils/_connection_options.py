# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Ansible's connections winrm and psrp say what a WinRM session of a module needs.

Every option that the two plugins document stands here once: it becomes an option of the module, decides about others
(read), cannot matter to a session of ours (immaterial), or is refused where its value asks for what pywinrm cannot do.
A unit test holds the tables against the plugins of each ansible-core that is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import OF_THE_ENVIRONMENT

__all__ = ["PLUGINS", "NotHonoured", "Plugin", "Refused"]

Option = Callable[[str], Any]


class Refused(Exception):
    """A sentence for the person who wrote the task: what cannot work, and what to write instead."""


class NotHonoured(Refused):
    """The host's connection asks for something that Ansible's own tasks get and a module of ours cannot have."""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A connection plugin of Ansible.

    same: its options -> the module's options that take their values. read: options that `fill` looks at. immaterial:
    option -> why it makes no difference. refused: option -> (harmless values, what to do instead). extras: the same as
    `same` for the variables that the plugin takes without documenting them, without their prefix.
    """

    name: str
    same: Mapping[str, str]
    read: Collection[str]
    immaterial: Mapping[str, str]
    fill: Callable[[Option], dict[str, Any]]
    refused: Mapping[str, tuple[Collection[Any], str]] = field(default_factory=dict)
    extras: Mapping[str, str] = field(default_factory=dict)
    extras_read: Collection[str] = ()
    extras_immaterial: Mapping[str, str] = field(default_factory=dict)

    def options(self, option: Option) -> dict[str, Any]:
        """What a module is given. Raises NotHonoured before anything runs."""
        for name, (harmless, instead) in self.refused.items():
            value = option(name)
            if value is not None and value not in harmless:
                raise NotHonoured(f"{self.name}'s option {name} is set, and this module cannot do the same: {instead}")
        extras = extras_of(option, self.name)
        return {
            **{ours: option(name) for name, ours in self.same.items()},
            **{ours: extras[name] for name, ours in self.extras.items() if name in extras},
            **self.fill(option),
        }

    def refuse_unknown_extras(self, option: Option, known_to_pywinrm: Collection[str]) -> None:
        """Ansible hands on to pywinrm whatever it has an argument for, so a newer one may know more than is told here.
        What pywinrm does not know either, Ansible's own tasks warn of and leave out.
        """
        known = {*self.extras, *self.extras_read, *self.extras_immaterial}
        unknown = sorted(set(extras_of(option, self.name)) & set(known_to_pywinrm) - known)
        if unknown:
            raise NotHonoured(
                f"ansible_{self.name}_{unknown[0]} is set, and this version of the collection does not know what it "
                "means. Take it away from the hosts of this play, or use a version of the collection that knows it."
            )


def extras_of(option: Option, plugin: str) -> dict[str, Any]:
    prefix = f"ansible_{plugin}_"
    return {name.removeprefix(prefix): value for name, value in (option("_extras") or {}).items()}


def _fill_from_winrm(option: Option) -> dict[str, Any]:
    port = option("port")
    scheme = option("scheme") or ("http" if port == 5985 else "https")
    extras = extras_of(option, "winrm")
    proxy = extras.get("proxy", OF_THE_ENVIRONMENT)
    authorities = extras.get("ca_trust_path")
    return {
        "winrm_port": port or 5986,
        "winrm_scheme": scheme,
        "winrm_transport": [name for name in option("transport") or [] if name]
        or [_guessed_transport(scheme, option("remote_user"))],
        "winrm_timeout": option("connection_timeout") or extras.get("operation_timeout_sec"),
        "winrm_read_timeout": None if option("connection_timeout") else extras.get("read_timeout_sec"),
        "winrm_proxy": None if proxy in (OF_THE_ENVIRONMENT, "") else proxy,
        "winrm_ignore_proxy": True if proxy is None else None,
        "winrm_ca_file": None if authorities == OF_THE_ENVIRONMENT else authorities,
    }


def _guessed_transport(scheme: str, user: str | None) -> str:
    """What Ansible's own connection takes when nothing is said."""
    if user and "@" in user:
        return "kerberos"
    return "ssl" if scheme == "https" else "plaintext"


def _fill_from_psrp(option: Option) -> dict[str, Any]:
    """psrp and WinRM share their listener: only the words differ."""
    port, scheme = option("port"), option("protocol")
    scheme = scheme or ("http" if port == 5985 else "https")
    path, auth = option("path"), option("auth") or "negotiate"
    by_certificate = auth == "certificate"
    return {
        "winrm_port": port or (5985 if scheme == "http" else 5986),
        "winrm_scheme": scheme,
        "winrm_path": f"/{path.lstrip('/')}" if path else None,
        "winrm_transport": _transports(auth, scheme, option("remote_user")),
        "winrm_cert_pem": option("certificate_pem") if by_certificate else None,
        "winrm_cert_key_pem": option("certificate_key_pem") if by_certificate else None,
        "winrm_ignore_proxy": bool(option("ignore_proxy")) and not option("proxy"),
        # pypsrp asks for a ticket in its own process, where the whole environment counts.
        "winrm_kinit_env_vars": ["KRB5_CONFIG", "KRB5_TRACE"],
    }


def _transports(auth: str, scheme: str, user: str | None) -> list[str]:
    """Negotiate is Kerberos where it can be had, and NTLM. A name without a realm may be a local account: no KDC is
    asked about it, which could lock the account of that name in the domain.
    """
    if auth == "basic":
        return ["ssl" if scheme == "https" else "plaintext"]
    if auth != "negotiate":
        return [auth]
    return ["kerberos", "ntlm"] if not user or "@" in user else ["ntlm"]


_OF_EVERY_HOST = {"remote_addr", "remote_user", "remote_password"}
_PIPELINING = {"pipelining": "it concerns how Ansible brings its own modules to the host; ours stay here"}

PLUGINS = {
    "winrm": Plugin(
        name="winrm",
        same={
            "path": "winrm_path",
            "kerberos_command": "winrm_kinit_cmd",
            "kerberos_mode": "winrm_kinit_mode",
            "kinit_args": "winrm_kinit_args",
            "kinit_env_vars": "winrm_kinit_env_vars",
        },
        read=_OF_EVERY_HOST | {"port", "scheme", "transport", "connection_timeout"},
        immaterial=_PIPELINING,
        fill=_fill_from_winrm,
        extras={
            "cert_pem": "winrm_cert_pem",
            "cert_key_pem": "winrm_cert_key_pem",
            "server_cert_validation": "winrm_server_cert_validation",
            "kerberos_delegation": "winrm_kerberos_delegation",
            "kerberos_hostname_override": "winrm_kerberos_hostname_override",
            "message_encryption": "winrm_message_encryption",
            "send_cbt": "winrm_send_cbt",
            "service": "winrm_service",
            "credssp_disable_tlsv1_2": "winrm_credssp_disable_tlsv1_2",
        },
        extras_read={"ca_trust_path", "operation_timeout_sec", "proxy", "read_timeout_sec"},
        extras_immaterial={
            "realm": "pywinrm takes it and uses it nowhere",
            "keytab": "pywinrm takes it and uses it nowhere",
            **dict.fromkeys(
                ("self", "endpoint", "transport", "username", "password"),
                "Ansible takes it from its own options, and from nowhere else",
            ),
        },
    ),
    "psrp": Plugin(
        name="psrp",
        same={
            "ca_cert": "winrm_ca_file",
            "cert_validation": "winrm_server_cert_validation",
            "connection_timeout": "winrm_connect_timeout",
            "read_timeout": "winrm_read_timeout",
            "operation_timeout": "winrm_timeout",
            "reconnection_retries": "winrm_connect_retries",
            "reconnection_backoff": "winrm_connect_backoff",
            "message_encryption": "winrm_message_encryption",
            "proxy": "winrm_proxy",
            "credssp_auth_mechanism": "winrm_credssp_auth_mechanism",
            "credssp_disable_tlsv1_2": "winrm_credssp_disable_tlsv1_2",
            "credssp_minimum_version": "winrm_credssp_minimum_version",
            "negotiate_delegate": "winrm_kerberos_delegation",
            "negotiate_hostname_override": "winrm_kerberos_hostname_override",
            "negotiate_send_cbt": "winrm_send_cbt",
            "negotiate_service": "winrm_service",
            "max_envelope_size": "winrm_max_envelope_size",
        },
        read=_OF_EVERY_HOST
        | {"port", "protocol", "path", "auth", "ignore_proxy", "certificate_pem", "certificate_key_pem"},
        immaterial={
            **_PIPELINING,
            "no_profile": "a session of ours never loads a profile",
        },
        refused={
            "configuration_name": (
                ("Microsoft.PowerShell", ""),
                "it runs Windows PowerShell in a shell of WinRM, which has no configurations. Reach this host under an "
                "account that may use Microsoft.PowerShell, and leave ansible_psrp_configuration_name out.",
            ),
            "certificate_key_password": (
                ("",),
                "pywinrm reads keys without a password only. Name a key file without one, which its owner alone may "
                "read, in ansible_psrp_certificate_key_pem.",
            ),
        },
        fill=_fill_from_psrp,
    ),
}
"""Connections that speak WS-Management, by their names."""
