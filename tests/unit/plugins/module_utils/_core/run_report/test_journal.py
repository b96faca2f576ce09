"""What a run writes into the journal is what the next one reads; what is damaged hinders nothing."""

from __future__ import annotations

import json

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.journal import journal_text, read_journals
from sample_run import failed, report, total_loss

MEASURED = [
    {"phase": "install SQL Server", "seconds": 45.0, "size": 0},
    {"phase": "restore the database", "seconds": 14.0, "size": 0},
]


def file(text: str, path: str = "a.jsonl", error: int = 0) -> dict:
    return {"path": path, "text": text, "error": error}


def journal(begun: str, *phases: dict) -> str:
    head = {"format": "prs.recovery journal 1", "begun": begun}
    return "".join(json.dumps(line) + "\n" for line in (head, *phases))


def phase(seconds: float = 1) -> dict:
    return {"phase": "x", "host": "h", "seconds": seconds, "size": 0}


def test_what_a_run_writes_is_read_again():
    text = journal_text(report(total_loss()))
    read = read_journals([file(text)])
    assert (read.entries, read.damaged) == (MEASURED, [])
    head = json.loads(text.splitlines()[0])
    assert (head["playbook"], head["by"], head["outcome"], head["begun"]) == (
        "rebuild_prs",
        "root@control",
        "succeeded",
        "2026-03-01T12:00:00Z",
    )


def test_a_failed_run_says_what_failed_and_keeps_what_was_measured_before():
    text = journal_text(report([*total_loss(), failed()], failed_hosts={"sql-a"}))
    assert json.loads(text.splitlines()[0])["failures"] == ["sql-a: Restore the database"]
    assert read_journals([file(text)]).entries == MEASURED[:1]


def test_a_check_run_measures_nothing():
    assert read_journals([file(journal_text(report(total_loss(), check_mode=True)))]).entries == []


def test_runs_are_read_oldest_first_whatever_the_order_of_their_files():
    files = [file(journal("2026-03-02", phase(2))), file(journal("2026-03-01", phase(1), phase(3)))]
    assert [entry["seconds"] for entry in read_journals(files).entries] == [1, 3, 2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null\n",
        journal("2026-03-01", phase())[:-9],
        journal("2026-03-01", {"phase": "x"}),
        journal("2026-03-01", phase(-1)),
        journal("2026-03-01", {**phase(), "seconds": "1"}),
        journal("2026-03-01", {**phase(), "seconds": True}),
        '{"format": "prs.recovery journal 1"}',
    ],
)
def test_a_damaged_one_is_named_and_hinders_no_other(text: str):
    read = read_journals([file(text, "b.jsonl"), file(journal("2026-03-01", phase()))])
    assert (len(read.entries), read.damaged) == (1, ["b.jsonl"])


def test_what_somebody_else_keeps_there_is_left_out():
    read = read_journals([file('{"format": "theirs"}\n{"x": 1}'), file("", "locked.jsonl", 32), file("", "", 3)])
    assert (read.entries, read.damaged) == ([], [])
