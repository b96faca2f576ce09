"""A client certificate in place of a password."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from prs_lab.estate.authority import Authority
from prs_lab.windows.winrm import WinRm, WinRmSettings

from .test_session import self_signed
from .test_through_ansible import ROOT, play
from .windows_twins import APPLICATION, LOCAL, Twins

HTTPS_PORT = 5996


@dataclass
class Shown:
    """The client's files, and the service that may take them."""

    certificate: Path
    key: Path
    server: Path
    winrm: WinRm


@pytest.fixture
def shown(twins: Twins, tmp_path: Path) -> Iterator[Shown]:
    authority = Authority(folder=tmp_path / "ca")
    certificate, key = authority.issue_for_client(principal="administrator@localhost")
    server = self_signed(tmp_path, twins.web.address)
    settings = WinRmSettings(
        http_port=None,
        https_port=HTTPS_PORT,
        certificate=server[0],
        key=server[1],
        client_authority=authority.ca_file,
        client_accounts={"administrator@localhost": "Administrator"},
    )
    winrm = WinRm(twins.web, settings)
    winrm.open()
    yield Shown(certificate=certificate, key=key, server=server[0], winrm=winrm)
    winrm.close()


def session(twins: Twins, shown: Shown, **different: Any) -> Session:
    given = {
        "scheme": "https",
        "port": HTTPS_PORT,
        "ca_file": str(shown.server),
        "user": None,
        "password": "",
        "transports": ("certificate",),
        "cert_pem": str(shown.certificate),
        "cert_key_pem": str(shown.key),
        **different,
    }
    return Session(twins.connection(**given))


@pytest.mark.parametrize("transport", ["certificate", "ssl"])
def test_it_logs_on_the_account_that_it_is_mapped_to(twins: Twins, shown: Shown, transport: str) -> None:
    with session(twins, shown, transports=(transport,)) as opened:
        assert opened.computer == "WEB"
    [logon] = [entry for entry in twins.web.record.entries("logon") if not entry["failed"]]
    assert (logon["package"], logon["account"]) == ("Certificate", "WEB\\Administrator")


def test_one_that_is_mapped_to_nobody_is_refused(twins: Twins, shown: Shown, tmp_path: Path) -> None:
    authority = Authority(folder=tmp_path / "ca")
    for file in (shown.certificate, shown.key):
        file.rename(file.with_name(f"other-{file.name}"))
    certificate, key = authority.issue_for_client(principal="somebody@localhost")
    with pytest.raises(RecoveryError, match=r"refuses the client certificate .*ClientCertificate must map") as caught:
        session(twins, shown, cert_pem=str(certificate), cert_key_pem=str(key)).__enter__()
    assert caught.value.code == "windows_login_refused"


def test_one_of_another_authority_opens_nothing(twins: Twins, shown: Shown, tmp_path: Path) -> None:
    certificate, key = Authority(folder=tmp_path / "other").issue_for_client(principal="administrator@localhost")
    with pytest.raises(RecoveryError, match="refuses the client certificate"):
        session(twins, shown, cert_pem=str(certificate), cert_key_pem=str(key)).__enter__()
    assert not list(twins.web.record.entries("logon"))


@pytest.mark.parametrize(
    "core",
    ["", pytest.param("2.16", marks=pytest.mark.nightly), pytest.param("2.21", marks=pytest.mark.nightly)],
    ids=["here", "2.16", "2.21"],
)
def test_through_ansible_as_its_own_modules(
    twins: Twins, shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, core: str
) -> None:
    """The host's variables alone: no password is in the inventory, and Ansible's own connection logs on as ours does."""
    if core:
        python = ROOT / "build" / f"venv-{core}" / "bin" / "python"
        if not python.exists():
            pytest.skip(f"no ansible-core {core} here: make venv-{core}")
        monkeypatch.setattr(sys, "executable", str(python))
    host = {
        "ansible_port": HTTPS_PORT,
        "ansible_winrm_transport": "certificate",
        "ansible_winrm_cert_pem": str(shown.certificate),
        "ansible_winrm_cert_key_pem": str(shown.key),
        "ansible_winrm_ca_trust_path": str(shown.server),
        "ansible_user": None,
        "ansible_password": None,
    }
    tasks = [
        {"ansible.windows.win_ping": {}},
        {"prs.recovery.app_backup": {"path": APPLICATION, "destination": LOCAL}},
    ]
    [pinged, backup], printed = play(twins, tmp_path, tasks, host=host)
    assert pinged["ping"] == "pong" and backup["archive"]["verified"], printed[-3000:]
    logons = list(twins.web.record.entries("logon"))
    assert {(logon["package"], logon["account"]) for logon in logons} == {("Certificate", "WEB\\Administrator")}
    psrp = {
        "ansible_connection": "psrp",
        "ansible_port": HTTPS_PORT,
        "ansible_psrp_auth": "certificate",
        "ansible_psrp_certificate_pem": str(shown.certificate),
        "ansible_psrp_certificate_key_pem": str(shown.key),
        "ansible_psrp_ca_cert": str(shown.server),
        "ansible_user": None,
        "ansible_password": None,
    }
    [backup], printed = play(twins, tmp_path, tasks[1:], host=psrp)
    assert backup["archive"]["verified"], printed[-3000:]


def test_half_of_one_is_refused_before_anything_runs(twins: Twins, shown: Shown, tmp_path: Path) -> None:
    host = {"ansible_winrm_transport": "certificate", "ansible_winrm_cert_pem": str(shown.certificate)}
    [failed], _printed = play(
        twins, tmp_path, [{"prs.recovery.app_backup": {"path": APPLICATION, "destination": LOCAL}}], host=host
    )
    assert failed["error_code"] == "option_invalid"
    assert "ansible_winrm_cert_pem and ansible_winrm_cert_key_pem" in failed["msg"]
