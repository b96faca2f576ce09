"""The application is in use: files are written, locked, made and removed while they are archived."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application import archive_writer
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host import files as host_files
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from prs_lab.windows.character import Character
from prs_lab.windows.errors import WinError
from prs_lab.windows.filesystem import FileView
from prs_lab.windows.scripts import verb_archives
from prs_lab.windows.security import Descriptor

from .windows_twins import APPLICATION, CONTENT, LOCAL, ON_SHARE, REMOTE, Twins

LOG = f"{APPLICATION}\\logs\\today.log"


def written_while_read(monkeypatch: pytest.MonkeyPatch, twins: Twins, *, times: int) -> None:
    """Another process writes to the log so many times, each time between its being read and its being looked at again."""
    look = verb_archives._changed
    left = [times]

    def write_and_look(files: Any, path: str, before: Any, count: int) -> bool:
        if path == LOG and left[0]:
            left[0] -= 1
            twins.write(LOG, twins.files.read(LOG) + b"more\n")
        return look(files, path, before, count)

    monkeypatch.setattr(verb_archives, "_changed", write_and_look)


def restored(twins: Twins) -> dict[str, bytes]:
    twins.files.remove_tree(APPLICATION)
    twins.restore()
    return twins.tree()


@pytest.mark.parametrize("times, reported, lines", [(1, [], 1), (2, [], 2), (3, ["logs/today.log"], 2)])
def test_a_small_file_that_changes_is_tried_again_alone(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, times: int, reported: list[str], lines: int
) -> None:
    twins.write(LOG, b"begin\n")
    written_while_read(monkeypatch, twins, times=times)
    result = twins.backup()
    assert result["changed_meanwhile"] == reported and twins.scripts().count("pack") == 1
    assert any("changed while being read" in text for text in result["warnings"]) == bool(reported)
    assert any("changed while it was read: logs/today.log" in line for line in result["log"]["lines"]) == bool(reported)
    assert restored(twins)["logs/today.log"] == b"begin\n" + lines * b"more\n"


@pytest.mark.parametrize("times, reported, packs", [(1, [], 2), (2, [], 3), (3, ["logs/today.log"], 3)])
def test_a_large_file_that_changes_is_tried_again_with_all(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, times: int, reported: list[str], packs: int
) -> None:
    monkeypatch.setattr(archive_writer, "SETTLED", 2)
    twins.write(LOG, b"begin\n")
    written_while_read(monkeypatch, twins, times=times)
    result = twins.backup()
    assert result["changed_meanwhile"] == reported and twins.scripts().count("pack") == packs
    assert result["archive"]["verified"] and len(twins.names(LOCAL)) == 2


def test_a_file_that_is_gone_is_said_to_be(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    twins.write(f"{APPLICATION}\\App_Data\\temp.tmp", b"x")
    pack = WindowsFiles.pack

    def remove_and_pack(*given: Any, **named: Any) -> Any:
        twins.files.remove(f"{APPLICATION}\\App_Data\\temp.tmp")
        return pack(*given, **named)

    monkeypatch.setattr(WindowsFiles, "pack", remove_and_pack)
    result = twins.backup()
    assert result["not_archived"] == [{"name": "App_Data/temp.tmp", "reason": "was gone before it could be read"}]
    assert result["archive"]["files"] == len(CONTENT)
    # The manifest in the archive has the right number too: without the one beside it the archive proves itself.
    name = result["archive"]["path"]
    twins.write("D:\\usb\\taken along.zip", twins.files.read(name))
    twins.files.remove_tree(APPLICATION)
    assert twins.restore(source="D:\\usb\\taken along.zip")["restored"] and twins.tree() == CONTENT


def test_what_is_removed_while_the_folder_is_read_is_no_fault(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    twins.write(f"{APPLICATION}\\new.tmp", b"x")
    twins.write(f"{APPLICATION}\\upload\\part.tmp", b"x")
    look, seen = FileView.list, []

    def remove_and_look(view: FileView, folder: str) -> list[str]:
        names = look(view, folder)
        seen.extend(name for name in names if name == "new.tmp")
        if len(seen) == 2:  # the twin looks once whether the folder is there, and once what is in it
            seen.append("removed")
            twins.files.remove(f"{APPLICATION}\\new.tmp")
            twins.files.remove_tree(f"{APPLICATION}\\upload")
        return names

    monkeypatch.setattr(FileView, "list", remove_and_look)
    assert twins.backup()["archive"]["files"] == len(CONTENT)


def test_a_locked_file_can_be_left_out(twins: Twins) -> None:
    twins.write(LOG, b"busy")
    twins.files.hold(LOG, "application")
    with pytest.raises(
        RecoveryError,
        match=r"logs/today\.log on .* cannot be read.*exclude, or all such be left out by unreadable=report",
    ):
        twins.backup()
    result = twins.backup(unreadable="report")
    assert [entry["name"] for entry in result["not_archived"]] == ["logs/today.log"] and "could not be read" in result[
        "not_archived"
    ][0]["reason"]
    assert any("logs/today.log could not be read" in text for text in result["warnings"])
    twins.files.release(LOG, "application")
    assert restored(twins) == CONTENT


def test_a_file_of_which_a_part_is_locked_is_tried_again(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a small database keeps its bytes: it can be opened, and then not read."""
    twins.write(LOG, b"busy")
    twins.files.lock_part(LOG)
    monkeypatch.setattr(verb_archives, "pause", lambda seconds: twins.files.unlock_part(LOG))
    assert twins.backup()["not_archived"] == []
    assert restored(twins)["logs/today.log"] == b"busy"


