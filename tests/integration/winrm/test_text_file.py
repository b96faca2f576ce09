"""Small text files of a folder or a share: written in one session, whole or not at all, and left alone when they are so."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.text_files import write_text_files

from .windows_twins import NO_SHARE, ON_SHARE, Twins

FOLDER, SHARE = "D:\\records\\new", "\\\\files\\backup\\records"
TWO = [{"name": "a.json", "content": '{"x": "\u00e4"}\n'}, {"name": "b.txt", "content": "one\ntwo"}]


def write(twins: Twins, *, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    with twins.session(check_mode=check_mode) as files:
        return write_text_files(files, {"path": FOLDER, "files": TWO, **NO_SHARE, **params})


def test_a_folder_that_is_not_there_is_made(twins: Twins) -> None:
    result = write(twins)
    assert result == {"changed": True, "written": [f"{FOLDER}\\a.json", f"{FOLDER}\\b.txt"]}
    assert twins.tree(FOLDER) == {"a.json": '{"x": "\u00e4"}\n'.encode(), "b.txt": b"one\ntwo\n"}


def test_what_is_so_already_is_left_alone(twins: Twins) -> None:
    write(twins)
    assert write(twins) == {"changed": False, "written": []}
    changed = [TWO[0], {"name": "b.txt", "content": "three"}]
    assert write(twins, files=changed) == {"changed": True, "written": [f"{FOLDER}\\b.txt"]}
    assert twins.tree(FOLDER)["b.txt"] == b"three\n"


def test_another_encoding(twins: Twins) -> None:
    """Also of the same text."""
    wide = [{**TWO[0], "encoding": "utf-16"}, {**TWO[1], "encoding": "utf-8"}]
    write(twins)
    assert write(twins, files=wide) == {"changed": True, "written": [f"{FOLDER}\\a.json"]}
    assert twins.tree(FOLDER)["a.json"] == b"\xff\xfe" + '{"x": "\u00e4"}\n'.encode("utf-16-le")
    assert not write(twins, files=wide)["changed"]


def test_check_mode_says_it_and_writes_nothing(twins: Twins) -> None:
    assert write(twins, check_mode=True)["written"] == [f"{FOLDER}\\a.json", f"{FOLDER}\\b.txt"]
    write(twins)
    assert write(twins, check_mode=True, files=[{"name": "a.json", "content": ""}])["changed"]
    assert twins.tree(FOLDER)["a.json"].startswith(b"{")


def test_a_share_is_written_by_the_account_that_may(twins: Twins) -> None:
    with pytest.raises(RecoveryError):
        write(twins, path=SHARE)
    assert write(twins, path=SHARE, **ON_SHARE)["changed"]
    assert set(twins.tree("E:\\backup\\records", twins.share_host)) == {"a.json", "b.txt"}


@pytest.mark.parametrize("name", ["..", "a\\b.txt", "a/b.txt", "C:x", " "])
def test_a_name_with_a_path_is_refused(twins: Twins, name: str) -> None:
    with pytest.raises(RecoveryError, match="no name of a file"):
        write(twins, files=[{"name": name, "content": ""}])


def test_nothing_else_is_asked_of_the_host(twins: Twins) -> None:
    write(twins)
    assert twins.scripts() == ["stat_paths", "make_folder", "write_lines", "write_lines"]
