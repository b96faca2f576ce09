"""A session with a Windows host: what stands in its way is one sentence, and nothing of it is left behind."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.errors import WindowsFault
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs import list_folder, stat_paths
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from prs_lab.windows.winrm import WinRm, WinRmSettings

from .windows_twins import PASSWORD, Twins

CLOSED_PORT = 5987


def shells(twins: Twins) -> int:
    [winrm] = twins.web.network
    return len(winrm.wsman._shells)


def test_one_shell_and_one_process_for_many_verbs(twins: Twins) -> None:
    with Session(twins.connection()) as session:
        assert session.computer == "WEB"
        for _ in range(5):
            assert session.call(stat_paths.SCRIPT, doing="Looking", items=["C:\\Windows"])[0]["folder"]
        assert shells(twins) == 1
    assert shells(twins) == 0


def test_a_verb_that_fails_leaves_the_session_usable(twins: Twins) -> None:
    with Session(twins.connection()) as session:
        with pytest.raises(
            WindowsFault, match=r"Listing C:\\nothing failed on 127\..*\(Windows error 3\)\. The folder does not exist"
        ) as caught:
            session.call(list_folder.SCRIPT, doing="Listing C:\\nothing", Path="C:\\nothing")
        assert caught.value.number == 3 and caught.value.details["windows_error"] == 3
        assert session.call(stat_paths.SCRIPT, doing="Looking", items=["C:\\Windows"])
    assert shells(twins) == 0


OBSTACLES = [
    ({"password": "wrong"}, r"refuses the account Administrator\. Check winrm_user and winrm_password"),
    ({"user": "nobody"}, r"refuses the account nobody"),
    ({"port": CLOSED_PORT}, rf"\(WinRM, http, port {CLOSED_PORT}\) cannot be reached\. Check the name, the port"),
    ({"host": "no-such-host.invalid"}, r"no-such-host\.invalid .* cannot be reached"),
    ({"path": "/other"}, r"answered with HTTP status 404.*winrm_path is wrong"),
    ({"transports": ("basic",)}, r"refuses the account Administrator.*transport was basic"),
    ({"scheme": "https"}, r"No TLS with .*port 5985\): \w+\. Check that the listener at this port is one of HTTPS"),
    (
        {"scheme": "https", "ca_file": "/no/such/ca.pem"},
        r"There is no file /no/such/ca\.pem on the control node.*correct winrm_ca_file",
    ),
]


@pytest.mark.parametrize("different, message", OBSTACLES)
def test_obstacles(twins: Twins, different: dict[str, Any], message: str) -> None:
    with pytest.raises(RecoveryError, match=message) as caught, Session(twins.connection(**different)):
        pass
    assert PASSWORD not in str(caught.value)
    assert shells(twins) == 0


def test_https_is_verified(twins: Twins, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, twins.web.address)
    winrm = WinRm(twins.web, WinRmSettings(http_port=None, certificate=certificate, key=key))
    winrm.open()
    try:
        secure = {"scheme": "https", "port": 5986}
        with pytest.raises(
            RecoveryError, match=r"certificate of .* \(WinRM, https, port 5986\) is not trusted\. Give .* winrm_ca_file"
        ):
            Session(twins.connection(**secure)).__enter__()
        with Session(twins.connection(**secure, ca_file=str(certificate))) as session:
            assert session.computer == "WEB"
        with Session(twins.connection(**secure, server_cert_validation="ignore")) as session:
            assert session.computer == "WEB"
    finally:
        winrm.close()


def test_a_host_that_goes_away_in_the_middle(twins: Twins) -> None:
    with Session(twins.connection()) as session:
        twins.web.close_network()
        with pytest.raises(
            RecoveryError, match=r"The connection to .* was lost while the host was listing C:\\Windows.*Run this again"
        ):
            session.call(list_folder.SCRIPT, doing="Listing C:\\Windows", Path="C:\\Windows")


def test_a_shell_that_is_gone(twins: Twins) -> None:
    """As after a restart of the WinRM service, or when the account's quota was used up."""
    with Session(twins.connection()) as session:
        [winrm] = twins.web.network
        winrm.wsman.forget_shells()
        with pytest.raises(RecoveryError, match=r"lost while the host was listing|WinRM of .* refuses"):
            session.call(list_folder.SCRIPT, doing="Listing C:\\Windows", Path="C:\\Windows")


def self_signed(folder: Path, address: str) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    paths = folder / "web.pem", folder / "web.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths
