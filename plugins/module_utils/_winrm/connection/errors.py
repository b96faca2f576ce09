# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on the way to a Windows host and there, each with what to do about it."""

from __future__ import annotations

import re
from typing import Any

from ..._core.advice.windows import advice_for, over_winrm
from ..._core.errors import RecoveryError, code_of_windows_error
from .conversation import VerbFailed
from .options import WinrmConnection
from .pywinrm_dep import LOGIN_PROBLEMS, requests, winrm

__all__ = [
    "WindowsFault", "connection_error", "ended_error", "never_connected", "refused_by_all", "silent_error",
    "windows_fault",
]  # fmt: skip

_SSL_REASON = re.compile(r"\[SSL: (\w+)\]")
KERBEROS_PROBLEMS = {"KerberosExchangeError", "MutualAuthenticationError"}
"""Names of classes of pywinrm's part for Kerberos, which cannot be imported where pykerberos is not installed."""


class WindowsFault(RecoveryError):
    """Windows refused something: number is the Win32 error (0 when it is none), kind the class of the
    .NET exception, said what Windows says of it.
    """

    def __init__(
        self, message: str, *, advice: str = "", number: int, kind: str, said: str = "", **details: Any
    ) -> None:
        code = code_of_windows_error(number, otherwise="windows_error")
        super().__init__(message, advice=advice, code=code, windows_error=number, **details)
        self.number = number
        self.kind = kind
        self.said = said


def windows_fault(fault: VerbFailed, *, host: str, doing: str) -> WindowsFault:
    """doing: what was tried, as a part of a sentence ("Reading the folder C:\\x")."""
    number = f" (Windows error {fault.number})" if fault.number else ""
    return WindowsFault(
        f"{doing} failed on {host}: {fault.message.strip().rstrip('.')}{number}",
        advice=advice_for(number=fault.number, kind=fault.kind, access=over_winrm(host)),
        number=fault.number,
        kind=fault.kind,
        said=fault.message.strip(),
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


def refused_by_all(refusals: list[RecoveryError], *, transports: tuple[str, ...]) -> RecoveryError:
    """One error for a host that took none of several transports; the first one's code."""
    if len(refusals) == 1:
        return refusals[0]
    tried = "; ".join(f"{transport}: {refusal}" for transport, refusal in zip(transports, refusals, strict=True))
    reasons = [refusal.details["connection_error"] for refusal in refusals if "connection_error" in refusal.details]
    details = {"connection_error": ", ".join(reasons)} if reasons else {}
    return refusals[0].reworded(f"No transport works. {tried}", advice="", **details)


def connection_error(
    problem: Exception, *, connection: WinrmConnection, transport: str, doing: str = ""
) -> RecoveryError:
    """Turn what pywinrm and requests raise into one sentence. connection_error of its details: their own words, as
    Ansible's connection says them.
    """
    said = f"winrm connection error: {problem}" if doing else f"{transport}: {problem}"
    return _worded(problem, connection, transport, doing).reworded(connection_error=said.strip())


def _worded(problem: Exception, connection: WinrmConnection, transport: str, doing: str) -> RecoveryError:
    where = f"{connection.host} (WinRM, {connection.scheme}, port {connection.port})"
    if doing:
        return RecoveryError(
            f"The connection to {where} was lost while the host was {_lower(doing)} ({type(problem).__name__})",
            code="windows_connection_lost",
            advice="Run this again when the host can be reached: it finds out by itself how far it came",
        )
    return (
        _login_error(problem, where, connection, transport)
        or _network_error(problem, where, connection, transport)
        or _answer_error(problem, where)
        or RecoveryError(
            f"No session with {where} ({type(problem).__name__}: {problem})",
            code="windows_unreachable",
            advice="Check the options whose names begin with winrm_",
        )
    )


def _login_error(problem: Exception, where: str, connection: WinrmConnection, transport: str) -> RecoveryError | None:
    """The host does not let the account in, or there is nothing to show it."""
    if isinstance(problem, (winrm.exceptions.InvalidCredentialsError, *LOGIN_PROBLEMS)):
        return _account_refused(where, connection, transport)
    if type(problem).__name__ in KERBEROS_PROBLEMS:
        return RecoveryError(
            f"No session with {where} by Kerberos ({problem})",
            code="windows_login_refused",
            advice=f"The ticket was asked for the service {_service_of(connection)}: give the name that the server has "
            "in the domain in ansible_host or winrm_kerberos_hostname_override "
            "(ansible_winrm_kerberos_hostname_override). Without a password in the inventory a ticket has to be there "
            "already ('kinit')",
        )
    return None


def _network_error(problem: Exception, where: str, connection: WinrmConnection, transport: str) -> RecoveryError | None:
    """Nothing leads there, or what is there is not known."""
    if isinstance(problem, requests.exceptions.ProxyError):
        return RecoveryError(
            f"{where} cannot be reached through the proxy of {_proxy_of(connection)}",
            code="windows_unreachable",
            advice="Name the host in NO_PROXY, or set winrm_ignore_proxy (ansible_winrm_proxy: null, or "
            "ansible_psrp_ignore_proxy: true of the host)",
        )
    if isinstance(problem, requests.exceptions.SSLError):
        return _tls_error(str(problem), where, connection, transport)
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
    return None


def _answer_error(problem: Exception, where: str) -> RecoveryError | None:
    """The host answers, and not with what was asked for."""
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
            "or credssp, or HTTPS. 404 means that winrm_path is wrong; 407, 502 and 503 come from a proxy",
        )
    return None


