"""The controller dies at any moment of a backup and of a restore: what is left is never taken for whole, and the next
run ends right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session

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
        self._call = Session.call
        self.left: int | None = None
        self.after = False
        self.dead = False
        monkeypatch.setattr(Session, "call", self._killing_call())

    def _killing_call(self) -> Any:
        killer = self

        def call(session: Session, script: str, **given: Any) -> Any:
            if killer.dead:
                raise Killed
            name = script.split("\n", 1)[0].rsplit(" ", 1)[1]
            if killer.left is None or name not in WRITES:
                return killer._call(session, script, **given)
            killer.left -= 1
            if killer.left >= 0:
                return killer._call(session, script, **given)
            killer.dead = True
            if killer.after:
                killer._call(session, script, **given)
            raise Killed

        return call

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
    for moment in killer.moments():
        twins.files.remove_tree(APPLICATION)
        twins.install(OLD)
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
        killer.dead = dead
    killer.off()
    assert not twins.restore(application_pool=POOL, start_pool=True)["changed"]
