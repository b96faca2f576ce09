"""What of a folder goes into its archive."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_contents import select_contents
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_files import FolderEntry

LISTING = [
    FolderEntry(name="web.config", size=10),
    FolderEntry(name="bin", folder=True),
    FolderEntry(name="bin/b.dll", size=20),
    FolderEntry(name="bin/A.dll", size=30),
    FolderEntry(name="logs", folder=True),
    FolderEntry(name="logs/old", folder=True),
    FolderEntry(name="logs/today.log", size=5),
    FolderEntry(name="encryption.config", size=1, encrypted=True),
]

EXCLUSIONS = [
    ([], ["bin/A.dll", "bin/b.dll", "encryption.config", "logs/today.log", "web.config"], ["logs/old"], []),
    (["*.log"], ["bin/A.dll", "bin/b.dll", "encryption.config", "web.config"], ["logs/old"], ["logs/today.log"]),
    (
        ["logs"],
        ["bin/A.dll", "bin/b.dll", "encryption.config", "web.config"],
        [],
        ["logs", "logs/old", "logs/today.log"],
    ),
    (
        ["logs/*"],
        ["bin/A.dll", "bin/b.dll", "encryption.config", "web.config"],
        ["logs"],
        ["logs/old", "logs/today.log"],
    ),
    (["\\BIN\\a.*"], ["bin/b.dll", "encryption.config", "logs/today.log", "web.config"], ["logs/old"], ["bin/A.dll"]),
    (["?.dll"], ["encryption.config", "logs/today.log", "web.config"], ["bin", "logs/old"], ["bin/A.dll", "bin/b.dll"]),
    (["bin/"], ["encryption.config", "logs/today.log", "web.config"], ["logs/old"], ["bin", "bin/A.dll", "bin/b.dll"]),
]


@pytest.mark.parametrize("exclude, files, folders, excluded", EXCLUSIONS)
def test_exclusions(exclude: list[str], files: list[str], folders: list[str], excluded: list[str]) -> None:
    plan = select_contents(LISTING, exclude=exclude)
    assert [file.name for file in plan.files] == files
    assert list(plan.folders) == folders
    assert sorted(plan.excluded) == excluded
    assert plan.names == [*(f"{folder}/" for folder in folders), *files]


def test_our_own_folder_is_never_archived() -> None:
    plan = select_contents(
        [*LISTING, FolderEntry(name=".prs-recovery", folder=True), FolderEntry(name=".PRS-recovery/manifest.jsonl")]
    )
    assert not [name for name in plan.names if "recovery" in name]


REFUSED = [
    (FolderEntry(name="data", folder=True, link=True), "is a link"),
    (FolderEntry(name="aux.txt"), "is the name of a device"),
    (FolderEntry(name="odd. "), "ends in a dot"),
    (FolderEntry(name="WEB.config"), "is the same name as"),
]


@pytest.mark.parametrize("entry, reason", REFUSED)
def test_what_could_not_come_back_is_named(entry: FolderEntry, reason: str) -> None:
    [refusal] = select_contents([*LISTING, entry]).refused
    assert refusal.reason.startswith(reason)


def test_bytes_and_efs() -> None:
    plan = select_contents(LISTING)
    assert plan.bytes == 66 and plan.encrypted == ["encryption.config"]
