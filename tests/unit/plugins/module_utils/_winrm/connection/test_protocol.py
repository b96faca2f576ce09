"""Every option of a connection reaches pywinrm, or what pywinrm builds."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import (
    CredSsp,
    Kerberos,
    WinrmConnection,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.protocol import make_protocol

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def protocol(transport: str = "ntlm", **different: Any) -> Any:
    given = {"host": "web", "user": "u", "password": "p", "port": 5986, "scheme": "https", **different}
    return make_protocol(WinrmConnection(**given), transport)


def value_of(made: Any, path: str) -> Any:
    for name in path.split("."):
        made = getattr(made, name)
    return made


HERE = str(Path(__file__))
REACHES = [
    ({"host": "other"}, "transport.endpoint", "https://other:5986/wsman"),
    ({"port": 443}, "transport.endpoint", "https://web:443/wsman"),
    ({"scheme": "http"}, "transport.endpoint", "http://web:5986/wsman"),
    ({"path": "iis"}, "transport.endpoint", "https://web:5986/iis"),
    ({"user": "other"}, "transport.username", "other"),
    ({"password": "other"}, "transport.password", "other"),
    ({"cert_pem": HERE}, "transport.cert_pem", HERE),
    ({"cert_key_pem": HERE}, "transport.cert_key_pem", HERE),
    ({"ca_file": HERE}, "transport.ca_trust_path", HERE),
    ({"server_cert_validation": "ignore"}, "transport.server_cert_validation", "ignore"),
    ({"message_encryption": "always"}, "transport.message_encryption", "always"),
    ({"send_cbt": False}, "transport.send_cbt", False),
    ({}, "transport.proxy", "legacy_requests"),
    ({"proxy": "http://proxy:3128"}, "transport.proxy", "http://proxy:3128"),
    ({"ignore_proxy": True}, "transport.proxy", None),
    ({"ignore_proxy": True, "proxy": "http://proxy:3128"}, "transport.proxy", "http://proxy:3128"),
    ({"service": "WSMAN"}, "transport.service", "WSMAN"),
    ({"kerberos": Kerberos(delegation=True)}, "transport.kerberos_delegation", True),
    ({"kerberos": Kerberos(hostname_override="web.x")}, "transport.kerberos_hostname_override", "web.x"),
    ({"credssp": CredSsp(auth_mechanism="ntlm")}, "transport.credssp_auth_mechanism", "ntlm"),
    ({"credssp": CredSsp(minimum_version=5)}, "transport.credssp_minimum_version", 5),
    ({"credssp": CredSsp(disable_tlsv1_2=True)}, "transport.credssp_disable_tlsv1_2", True),
    ({}, "operation_timeout_sec", 30),
    ({}, "transport.read_timeout_sec", 40),
    ({"timeout": 90}, "operation_timeout_sec", 90),
    ({"timeout": 90}, "transport.read_timeout_sec", 100),
    ({"read_timeout": 300}, "transport.read_timeout_sec", 300),
    ({"read_timeout": 20}, "transport.read_timeout_sec", 31),  # pywinrm refuses less than what the host was given
    ({"connect_timeout": 5}, "transport.read_timeout_sec", (5, 40)),
    ({"max_envelope_size": 512000}, "max_env_sz", 512000),
]
ELSEWHERE = {"transports", "connect_retries", "connect_backoff"}
"""Decides which protocol is made, or is tested below."""


@pytest.mark.parametrize(("different", "where", "value"), REACHES)
def test_an_option_reaches_pywinrm(different: dict[str, Any], where: str, value: Any) -> None:
    assert value_of(protocol(**different), where) == value


def test_no_option_was_forgotten() -> None:
    shown = {name for different, _where, _value in REACHES for name in different}
    assert {field.name for field in fields(WinrmConnection)} - shown == ELSEWHERE


def test_only_a_connection_that_does_not_open_is_tried_again() -> None:
    transport = protocol(connect_retries=4, connect_backoff=1.5).transport
    session = transport.build_session()
    retries = session.get_adapter("https://web").max_retries
    assert (retries.connect, retries.backoff_factor, retries.read) == (4, 1.5, 0)
    adapter = session.get_adapter("https://web")
    assert transport.build_session() is session and session.get_adapter("https://web") is adapter
    transport.close_session()
    assert transport.build_session().get_adapter("https://web").max_retries.connect == 4


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_of_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, HERE)
    assert protocol().transport.ca_trust_path == HERE
    assert protocol(ca_file=str(Path(HERE).parent)).transport.ca_trust_path == str(Path(HERE).parent)
    monkeypatch.setenv(name, "/no/such/ca.pem")
    with pytest.raises(RecoveryError, match=rf"There is no file /no/such/ca\.pem .* correct {name} in the environment"):
        protocol()


@pytest.mark.parametrize("option", ["cert_pem", "cert_key_pem"])
def test_a_certificate_that_is_not_there_is_named(option: str) -> None:
    with pytest.raises(
        RecoveryError, match=rf"no file /no/such\.pem .* correct winrm_{option} \(ansible_winrm_{option}"
    ):
        protocol(**{option: "/no/such.pem"})


@pytest.mark.filterwarnings("ignore:'pywinrm' will use an environment defined proxy")
@pytest.mark.parametrize(
    ("different", "environment", "proxies"),
    [
        ({}, {"HTTPS_PROXY": "http://env:1"}, "http://env:1"),
        ({"ignore_proxy": True}, {"HTTPS_PROXY": "http://env:1"}, None),
        ({"proxy": "http://own:2"}, {"HTTPS_PROXY": "http://env:1"}, "http://own:2"),
        ({}, {"HTTPS_PROXY": "http://env:1", "NO_PROXY": "web"}, None),
    ],
)
def test_which_proxy_is_asked(
    monkeypatch: pytest.MonkeyPatch, different: dict[str, Any], environment: dict[str, str], proxies: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    session = protocol(**different).transport.build_session()
    settings = session.merge_environment_settings("https://web:5986/wsman", session.proxies, None, None, None)
    assert settings["proxies"].get("https") == proxies
