"""CredSSP: the password goes to the host inside TLS, and messages are sealed by that TLS."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import CredSsp
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs import stat_paths
from prs_lab.windows.winrm import WinRm, WinRmSettings

from .windows_twins import Twins

PORT = 5995
ANSIBLE = "Ansible pass 1"
pytestmark = pytest.mark.skipif(not find_spec("requests_credssp"), reason="no CredSSP without pywinrm[credssp]")


@pytest.fixture
def winrm(twins: Twins) -> Iterator[WinRm]:
    winrm = WinRm(twins.web, WinRmSettings(http_port=PORT, ntlm=False, credssp=True))
    winrm.open()
    yield winrm
    winrm.close()


def connection(twins: Twins, **different: Any) -> Session:
    return Session(twins.connection(port=PORT, transports=("credssp",), **different))


@pytest.mark.parametrize("mechanism", ["auto", "ntlm"])
def test_a_local_account(twins: Twins, winrm: WinRm, mechanism: str) -> None:
    """Messages of more than 16 KB, which CredSSP seals in pieces, too."""
    with connection(twins, credssp=CredSsp(auth_mechanism=mechanism, minimum_version=5)) as session:
        items = [f"C:\\Windows\\{number:04}{'x' * 40}" for number in range(1500)]
        assert len(session.call(stat_paths.SCRIPT, doing="Looking", items=items)) == len(items)
    [logon] = [entry for entry in twins.web.record.entries("logon") if not entry["failed"]]
    assert (logon["package"], logon["delegated"]) == ("CredSSP", True)


@pytest.mark.parametrize("user", ["PRSLAB\\dba", "dba@prs.lab"])
def test_an_account_of_the_domain(twins: Twins, winrm: WinRm, user: str) -> None:
    twins.domain.add_user("dba", ANSIBLE, groups=["Domain Admins"])
    with connection(twins, user=user, password=ANSIBLE) as session:
        assert session.computer == "WEB"


def test_what_stands_in_the_way(twins: Twins, winrm: WinRm) -> None:
    with pytest.raises(RecoveryError, match=r"refuses the account Administrator.*transport was credssp") as caught:
        connection(twins, password="wrong").__enter__()
    assert caught.value.code == "windows_login_refused"
    with pytest.raises(RecoveryError, match=r"refuses the account Administrator.*transport was credssp"):
        Session(twins.connection(transports=("credssp",))).__enter__()  # a service that does not offer it
    with pytest.raises(RecoveryError, match=r"refuses the account Administrator.*transport was credssp"):
        connection(twins, credssp=CredSsp(minimum_version=99)).__enter__()
