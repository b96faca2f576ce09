"""What a module's options say about the connection."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    WinrmConnection,
    has_windows,
    winrm_connection_argument_spec,
)

ENDPOINTS = [
    ({}, "https://web:5986/wsman"),
    ({"winrm_port": 5985}, "http://web:5985/wsman"),
    ({"winrm_scheme": "http"}, "http://web:5985/wsman"),
    ({"winrm_scheme": "https", "winrm_port": 5985}, "https://web:5985/wsman"),
    ({"winrm_port": 443, "winrm_path": "iis/wsman"}, "https://web:443/iis/wsman"),
    ({"winrm_host": "fe80::1"}, "https://[fe80::1]:5986/wsman"),
]


def connection(**given: Any) -> WinrmConnection:
    defaults = {name: option.get("default") for name, option in winrm_connection_argument_spec().items()}
    return WinrmConnection.from_params(
        {**defaults, "winrm_host": "web", "winrm_user": "admin", "winrm_password": "secret!", **given}
    )


@pytest.mark.parametrize("given, endpoint", ENDPOINTS)
def test_endpoints(given: dict[str, Any], endpoint: str) -> None:
    assert connection(**given).endpoint == endpoint


@pytest.mark.parametrize("option", ["winrm_host", "winrm_user"])
def test_what_is_missing_is_named(option: str) -> None:
    with pytest.raises(RecoveryError, match=f"{option} is not given.*task"):
        connection(**{option: None})


def test_a_password_is_not_shown() -> None:
    assert "secret!" not in repr(connection())


@pytest.mark.parametrize(
    ("host", "user", "transports", "has"),
    [
        ("web", "admin", ["ntlm"], True),
        ("web", None, ["ntlm"], False),
        ("web", None, ["credssp", "ntlm"], False),
        ("web", None, ["kerberos"], True),
        ("web", None, ["ntlm", "kerberos"], True),  # Ansible tries both, and one of them has the account by a ticket
        ("web", None, ["ssl"], False),
        (None, "admin", ["ntlm"], False),
    ],
)
def test_one_transport_that_knows_its_user_is_enough(host, user, transports, has):
    given = {"winrm_host": host, "winrm_user": user, "winrm_transport": transports}
    assert has_windows(given) is has
    if has:
        assert connection(**given).transports == tuple(transports)
    else:
        with pytest.raises(RecoveryError, match="is not given"):
            connection(**given)


def test_over_tls_a_client_certificate_knows_its_user():
    shown = {"winrm_cert_pem": "/client.pem", "winrm_cert_key_pem": "/client.key"}
    given = {"winrm_host": "web", "winrm_user": None, "winrm_transport": ["ssl"], **shown}
    assert has_windows(given)
    assert connection(**given).user is None
