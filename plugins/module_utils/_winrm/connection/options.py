# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of doc_fragments/winrm_connection.py, as an argument spec and as a value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import RecoveryError

__all__ = [
    "OF_THE_ENVIRONMENT",
    "CredSsp",
    "Kerberos",
    "WinrmConnection",
    "has_windows",
    "needs_user",
    "winrm_connection_argument_spec",
    "winrm_connection_share_argument_spec",
    "winrm_host_and_share_argument_spec",
]

TRANSPORTS = ["basic", "certificate", "credssp", "kerberos", "ntlm", "plaintext", "ssl"]
OF_THE_ENVIRONMENT = "legacy_requests"
"""pywinrm's word for a proxy and for authorities that are named in the environment, and for nothing where it is empty.
"""
_WITHOUT_USER = {"certificate", "kerberos"}
"""Transports that know the account from a certificate or a ticket. pywinrm's C(ssl) shows a certificate as well, where
one is given.
"""


def needs_user(transports: Collection[str], *, certificate: str | None) -> bool:
    """Whether none of the transports, of which one is enough, knows the account by itself. certificate: its file."""
    return (_WITHOUT_USER | {"ssl"} if certificate else _WITHOUT_USER).isdisjoint(transports)


def has_windows(params: Mapping[str, Any]) -> bool:
    """Whether a module that speaks to SQL Server as well is told how to reach a Windows."""
    if not params["winrm_host"] or params["winrm_user"]:
        return bool(params["winrm_host"])
    return not needs_user(params["winrm_transport"], certificate=params.get("winrm_cert_pem"))


def winrm_connection_argument_spec() -> dict[str, Any]:
    """Options of every module that speaks to Windows."""
    return {
        "winrm_host": {"type": "str"},
        "winrm_port": {"type": "int"},
        "winrm_scheme": {"type": "str", "choices": ["http", "https"]},
        "winrm_path": {"type": "str", "default": "/wsman"},
        "winrm_user": {"type": "str"},
        "winrm_password": {"type": "str", "no_log": True},
        "winrm_transport": {"type": "list", "elements": "str", "choices": TRANSPORTS, "default": ["ntlm"]},
        "winrm_cert_pem": {"type": "path"},
        "winrm_cert_key_pem": {"type": "path", "no_log": False},
        "winrm_ca_file": {"type": "path"},
        "winrm_server_cert_validation": {"type": "str", "choices": ["validate", "ignore"], "default": "validate"},
        "winrm_message_encryption": {"type": "str", "choices": ["auto", "always", "never"], "default": "auto"},
        "winrm_send_cbt": {"type": "bool", "default": True},
        "winrm_proxy": {"type": "str", "no_log": True},
        "winrm_ignore_proxy": {"type": "bool", "default": False},
        "winrm_kinit_mode": {"type": "str", "choices": ["managed", "manual"]},
        "winrm_kinit_cmd": {"type": "str", "default": "kinit"},
        "winrm_kinit_args": {"type": "str"},
        "winrm_kinit_env_vars": {"type": "list", "elements": "str", "default": []},
        "winrm_kerberos_delegation": {"type": "bool", "default": False},
        "winrm_kerberos_hostname_override": {"type": "str"},
        "winrm_service": {"type": "str", "default": "HTTP"},
        "winrm_credssp_auth_mechanism": {"type": "str", "choices": ["auto", "kerberos", "ntlm"], "default": "auto"},
        "winrm_credssp_minimum_version": {"type": "int", "default": 2},
        "winrm_credssp_disable_tlsv1_2": {"type": "bool", "default": False},
        "winrm_timeout": {"type": "int", "default": 30},
        "winrm_read_timeout": {"type": "int"},
        "winrm_connect_timeout": {"type": "int"},
        "winrm_connect_retries": {"type": "int", "default": 0},
        "winrm_connect_backoff": {"type": "float", "default": 2.0},
        "winrm_max_envelope_size": {"type": "int"},
    }


def winrm_connection_share_argument_spec() -> dict[str, Any]:
    """Options of modules that go on from there to a file share."""
    return {
        "share_user": {"type": "str"},
        "share_password": {"type": "str", "no_log": True},
    }


def winrm_host_and_share_argument_spec() -> dict[str, Any]:
    """Both: of modules that let a Windows host work with files on a share."""
    return {**winrm_connection_argument_spec(), **winrm_connection_share_argument_spec()}


