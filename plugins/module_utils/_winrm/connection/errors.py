# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the way to a Windows host and there, each with what to do about it."""

from __future__ import annotations

from typing import Any

from ..._core.advice.windows import advice_for, over_winrm
from ..._core.errors import RecoveryError, code_of_windows_error
from .conversation import VerbFailed
from .options import WinrmConnection
from .pywinrm_dep import requests, winrm

__all__ = ["WindowsFault", "connection_error", "ended_error", "silent_error", "windows_fault"]


class WindowsFault(RecoveryError):
    """Windows refused something: number is the Win32 error (0 when it is none), kind the class of the
    .NET exception.
    """

    def __init__(self, message: str, *, advice: str = "", number: int, kind: str, **details: Any) -> None:
        code = code_of_windows_error(number, otherwise="windows_error")
        super().__init__(message, advice=advice, code=code, windows_error=number, **details)
        self.number = number
        self.kind = kind


def windows_fault(fault: VerbFailed, *, host: str, doing: str) -> WindowsFault:
    """doing: what was tried, as a part of a sentence ("Reading the folder C:\\x")."""
    number = f" (Windows error {fault.number})" if fault.number else ""
    return WindowsFault(
        f"{doing} failed on {host}: {fault.message.strip().rstrip('.')}{number}",
        advice=advice_for(number=fault.number, kind=fault.kind, access=over_winrm(host)),
        number=fault.number,
        kind=fault.kind,
    )


def ended_error(said: str, *, host: str, doing: str) -> RecoveryError:
    """PowerShell on the host went away in the middle of its work."""
    return RecoveryError(
        f"PowerShell on {host} ended while it was {_lower(doing)}",
        code="windows_connection_lost",
        advice="Look into the host's event log (it may have restarted or run out of memory), then run this again: "
        "it finds out by itself how far it came",
        powershell_said=said[-2000:],
    )


def silent_error(seconds: float, *, host: str, doing: str) -> RecoveryError:
    """PowerShell on the host is there and answers no more."""
    return RecoveryError(
        f"PowerShell on {host} has said nothing for {seconds / 60:.0f} minutes while it was {_lower(doing)}",
        code="timeout",
        advice="Look at the host: a disk or a share that does not answer holds it up. Then run this again: it finds "
        "out by itself how far it came",
    )


def connection_error(problem: Exception, *, connection: WinrmConnection, doing: str = "") -> RecoveryError:
    """Turn what pywinrm and requests raise into one sentence. Their own texts are not repeated where they could hold
    what was sent.
    """
    where = f"{connection.host} (WinRM, {connection.scheme}, port {connection.port})"
    if doing:
        return RecoveryError(
            f"The connection to {where} was lost while the host was {_lower(doing)} ({type(problem).__name__})",
            code="windows_connection_lost",
            advice="Run this again when the host can be reached: it finds out by itself how far it came",
        )
    if isinstance(problem, winrm.exceptions.InvalidCredentialsError):
        return RecoveryError(
            f"{where} refuses the account {connection.user}",
            code="windows_login_refused",
            advice="Check winrm_user and winrm_password (ansible_user and ansible_password of the host), and "
            "whether the account is locked or expired. "
            f"The transport was {connection.transport}; the host must allow it",
        )
    if isinstance(problem, requests.exceptions.SSLError):
        return RecoveryError(
            f"The certificate of {where} is not trusted",
            code="certificate_untrusted",
            advice="Give the authority's certificate in winrm_ca_file, and use a name that is in the host's "
            "certificate",
        )
    if isinstance(problem, (requests.exceptions.Timeout, winrm.exceptions.WinRMOperationTimeoutError)):
        return RecoveryError(
            f"{where} did not answer within {connection.timeout} seconds",
            code="windows_unreachable",
            advice="Check that the host runs and that nothing on the way drops the connection, or raise winrm_timeout",
        )
    if isinstance(problem, requests.exceptions.ConnectionError):
        return RecoveryError(
            f"{where} cannot be reached",
            code="windows_unreachable",
            advice="Check the name, the port, the firewall and that the host runs with a WinRM listener (on the "
            "host: winrm enumerate winrm/config/listener)",
        )
    if isinstance(problem, winrm.exceptions.WSManFaultError):
        return RecoveryError(
            f"WinRM of {where} refuses: {problem.reason}",
            code="windows_unreachable",
            advice=_fault_advice(problem.wsman_fault_code),
            wsman_fault=problem.wsman_fault_code,
        )
    if isinstance(problem, winrm.exceptions.WinRMTransportError):
        return RecoveryError(
            f"{where} answered with HTTP status {problem.code}",
            code="windows_unreachable",
            advice="An empty answer 500 means that the host wants encrypted messages: use transport ntlm, kerberos "
            "or credssp, or HTTPS. "
            "404 means that winrm_path is wrong",
        )
    return RecoveryError(
        f"No session with {where} ({type(problem).__name__}: {problem})",
        code="windows_unreachable",
        advice="Check the options whose names begin with winrm_",
    )


QUOTAS = {2150859173, 2150859174}


def _fault_advice(code: int | None) -> str:
    if code in QUOTAS:
        return (
            "The account has too many sessions open there: wait until they end, or raise MaxShellsPerUser on the host"
        )
    return "Look the number up in the host's event log, Windows Remote Management"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
