"""Why Ansible did not reach a host, in the texts of pywinrm, requests and urllib3."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.advice.unreachable import (
    ACCOUNT_REFUSED,
    BROKEN_OFF,
    CONNECTION_REFUSED,
    NO_ANSWER,
    NO_TICKET,
    PROXY,
    UNKNOWN_NAME,
    UNVERIFIED,
    cause_of,
    is_silence,
    reason_of,
    state_of,
)

REFUSED = "NewConnectionError('<x>: Failed to establish a new connection: [Errno 111] Connection refused')"


@pytest.mark.parametrize(
    ("problem", "cause", "reason"),
    [
        ("ntlm: the specified credentials were rejected by the server", ACCOUNT_REFUSED, None),
        (
            f"ntlm: Max retries exceeded with url: /wsman (Caused by {REFUSED})",
            CONNECTION_REFUSED,
            "Connection refused",
        ),
        (f"(Caused by ProxyError('Unable to connect to proxy', {REFUSED}))", PROXY, "Connection refused"),
        ("Tunnel connection failed: 403 Forbidden", PROXY, None),
        (
            "(Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: self-signed certificate (_ssl.c:1006)')))",
            UNVERIFIED,
            "self-signed certificate",
        ),
        (
            '(Caused by SSLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify '
            "failed: Hostname mismatch, certificate is not valid for 'web-a'. (_ssl.c:1006)\")))",
            UNVERIFIED,
            "Hostname mismatch, certificate is not valid for",
        ),
        (
            "Kerberos auth failure for principal dba@PRS.LAB: kinit: Cannot contact any KDC for realm 'PRS.LAB'",
            NO_TICKET,
            None,
        ),
        ("Kerberos auth failure for principal dba@PRS.LAB: kinit: Preauthentication failed", NO_TICKET, None),
        (
            "kerberos: authGSSClientStep() failed: (('Unspecified GSS failure.', 851968), ('Server not found in Kerberos "
            "database', -1765328377))",
            NO_TICKET,
            None,
        ),
        (
            "SpnegoError (1): Cannot resolve servers for KDC in realm PRS.LAB, Context: Unable to negotiate",
            NO_TICKET,
            None,
        ),
        ("WinRM Kerberos authentication requested but the python kerberos library is not installed.", NO_TICKET, None),
        ("ntlm: [Errno -2] Name or service not known", UNKNOWN_NAME, "Name or service not known"),
        ("ntlm: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", BROKEN_OFF, None),
        ("ntlm: [Errno 110] Connection timed out", NO_ANSWER, "Connection timed out"),
        (
            "ConnectTimeoutError(<x>, 'Connection to 10.0.0.1 timed out. (connect timeout=30)')",
            NO_ANSWER,
            "Connection to 10.0.0.1 timed out",
        ),
        ("timed out", NO_ANSWER, None),
    ],
)
def test_cause_and_reason(problem, cause, reason):
    assert cause_of(problem) == cause
    assert reason_of(problem) == (reason or problem)


POOL = "ntlm: HTTPConnectionPool(host='10.0.0.1', port=5985): Max retries exceeded with url: /wsman (Caused by "


@pytest.mark.parametrize(
    ("problem", "state"),
    [
        (f"{POOL}ConnectTimeoutError(<x>, 'Connection to 10.0.0.1 timed out. (connect timeout=30)'))", "does not answer"),
        (f"{POOL}NewConnectionError('<x>: ... [Errno 110] Connection timed out'))", "does not answer"),
        (f"{POOL}NewConnectionError('<x>: ... [Errno 113] No route to host'))", "does not answer"),
        (f"{POOL}NewConnectionError('<x>: ... [Errno 101] Network is unreachable'))", "does not answer"),
        ("the connection attempt timed out", "does not answer"),  # what ansible makes of ETIMEDOUT on macOS
        (f"{POOL}{REFUSED})", "answers, but takes no connection for WinRM"),
        (f"{POOL}NewConnectionError('<x>: ... [WinError 10061] No connection could be made because the target machine "
         "actively refused it'))", "answers, but takes no connection for WinRM"),
        ("ntlm: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "takes the connection"),
        ("ntlm: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
         "takes the connection"),
        (f"{POOL}ReadTimeoutError(\"HTTPConnectionPool(host='10.0.0.1', port=5985): Read timed out. (read timeout=30)\"))",
         "takes the connection"),
        (f"{POOL}NameResolutionError(\"<x>: Failed to resolve 'web-a' ([Errno -2] Name or service not known)\"))",
         "was not asked, for its name has no address"),
        (f"{POOL}NameResolutionError(\"<x>: ... ([Errno -3] Temporary failure in name resolution)\"))",
         "was not asked, for its name has no address"),
        ("timed out", "is not silent, but cannot be used"),
        ("There is not enough space on the disk", "is not silent, but cannot be used"),
    ],
)  # fmt: skip
def test_only_silence_is_what_a_lost_server_looks_like(problem: str, state: str):
    """Whoever refuses a connection, or ends it, lives: his application may run on."""
    assert state_of(problem).startswith(state)
    assert is_silence(problem) is (state == "does not answer")
