"""A session whose host answers no more, with a double in the place of pywinrm's protocol."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
import requests
import winrm.exceptions
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import (
    conversation,
    remote_powershell,
    session,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.errors import WindowsFault
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.kept_sessions import KeptShell
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import WinrmConnection
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session, end_session
from urllib3.exceptions import MaxRetryError, NewConnectionError

CONNECTION = WinrmConnection(host="web", user="u", password="p", port=5986, scheme="https")
READY = b'{"ready":{"powershell":"5.1","computer":"WEB","now":"2026-03-01T02:00:00Z"}}\n'
TIMEOUT = winrm.exceptions.WinRMOperationTimeoutError


class Protocol:
    """A host that answers so often; then every question runs into the time that pywinrm asks for."""

    def __init__(self, answers: list[bytes], *, takes_input: bool) -> None:
        self.answers, self.takes_input = answers, takes_input
        self.busy = 0
        self.refusals: list[Exception] = []
        self.refuses_login = False
        self.did: list[str] = []
        self.sent: list[bytes] = []
        self.ended: list[str] = []

    @property
    def transport(self) -> Protocol:
        return self

    def build_session(self) -> None:
        self.did.append("log in")
        if self.refuses_login:
            raise winrm.exceptions.InvalidCredentialsError("refused")

    def open_shell(self, **_options: Any) -> str:
        self.did.append("open")
        if self.refuses_login:
            raise winrm.exceptions.InvalidCredentialsError("refused")
        return "shell"

    def run_command(self, *_arguments: Any, **_options: Any) -> str:
        return "command"

    def send_command_input(self, _shell: str, _command: str, data: bytes) -> None:
        if self.refusals:
            raise self.refusals.pop()
        if self.busy:
            self.busy -= 1
            raise winrm.exceptions.WSManFaultError(500, "busy", "", "", wsman_fault_code=170)
        self.sent.append(data)
        if not self.takes_input:
            raise TIMEOUT

    def get_command_output_raw(self, *_arguments: Any) -> tuple[bytes, bytes, int, bool]:
        if not self.answers:
            raise TIMEOUT
        return self.answers.pop(0), b"", 0, False

    def cleanup_command(self, *_arguments: Any) -> None:
        self.ended.append("command")

    def close_shell(self, *_arguments: Any) -> None:
        self.ended.append("shell")


def test_without_a_user_only_transports_are_tried_that_know_theirs(monkeypatch: pytest.MonkeyPatch):
    """As Ansible does: the first one needs an account, the second one a ticket or a certificate."""
    tried: list[str] = []

    def refuse(_connection: WinrmConnection, transport: str) -> Protocol:
        tried.append(transport)
        raise winrm.exceptions.InvalidCredentialsError("refused")

    monkeypatch.setattr(remote_powershell, "make_protocol", refuse)
    monkeypatch.setattr(remote_powershell, "require_transport", lambda _transport: None)
    both = replace(CONNECTION, user=None, transports=("ntlm", "certificate"), cert_pem="c", cert_key_pem="k")
    said = r"No transport works\. ntlm: ntlm needs an account, and none is given.*; certificate: .*refuses the client"
    with pytest.raises(RecoveryError, match=said), Session(both):
        pass
    assert tried == ["certificate"]


def host(monkeypatch: pytest.MonkeyPatch, *answers: bytes, takes_input: bool = True) -> Protocol:
    protocol = Protocol(list(answers), takes_input=takes_input)
    monkeypatch.setattr(remote_powershell, "make_protocol", lambda *_: protocol)
    monkeypatch.setattr(remote_powershell, "SEND_PAUSE", 0.0)
    clock = iter(range(0, 1_000_000, 20))
    monkeypatch.setattr(conversation.time, "monotonic", lambda: next(clock))
    return protocol


def test_a_powershell_that_never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch)
    said = r"PowerShell on web has said nothing for 5 minutes while it was starting"
    with Session(CONNECTION) as opened, pytest.raises(RecoveryError, match=said):
        opened.call("script", doing="Looking")
    assert protocol.ended == ["command", "shell"]


def test_a_verb_that_says_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch, READY, b'{"progress":{"files":1}}\n')
    with Session(CONNECTION) as opened:
        with pytest.raises(RecoveryError, match=r"said nothing for 30 minutes while it was removing C:\\x") as caught:
            opened.call("script", doing="Removing C:\\x")
        assert caught.value.code == "timeout"
        assert opened.is_lost
    assert protocol.ended == ["command", "shell"]


def test_input_that_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows says of input that it took too long, and has read it even so: only what it answers counts."""
    host(monkeypatch, takes_input=False)
    said = r"PowerShell on web has said nothing for 5 minutes while it was starting"
    with Session(CONNECTION) as opened, pytest.raises(RecoveryError, match=said):
        opened.call("script", doing="Looking")
    protocol = host(monkeypatch, READY, b'{"end":true}\n')
    protocol.takes_input = False
    with Session(CONNECTION) as opened:
        assert opened.call("script", doing="Looking") == []


