"""Windows paths, checked and put together."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.windows_paths import (
    check_folder,
    device_path,
    full_path,
    parent,
    same_folder,
    share_root,
)

PATHS = [
    ("C:\\web", "C:\\web"),
    ("c:/web/", "c:\\web"),
    (" C:\\a\\..\\b\\.\\c ", "C:\\b\\c"),
    ("\\\\files\\backup", "\\\\files\\backup"),
    ("//files/backup/web/", "\\\\files\\backup\\web"),
    ("\\\\files.example.com\\b$\\x", "\\\\files.example.com\\b$\\x"),
]


@pytest.mark.parametrize("given, path", PATHS)
def test_full_paths(given: str, path: str) -> None:
    assert full_path(given, option="path") == path


@pytest.mark.parametrize(
    "given", ["", "web", "\\web", "C:web", "C:", "\\\\files", "\\\\?\\C:\\web", "\\\\.\\pipe\\x", "/srv/web", "..\\x"]
)
def test_no_full_paths(given: str) -> None:
    with pytest.raises(RecoveryError, match=r"path is '.*', which is no full path on Windows"):
        full_path(given, option="path")


@pytest.mark.parametrize("path, root", [("C:\\web", None), ("\\\\f\\b", "\\\\f\\b"), ("\\\\f\\b\\c\\d", "\\\\f\\b")])
def test_share_roots(path: str, root: str | None) -> None:
    assert share_root(path) == root


@pytest.mark.parametrize(
    "folder",
    [
        'D:\\say "so"',
        "D:\\a\\b?",
        "\\\\files\\ba*ckup",
        "D:\\a\x00b",
        "D:\\a\nb",
        "D:\\x\\D:",
        "D:\\end. \\x",
        "D:\\end.\\x",
    ],
)
def test_folders_that_windows_cannot_have_are_refused(folder):
    with pytest.raises(RecoveryError, match="is no path on Windows"):
        check_folder(folder)


@pytest.mark.parametrize("folder", ["relative", "relative\\folder", "\\rooted", "D:relative", "."])
def test_folders_that_depend_on_who_looks_are_refused(folder):
    with pytest.raises(RecoveryError, match="is no full path"):
        check_folder(folder)


@pytest.mark.parametrize(
    "folder", ["/var/opt/mssql/backup", "\\\\?\\D:\\Backup", "D:\\it's [a] 名前", "d:", "\\\\files\\backup$\\..\\x"]
)
def test_folders_that_windows_can_have(folder):
    assert check_folder(folder) is None


def test_a_path_longer_than_the_server_takes_is_refused():
    assert len(device_path("D:\\" + "x" * 200, "y" * 55)) == 259
    with pytest.raises(RecoveryError, match="260 characters"):
        device_path("D:\\" + "x" * 200, "y" * 56)


@pytest.mark.parametrize(
    ("path", "folder"),
    [("D:\\b.bak", "D:\\"), ("D:\\a\\b.bak", "D:\\a"), ("\\\\f\\s\\b.bak", "\\\\f\\s"), ("/a/b", "/a"), ("b", "")],
)
def test_parent(path, folder):
    assert parent(path) == folder


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("D:\\A\\", "d:\\a", True), ("\\\\f\\b", "\\\\F\\B\\", True), ("D:\\a", "D:\\a\\b", False)],
)
def test_folders_are_compared_as_windows_does(left, right, same):
    assert same_folder(left, right) is same
