"""The controller dies at any moment of a backup and of a restore: what is left is never taken for whole, and the next
run ends right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import Manifest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import PresentFile
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.restore import ApplicationRestore
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Descriptor, Rights

from . import windows_twins
from .windows_twins import APPLICATION, CONTENT, LOCAL, NIGHT, ON_SHARE, POOL, REMOTE, Twins

OLD = {**{name: data for name, data in CONTENT.items() if name != "bin/Prs.Web.dll"}, "only in the old one.txt": b"old"}
WRITES = {
    "connect",
    "copy_file",
    "disconnect",
    "make_folder",
    "move",
    "pack",
    "pool",
    "remove",
    "set_rights",
    "unpack",
    "write_lines",
}


class Killed(BaseException):
    """The process is gone: nothing that it would still do is done."""


class Killer:
    """Lets a number of verbs through, then ends the run before or after the next one took place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._call, self._ahead = Session.call, Session.ahead
        self.left: int | None = None
        self.after = False
        self.dead = False
        monkeypatch.setattr(Session, "call", self._killing(self._call))
        monkeypatch.setattr(Session, "ahead", self._killing(self._ahead))

    def _killing(self, asked: Any) -> Any:
        killer = self

        def ask(session: Session, script: str, **given: Any) -> Any:
            if killer.dead:
                raise Killed
            name = script.split("\n", 1)[0].rpartition(" ")[2]
            if killer.left is None or name not in WRITES:
                return asked(session, script, **given)
            killer.left -= 1
            if killer.left >= 0:
                return asked(session, script, **given)
            killer.dead = True
            if killer.after:
                asked(session, script, **given)
            killer._call(session, "", doing="Letting what is on its way arrive")
            raise Killed

        return ask

    def moments(self) -> Iterator[int]:
        """Verb after verb, until a run comes to its end: `with`-less because the caller says what it does."""
        for self.after in (False, True):
            number = 0
            while True:
                self.left, self.dead = number, False
                yield number
                if not self.dead:
                    break
                number += 1
            self.left = None
        assert number > 3

    def off(self) -> bool:
        """Nobody is killed from here on; answers whether somebody was."""
        was_dead, self.left = self.dead, None
        self.dead = False
        return was_dead


def killed(killer: Killer, run: Any) -> bool:
    try:
        run()
    except Killed:
        pass
    dead = killer.off()
    killer.dead = dead
    return dead


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    return Killer(monkeypatch)


def test_backup(twins: Twins, killer: Killer) -> None:
    tomorrow = NIGHT + dt.timedelta(days=1, hours=1)
    for _ in killer.moments():
        twins.files.remove_tree(LOCAL) if twins.files.exists(LOCAL) else None
        dead = killed(killer, lambda: twins.backup(retention={"last": 1}))
        killer.dead = False
        whole = {
            name.removesuffix(".manifest.jsonl") for name in twins.names(LOCAL) if name.endswith(".manifest.jsonl")
        }
        assert whole <= set(twins.names(LOCAL))
        if whole:
            assert twins.restore(path="C:\\proof\\PasswordResetServer")["restored"]
            twins.files.remove_tree("C:\\proof")
        twins.backup(retention={"last": 1}, now=tomorrow)
        partial = [name for name in twins.names(LOCAL) if name.endswith(".partial")]
        assert partial == []
        assert twins.restore(path="C:\\proof\\PasswordResetServer")["archive"]["created"] == "2026-03-02T03:00:00Z"
        assert twins.tree("C:\\proof\\PasswordResetServer") == CONTENT
        twins.files.remove_tree("C:\\proof")
        killer.dead = dead