@pytest.mark.parametrize(("times", "goes_on"), [(2, True), (3, False)])
def test_a_host_that_is_busy_with_earlier_input(monkeypatch: pytest.MonkeyPatch, times: int, goes_on: bool) -> None:
    protocol = host(monkeypatch, READY, b'{"end":true}\n')
    with Session(CONNECTION) as opened:
        protocol.busy = times
        if goes_on:
            assert opened.call("script", doing="Looking") == []
            return
        with pytest.raises(RecoveryError, match="was lost while the host was looking"):
            opened.call("script", doing="Looking")
        assert opened.is_lost
        with pytest.raises(RecoveryError, match="was lost while the host was looking"):
            opened.call("script", doing="Looking again")  # what the host says now belongs to the first question
        protocol.answers = [READY, b'{"end":true}\n', b'{"end":true}\n']
        opened.reconnect()
        assert opened.call("script", doing="Looking again") == []


def test_a_host_that_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of it even so is told what happened first."""
    protocol = host(monkeypatch, READY)
    monkeypatch.setattr(session, "RECONNECT_WITHIN", -1.0)
    with Session(CONNECTION) as opened:
        protocol.busy = 3
        with pytest.raises(RecoveryError, match="was lost while the host was looking"):
            opened.call("script", doing="Looking")
        monkeypatch.setattr(protocol, "open_shell", lambda **_options: (_ for _ in ()).throw(TIMEOUT()))
        with pytest.raises(RecoveryError, match="did not answer"):
            opened.reconnect()
        with pytest.raises(RecoveryError, match="was lost while the host was looking"):
            opened.call("script", doing="Disconnecting")


def test_a_verb_that_was_broken_off_leaves_a_session_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch, READY)
    with Session(CONNECTION) as opened:
        monkeypatch.setattr(protocol, "get_command_output_raw", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert not opened.is_lost
        with pytest.raises(KeyboardInterrupt):
            opened.call("script", doing="Looking")
        assert opened.is_lost


END, CANCELED = b'{"end":true}\n', b'{"error":{"number":0,"kind":"OperationCanceledException","message":"canceled"}}\n'
REFUSED = b'{"error":{"number":1219,"kind":"Win32Exception","message":"another account"}}\n'


def test_what_goes_ahead_is_mended_before_the_call_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    host(monkeypatch, READY + REFUSED + CANCELED + CANCELED, END, END + b'{"items":[1]}\n' + END)
    mended: list[str] = []
    with Session(CONNECTION) as opened:

        def mend(fault: WindowsFault) -> None:
            mended.append(f"{fault.number} {fault.message}")
            opened.call("disconnect", doing="Disconnecting")

        opened.ahead("connect", doing="Connecting to x", mend=mend)
        opened.ahead("make", doing="Making y", mend=mended.remove)
        assert opened.call("list", doing="Listing") == [1]
    assert mended == ["1219 Connecting to x failed on web: another account (Windows error 1219)"]


def test_a_call_is_not_made_where_what_goes_ahead_of_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody takes the refusal for one of the call."""
    host(monkeypatch, READY + REFUSED + CANCELED, END)
    with Session(CONNECTION) as opened:
        opened.ahead("make", doing="Making the folder x")
        with pytest.raises(RecoveryError, match="Making the folder x failed") as caught:
            opened.call("list", doing="Listing")
        assert not isinstance(caught.value, WindowsFault) and caught.value.details["windows_error"] == 1219
        assert opened.call("list", doing="Listing") == [], "nothing is left of what was refused"