def test_a_file_of_which_a_part_stays_locked_is_named(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    twins.write(LOG, b"busy")
    twins.files.lock_part(LOG)
    with pytest.raises(
        RecoveryError, match=r"logs/today\.log on .* cannot be read.*locked a portion.*unreadable=report"
    ):
        twins.backup()
    assert [entry["name"] for entry in twins.backup(unreadable="report")["not_archived"]] == ["logs/today.log"]
    monkeypatch.setattr(
        archive_writer, "SETTLED", 2
    )  # one that is too large to be read before it is written ends the archive
    twins.files.remove_tree(LOCAL)
    with pytest.raises(
        RecoveryError, match=r"Archiving .* failed on .*logs/today\.log: .*locked a portion.*Windows error 33"
    ):
        twins.backup(unreadable="report")
    assert twins.names(LOCAL) == []


@pytest.mark.parametrize("name", ["web.config", "encryption.config", "bin\\Prs.Web.dll", "Default.aspx"])
def test_what_the_application_cannot_do_without_is_never_left_out(twins: Twins, name: str) -> None:
    twins.files.hold(f"{APPLICATION}\\{name}", "virus scanner")
    with pytest.raises(RecoveryError, match=r"cannot be read.*Nothing was archived"):
        twins.backup(unreadable="report")
    assert twins.names(LOCAL) == []


def test_links_and_names_that_only_differ_in_case(twins: Twins) -> None:
    folder = twins.files.real_folder(APPLICATION)
    twins.write("D:\\elsewhere\\precious.txt", b"precious")
    os.symlink(twins.files.real_folder("D:\\elsewhere"), folder / "elsewhere")
    os.symlink(folder / "web.config", folder / "other.txt")
    (folder / "App_Data" / "Empty.txt").write_bytes(b"not so empty")
    result = twins.backup()
    skipped = {entry["name"]: entry["reason"].split(",")[0] for entry in result["not_archived"]}
    # Which of the two comes first is the disk's business.
    [second] = skipped.keys() & {"App_Data/empty.txt", "App_Data/Empty.txt"}
    first = "App_Data/Empty.txt" if second == "App_Data/empty.txt" else "App_Data/empty.txt"
    assert skipped == {
        "elsewhere": "is a link",
        "other.txt": "is a link",
        second: f"is the same name as {first} to most of Windows",
    }
    assert result["archive"]["files"] == len(CONTENT)
    again = twins.restore(path="C:\\other\\PasswordResetServer")
    both = {**CONTENT, "App_Data/Empty.txt": b"not so empty"}
    assert again["restored"] and twins.tree("C:\\other\\PasswordResetServer") == without(both, second)
    # What a restore removes is the link, not what it leads to.
    (folder / "App_Data" / "empty.txt").unlink()
    twins.restore(replace="always")
    assert "elsewhere" not in twins.names(APPLICATION)
    assert twins.tree("D:\\elsewhere") == {"precious.txt": b"precious"}


@pytest.mark.parametrize("unreadable", ["fail", "report"])
def test_a_link_in_place_of_what_the_application_needs_is_no_backup(twins: Twins, unreadable: str) -> None:
    folder = twins.files.real_folder(APPLICATION)
    os.symlink(folder / "bin" / "Prs.Web.dll", folder / "bin" / "Other.dll")
    with pytest.raises(
        RecoveryError, match=r"bin/Other\.dll on .* cannot be archived: it is a link.*name it in exclude"
    ):
        twins.backup(unreadable=unreadable)
    assert twins.names(LOCAL) == []
    assert twins.backup(exclude=["Other.dll"])["not_archived"] == []


def test_files_of_a_deduplicated_volume_are_archived(twins: Twins) -> None:
    """They are reparse points, and no links: other people's backups lacked them."""
    large = {"bin/Large.dll": bytes(range(256)) * 256, "App_Data/attachment.bin": b"x" * 40_000}
    for name, data in large.items():
        twins.write(f"{APPLICATION}\\{name}".replace("/", "\\"), data)
    twins.web.drives.volumes["C"].deduplicated = True
    result = twins.backup()
    assert result["not_archived"] == []
    twins.restore(path="C:\\other\\PasswordResetServer")
    assert twins.tree("C:\\other\\PasswordResetServer") == CONTENT | large


def without(content: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {other: data for other, data in content.items() if other != name}


class Writers:
    """What an application does all day: it replaces settings as a whole, and appends to its log."""

    def __init__(self, twins: Twins) -> None:
        self._folder = twins.files.real_folder(APPLICATION)
        self._stop = threading.Event()
        self.began = threading.Event()
        self.versions: dict[str, set[str]] = {f"App_Data/settings {number}.json": set() for number in range(3)}
        self.logged = b""

    def run(self) -> None:
        number = 0
        with (self._folder / "App_Data" / "application.log").open("ab", buffering=0) as log:
            while not self._stop.is_set():
                number += 1
                for name, versions in self.versions.items():
                    data = f"{number}".encode() * 999
                    versions.add(hashlib.sha256(data).hexdigest())
                    (self._folder / "new.tmp").write_bytes(data)
                    os.replace(self._folder / "new.tmp", self._folder / name)
                self.logged += f"line {number}\n".encode()
                log.write(f"line {number}\n".encode())
                self.began.set()
                self._stop.wait(0.001)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            assert self.began.wait(60)
            yield
        finally:
            self._stop.set()
            thread.join(60)


@pytest.mark.parametrize(
    "place", [{"destination": LOCAL}, {"destination": REMOTE, **ON_SHARE}, {"destination": REMOTE, "stage_path": "D:\\stage", **ON_SHARE}],
    ids=["local folder", "share", "staged"],
)  # fmt: skip
def test_a_backup_under_writes_comes_back_on_a_fresh_server(twins: Twins, place: dict[str, str]) -> None:
    """Whatever the moment, each file is one of its versions, and the folder is what the manifest says."""
    writers = Writers(twins)
    with writers.at_work():
        result = twins.backup(exclude=["*.tmp"], **place)
    assert result["archive"]["verified"]
    source = {**place, "source": place["destination"]}
    for option in ("destination", "stage_path"):
        source.pop(option, None)
    if place["destination"] == LOCAL:
        fresh = twins.web
        twins.files.remove_tree(APPLICATION)
    else:
        fresh = twins.another_web_server()
    assert twins.restore(host=fresh, **source)["restored"]
    after = twins.tree(APPLICATION, fresh)
    assert {name: after[name] for name in CONTENT} == CONTENT
    for name, versions in writers.versions.items():
        assert hashlib.sha256(after[name]).hexdigest() in versions
    assert writers.logged.startswith(after["App_Data/application.log"])
    assert set(after) == {*CONTENT, *writers.versions, "App_Data/application.log"}


@pytest.mark.parametrize("ending", [".partial", ".manifest.jsonl.partial"])
def test_a_scanner_that_looks_into_what_was_just_written(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """It lets go after a moment; a night's backup is not thrown away for that."""
    rename, opened = FileView.rename, []
    monkeypatch.setattr(host_files, "PAUSE", 0.2)  # the host itself tries again every quarter of a second

    def rename_while_it_looks(view: FileView, old: str, new: str) -> None:
        if old.endswith(ending) and len(opened) < 2:
            opened.append(old)
            raise WinError(32, old)
        rename(view, old, new)

    monkeypatch.setattr(FileView, "rename", rename_while_it_looks)
    assert twins.backup()["changed"] and len(opened) == 2
    assert not [name for name in twins.names(LOCAL) if name.endswith(".partial")]


def test_an_antivirus_that_looks_at_all_that_is_new_keeps_nothing_from_its_place(
    twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks as long at what is written anew: only the exchange may be tried again."""
    monkeypatch.setattr(host_files, "PAUSE", 1.0)
    for host in (twins.web, twins.share_host):
        host.drives.character = Character(scanner=1.2)
    result = twins.backup(destination=REMOTE, **ON_SHARE)
    assert result["changed"] and not any("could not" in text for text in result["warnings"])
    names = twins.system(twins.share_host).list("E:\\backup\\web")
    assert [name for name in names if name.endswith(".manifest.jsonl")] and not [n for n in names if "partial" in n]


def test_a_folder_that_may_not_be_read_is_named_and_can_be_left_out(twins: Twins) -> None:
    """What the application needs may be in it, so it is no file that could not be read; the other folders are no reason
    to say nothing of them.
    """
    twins.web.drives.set_descriptor(f"{APPLICATION}\\App_Data", Descriptor(entries=[], protected=True))
    for unreadable in ("fail", "report"):
        with pytest.raises(
            RecoveryError, match=r"PasswordResetServer\\App_Data on .* cannot be archived.*exclude"
        ) as failed:
            twins.backup(unreadable=unreadable)
        assert failed.value.code == "access_denied" and failed.value.details["unreadable"] == ["App_Data"]
    assert twins.names(LOCAL) == []
    result = twins.backup(exclude=["App_Data"])
    assert result["archive"]["files"] == len([name for name in CONTENT if not name.startswith("App_Data/")])