@pytest.mark.nightly
def test_backup_by_way_of_a_stage(twins: Twins, killer: Killer) -> None:
    """Whatever was made comes to the share, once, and the stage is empty afterwards."""
    stage, share = "D:\\stage", "E:\\backup\\web"
    system = twins.system(twins.share_host)
    place = {"destination": REMOTE, "stage_path": stage, "log_path": "", **ON_SHARE}
    for _ in killer.moments():
        for view, folder in ((twins.files, stage), (system, share)):
            view.remove_tree(folder) if view.exists(folder) else None
        dead = killed(killer, lambda: twins.backup(**place))
        killer.dead = False
        twins.backup(now=NIGHT + dt.timedelta(days=2), **place)
        assert twins.names(stage) == []
        names = system.list(share)
        whole = [name.removesuffix(".manifest.jsonl") for name in names if name.endswith(".manifest.jsonl")]
        # One that had its name there, but not yet its manifest, is an archive of nobody's; retention takes it after a
        # day.
        assert (
            set(whole) <= set(names)
            and len(whole) in (1, 2)
            and not [name for name in names if name.endswith(".partial")]
        )
        assert (
            twins.restore(path="C:\\proof\\PasswordResetServer", source=REMOTE, **ON_SHARE)["archive"]["created"]
            == "2026-03-03T02:00:00Z"
        )
        twins.files.remove_tree("C:\\proof")
        killer.dead = dead


@pytest.mark.parametrize(
    "held", [False, pytest.param(True, marks=pytest.mark.nightly)], ids=["by renaming", "by children"]
)
def test_restore(twins: Twins, killer: Killer, held: bool) -> None:
    twins.backup()
    twins.install_iis()
    granted = Ace(sid="S-1-5-82-1", mask=Rights.MODIFY, inheritance=CONTAINER | OBJECT)
    for moment in killer.moments():
        twins.files.remove_tree(APPLICATION)
        twins.install(OLD)
        twins.web.drives.set_descriptor(APPLICATION, Descriptor(entries=[granted]))
        twins.web.iis.start_pool(POOL)
        if held:
            twins.files.hold(APPLICATION, "IIS")
        dead = killed(killer, lambda: twins.restore(application_pool=POOL))
        killer.dead = False
        beside = {name.rpartition(".prs-")[2] for name in twins.names("C:\\inetpub\\wwwroot") if ".prs-" in name}
        live = twins.tree()
        if not beside & {"old", "part"}:
            # No old folder beside it means that this is one of the two, whole.
            assert live in (OLD, CONTENT), f"killed at verb {moment}"
        result = twins.restore(application_pool=POOL, start_pool=True)
        if held:
            twins.files.release(APPLICATION, "IIS")
        assert twins.tree() == CONTENT
        assert [name for name in twins.names("C:\\inetpub\\wwwroot") if "PasswordResetServer" in name] == [
            "PasswordResetServer"
        ]
        assert result["pool_running"]
        rights = twins.files.security(APPLICATION)
        assert granted in rights.entries and not rights.protected, f"killed at verb {moment}"
        killer.dead = dead
    killer.off()
    assert not twins.restore(application_pool=POOL, start_pool=True)["changed"]


