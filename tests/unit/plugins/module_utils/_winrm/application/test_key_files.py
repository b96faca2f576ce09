"""Key files of an application folder: what protects them, and whether those of another folder are other keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_entries import ArchiveEntry
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import (
    Manifest,
    ManifestFile,
    compare,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import FolderEntry, PresentFile
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.archive_folder import Candidate
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.key_files import (
    LARGEST_KEY,
    ChangedKeys,
    KeyFiles,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.errors import WindowsFault
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.reader import FileInspection

APPLICATION = "C:\\PRS"
OLD = f"{APPLICATION}.prs-old"
ARCHIVE = "D:\\archive.zip"
NAME = "encryption.config"
KEY = b"<key>ours</key>"
OTHER = b"<key>theirs</key>"
SEALED = b"<key configProtectionProvider='RsaProtectedConfigurationProvider'/>"
RUINED = b"\0" * 15
DENIED = None
"""The content of a file that the account cannot read."""


class Host:
    """A host with small files by full path; those in an archive as ARCHIVE/name, where there is one archive.

    locked_for: the method that finds the key file in OLD locked, which a program has open for that moment.
    """

    computer = "WEB1"

    def __init__(self, content: Mapping[str, bytes | None], *, locked_for: str = "") -> None:
        self.content = content
        self.locked_for = locked_for

    def look_into(self, path: str, *, marks: Sequence[str] = (), entry: int | None = None) -> FileInspection:
        content = self.content[path if entry is None else f"{path}/{self.entries(path)[entry].name}"]
        if content is None or self.locked_for == "look_into":
            raise WindowsFault("Access is denied", number=5, kind="UnauthorizedAccessException")
        return FileInspection(
            size=len(content),
            xml=content.startswith(b"<"),
            marks=tuple(mark for mark in marks if mark.encode("latin-1") in content),
        )

    def entries(self, archive: str) -> list[ArchiveEntry]:
        names = [full.removeprefix(f"{archive}/") for full in self.content if full.startswith(f"{archive}/")]
        return [ArchiveEntry(index=index, name=name, size=15, packed=15) for index, name in enumerate(names)]

    def hash(self, path: str, names: Sequence[str]) -> dict[str, PresentFile]:
        result = {name: self.content[full] for name in names if (full := f"{path}\\{name}") in self.content}
        hidden = {NAME} if self.locked_for == "hash" and path == OLD else set()
        return {name: self.present(None if name in hidden else content) for name, content in result.items()}

    @staticmethod
    def present(content: bytes | None) -> PresentFile:
        if content is None:
            return PresentFile(size=15, sha256=None)
        return PresentFile(size=len(content), sha256=hashlib.sha256(content).hexdigest())


def key_files(content: Mapping[str, bytes | None]) -> KeyFiles:
    return KeyFiles(cast(WindowsFiles, Host(content)), APPLICATION, [NAME])


@pytest.mark.parametrize(
    ("entry", "content", "kinds"),
    [
        ({}, KEY, []),
        ({}, SEALED, [("Encryption.config", "rsa")]),
        ({"encrypted": True}, SEALED, [("Encryption.config", "rsa")]),
        ({"encrypted": True}, DENIED, [("Encryption.config", "efs")]),
        ({"encrypted": True, "size": LARGEST_KEY}, KEY, [("Encryption.config", "efs")]),
        ({"encrypted": True, "size": LARGEST_KEY + 1}, KEY, []),
        ({"encrypted": True, "name": "web.config"}, KEY, []),
    ],
)
def test_key_files_that_only_their_machine_can_use(
    entry: dict[str, Any], content: bytes | None, kinds: list[tuple[str, str]]
) -> None:
    file = FolderEntry(**{"name": "Encryption.config", "size": 15, **entry})
    assert list(key_files({f"{APPLICATION}\\{file.name}": content}).protected([file])) == kinds


@pytest.mark.parametrize(
    ("current", "encrypted", "archive", "expected"),
    [
        (KEY, False, {}, ChangedKeys()),
        (OTHER, False, {}, ChangedKeys()),
        (RUINED, False, {}, ChangedKeys(broken=(NAME,))),
        (b"", False, {}, ChangedKeys()),
        (RUINED, False, {"content": RUINED[1:]}, ChangedKeys()),
        (DENIED, True, {}, ChangedKeys(untold=(NAME,))),
        (DENIED, True, {"plain": (NAME,)}, ChangedKeys(shielded=(NAME,))),
        (DENIED, False, {"plain": (NAME,)}, ChangedKeys(untold=(NAME,))),
        (SEALED, False, {"plain": (NAME,)}, ChangedKeys(shielded=(NAME,))),
        (SEALED, False, {"plain": (NAME,), "host": "WEB2"}, ChangedKeys(untold=(NAME,))),
        (OTHER, False, {"plain": (NAME,)}, ChangedKeys()),
        (RUINED, False, {"plain": (NAME,), "inner": "PRS/"}, ChangedKeys(broken=(NAME,))),
        (RUINED, False, {"lost": True}, ChangedKeys()),
    ],
)
def test_a_changed_key_file_is_another_key_a_ruin_or_a_protected_form(
    current: bytes | None, encrypted: bool, archive: dict[str, Any], expected: ChangedKeys
) -> None:
    """Protected: of the plain one that was archived on this very host. Of another host's, and of one that nobody may
    read, nobody can tell.
    """
    content = archive.get("content", KEY)
    file = ManifestFile(name=NAME, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    manifest = Manifest(
        path=APPLICATION,
        host=archive.get("host", "WEB1"),
        created="",
        files=(file,),
        planned=1,
        plain=archive.get("plain", ()),
    )
    candidate = Candidate(path=ARCHIVE, manifest=manifest, inner=archive.get("inner", ""))
    present = {"Encryption.config": Host.present(current)}
    archived = {} if archive.get("lost") else {f"{ARCHIVE}/{candidate.inner}{NAME}": content}
    keys = key_files({f"{APPLICATION}\\Encryption.config": current, **archived})
    result = keys.inspect_changed(
        candidate, compare(manifest, present), present, encrypted={"Encryption.config"} if encrypted else set()
    )
    assert result == expected


@pytest.mark.parametrize(
    ("old", "current", "installed", "other"),
    [
        (OTHER, KEY, b"<database/>", [NAME]),
        (KEY, KEY, b"<database/>", []),
        (KEY, None, b"<database/>", [NAME]),
        (RUINED, KEY, b"<database/>", []),
        (b"", KEY, b"<database/>", []),
        (DENIED, KEY, b"<database/>", [NAME]),
        (OTHER, KEY, b"", []),
    ],
)
def test_keys_of_an_old_folder_that_are_not_those_of_today(
    old: bytes | None, current: bytes | None, installed: bytes, other: list[str]
) -> None:
    """What nobody can read may be another key; a folder without a database's name never was in use."""
    content = {f"{OLD}\\{NAME}": old, f"{OLD}\\database.config": installed}
    if current is not None:
        content[f"{APPLICATION}\\{NAME}"] = current
    assert key_files(content).other_keys(OLD) == other


