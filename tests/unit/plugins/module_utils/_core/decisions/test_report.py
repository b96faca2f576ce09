"""Where the report of a run goes."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.report import (
    file,
    journals,
    journals_beside_backups,
)

NOW = 1772366400  # 2026-03-01 12:00 UTC


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/var/reports", "/var/reports/20260301T120000Z-rebuild_prs.html"),
        ("reports/", "reports/20260301T120000Z-rebuild_prs.html"),
        ("/var/last.html", "/var/last.html"),
        ("", ""),
    ],
)
def test_a_folder_gets_a_page_for_each_run_and_a_file_is_taken_as_it_is(path: str, page: str):
    assert file({"path": path, "playbook": "rebuild_prs", "now": str(NOW)}) == page


@pytest.mark.parametrize(
    ("path", "folder"),
    [("/var/reports", "/var/reports/journal"), ("reports/", "reports/journal"), ("/var/last.html", "/var/journal")],
)
def test_the_journals_of_earlier_runs_are_beside_the_reports(path: str, folder: str):
    wanted = [f"{folder}/*-re*_prs.jsonl", f"{folder}/*-failover_prs.jsonl"]
    assert journals({"path": path, "wanted": True}) == wanted
    assert journals({"path": path, "wanted": False}) == journals({"path": "", "wanted": True}) == []


def test_those_beside_the_backups_are_the_same_in_the_words_of_windows():
    assert journals_beside_backups({"folder": "\\\\files\\backup\\journal"}) == [
        "\\\\files\\backup\\journal\\*-re*_prs.jsonl",
        "\\\\files\\backup\\journal\\*-failover_prs.jsonl",
    ]
