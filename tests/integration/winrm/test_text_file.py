"""Small text files of a folder or a share: written in one session, whole or not at all, and left alone when they are so."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.errors import WindowsFault
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host import reader
from ansible_collections.prs.recovery.plugins.module_utils._winrm.text_files import write_text_files

from .windows_twins import NO_SHARE, ON_SHARE, Twins

FOLDER, SHARE = "D:\\records\\new", "\\\\files\\backup\\records"
TWO = [{"name": "a.json", "content": '{"x": "\u00e4"}\n'}, {"name": "b.txt", "content": "one\ntwo"}]


def write(twins: Twins, *, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    with twins.session(check_mode=check_mode) as files:
        return write_text_files(files, {"path": FOLDER, "files": TWO, "keep": 0, **NO_SHARE, **params})


def test_a_folder_that_is_not_there_is_made(twins: Twins) -> None:
    result = write(twins)
    assert result == {"changed": True, "written": [f"{FOLDER}\\a.json", f"{FOLDER}\\b.txt"], "removed": []}
    assert twins.tree(FOLDER) == {"a.json": '{"x": "\u00e4"}\n'.encode(), "b.txt": b"one\ntwo\n"}


def test_a_folder_alone(twins: Twins) -> None:
    made = {"changed": True, "written": [], "removed": []}
    assert write(twins, files=[], check_mode=True) == made and not twins.files.exists(FOLDER)
    assert write(twins, files=[]) == made and twins.tree(FOLDER) == {}
    assert write(twins, files=[]) == {**made, "changed": False}
    twins.files.write("D:\\records\\file", b"x")
    with pytest.raises(RecoveryError, match=r"Making the folder D:\\records\\file failed"):
        write(twins, path="D:\\records\\file", files=[])


def test_what_is_so_already_is_left_alone(twins: Twins) -> None:
    write(twins)
    assert write(twins) == {"changed": False, "written": [], "removed": []}
    changed = [TWO[0], {"name": "b.txt", "content": "three"}]
    assert write(twins, files=changed)["written"] == [f"{FOLDER}\\b.txt"]
    assert twins.tree(FOLDER)["b.txt"] == b"three\n"


def test_another_encoding(twins: Twins) -> None:
    """Also of the same text."""
    wide = [{**TWO[0], "encoding": "utf-16"}, {**TWO[1], "encoding": "utf-8"}]
    write(twins)
    assert write(twins, files=wide)["written"] == [f"{FOLDER}\\a.json"]
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
    assert twins.scripts() == ["list_folder", "make_folder", "write_lines", "write_lines"]


def test_the_oldest_of_too_many_go_in_one_message(twins: Twins) -> None:
    """Of the same kind alone, and only once it pays."""
    days = [f"202603{day:02}T020000Z-backup_prs.jsonl" for day in range(1, 32)]
    others = ["20260101T020000Z-rebuild_prs.jsonl", "notes.txt"]
    for name in (*days[:20], *others):
        twins.write(f"{FOLDER}\\{name}", b"x")
    assert write(twins, files=[{"name": days[20], "content": "x"}], keep=20)["removed"] == []
    begin = len(twins.scripts())
    result = write(twins, files=[{"name": days[21], "content": "x"}], keep=20)
    assert result["removed"] == [f"{FOLDER}\\{name}" for name in days[:2]]
    assert set(twins.tree(FOLDER)) == {*days[2:22], *others}
    assert twins.scripts()[begin:] == ["list_folder", "write_lines", "remove", "remove"]
    assert write(twins, check_mode=True, files=[{"name": days[22], "content": "x"}], keep=2)["changed"]
    assert len(twins.tree(FOLDER)) == 22


def test_one_that_somebody_has_open_stays_for_the_next_run(twins: Twins) -> None:
    for day in (1, 2, 3):
        twins.write(f"{FOLDER}\\2026030{day}T020000Z-backup_prs.jsonl", b"x")
    twins.files.hold(f"{FOLDER}\\20260301T020000Z-backup_prs.jsonl", "somebody")
    twins.files.hold(f"{FOLDER}\\20260302T020000Z-backup_prs.jsonl", "somebody")
    twins.write(f"{FOLDER}\\20260304T020000Z-backup_prs.jsonl", b"x")
    result = write(twins, files=[{"name": "20260305T020000Z-backup_prs.jsonl", "content": "x"}], keep=2)
    assert result["written"] and [name[:8] for name in sorted(twins.names(FOLDER))] == [
        "20260301", "20260302", "20260304", "20260305"
    ], "and keeps no other one"  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["", "\r\n", "one\rtwo\n\nthree", "\u00e4\u2028x\x85y\x0c\r\n"])
def test_many_texts_are_read_as_one_is(twins: Twins, encoding: str, text: str) -> None:
    """Windows PowerShell writes UTF-16 where somebody edits a file with it."""
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    twins.write(f"{FOLDER}\\x.json", (mark + text).encode(encoding))
    with twins.session() as files:
        [file] = files.read_texts([f"{FOLDER}\\x.json"])
        assert file.lines == files.read_lines(f"{FOLDER}\\x.json")


def test_less_than_none_is_no_number(twins: Twins) -> None:
    with pytest.raises(RecoveryError, match="no number of files"):
        write(twins, keep=-1)


def test_a_large_one_that_cannot_be_read_hinders_no_other(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is fetched by itself, and may have gone meanwhile."""
    monkeypatch.setattr(reader, "SMALL", 3)
    for name in ("a", "b", "c"):
        twins.write(f"{FOLDER}\\{name}", b"1\n2\n3\n" if name == "b" else b"1\n")
    with twins.session() as files:
        read_lines = files.read_lines

        def gone(path: str) -> list[str]:
            twins.files.remove(path)
            return read_lines(path)

        monkeypatch.setattr(files, "read_lines", gone)
        first, large, last = files.read_texts([f"{FOLDER}\\{name}" for name in ("a", "b", "c")])
    assert (first.lines, last.lines) == (["1"], ["1"])
    with pytest.raises(WindowsFault, match="does not exist"):
        _ = large.lines