def never_connected(problem: Exception) -> bool:
    """Whether nothing can have reached the host: no connection, or no TLS on it. A connection that broke off may have
    carried what was sent.
    """
    exceptions = requests.exceptions
    if isinstance(problem, (exceptions.ConnectTimeout, exceptions.SSLError, exceptions.ProxyError)):
        return True
    reason = getattr(problem.args[0], "reason", None) if problem.args else None
    return isinstance(problem, exceptions.ConnectionError) and type(reason).__name__ in _NO_CONNECTION


_NO_CONNECTION = {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}
"""Names of what urllib3 raises."""

QUOTAS = {2150859173, 2150859174}


def _fault_advice(code: int | None) -> str:
    if code in QUOTAS:
        return (
            "The account has too many sessions open there: wait until they end, or raise MaxShellsPerUser on the host"
        )
    return "Look the number up in the host's event log, Windows Remote Management"


def _account_refused(where: str, connection: WinrmConnection, transport: str) -> RecoveryError:
    """Who was refused depends on what was shown: a password, or a certificate."""
    if transport == "certificate":
        return RecoveryError(
            f"{where} refuses the client certificate {connection.cert_pem}",
            code="windows_login_refused",
            advice="On the host, Auth\\Certificate of the WinRM service must be true, WSMan:\\localhost\\"
            "ClientCertificate must map the certificate's issuer and user name to a local account, the issuer must be "
            "trusted, and the listener must not offer TLS 1.3",
        )
    return RecoveryError(
        f"{where} refuses the account {connection.user}",
        code="windows_login_refused",
        advice="Check winrm_user and winrm_password (ansible_user and ansible_password of the host), and "
        f"whether the account is locked or expired. The transport was {transport}; the host must allow it",
    )


def _tls_error(said: str, where: str, connection: WinrmConnection, transport: str) -> RecoveryError:
    """By OpenSSL's own words, which no language changes: who is not trusted, and what is no matter of trust."""
    if "CERTIFICATE_VERIFY_FAILED" in said or "doesn't match" in said:
        return RecoveryError(
            f"The certificate of {where} is not trusted",
            code="certificate_untrusted",
            advice="Give the authority's certificate in winrm_ca_file, and use a name that is in the host's "
            "certificate",
        )
    if transport == "certificate" and "ALERT" in said:
        return _account_refused(where, connection, transport)
    reason = _SSL_REASON.search(said)
    return RecoveryError(
        f"No TLS with {where}: {reason[1] if reason else 'it broke off'}",
        code="windows_unreachable",
        advice="Check that the listener at this port is one of HTTPS (winrm_scheme and winrm_port; 5985 is HTTP), and "
        "that host and control node allow a common version of TLS",
    )


def _service_of(connection: WinrmConnection) -> str:
    return f"{connection.service}/{connection.kerberos.hostname_override or connection.host}"


def _proxy_of(connection: WinrmConnection) -> str:
    return "winrm_proxy" if connection.proxy else "the environment (HTTP_PROXY, HTTPS_PROXY)"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
