"""Kerberos as a domain account uses it: a real KDC, a host that takes tickets, no ticket at hand beforehand."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.credential_cache import ticket_life
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import ticket as ticket_file
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs import stat_paths

from .realm import ACCOUNT, HTTP_PORT, HTTPS_PORT, PASSWORD, Realm, needs_kerberos
from .test_session import self_signed
from .test_through_ansible import play
from .windows_twins import APPLICATION, LOCAL, Twins, shells_end
from .windows_twins import PASSWORD as LOCAL_PASSWORD

pytestmark = needs_kerberos


@pytest.fixture
def realm(twins: Twins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Realm]:
    yield from _realm(twins, tmp_path, monkeypatch)


def _realm(twins: Twins, folder: Path, monkeypatch: pytest.MonkeyPatch, **life: int) -> Iterator[Realm]:
    realm = Realm(twins, folder, **life)
    monkeypatch.setenv("KRB5_CONFIG", str(realm.kdc.configuration))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{folder}/nobody-has-a-ticket-here")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    realm.start()
    try:
        yield realm
    finally:
        realm.kdc.stop()
        assert list(folder.glob("prs-recovery-ticket-*")) == [], "a ticket stayed behind"


def look(session: Session) -> bool:
    return session.call(stat_paths.SCRIPT, doing="Looking", items=["C:\\Windows"])[0]["folder"]


def test_an_account_of_the_domain_needs_no_ticket_beforehand(realm: Realm) -> None:
    """Over HTTP all messages are sealed: the service takes no others."""
    with realm.listening(), Session(realm.connection()) as session:
        assert session.computer == "WEB" and look(session)
    [logon] = realm.logons()
    assert (logon["package"], logon["account"], logon["delegated"]) == ("Kerberos", "PRSLAB\\dba", False)
    assert not Path(os.environ["KRB5CCNAME"].removeprefix("FILE:")).exists()


def test_messages_that_are_not_sealed_are_refused_over_http(realm: Realm) -> None:
    with realm.listening(), pytest.raises(RecoveryError, match=r"HTTP status 500.*wants encrypted messages"):
        Session(realm.connection(message_encryption="never")).__enter__()


@pytest.mark.parametrize("message_encryption", ["auto", "always"])
@pytest.mark.parametrize("send_cbt", [True, False])
def test_over_https(realm: Realm, tmp_path: Path, send_cbt: bool, message_encryption: str) -> None:
    certificate, key = self_signed(tmp_path, realm.twins.web.address)
    secure = {"scheme": "https", "port": HTTPS_PORT, "ca_file": str(certificate), "send_cbt": send_cbt}
    given = realm.connection(message_encryption=message_encryption, **secure)
    with realm.listening(certificate=certificate, key=key), Session(given) as session:
        assert look(session)
    assert {logon["package"] for logon in realm.logons()} == {"Kerberos"}


def test_delegation_brings_a_forwardable_ticket(realm: Realm) -> None:
    with realm.listening(), Session(realm.connection(kerberos={"delegation": True})) as session:
        assert look(session)
    assert realm.logons()[0]["delegated"]


def test_a_ticket_that_is_there_is_taken_as_it_is(
    realm: Realm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ansible's mode "manual", and any run without a password."""
    cache = tmp_path / "own"
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{cache}")
    subprocess.run(["kinit", ACCOUNT], input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)
    assert ticket_life(cache.read_bytes()) == 36000
    asked = len(realm.kdc.asked_for("AS_REQ"))
    with realm.listening():
        for given in ({"password": ""}, {"kerberos": {"mode": "manual"}}, {"password": "", "user": None}):
            with Session(realm.connection(**given)) as session:
                assert look(session)
    assert len(realm.kdc.asked_for("AS_REQ")) == asked
    assert {logon["account"] for logon in realm.logons()} == {"PRSLAB\\dba"}


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"password": "wrong"}, r"No Kerberos ticket for dba@PRS\.LAB: .*[Pp]assword incorrect"),
    ({"user": "nobody@PRS.LAB"}, r"No Kerberos ticket for nobody@PRS\.LAB: .*not found in Kerberos database"),
    ({"user": "dba@OTHER.LAB"}, r"No Kerberos ticket for dba@OTHER\.LAB: .*[Cc]annot find KDC"),
    ({"kerberos": {"hostname_override": "db.prs.lab"}}, r"by Kerberos .*asked for the service HTTP/db\.prs\.lab: give"),
    ({"kerberos": {"hostname_override": None}}, r"asked for the service HTTP/127\..* winrm_kerberos_hostname_override"),
    ({"password": ""}, r"by Kerberos .*Without a password in the inventory a ticket has to be there already"),
    ({"kerberos": {"environment": ()}}, r"KRB5_CONFIG reach kinit where ansible_winrm_kinit_env_vars names them"),
]