class Keeper:
    """In the place of the server of modules."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, keeps: bool = True) -> None:
        self.keeps, self.left = keeps, list[KeptShell]()
        monkeypatch.setattr(session, "take", lambda _connection: self.left.pop() if self.left else None)
        monkeypatch.setattr(session, "keep", self._keep)

    def _keep(self, _connection: WinrmConnection, shell: KeptShell) -> bool:
        self.left += [shell] if self.keeps else []
        return self.keeps


KEPT = KeptShell(transport="ntlm", shell="shell", command="command")


def test_the_next_task_goes_on_with_what_the_last_one_left(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, keeper = host(monkeypatch, READY + END, READY + END), Keeper(monkeypatch)
    with Session(CONNECTION) as opened:
        opened.call("script", doing="Looking")
    assert (keeper.left, protocol.ended) == ([replace(KEPT, tasks=1)], [])
    with Session(CONNECTION) as resumed:
        resumed.call("script", doing="Looking")
        assert resumed.computer == "WEB" and not keeper.left
    assert (keeper.left, protocol.did) == ([replace(KEPT, tasks=2)], ["open", "log in"])


def test_a_powershell_does_not_grow_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, keeper = host(monkeypatch, *[READY + END] * session.MOST_TASKS), Keeper(monkeypatch)
    for task in range(session.MOST_TASKS):
        assert len(keeper.left) == min(task, 1)
        with Session(CONNECTION) as opened:
            opened.call("script", doing="Looking")
    assert (keeper.left, protocol.ended, protocol.did.count("open")) == ([], ["command", "shell"], 1)


@pytest.mark.parametrize("asked", ["nothing", "owes", "broken", "without its registry"])
def test_nobody_goes_on_with_what_may_answer_to_another(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    broken = b'{"error":{"number":0,"kind":"BrokenInput","message":"?"}}\n'
    deleted = b'{"error":{"number":1018,"kind":"COMException","message":"marked for deletion"}}\n'
    protocol = host(monkeypatch, READY if asked == "owes" else READY + (deleted if "registry" in asked else broken))
    keeper = Keeper(monkeypatch)
    with Session(CONNECTION) as opened, contextlib.suppress(RecoveryError):
        if asked != "nothing":
            opened.call("script", doing="Looking")
    assert (keeper.left, protocol.ended) == ([], ["command", "shell"])


def test_what_nobody_keeps_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch, READY + END)
    Keeper(monkeypatch, keeps=False)
    with Session(CONNECTION) as opened:
        opened.call("script", doing="Looking")
    assert protocol.ended == ["command", "shell"]


GONE = winrm.exceptions.WSManFaultError(500, "the shell was not found", "", "", wsman_fault_code=2150858843)


def test_where_the_host_has_lost_it_another_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restart: nothing of what was asked for has run, so that it can be asked for again."""
    protocol = host(monkeypatch, READY + END + END)
    Keeper(monkeypatch).left.append(KEPT)
    protocol.refusals = [GONE]
    with Session(CONNECTION) as resumed:
        resumed.ahead("connect", doing="Connecting")
        assert resumed.call("script", doing="Looking") == []
        assert protocol.ended == [], "nothing is left to be ended there"
    assert protocol.did == ["log in", "open"] and len(protocol.sent) == 1 and b"connect" in protocol.sent[0]


def test_where_the_host_has_gone_as_well_the_session_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch)
    Keeper(monkeypatch).left.append(KEPT)
    protocol.refusals = [GONE]
    with Session(CONNECTION) as resumed:
        monkeypatch.setattr(protocol, "open_shell", lambda **_options: (_ for _ in ()).throw(TIMEOUT()))
        with pytest.raises(RecoveryError, match="did not answer within"):
            resumed.call("script", doing="Looking")
        assert resumed.is_lost


def test_what_is_lost_later_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch, READY + END)
    Keeper(monkeypatch).left.append(KEPT)
    with Session(CONNECTION) as resumed:
        resumed.call("script", doing="Looking")
        protocol.refusals = [GONE]
        with pytest.raises(RecoveryError, match="was lost while the host was removing x"):
            resumed.call("script", doing="Removing x")
    assert protocol.did == ["log in"]


def test_where_a_transport_has_ceased_to_work_the_next_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(_connection: WinrmConnection, transport: str) -> Protocol:
        made.append(transport)
        protocol = Protocol([READY + END], takes_input=True)
        protocol.refuses_login = transport == "credssp"
        return protocol

    monkeypatch.setattr(remote_powershell, "make_protocol", make)
    monkeypatch.setattr(remote_powershell, "require_transport", lambda _transport: None)
    Keeper(monkeypatch).left.append(replace(KEPT, transport="credssp"))
    with Session(replace(CONNECTION, transports=("credssp", "ntlm"))) as opened:
        opened.call("script", doing="Looking")
    assert made == ["credssp", "credssp", "ntlm"]


def test_a_host_that_is_away_is_unreachable_where_the_first_input_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """As over HTTPS; nothing was broken off that had not begun."""
    protocol = host(monkeypatch)
    Keeper(monkeypatch).left.append(KEPT)
    away = requests.exceptions.ConnectionError(MaxRetryError(None, "/wsman", NewConnectionError(None, "refused")))
    protocol.refusals = [away]
    monkeypatch.setattr(protocol, "open_shell", lambda **_options: (_ for _ in ()).throw(away))
    with pytest.raises(RecoveryError, match="cannot be reached") as caught, Session(CONNECTION) as resumed:
        resumed.call("script", doing="Looking")
    assert caught.value.code == "windows_unreachable"


def test_what_broke_off_may_have_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch)
    Keeper(monkeypatch).left.append(KEPT)
    protocol.refusals = [requests.exceptions.ConnectionError("aborted")]
    with Session(CONNECTION) as resumed, pytest.raises(RecoveryError, match="was lost while the host was removing x"):
        resumed.call("script", doing="Removing x")
    assert protocol.did == ["log in"]


def test_a_host_that_lets_nobody_in_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told as if the session had been opened; what was left there is not reached either."""
    protocol = host(monkeypatch)
    Keeper(monkeypatch).left.append(KEPT)
    protocol.refuses_login = True
    with pytest.raises(RecoveryError, match="refuses the account u"), Session(CONNECTION):
        pass
    assert protocol.ended == []


def test_the_end_of_what_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = host(monkeypatch)
    end_session(CONNECTION, KEPT)
    assert (protocol.did, protocol.ended) == (["log in"], ["command", "shell"])
