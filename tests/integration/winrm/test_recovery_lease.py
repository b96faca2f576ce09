"""recovery_lease against a Windows twin: one of two gets it, whoever dies, wherever the folder is."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.lease_file import this_place
from ansible_collections.prs.recovery.plugins.modules import recovery_lease

from .test_interruptions import Killer, killed, killer
from .test_through_ansible import play
from .windows_twins import LOCAL, NO_SHARE, ON_SHARE, REMOTE, Twins

__all__ = ["killer"]

ME, OTHER = "me@here pid 1", "she@there"
FILE = "PRS.lease.json"
DAY = dt.timedelta(days=1)


def lease(twins: Twins, *, check_mode: bool = False, now: dt.datetime | None = None, **params: Any) -> dict[str, Any]:
    asked = {
        "path": LOCAL,
        "database": "PRS",
        "state": "held",
        "owner": ME,
        "stale_after": 60,
        "take_over": False,
        **NO_SHARE,
        **params,
    }
    with twins.session(check_mode=check_mode) as files:
        result = recovery_lease.act(files, asked, now=now or dt.datetime.now(dt.timezone.utc))
        return {**result, "warnings": files.warnings}


def grow_old(twins: Twins, *, hours: float = 2) -> None:
    path = twins.files.real_path(f"{LOCAL}\\{FILE}")
    then = os.stat(path).st_mtime - hours * 3600
    os.utime(path, (then, then))


@pytest.mark.parametrize("where", [{}, {"path": REMOTE, **ON_SHARE}])
def test_taken_renewed_and_given_back(twins: Twins, where: dict[str, str]) -> None:
    planned = lease(twins, check_mode=True, **where)
    taken = lease(twins, **where)
    host, folder = (twins.share_host, "E:\\backup\\web") if where else (twins.web, LOCAL)
    assert twins.names(folder, host) == [FILE]
    assert (planned["changed"], taken["changed"], taken["held"], taken["warnings"]) == (True, True, True, [])
    again = lease(twins, **where)
    assert again["changed"] is False and again["lease"]["taken_at"] == taken["lease"]["taken_at"]
    assert lease(twins, state="released", **where)["changed"] is True
    assert twins.names(folder, host) == []
    assert lease(twins, state="released", **where) == {"changed": False, "held": False, "lease": {}, "warnings": []}


def test_a_draft_that_a_virus_scanner_has_open_keeps_nobody_from_it(twins: Twins, monkeypatch: pytest.MonkeyPatch):
    lease(twins)
    look = WindowsFiles.list_if_there

    def scanned(files: WindowsFiles, path: str) -> Any:
        listing = look(files, path)
        for entry in listing:
            if ".draft-" in entry.name:
                twins.files.hold(f"{path}\\{entry.name}", "virus scanner")
        return listing

    monkeypatch.setattr(WindowsFiles, "list_if_there", scanned)
    renewed = lease(twins)
    assert renewed["held"] and "could not be removed" in renewed["warnings"][0]


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_loser_says_who_holds_it(twins: Twins, check_mode: bool) -> None:
    lease(twins, owner=OTHER)
    with pytest.raises(RecoveryError, match=rf"{OTHER} works on database PRS since .* UTC.*take_over: true") as failed:
        lease(twins, check_mode=check_mode)
    assert failed.value.details["lease"]["owner"] == OTHER and twins.names(LOCAL) == [FILE]
    assert lease(twins, state="released")["lease"]["owner"] == OTHER  # somebody else's stays
    result = lease(twins, check_mode=check_mode, take_over=True)  # the advice
    assert (
        result["held"] is True
        and result["taken_from"]["owner"] == OTHER
        and "as take_over says" in result["warnings"][0]
    )
    assert (OTHER if check_mode else ME) in lease(twins, state="released", owner="nobody")["lease"]["owner"]


def test_a_stale_one_is_taken_over_with_a_warning(twins: Twins) -> None:
    lease(twins, owner=OTHER)
    grow_old(twins)
    result = lease(twins)
    assert result["taken_from"]["owner"] == OTHER and "was not renewed for 60 minutes" in result["warnings"][0]
    assert twins.names(LOCAL) == [FILE]
    with pytest.raises(RecoveryError, match=ME):
        lease(twins, owner=OTHER)


def test_its_age_is_that_of_the_folders_machine(twins: Twins) -> None:
    """A control node whose clock is wrong takes nothing from anybody."""
    lease(twins, owner=OTHER)
    with pytest.raises(RecoveryError, match="works on database"):
        lease(twins, now=dt.datetime.now(dt.timezone.utc) + DAY)


@pytest.mark.skipif(not this_place(), reason="this system does not say among which processes we are")
def test_the_lease_of_a_process_that_is_gone_is_taken_over(twins: Twins) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = f"me@here pid {process.pid}"
        lease(twins, owner=owner)
        with pytest.raises(RecoveryError, match="works on database"):
            lease(twins, owner=OTHER)
        process.communicate(b"\n")
    assert "a process that is gone" in lease(twins, owner=OTHER)["warnings"][0]


def test_what_cannot_be_read_counts(twins: Twins) -> None:
    twins.write(f"{LOCAL}\\{FILE}", b"\xff\xfe nonsense")
    with pytest.raises(RecoveryError, match="somebody whose name cannot be read"):
        lease(twins)


def test_databases_do_not_exclude_each_other(twins: Twins) -> None:
    lease(twins, owner=OTHER)
    assert lease(twins, database="Other")["held"] is True


@pytest.mark.parametrize("stale", [False, True])
def test_of_two_at_the_same_moment_one_gets_it(twins: Twins, monkeypatch: pytest.MonkeyPatch, stale: bool) -> None:
    """The other one comes between any two steps of ours."""
    rename, winners = WindowsFiles.rename, []
    for before in range(1, 3):
        twins.files.remove_tree(LOCAL) if twins.files.exists(LOCAL) else None
        if stale:
            lease(twins, owner="long gone")
            grow_old(twins)
        calls = 0

        def let_the_other_in(files: WindowsFiles, source: str, target: str) -> None:
            nonlocal calls
            calls += 1
            if calls == before:  # noqa: B023
                with monkeypatch.context() as alone:
                    alone.setattr(WindowsFiles, "rename", rename)
                    try:
                        winners.append(lease(twins, owner=OTHER))
                    except RecoveryError:
                        winners.append(None)
            rename(files, source, target)

        with monkeypatch.context() as patched:
            patched.setattr(WindowsFiles, "rename", let_the_other_in)
            try:
                mine = lease(twins)
            except RecoveryError:
                mine = None
        if calls < before:
            break
        assert (mine is None) != (winners[-1] is None)
        [name] = twins.names(LOCAL)
        holder = twins.files.read(f"{LOCAL}\\{name}").decode()
        assert name == FILE and (ME if mine else OTHER) in holder
    assert winners


def test_killed_at_any_step_it_leaves_nothing_in_the_way(twins: Twins, killer: Killer) -> None:
    tomorrow = dt.datetime.now(dt.timezone.utc) + DAY
    for _ in killer.moments():
        twins.files.remove_tree(LOCAL) if twins.files.exists(LOCAL) else None
        dead = killed(killer, lambda: (lease(twins), lease(twins), lease(twins, state="released")))
        killer.dead = False
        assert lease(twins)["held"]
        assert lease(twins, state="released", now=tomorrow)[
            "changed"
        ]  # a day later: what the killed run left goes as well
        assert twins.names(LOCAL) == []
        killer.dead = dead


def test_one_shell_and_no_secret(twins: Twins) -> None:
    opened = []
    enter = Session.__enter__

    def count(session: Session) -> Session:
        opened.append(session)
        return enter(session)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Session, "__enter__", count)
        lease(twins, path=REMOTE, **ON_SHARE)
    assert len(opened) == 1
    assert ON_SHARE["share_password"] not in str(list(twins.web.record.entries()))


def test_all_tasks_of_a_playbook_are_one_owner(twins: Twins, tmp_path: Path) -> None:
    task = {"prs.recovery.recovery_lease": {"path": LOCAL, "database": "PRS"}}
    [first, second], _printed = play(twins, tmp_path, [task, task])
    assert first["changed"] is True and second["changed"] is False
    [third], _printed = play(twins, tmp_path, [task])  # a playbook that has ended is a process that is gone
    assert third["taken_from"]["owner"] == first["lease"]["owner"] != third["lease"]["owner"]
