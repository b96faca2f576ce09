from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.prs.recovery.plugins.filter.drill_records import FORMAT, drill_records

ROLE = Path(__file__).resolve().parents[4] / "roles/drill"
WHOLE = {
    "format": FORMAT,
    "label": "a",
    "begun_at": "2026-01-01T00:00:00Z",
    "state": "running",
    "cleaned": False,
    "names": {"database": "x"},
}


def file(text: str, *, error: int = 0) -> dict:
    return {"path": "E:\\drills\\a.json", "text": text, "error": error}


def test_a_whole_record_is_read():
    assert (drill_records([file(json.dumps(WHOLE))]), drill_records([file(json.dumps(WHOLE))], damaged=True)) == (
        [WHOLE],
        [],
    )


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(WHOLE, indent=4)[:60],
        "",
        "\0\0\0",
        "[]",
        json.dumps({**WHOLE, "names": None}),
        json.dumps({"format": FORMAT, "label": "a"}),
    ],
)
def test_a_damaged_one_hinders_no_other(text):
    seen = [file(text), file(json.dumps(WHOLE))]
    assert (drill_records(seen), drill_records(seen, damaged=True)) == ([WHOLE], ["E:\\drills\\a.json"])


@pytest.mark.parametrize("other", [file('{"format": "somebody else\'s"}'), file("", error=3)])
def test_what_is_no_record_is_left_out(other):
    assert (drill_records([other]), drill_records([other], damaged=True)) == ([], [])


def test_the_role_reads_records_by_it():
    """from_json in their place fails at the first one that is damaged."""
    found = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
    assert found["_drill_records"].strip() == "{{ _drill_saw.texts | default([]) | prs.recovery.drill_records }}"
    written = found["_drill_record"]
    assert written["format"] == FORMAT