@pytest.mark.parametrize(("different", "sentence"), REFUSALS)
def test_what_stands_in_the_way(realm: Realm, different: dict[str, Any], sentence: str) -> None:
    with realm.listening(), pytest.raises(RecoveryError, match=sentence) as caught:
        Session(realm.connection(**different)).__enter__()
    assert caught.value.code == "windows_login_refused" and PASSWORD not in str(caught.value)
    assert not realm.logons()


@pytest.mark.parametrize("service", ["WSMAN", "host"])
def test_other_services_of_the_host(realm: Realm, service: str) -> None:
    with realm.listening(), Session(realm.connection(service=service)) as session:
        assert look(session)


def test_where_ntlm_is_forbidden_kerberos_is_tried_first_or_next(realm: Realm) -> None:
    with realm.listening(ntlm=False):
        for transports in (("kerberos",), ("kerberos", "ntlm"), ("ntlm", "kerberos")):
            with Session(realm.connection(transports=transports)) as session:
                assert look(session)
        with pytest.raises(RecoveryError, match=r"refuses the account dba@PRS\.LAB.*transport was ntlm"):
            Session(realm.connection(transports=("ntlm",))).__enter__()


def test_a_local_account_falls_back_to_ntlm_and_all_refusals_are_told(realm: Realm) -> None:
    local = {"user": "Administrator", "transports": ("kerberos", "ntlm")}
    with realm.listening():
        with Session(realm.connection(password=LOCAL_PASSWORD, **local)) as session:
            assert look(session)
        both = r"No transport works\. kerberos: No Kerberos ticket for Administrator.*; ntlm: .*refuses the account"
        with pytest.raises(RecoveryError, match=both):
            Session(realm.connection(password="wrong", **local)).__enter__()
    assert [logon["package"] for logon in realm.logons()] == ["NTLM"]


@pytest.fixture
def short_lived(twins: Twins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Realm]:
    """Tickets of five seconds, and a host that forgives none."""
    yield from _realm(twins, tmp_path, monkeypatch, ticket_life=5, clock_skew=1)


def test_a_session_outlives_its_tickets(short_lived: Realm) -> None:
    with short_lived.listening() as winrm, Session(short_lived.connection()) as session:
        until = time.monotonic() + 11
        while time.monotonic() < until:
            assert look(session)
            time.sleep(0.5)
        assert len(winrm.wsman._shells) == 1
    assert len(short_lived.kdc.asked_for("AS_REQ")) >= 3
    assert len(short_lived.logons()) >= 3


def test_without_another_ticket_the_host_refuses_the_old_one(
    short_lived: Realm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test before this one would see if no ticket were renewed."""
    monkeypatch.setattr(ticket_file.Ticket, "renew_if_needed", lambda _ticket: False)
    with short_lived.listening(), Session(short_lived.connection()) as session:
        assert look(session)
        time.sleep(7)
        with pytest.raises(RecoveryError, match="was lost while the host was looking"):
            look(session)


def test_a_kdc_that_went_away_for_good_ends_the_session_with_its_ticket(short_lived: Realm) -> None:
    with short_lived.listening(), Session(short_lived.connection()) as session:
        short_lived.kdc.stop_process()
        time.sleep(3.5)
        assert look(session)  # the ticket is still good
        time.sleep(2.5)
        with pytest.raises(RecoveryError, match=r"No Kerberos ticket for dba@PRS\.LAB: .*[Cc]annot contact any KDC"):
            look(session)
        assert session.is_lost


PLUGINS = {
    "winrm": {
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "kerberos",
        "ansible_winrm_kerberos_hostname_override": "web.prs.lab",
        "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
    },
    "psrp": {
        "ansible_connection": "psrp",
        "ansible_psrp_protocol": "http",
        "ansible_psrp_auth": "negotiate",
        "ansible_psrp_negotiate_hostname_override": "web.prs.lab",
        "ansible_psrp_negotiate_delegate": True,
    },
}


@pytest.mark.parametrize("plugin", sorted(PLUGINS))
def test_through_ansible_as_its_own_modules(realm: Realm, tmp_path: Path, plugin: str) -> None:
    """The host's variables alone: no ticket is there, before and after, and no module's arguments show the password."""
    host = {"ansible_port": HTTP_PORT, "ansible_user": ACCOUNT, "ansible_password": PASSWORD, **PLUGINS[plugin]}
    backup = {"prs.recovery.app_backup": {"path": APPLICATION, "destination": LOCAL}}
    tasks = [{"ansible.windows.win_ping": {}}, backup] if plugin == "winrm" else [backup]  # the twin has no PSRP
    with realm.listening(ntlm=False) as winrm:
        results, printed = play(realm.twins, tmp_path, tasks, host=host)
        assert shells_end(winrm)
    assert len(results) == len(tasks) and results[-1].get("archive"), printed[-3000:]
    logons = realm.logons()
    assert {(logon["package"], logon["account"]) for logon in logons} == {("Kerberos", "PRSLAB\\dba")}
    assert logons[-1]["delegated"] is (plugin == "psrp")
    assert PASSWORD not in printed
