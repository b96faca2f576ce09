"""PowerShells that outlive a task: fewer are started, and a task finds nothing of the one before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import session as session_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.kept_sessions import KeptShell
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import WinrmConnection
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs import stat_paths
from prs_lab.windows.winrm import WinRm

from .benches import PWSH
from .local_powershell import SILENCE, ProcessPipe
from .test_through_ansible import SHARE, play
from .windows_twins import LOCAL, PASSWORD, REMOTE, Twins, shells_end

LOOK: dict[str, Any] = {"prs.recovery.text_file": {"path": LOCAL, "files": [{"name": "a.txt", "content": "a"}]}}


@pytest.fixture
def opened(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each shell that the web server was asked for."""
    [winrm] = twins.web.network
    shells: list[str] = []
    create = winrm.wsman._create

    def counted(*request: Any) -> str:
        shells.append("shell")
        return create(*request)

    monkeypatch.setattr(winrm.wsman, "_create", counted)
    return shells


def winrm_of(twins: Twins) -> WinRm:
    [winrm] = twins.web.network
    return winrm


def test_the_tasks_of_a_run_have_one_powershell(twins: Twins, tmp_path: Path, opened: list[str]) -> None:
    results, printed = play(twins, tmp_path, [LOOK, LOOK, LOOK])
    assert [result["changed"] for result in results] == [True, False, False], printed
    assert len(opened) == 1 and shells_end(winrm_of(twins))
    assert PASSWORD not in printed


def test_the_next_run_has_its_own(twins: Twins, tmp_path: Path, opened: list[str]) -> None:
    for _run in range(2):
        play(twins, tmp_path, [LOOK])
        assert shells_end(winrm_of(twins))
    assert len(opened) == 2


def test_another_account_does_not_go_on_with_it(twins: Twins, tmp_path: Path, opened: list[str]) -> None:
    other = {"prs.recovery.text_file": {**LOOK["prs.recovery.text_file"], "winrm_timeout": 20}}
    results, printed = play(twins, tmp_path, [LOOK, other, LOOK])
    assert len(results) == 3 and len(opened) == 2, printed
    wrong = {"prs.recovery.text_file": {**LOOK["prs.recovery.text_file"], "winrm_password": "wrong"}}
    [_written, refused], _printed = play(twins, tmp_path, [LOOK, wrong])
    assert "refuses the account" in refused["msg"] and shells_end(winrm_of(twins))


def test_two_tasks_at_a_time_never_have_the_same(twins: Twins, tmp_path: Path, opened: list[str]) -> None:
    """As where hosts of a play delegate to one."""
    files = {"path": LOCAL, "files": [{"name": "{{ inventory_hostname }}-{{ number }}.txt", "content": "x" * 100_000}]}
    tasks = [{"prs.recovery.text_file": files, "delegate_to": "web", "vars": {"number": number}} for number in range(3)]
    hosts = {f"web{number}": {} for number in range(4)}
    _results, printed = play(twins, tmp_path, tasks, "--forks", "4", more=hosts)
    names = [f"{host}-{item}.txt" for host in ("web", *hosts) for item in range(3)]
    assert sorted(twins.names(LOCAL)) == sorted(names), printed
    assert 1 < len(opened) < len(names) and shells_end(winrm_of(twins))


def test_a_share_is_connected_for_one_task(twins: Twins, tmp_path: Path) -> None:
    """Without an account of its own the next one is refused, as if it came first: a network logon makes no second hop."""
    written = {**LOOK["prs.recovery.text_file"], "path": f"{REMOTE}\\notes"}
    tasks = [{"prs.recovery.text_file": {**written, **SHARE}}, {"prs.recovery.text_file": written}]
    [connected, refused], printed = play(twins, tmp_path, tasks)
    assert connected["changed"] and refused["windows_error"] == 5, printed


def test_a_run_that_is_killed_leaves_none(twins: Twins, tmp_path: Path, opened: list[str]) -> None:
    kill = {"ansible.builtin.command": "kill -9 {{ lookup('pipe', 'ps -o ppid= $PPID') }}", "delegate_to": "localhost"}
    _results, printed = play(twins, tmp_path, [LOOK, kill, LOOK])
    assert opened == ["shell"], printed
    assert shells_end(winrm_of(twins))


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[KeptShell]]:
    """What a session left, in the place of the server of modules."""
    shells: list[KeptShell] = []

    def keep(_connection: WinrmConnection, shell: KeptShell) -> bool:
        shells.append(shell)
        return True

    monkeypatch.setattr(session_module, "take", lambda _connection: shells.pop() if shells else None)
    monkeypatch.setattr(session_module, "keep", keep)
    yield shells


def look(session: Session) -> bool:
    return session.call(stat_paths.SCRIPT, doing="Looking", items=["C:\\Windows"])[0]["folder"]


def test_after_a_restart_of_the_host_another_is_opened(twins: Twins, left: list[KeptShell], opened: list[str]) -> None:
    for number in (1, 2, 2):
        with Session(twins.connection()) as session:
            assert look(session) and session.computer == "WEB" and len(opened) == number
        if len(opened) == 1:
            winrm_of(twins).wsman.forget_shells()
    assert len(left) == 1


def test_a_host_that_has_gone_meanwhile_cannot_be_reached(twins: Twins, left: list[KeptShell]) -> None:
    with Session(twins.connection()) as session:
        look(session)
    twins.web.close_network()
    with pytest.raises(RecoveryError, match="cannot be reached") as caught, Session(twins.connection()):
        pass
    assert caught.value.code == "windows_unreachable" and left == []


@pytest.mark.pwsh
@pytest.mark.skipif(not PWSH, reason="there is no pwsh on PATH")
def test_a_real_powershell_answers_who_comes_next(tmp_path: Path) -> None:
    """It says anew who answers, and when; what was connected is not any more."""
    pipe = ProcessPipe(PWSH or "pwsh")
    first = Conversation(pipe, patience=SILENCE)
    connect = "param($Root)\n$null = New-PSDrive -Name PrsRecovery1 -PSProvider FileSystem -Root $Root -Scope Global"
    drives = "@(Get-PSDrive -Name PrsRecovery* -ErrorAction SilentlyContinue).Count"
    first.call(connect, parameters={"Root": str(tmp_path)})
    assert first.call(drives, parameters={}) == [1]
    first.about["now"] = ""
    second = Conversation(pipe, is_running=True, patience=SILENCE)
    assert second.call(drives, parameters={}) == [0]
    assert second.about["now"] and {**second.about, "now": ""} == first.about
    pipe.close()