@pytest.mark.parametrize(
    ("old", "locked_for", "other"),
    [(OTHER, "look_into", [NAME]), (RUINED, "hash", [NAME]), (b"", "look_into", []), (KEY, "look_into", [])],
)
def test_a_file_that_is_locked_for_a_moment_may_be_another_key(old: bytes, locked_for: str, other: list[str]) -> None:
    """Unless it is seen to be empty, or the very key of today."""
    content = {f"{OLD}\\{NAME}": old, f"{OLD}\\database.config": b"<database/>", f"{APPLICATION}\\{NAME}": KEY}
    host = Host(content, locked_for=locked_for)
    assert KeyFiles(cast(WindowsFiles, host), APPLICATION, [NAME]).other_keys(OLD) == other


@pytest.mark.parametrize(("name", "index"), [("sub/key.config", 1), ("web.config", 0), ("key.config", None)])
def test_which_entry_of_an_archive_a_file_is(name: str, index: int | None) -> None:
    """Some programs separate the folders of an archive by the other stroke."""
    host = Host({f"{ARCHIVE}/PRS/web.config": b"", f"{ARCHIVE}/PRS/Sub\\Key.config": KEY})
    manifest = Manifest(path=APPLICATION, host="", created="", files=(), planned=0)
    candidate = Candidate(path=ARCHIVE, manifest=manifest, inner="PRS/")
    assert candidate.index_of(name, cast(WindowsFiles, host)) == index
