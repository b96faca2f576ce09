# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pywinrm's protocol, made from the options of a connection."""

from __future__ import annotations

import os
from typing import Any

from ..._core.errors import RecoveryError
from .options import OF_THE_ENVIRONMENT, WinrmConnection
from .pywinrm_dep import Protocol, requests

__all__ = ["make_protocol"]

READ_LONGER = 10
"""Seconds that an answer is waited for beyond what the host was given, as Ansible does."""
AUTHORITIES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Where requests looks for authorities, in this order."""


def make_protocol(connection: WinrmConnection, transport: str) -> Any:
    """One that has said nothing yet. Raises RecoveryError for a file that is not there."""
    protocol = Protocol(
        endpoint=connection.endpoint,
        transport=transport,
        username=connection.user,
        password=connection.password,
        service=connection.service,
        ca_trust_path=trusted_authorities(connection),
        cert_pem=_client_file(connection.cert_pem, "winrm_cert_pem"),
        cert_key_pem=_client_file(connection.cert_key_pem, "winrm_cert_key_pem"),
        server_cert_validation=connection.server_cert_validation,
        kerberos_delegation=connection.kerberos.delegation,
        kerberos_hostname_override=connection.kerberos.hostname_override,
        message_encryption=connection.message_encryption,
        credssp_disable_tlsv1_2=connection.credssp.disable_tlsv1_2,
        send_cbt=connection.send_cbt,
        proxy=_proxy(connection),
        operation_timeout_sec=connection.timeout,
        read_timeout_sec=_read_timeout(connection),
    )
    _set_what_protocol_does_not_take(protocol, connection)
    return protocol


def _set_what_protocol_does_not_take(protocol: Any, connection: WinrmConnection) -> None:
    """What pywinrm's parts know and its constructor does not hand on to them."""
    inner = protocol.transport
    inner.credssp_auth_mechanism = connection.credssp.auth_mechanism
    inner.credssp_minimum_version = connection.credssp.minimum_version
    if connection.connect_timeout:
        inner.read_timeout_sec = (connection.connect_timeout, _read_timeout(connection))
    if connection.max_envelope_size:
        protocol.max_env_sz = connection.max_envelope_size
    if connection.connect_retries:
        _connect_again(inner, connection)


def _connect_again(transport: Any, connection: WinrmConnection) -> None:
    """Let each session of requests that the transport builds try more than once to connect; what a host was sent is
    never sent again.
    """
    build = transport.build_session

    def build_patient_session() -> Any:
        if transport.session is None:
            session = build()
            retries = requests.adapters.Retry(
                total=None, connect=connection.connect_retries, read=0, backoff_factor=connection.connect_backoff
            )
            for scheme in ("http://", "https://"):
                session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retries))
        return transport.session

    transport.build_session = build_patient_session


def _read_timeout(connection: WinrmConnection) -> int:
    """pywinrm refuses one that is not longer than what the host was given."""
    return max(connection.read_timeout or connection.timeout + READ_LONGER, connection.timeout + 1)


def _proxy(connection: WinrmConnection) -> str | None:
    """An address, pywinrm's word for the environment's, or None for no proxy whatever the environment says."""
    return connection.proxy or (None if connection.ignore_proxy else OF_THE_ENVIRONMENT)


def _client_file(path: str | None, option: str) -> str | None:
    """pywinrm would say of a file that is not there that the account is refused."""
    if path and not os.path.exists(path):
        raise RecoveryError(
            f"There is no file {path} on the control node with the client certificate or its key",
            code="not_found",
            advice=f"Put it there, or correct {option} (ansible_{option} of the host)",
        )
    return path


def trusted_authorities(connection: WinrmConnection) -> str | None:
    """The file with the authorities to trust, None for those of requests. Raises RecoveryError when it is not there (to
    requests an OSError).
    """
    named = connection.ca_file or next(filter(None, map(os.environ.get, AUTHORITIES)), None)
    verified = connection.scheme == "https" and connection.server_cert_validation == "validate"
    if named and verified and not os.path.exists(named):
        source = (
            "winrm_ca_file (ansible_winrm_ca_trust_path of the host)"
            if connection.ca_file
            else " and ".join(name for name in AUTHORITIES if os.environ.get(name) == named) + " in the environment"
        )
        raise RecoveryError(
            f"There is no file {named} on the control node with the authorities to trust for {connection.host}",
            code="not_found",
            advice=f"Put it there, or correct {source}",
        )
    return named
