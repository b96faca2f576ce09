"""Which of the files go of which every run leaves one."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.generations import outgrown

NIGHTS = [f"202603{day:02}T020000Z-backup_prs.jsonl" for day in range(1, 31)]


def test_the_oldest_go_once_it_pays():
    assert outgrown(NIGHTS[:21], like=NIGHTS[0], keep=20) == []
    assert outgrown(reversed(NIGHTS[:22]), like=NIGHTS[21], keep=20) == NIGHTS[:2]


def test_others_are_not_counted():
    others = [name.replace("backup", "rebuild") for name in NIGHTS]
    assert outgrown([*NIGHTS[:5], *others], like=NIGHTS[0], keep=5) == []
    persons = ["0-backup_prs.jsonl", "-backup_prs.jsonl", "2025-backup_prs.jsonl", "a-backup_prs.jsonl"]
    assert outgrown([*NIGHTS[:3], *persons], like=NIGHTS[2], keep=2) == NIGHTS[:1], "what does not begin with a time"
    assert outgrown([*others, "notes.txt"], like="notes.txt", keep=1) == [], "nothing says when it was written"


def test_what_was_just_written_stays():
    """Also where a clock went wrong, so that the others seem to be newer."""
    assert outgrown(NIGHTS[:5], like=NIGHTS[0], keep=2) == NIGHTS[1:3]
