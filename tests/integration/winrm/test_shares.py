"""Shares and the second hop: what Windows says is understood, put right where that can be, and nothing stays connected."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs import connect
from prs_lab.windows.errors import WinError
from prs_lab.windows.filesystem import FileView

from .windows_twins import ON_SHARE, REMOTE, SHARE_PASSWORD, Twins

READER = {"Name": "Other", "Root": "\\\\files\\backup", "User": "PRSLAB\\svc-reader", "Password": SHARE_PASSWORD}
ACCOUNT = {"user": ON_SHARE["share_user"], "password": ON_SHARE["share_password"]}


def connected(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Servers that any view of the web server is connected to, kept up to date."""
    now: list[str] = []
    for name in ("connect", "disconnect"):
        real = getattr(FileView, name)

        def follow(view: FileView, share: str, *more: str, real: Any = real, name: str = name) -> None:
            real(view, share, *more)
            now.append(share) if name == "connect" else now.remove(share)

        monkeypatch.setattr(FileView, name, follow)
    log_off = FileView.log_off

    def end(view: FileView) -> None:
        log_off(view)
        now.clear()

    monkeypatch.setattr(FileView, "log_off", end)
    return now


def nothing_stays(open_now: list[str]) -> bool:
    """The process ends a moment after its shell was closed."""
    deadline = time.monotonic() + 10
    while open_now and time.monotonic() < deadline:
        time.sleep(0.01)
    return not open_now


def test_another_account_s_connection_is_ended_and_ours_made(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """1219, as after a look at the share under somebody else's name in the same session."""
    open_now = connected(twins, monkeypatch)
    with twins.session() as files:
        files._session.call(connect.SCRIPT, doing="Connecting", **READER)
        with files.share(REMOTE, **ACCOUNT):
            files.make_folder(REMOTE)
            assert open_now == ["\\\\files\\backup"]
    assert nothing_stays(open_now)
    assert twins.scripts() == ["connect", "connect", "disconnect", "connect", "make_folder"]


def test_a_share_is_connected_once_for_all_that_one_account_asks(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    open_now = connected(twins, monkeypatch)
    with twins.session() as files:
        for _ in range(3):
            with files.share(REMOTE, **ACCOUNT):
                files.stat(REMOTE)
    assert twins.scripts() == ["connect", "stat_paths", "stat_paths", "stat_paths"]
    assert nothing_stays(open_now)


def test_another_account_is_no_user_of_what_the_first_has_connected(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where none is given: then the share is seen by who is logged on, as it was before."""
    open_now = connected(twins, monkeypatch)
    other = {"user": READER["User"], "password": READER["Password"]}
    with twins.session() as files:
        for account in (ACCOUNT, other, {**other, "password": "Another-Passw0rd"}):
            with contextlib.suppress(RecoveryError), files.share(REMOTE, **account):
                files.stat(REMOTE)
        with files.share(REMOTE, **ACCOUNT):
            files.stat(REMOTE)
        with files.share(REMOTE, user=None, password=None), pytest.raises(RecoveryError, match="Windows error 5"):
            files.stat(REMOTE)
        assert open_now == []
    assert twins.scripts().count("connect") == 4


def test_one_server_is_known_under_one_account(twins: Twins) -> None:
    """Where the next share lies on the server that another account has connected."""
    with twins.session() as files:
        with files.share(REMOTE, **ACCOUNT):
            files.stat(REMOTE)
        with (
            pytest.raises(RecoveryError, match=r"Windows error 67"),
            files.share("\\\\files\\nothing\\x", user=READER["User"], password=READER["Password"]),
        ):
            files.stat("C:\\")
    assert twins.scripts() == ["connect", "stat_paths", "disconnect", "connect"]


def test_what_was_disconnected_for_another_account_is_connected_anew(twins: Twins) -> None:
    """Windows ends all connections to a server, also one that is in use."""
    other = {"user": READER["User"], "password": READER["Password"]}
    with twins.session() as files:
        with (
            files.share(REMOTE, **ACCOUNT),
            pytest.raises(RecoveryError, match="Windows error 67"),
            files.share("\\\\files\\nothing\\x", **other),
        ):
            files.stat("C:\\")
        with files.share(REMOTE, **ACCOUNT):
            files.stat(REMOTE)


def test_a_share_behind_one_that_is_refused_is_connected_when_it_is_wanted_again(twins: Twins) -> None:
    """What travelled behind the refusal never ran."""
    with twins.session() as files:
        with (
            pytest.raises(RecoveryError, match=r"Connecting to .*other.* failed"),
            files.share("\\\\other\\nothing\\x", **ACCOUNT),
            files.share(REMOTE, **ACCOUNT),
        ):
            files.stat(REMOTE)
        with files.share(REMOTE, **ACCOUNT):
            assert files.stat(REMOTE)
    assert twins.scripts() == ["connect", "connect", "stat_paths"]


def test_a_connection_that_cannot_be_ended_is_explained(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(view: FileView, share: str, user: str, password: str) -> None:
        raise WinError(1219, share)

    monkeypatch.setattr(FileView, "connect", refuse)
    message = (
        r"Connecting to \\\\files\\backup as .*\(Windows error 1219\).*connected to that server under another "
        r"account: .*full name"
    )
    with twins.session() as files, pytest.raises(RecoveryError, match=message), files.share(REMOTE, **ACCOUNT):
        files.stat(REMOTE)


def test_no_logon_session_is_explained(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(view: FileView, share: str, user: str, password: str) -> None:
        raise WinError(1312, share)

    monkeypatch.setattr(FileView, "connect", refuse)
    with pytest.raises(RecoveryError, match=r"\(Windows error 1312\).*write the account with its domain") as caught:
        twins.backup(destination=REMOTE, **ON_SHARE)
    assert SHARE_PASSWORD not in str(caught.value)


def test_one_connection_serves_all_paths_of_a_share(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    open_now = connected(twins, monkeypatch)
    with twins.session() as files, files.share(REMOTE, **ACCOUNT):
        with files.share("\\\\FILES\\Backup\\keys", **ACCOUNT):
            files.stat(REMOTE)
            assert open_now == ["\\\\files\\backup"]
        assert open_now == ["\\\\files\\backup"]
    assert nothing_stays(open_now)


@pytest.mark.parametrize(
    "problem", [RecoveryError("stop", code="windows_error"), RuntimeError("a fault of ours"), KeyboardInterrupt()]
)
def test_whatever_goes_wrong_no_share_stays_connected(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    open_now = connected(twins, monkeypatch)
    with twins.session() as files, pytest.raises(type(problem)), files.share(REMOTE, **ACCOUNT):
        files.stat(REMOTE)
        assert open_now
        raise problem
    assert nothing_stays(open_now)