@dataclass(frozen=True, kw_only=True)
class Kerberos:
    """How a ticket is had and for whom it is.

    mode: C(managed), C(manual) or None, which is managed where there is a password. command, arguments: of kinit.
    environment: names of variables that kinit may see.
    """

    mode: str | None = None
    command: str = "kinit"
    arguments: str = ""
    environment: tuple[str, ...] = ()
    delegation: bool = False
    hostname_override: str | None = None


@dataclass(frozen=True, kw_only=True)
class CredSsp:
    """What CredSSP does inside its own TLS."""

    auth_mechanism: str = "auto"
    minimum_version: int = 2
    disable_tlsv1_2: bool = False


@dataclass(frozen=True, kw_only=True)
class WinrmConnection:
    """How to reach one Windows host.

    transports: tried in this order, until the host takes one. timeout: seconds that one answer may take; work that
    takes longer is asked about again and again. read_timeout: seconds until an answer that does not come is given up;
    connect_timeout: until a connection that does not open is. max_envelope_size: bytes.
    """

    host: str
    user: str | None
    password: str = field(default="", repr=False)
    port: int
    scheme: str
    path: str = "/wsman"
    transports: tuple[str, ...] = ("ntlm",)
    cert_pem: str | None = None
    cert_key_pem: str | None = None
    ca_file: str | None = None
    server_cert_validation: str = "validate"
    message_encryption: str = "auto"
    send_cbt: bool = True
    proxy: str | None = field(default=None, repr=False)
    ignore_proxy: bool = False
    service: str = "HTTP"
    kerberos: Kerberos = Kerberos()
    credssp: CredSsp = CredSsp()
    timeout: int = 30
    read_timeout: int | None = None
    connect_timeout: int | None = None
    connect_retries: int = 0
    connect_backoff: float = 2.0
    max_envelope_size: int | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> WinrmConnection:
        """What a module was given; port and scheme complete each other."""
        _require(params)
        port, scheme = params["winrm_port"], params["winrm_scheme"]
        scheme = scheme or ("http" if port == 5985 else "https")
        return cls(
            port=port or (5985 if scheme == "http" else 5986),
            scheme=scheme,
            password=params["winrm_password"] or "",
            transports=tuple(params["winrm_transport"]),
            kerberos=Kerberos(
                mode=params["winrm_kinit_mode"],
                command=params["winrm_kinit_cmd"],
                arguments=params["winrm_kinit_args"] or "",
                environment=tuple(params["winrm_kinit_env_vars"]),
                delegation=params["winrm_kerberos_delegation"],
                hostname_override=params["winrm_kerberos_hostname_override"],
            ),
            credssp=CredSsp(
                auth_mechanism=params["winrm_credssp_auth_mechanism"],
                minimum_version=params["winrm_credssp_minimum_version"],
                disable_tlsv1_2=params["winrm_credssp_disable_tlsv1_2"],
            ),
            **{name: params[f"winrm_{name}"] for name in _AS_THEY_ARE},
        )

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.path.lstrip('/')}"

    @property
    def manages_tickets(self) -> bool:
        """Whether kinit is ours to run, as Ansible decides it."""
        return self.kerberos.mode == "managed" or (self.kerberos.mode is None and bool(self.password))


_AS_THEY_ARE = (
    "host", "user", "path", "cert_pem", "cert_key_pem", "ca_file", "server_cert_validation", "message_encryption",
    "send_cbt", "proxy", "ignore_proxy", "service", "timeout", "read_timeout", "connect_timeout", "connect_retries",
    "connect_backoff", "max_envelope_size",
)  # fmt: skip
"""Fields that are one option each, of the same name."""


def _require(params: Mapping[str, Any]) -> None:
    """Raise RecoveryError for options without which no transport can work."""
    lacking = [name for name in ("winrm_host",) if not params[name]]
    if needs_user(params["winrm_transport"], certificate=params.get("winrm_cert_pem")) and not params["winrm_user"]:
        lacking.append("winrm_user")
    if lacking:
        raise RecoveryError(
            f"{lacking[0]} is not given",
            code="option_invalid",
            advice="Let the task target the Windows host, or give the option in the task",
        )
    if "certificate" in params["winrm_transport"] and not (params["winrm_cert_pem"] and params["winrm_cert_key_pem"]):
        raise RecoveryError(
            "A client certificate is asked for, and winrm_cert_pem and winrm_cert_key_pem are not both given",
            code="option_invalid",
            advice="Set ansible_winrm_cert_pem and ansible_winrm_cert_key_pem of the host (of psrp: "
            "ansible_psrp_certificate_pem and ansible_psrp_certificate_key_pem), or give both options in the task",
        )
