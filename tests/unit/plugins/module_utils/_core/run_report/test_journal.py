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


def told(begun: str = "2026-03-01", *phases: dict, **more: object) -> str:
    """A journal whose head says more."""
    head, _, rest = journal(begun, *phases).partition("\n")
    return f"{json.dumps({**json.loads(head), **more})}\n{rest}"


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
        "[" * 100000,
        '{"format": "prs.recovery journal 1"}',
        told(by="\x1b[2J"),
        told(by=1),
        told(playbook="x" * 201),
        told(seconds=-1),
        told(seconds="1"),
        told(servers=[1]),
        told(servers=7),
        told(begun=20260301),
    ],
)
def test_one_that_is_no_journal_is_named_and_hinders_no_other(text: str):
    read = read_journals([file(text, "b.jsonl"), file(journal("2026-03-01", phase()))])
    assert (len(read.entries), read.damaged) == (1, ["b.jsonl is no journal of a run"])


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(phase())[:-9],
        "[]",
        "[" * 100000,
        *(
            json.dumps(damaged)
            for damaged in (
                {"phase": "x"},
                phase(-1),
                phase(float("nan")),
                phase(float("inf")),
                phase(10**400),
                {**phase(), "seconds": "1"},
                {**phase(), "seconds": True},
                {**phase(), "size": 1.5},
                {**phase(), "size": -1},
                {**phase(), "phase": "\r"},
                {**phase(), "host": None},
            )
        ),
    ],
)
def test_of_a_damaged_journal_the_whole_lines_count(line: str):
    read = read_journals([file(f"{journal('2026-03-01', phase(1))}{line}\n{json.dumps(phase(2))}\n", "b.jsonl")])
    assert [entry["seconds"] for entry in read.entries] == [1, 2]
    assert read.damaged == ["b.jsonl has 1 damaged line"]


def test_no_journal_is_read_without_an_end():
    read = read_journals([file(journal("2026-03-01", *(phase() for _number in range(1002))), "b.jsonl")])
    assert (len(read.entries), read.damaged) == (1000, ["b.jsonl has 2 damaged lines"])


def test_a_separator_of_lines_in_a_text_ends_none():
    assert read_journals([file(told(done=["one\u2028two"]).replace("\\u2028", "\u2028"))]).damaged == []


@pytest.mark.parametrize("both", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("better", "worse", "damaged"),
    [
        (journal("2026-03-01", phase(1), phase(2)), journal("2026-03-01", phase(1), phase(2)), []),
        (journal("2026-03-01", phase(1), phase(2)), journal("2026-03-01", phase(1)), []),
        (
            journal("2026-03-01", phase(1), phase(2)),
            journal("2026-03-01", phase(1), phase(2))[:-9],
            ["b.jsonl has 1 damaged line"],
        ),
        (journal("2026-03-01", phase(1), phase(2)), "", ["b.jsonl is no journal of a run"]),
    ],
)
def test_a_run_of_which_two_copies_lie_there_counts_once_by_the_better_one(both, better, worse, damaged):
    copies = (file(better), file(worse, "b.jsonl"))
    read = read_journals([copies[both[0]]], [copies[both[1]]])
    assert [entry["seconds"] for entry in read.entries] == [1, 2]
    assert read.damaged == damaged


def test_two_runs_of_one_second_are_two():
    read = read_journals([file(told(by="anna@one")), file(told(by="otto@two"))])
    assert [run.by for run in read.runs] == ["anna@one", "otto@two"]


@pytest.mark.parametrize(("servers", "counts"), [(["sql-a"], True), (["sql-z"], False), ([], True)])
def test_a_control_node_has_reports_of_other_estates_too(servers: list[str], counts: bool):
    """A run that says nothing of its servers counts: nobody knows of another estate."""
    text = told("2026-03-01", phase(), servers=servers)
    assert bool(read_journals([], [file(text)], servers={"sql-a", "web-a"}).entries) is counts
    assert read_journals([file(text)], servers={"sql-a"}).entries


def test_what_somebody_else_keeps_there_is_left_out():
    read = read_journals([file('{"format": "theirs"}\n{"x": 1}'), file("", "locked.jsonl", 32), file("", "", 3)])
    assert (read.entries, read.damaged) == ([], [])
