"""Tickets of a session's own, with a script in the place of kinit (a real KDC: tests/integration/winrm/test_kerberos.py)."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import ENVIRONMENT
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import ticket as ticket_file
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import Kerberos, WinrmConnection
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.ticket import Ticket, TicketedTransport

PASSWORD = "S3cret 'ä'"
KINIT = """#!/bin/sh
printf '%s\\n' "$@" > "$SAID/arguments"
env > "$SAID/environment"
cat > "$SAID/input"
[ ! -e "$SAID/fail" ] || {{ cat "$SAID/fail" >&2; exit 1; }}
printf x >> "$SAID/times"
{more}
"""


class Kdc:
    """A script that writes down what it was given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.script = folder / "kinit"
        self.life: int | None = 36000
        self.now = 1000.0
        self.does('echo cache > "${KRB5CCNAME#FILE:}"')
        monkeypatch.setenv("SAID", str(folder))
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", None)
        monkeypatch.setattr(ticket_file, "ticket_life", lambda _cache: self.life)
        monkeypatch.setattr(ticket_file.time, "monotonic", lambda: self.now)

    def does(self, more: str) -> None:
        self.script.write_text(KINIT.format(more=more), encoding="utf-8")
        self.script.chmod(0o700)

    def fails(self, text: str) -> None:
        (self.folder / "fail").write_text(text, encoding="utf-8")

    def said(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    @property
    def times(self) -> int:
        return len(self.said("times"))

    def connection(self, **kerberos: Any) -> WinrmConnection:
        given = {"command": str(self.script), "environment": ("SAID",), **kerberos}
        return WinrmConnection(
            host="web", user="dba@PRS.LAB", password=PASSWORD, port=5986, scheme="https", kerberos=Kerberos(**given)
        )

    def left_behind(self) -> list[str]:
        return [path.name for path in self.folder.glob("prs-recovery-ticket-*")]


@pytest.fixture
def kdc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kdc:
    return Kdc(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("kerberos", "arguments"),
    [
        ({}, ["dba@PRS.LAB"]),
        ({"delegation": True}, ["-f", "dba@PRS.LAB"]),
        ({"arguments": "-l '1 h' -k"}, ["-l", "1 h", "-k", "dba@PRS.LAB"]),
        ({"arguments": "-p", "delegation": True}, ["-p", "dba@PRS.LAB"]),
    ],
)
def test_what_kinit_is_given(kdc: Kdc, kerberos: dict[str, Any], arguments: list[str]) -> None:
    ticket = Ticket(kdc.connection(**kerberos))
    assert kdc.said("arguments").splitlines() == arguments
    assert kdc.said("input") == f"{PASSWORD}\n"
    [folder] = kdc.left_behind()
    assert stat.S_IMODE((kdc.folder / folder).stat().st_mode) == 0o700
    ticket.remove()
    assert kdc.left_behind() == []


def test_kinit_sees_what_is_named_and_nothing_else(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/own/krb5.conf")
    monkeypatch.setenv("ANSIBLE_SECRET", "x")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/the/users/own")
    Ticket(kdc.connection(environment=("SAID", "KRB5_CONFIG", "KRB5CCNAME", "NOT_THERE"))).remove()
    seen = dict(line.split("=", 1) for line in kdc.said("environment").splitlines())
    assert {*seen} - {"PWD", "SHLVL", "_"} == {"SAID", "KRB5_CONFIG", "KRB5CCNAME", "PATH"}
    assert seen["KRB5CCNAME"].startswith(f"FILE:{kdc.folder}/prs-recovery-ticket-")


def test_the_processs_own_cache_is_another_one(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5CCNAME", "FILE:/the/users/own")
    ticket = Ticket(kdc.connection())
    with ticket.in_use():
        assert os.environ["KRB5CCNAME"].startswith(f"FILE:{kdc.folder}")
    assert os.environ["KRB5CCNAME"] == "FILE:/the/users/own"
    monkeypatch.delenv("KRB5CCNAME")
    with ticket.in_use():
        pass
    assert "KRB5CCNAME" not in os.environ
    ticket.remove()


def test_no_ticket_is_one_sentence_without_the_password(kdc: Kdc) -> None:
    """And in Ansible's own words, by which a host is unreachable."""
    kdc.fails(f"kinit: {PASSWORD} is wrong\n")
    with pytest.raises(
        RecoveryError, match=r"No Kerberos ticket for dba@PRS\.LAB: kinit: <redacted> is wrong\. Check"
    ) as caught:
        Ticket(kdc.connection())
    assert caught.value.code == "windows_login_refused" and PASSWORD not in str(caught.value)
    said = "Kerberos auth failure for principal dba@PRS.LAB: kinit: <redacted> is wrong"
    assert caught.value.details == {"connection_error": said}
    assert kdc.left_behind() == []


def test_a_kinit_that_is_not_there(kdc: Kdc) -> None:
    with pytest.raises(RecoveryError, match=r"/no/kinit cannot be run .*No such file.*krb5-user on Debian") as caught:
        Ticket(kdc.connection(command="/no/kinit"))
    assert caught.value.code == "dependency_missing"
    assert kdc.left_behind() == []


def test_a_kdc_that_does_not_answer(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    kdc.does("exec sleep 60")
    monkeypatch.setattr(ticket_file, "KINIT_WITHIN", 0.2)
    with pytest.raises(RecoveryError, match=r"no KDC answered within 0 seconds"):
        Ticket(kdc.connection())
    assert kdc.left_behind() == []


@pytest.mark.parametrize(
    ("life", "seconds", "renewed"),
    [
        (36000, 35879, False),
        (36000, 35880, True),
        (300, 199, False),
        (300, 200, True),  # a third of a short life
        (None, 10**9, False),  # nobody knows when it ends
    ],
)
def test_another_ticket_is_obtained_before_this_one_ends(
    kdc: Kdc, life: int | None, seconds: float, renewed: bool
) -> None:
    kdc.life = life
    ticket = Ticket(kdc.connection())
    kdc.now += seconds
    assert ticket.renew_if_needed() is renewed and kdc.times == 1 + renewed
    assert not ticket.renew_if_needed()
    ticket.remove()


def test_a_kdc_may_be_away_as_long_as_the_ticket_lasts(kdc: Kdc) -> None:
    kdc.life = 300
    ticket = Ticket(kdc.connection())
    kdc.fails("kinit: Cannot contact any KDC")
    kdc.now += 210
    assert not ticket.renew_if_needed()
    kdc.now += 40
    (kdc.folder / "arguments").unlink()
    assert not ticket.renew_if_needed() and not (kdc.folder / "arguments").exists()  # not with every message
    kdc.now += 51
    with pytest.raises(RecoveryError, match="Cannot contact any KDC"):
        ticket.renew_if_needed()
    (kdc.folder / "fail").unlink()
    assert ticket.renew_if_needed()
    ticket.remove()


class Transport:
    """pywinrm's, which writes down what happens to it."""

    def __init__(self) -> None:
        self.encryption: object | None = object()
        self.events: list[str] = []

    def send_message(self, message: str) -> bytes:
        self.events.append(
            f"{message} {'sealed' if self.encryption else 'afresh'} {bool(os.environ.get('KRB5CCNAME'))}"
        )
        return b"answer"

    def close_session(self) -> None:
        self.events.append("closed")


def test_a_new_ticket_brings_a_new_security_context(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    ticket, transport = Ticket(kdc.connection()), Transport()
    messages = TicketedTransport(transport, ticket)
    assert messages.send_message("one") == b"answer"
    kdc.now += 36000
    messages.send_message("two")
    assert transport.events == ["one sealed True", "closed", "two afresh True"]
    ticket.remove()


def test_the_connection_can_be_closed(kdc: Kdc) -> None:
    ticket, transport = Ticket(kdc.connection()), Transport()
    TicketedTransport(transport, ticket).close_session()
    assert transport.events == ["closed"]
    ticket.remove()


def test_the_ticket_lies_where_the_action_plugin_removes_it(kdc: Kdc, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is terminated removes nothing itself."""
    folder = kdc.folder / "task"
    folder.mkdir()
    monkeypatch.setenv(ENVIRONMENT, str(folder / "progress"))
    ticket = Ticket(kdc.connection())
    assert [path.name.startswith("prs-recovery-ticket-") for path in folder.iterdir()] == [True]
    assert kdc.left_behind() == []
    ticket.remove()
