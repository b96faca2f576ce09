"""The newest files of a folder are read, no more than were asked for, and nothing that is none hinders them."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.prs.recovery.plugins.lookup.newest_files import LookupModule


def read(pattern: Path | str, **options: int) -> list[dict]:
    return LookupModule().run([str(pattern)], {}, **options)


def names(entries: list[dict]) -> list[str]:
    return [Path(entry["path"]).name for entry in entries]


def test_the_newest_are_read_and_no_others(tmp_path: Path):
    for name in ("1-re.jsonl", "2-re.jsonl", "3-re.jsonl", "4-backup.jsonl", "5-re.json"):
        (tmp_path / name).write_text(name)
    assert names(read(tmp_path / "*-re.jsonl")) == ["3-re.jsonl", "2-re.jsonl", "1-re.jsonl"]
    assert names(read(tmp_path / "*-re.jsonl", newest=2)) == ["3-re.jsonl", "2-re.jsonl"]
    assert read(tmp_path / "1-re.jsonl") == [{"path": str(tmp_path / "1-re.jsonl"), "text": "1-re.jsonl", "error": 0}]


def test_what_is_no_small_file_is_left_out(tmp_path: Path):
    (tmp_path / "1").write_bytes(b"1234")
    (tmp_path / "2").write_bytes(b"12345")
    (tmp_path / "3").mkdir()
    os.mkfifo(tmp_path / "4")
    (tmp_path / "5").symlink_to(tmp_path / "gone")
    assert [(entry["text"], bool(entry["error"])) for entry in read(tmp_path / "*", largest=4)] == [
        ("", True),
        ("1234", False),
    ]


def test_bytes_that_are_no_text_are_replaced(tmp_path: Path):
    (tmp_path / "a").write_bytes("\ufeffä".encode() + b"\xff\r\n")
    assert read(tmp_path / "a")[0]["text"] == "ä\ufffd\r\n"


def test_a_folder_that_is_not_there_has_none(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert read(tmp_path / "gone" / "*") == read(tmp_path / "file" / "*") == []
