"""Archives that nobody wrote a manifest for."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_entries import ReadEntry
from ansible_collections.prs.recovery.plugins.module_utils._core.application.vendor_archive import adopt, common_folder
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

FOLDERS = [
    (["web.config", "bin/x.dll"], ""),
    (["PRS/web.config", "PRS/bin/x.dll"], "PRS/"),
    (["PRS/", "PRS/Web.Config", "PRS/bin/x.dll"], "PRS/"),
    (["PRS\\web.config", "PRS\\bin\\x.dll"], "PRS/"),
    (["PRS/web.config", "readme.txt"], ""),
    (["bin/x.dll"], ""),
    (["../web.config"], ""),
    (["C:/web.config"], ""),
    ([], ""),
]


@pytest.mark.parametrize("names, folder", FOLDERS)
def test_the_folder_in_which_all_of_it_is(names: list[str], folder: str) -> None:
    assert common_folder(names) == folder


def entry(
    name: str,
    *,
    intact: bool = True,
    read: bool = True,
    method: int | None = 8,
    encrypted: bool | None = False,
    held: int | None = None,
) -> ReadEntry:
    sha256 = "a" * 64 if read else None
    return ReadEntry(
        index=0, name=name, size=3, packed=3, sha256=sha256, intact=intact and read, method=method, encrypted=encrypted, held=held,
    )  # fmt: skip


def test_a_manifest_is_made() -> None:
    manifest = adopt(
        [entry("web.config"), entry("App_Data/"), entry("bin\\x.dll")],
        where="x.zip",
        path="C:\\web",
        created="2026-01-01T00:00:00Z",
    )
    assert [(file.name, file.size, file.sha256) for file in manifest.files] == [
        ("web.config", 3, "a" * 64),
        ("bin/x.dll", 3, "a" * 64),
    ]
    assert manifest.planned == 2 and manifest.created == "2026-01-01T00:00:00Z"


REFUSED = [
    ([entry("web.config"), entry("x.dll", intact=False)], r"x\.dll is damaged: its checksum is not the one that"),
    ([entry("web.config"), entry("x.dll", read=False)], r"x\.dll cannot be unpacked: it is damaged"),
    ([entry("web.config"), entry("x.dll", read=False, method=None, encrypted=None)], r"x\.dll cannot be unpacked"),
    (
        [entry("web.config"), entry("x.dll", read=False, method=12)],
        r"x\.dll is packed by bzip2, which Windows does not",
    ),
    ([entry("web.config"), entry("x.dll", read=False, method=97)], r"x\.dll is packed by method 97, which Windows"),
    ([entry("web.config"), entry("x.dll", intact=False, encrypted=True)], r"x\.dll is encrypted"),
    ([entry("web.config"), entry("x.dll", held=2)], r"x\.dll holds 2 bytes, and not the 3 that the archive says"),
    ([entry("bin/x.dll")], r"has no manifest, and no web\.config at its top"),
    ([], r"no web\.config at its top"),
    ([entry("web.config"), entry(".prs-recovery/other")], r"is of app_backup, and its manifest is gone"),
]


@pytest.mark.parametrize("entries, message", REFUSED)
def test_what_is_no_archive_of_an_application(entries: list[ReadEntry], message: str) -> None:
    with pytest.raises(RecoveryError, match=message):
        adopt(entries, where="x.zip", path="", created="")