class Losses:
    """Lets a number of writing verbs through; at the next one the connection is lost, before it or before its answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.answered = False
        self.for_good = False
        self._lost = False
        self._call = Conversation.call
        self._open = Session._open
        losses = self

        def call(conversation: Conversation, script: str, **given: Any) -> Any:
            name = script.split("\n", 1)[0].rpartition(" ")[2]
            if losses.left is None or name not in WRITES:
                return losses._call(conversation, script, **given)
            losses.left -= 1
            if losses.left >= 0:
                return losses._call(conversation, script, **given)
            if losses.answered:
                losses._call(conversation, script, **given)
            losses.left, losses._lost = None, True
            raise requests.exceptions.ConnectionError("cut off")

        def open_session(session: Session) -> None:
            if losses.for_good and losses._lost:
                raise RecoveryError("WEB cannot be reached", code="windows_unreachable")
            losses._open(session)

        monkeypatch.setattr(Conversation, "call", call)
        monkeypatch.setattr(Session, "_open", open_session)
        monkeypatch.setattr(session, "RECONNECT_WITHIN", 0.02)
        monkeypatch.setattr(session, "RECONNECT_EVERY", 0.01)

    def happened(self) -> bool:
        """Whether there was one since the last time; from here on there is none."""
        happened, self._lost, self.left = self._lost, False, None
        return happened


@pytest.mark.parametrize(
    ("for_good", "answered", "every"),
    [
        pytest.param(False, True, 3, id="for a moment"),
        pytest.param(True, False, 4, id="for good"),
        pytest.param(False, True, 1, id="for a moment, before each answer", marks=pytest.mark.nightly),
        pytest.param(False, False, 1, id="for a moment, before each verb", marks=pytest.mark.nightly),
        pytest.param(True, True, 1, id="for good, before each answer", marks=pytest.mark.nightly),
        pytest.param(True, False, 1, id="for good, before each verb", marks=pytest.mark.nightly),
    ],
)
def test_a_host_that_is_lost_during_a_restore(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, for_good: bool, answered: bool, every: int
) -> None:
    """It is connected anew, and serves; where that fails, the message says that it does not."""
    twins.backup()
    twins.install_iis()
    losses = Losses(monkeypatch)
    losses.answered, losses.for_good = answered, for_good
    said = []
    for moment in range(0, 21, every):
        twins.files.remove_tree(APPLICATION)
        twins.install(OLD)
        twins.web.iis.start_pool(POOL)
        losses.left = moment
        try:
            result = twins.restore(application_pool=POOL, start_pool=True)
            assert result["restored"] and twins.tree() == CONTENT
        except RecoveryError as problem:
            assert problem.code == "windows_connection_lost"
            message = str(problem)
            said.append(message)
            serves = twins.web.iis.pool(POOL).state == "Started" and twins.files.exists(APPLICATION)
            assert serves or for_good, message
            assert serves or ("the site is down" in message and f"pool {POOL} was stopped" in message), message
            assert ("is as it was before" not in message) or twins.tree() == OLD, message
            assert ("The new " not in message) or twins.tree() == CONTENT, message
        if not losses.happened():
            break
        twins.restore(application_pool=POOL, start_pool=True)
        assert twins.tree() == CONTENT and twins.web.iis.pool(POOL).state == "Started"
        assert [name for name in twins.names("C:\\inetpub\\wwwroot") if ".prs-" in name] == []
    assert 3 < moment < 20
    wanted = "the site is down" if for_good else "is as it was before"
    assert any(wanted in message for message in said)


class FailsAfterSwap(ApplicationRestore):
    """A restore whose new folder turns out to be wrong, so that it is undone."""

    def verify_files(self, wanted: Manifest, candidate: Mapping[str, PresentFile], *, where: str) -> None:
        super().verify_files(wanted, candidate, where=where)
        if where == self.path:
            self.losses.left = self.moment
            raise RecoveryError("wrong after all", code="damaged")


@pytest.mark.parametrize(
    ("for_good", "answered"),
    [
        pytest.param(False, True, id="for a moment, before the answer"),
        pytest.param(False, False, id="for a moment, before the verb", marks=pytest.mark.nightly),
        pytest.param(True, True, id="for good"),
    ],
)
def test_a_host_that_is_lost_while_a_restore_is_undone(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, for_good: bool, answered: bool
) -> None:
    """It is connected anew for that, and serves the folder that it had."""
    twins.backup()
    twins.install_iis()
    losses = Losses(monkeypatch)
    losses.answered, losses.for_good = answered, for_good
    monkeypatch.setattr(windows_twins, "ApplicationRestore", FailsAfterSwap)
    monkeypatch.setattr(FailsAfterSwap, "losses", losses, raising=False)
    lost = 0
    for moment in range(10):
        twins.files.remove_tree(APPLICATION)
        twins.install(OLD)
        twins.web.iis.start_pool(POOL)
        monkeypatch.setattr(FailsAfterSwap, "moment", moment, raising=False)
        with pytest.raises(RecoveryError, match="wrong after all") as caught:
            twins.restore(application_pool=POOL, start_pool=True)
        serves = twins.web.iis.pool(POOL).state == "Started" and twins.tree() == OLD
        if not losses.happened():
            assert serves
            break
        lost += 1
        assert serves or for_good, caught.value
        assert serves or "the site is down" in str(caught.value)
        monkeypatch.setattr(FailsAfterSwap, "moment", None, raising=False)
        with pytest.raises(RecoveryError, match="wrong after all"):
            twins.restore(application_pool=POOL, start_pool=True)
    assert lost > 1
