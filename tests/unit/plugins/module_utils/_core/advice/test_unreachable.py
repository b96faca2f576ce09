"""Why Ansible did not reach a host, in the texts of pywinrm, requests and urllib3."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.advice.unreachable import (
    ACCOUNT_REFUSED,
    NO_ANSWER,
    NO_TICKET,
    PROXY,
    UNVERIFIED,
    cause_of,
    reason_of,
)

REFUSED = "NewConnectionError('<x>: Failed to establish a new connection: [Errno 111] Connection refused')"


@pytest.mark.parametrize(
    ("problem", "cause", "reason"),
    [
        ("ntlm: the specified credentials were rejected by the server", ACCOUNT_REFUSED, None),
        (f"ntlm: Max retries exceeded with url: /wsman (Caused by {REFUSED})", NO_ANSWER, "Connection refused"),
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
        ("ntlm: [Errno -2] Name or service not known", NO_ANSWER, "Name or service not known"),
        ("timed out", NO_ANSWER, None),
    ],
)
def test_cause_and_reason(problem, cause, reason):
    assert cause_of(problem) == cause
    assert reason_of(problem) == (reason or problem)
