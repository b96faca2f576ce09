# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of doc_fragments/winrm_connection.py, as an argument spec and as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import RecoveryError

__all__ = [
    "WinrmConnection",
    "winrm_connection_argument_spec",
    "winrm_connection_share_argument_spec",
    "winrm_host_and_share_argument_spec",
]

TRANSPORTS = ["basic", "certificate", "credssp", "kerberos", "ntlm", "plaintext", "ssl"]


def winrm_connection_argument_spec() -> dict[str, Any]:
    """Options of every module that speaks to Windows."""
    return {
        "winrm_host": {"type": "str"},
        "winrm_port": {"type": "int"},
        "winrm_scheme": {"type": "str", "choices": ["http", "https"]},
        "winrm_path": {"type": "str", "default": "/wsman"},
        "winrm_user": {"type": "str"},
        "winrm_password": {"type": "str", "no_log": True},
        "winrm_transport": {"type": "str", "choices": TRANSPORTS, "default": "ntlm"},
        "winrm_ca_file": {"type": "path"},
        "winrm_server_cert_validation": {"type": "str", "choices": ["validate", "ignore"], "default": "validate"},
        "winrm_timeout": {"type": "int", "default": 30},
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
class WinrmConnection:
    """How to reach one Windows host. timeout: seconds that one answer may take; work that takes longer is asked about
    again and again.
    """

    host: str
    user: str
    password: str = field(default="", repr=False)
    port: int
    scheme: str
    path: str = "/wsman"
    transport: str = "ntlm"
    ca_file: str | None = None
    server_cert_validation: str = "validate"
    timeout: int = 30

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> WinrmConnection:
        """What a module was given; port and scheme complete each other."""
        for option in ("winrm_host", "winrm_user"):
            if not params[option]:
                raise RecoveryError(
                    f"{option} is not given",
                    code="option_invalid",
                    advice="Let the task target the Windows host, or give the option in the task",
                )
        port, scheme = params["winrm_port"], params["winrm_scheme"]
        scheme = scheme or ("http" if port == 5985 else "https")
        return cls(
            host=params["winrm_host"],
            user=params["winrm_user"],
            password=params["winrm_password"] or "",
            port=port or (5985 if scheme == "http" else 5986),
            scheme=scheme,
            path=params["winrm_path"],
            transport=params["winrm_transport"],
            ca_file=params["winrm_ca_file"],
            server_cert_validation=params["winrm_server_cert_validation"],
            timeout=params["winrm_timeout"],
        )

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.path.lstrip('/')}"
