"""What the report remembers of a run of ansible-playbook, and where it writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible import context
from ansible.inventory.data import InventoryData
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.journal import KEPT
from ansible_collections.prs.recovery.plugins.plugin_utils._run_report import JOURNAL, JOURNAL_PLAY, RunReporter

ROOT = Path(__file__).resolve().parents[4]
STATS = "ansible.builtin.set_stats"


@pytest.fixture
def reporter(monkeypatch: pytest.MonkeyPatch) -> RunReporter:
    """Of a run on web-a and sql-a at site_a, and sql-b at site_b."""
    monkeypatch.setattr(context, "CLIARGS", {"check": False})
    inventory = InventoryData()
    for group, hosts in {
        "prs_web": "web-a",
        "prs_sql": "sql-a sql-b",
        "site_a": "web-a sql-a",
        "site_b": "sql-b",
    }.items():
        inventory.add_group(group)
        for host in hosts.split():
            inventory.add_host(host, group)
    inventory.get_host = inventory.hosts.get
    made = RunReporter()
    made.said = []
    made._display = SimpleNamespace(display=lambda text, **_: made.said.append(text), warning=made.said.append)
    made.v2_playbook_on_play_start(play("Plan", inventory))
    return made


@pytest.mark.parametrize(("tags", "warned"), [(("iis", "sql"), True), (("all",), False)])
def test_a_run_that_did_nothing_for_its_tags_says_so(reporter, monkeypatch, tags, warned):
    monkeypatch.setattr(context, "CLIARGS", {"check": False, "tags": tags})
    reporter.v2_playbook_on_stats(stats())
    assert [text for text in reporter.said if "NOTHING WAS DONE: no task has the tags iis, sql." in text] or not warned
    assert bool(reporter.said) == warned


def test_tags_of_a_playbook_around_it_are_no_mistake(reporter, monkeypatch):
    monkeypatch.setattr(context, "CLIARGS", {"check": False, "tags": ("night",)})
    reporter.v2_runner_on_ok(result())
    reporter.v2_playbook_on_stats(stats())
    assert reporter.said == []


def play(name: str, inventory: InventoryData | None = None) -> SimpleNamespace:
    variables = SimpleNamespace(_inventory=inventory or InventoryData())
    return SimpleNamespace(get_name=lambda: name, get_variable_manager=lambda: variables)


def result(action: str = "debug", host: str = "web-a", **values: Any) -> SimpleNamespace:
    task = SimpleNamespace(action=action, _role=None, _uuid="1", get_name=lambda: "prs.recovery.restore : Do it")
    return SimpleNamespace(_task=task, _host=SimpleNamespace(name=host), _result=values)


def wanted(path: Path | str) -> SimpleNamespace:
    data = {"prs_report": {"path": str(path), "playbook": "rebuild_prs", "site": "site_a"}}
    return result(STATS, ansible_stats={"data": data})


def stats(**ends: dict[str, int]) -> SimpleNamespace:
    every = {host.replace("_", "-"): {"failures": 0, "unreachable": 0, **end} for host, end in ends.items()}
    return SimpleNamespace(processed=every, summarize=every.get)


def test_a_run_that_fails_has_a_report(reporter: RunReporter, tmp_path: Path):
    file = tmp_path / "new" / "page.html"
    reporter.v2_runner_on_ok(wanted(file))
    reporter.v2_runner_on_failed(result(host="sql-a", msg="no room", invocation={"password": "secret"}))
    reporter.v2_playbook_on_stats(stats(web_a={}, sql_a={"failures": 1}))
    told = json.loads(file.with_suffix(".json").read_text())
    assert (told["playbook"], told["outcome"], told["site"]) == ("rebuild_prs", "failed", "site_a")
    assert told["failures"] == [{"host": "sql-a", "phase": "Plan", "task": "Do it", "message": "no room"}]
    assert [(server["host"], server["site"], server["active"]) for server in told["servers"]] == [
        ("sql-a", "site_a", True),
        ("sql-b", "site_b", False),
        ("web-a", "site_a", True),
    ]
    assert "secret" not in file.read_text() + json.dumps(told)
    assert "no room" in file.read_text()
    assert reporter.said == [f"REPORT: {file}"]
    assert sorted(entry.name for entry in file.parent.iterdir()) == ["journal", "page.html", "page.json"]
    (journal,) = (file.parent / "journal").iterdir()
    assert journal.name.endswith("Z-rebuild_prs.jsonl")
    assert json.loads(journal.read_text())["failures"] == ["sql-a: Do it"]


def test_the_oldest_journals_of_the_playbook_go(reporter: RunReporter, tmp_path: Path):
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(KEPT + KEPT // 20):
        (folder / f"20200101T{number:06}Z-rebuild_prs.jsonl").touch()
    (folder / "20200101T000000Z-backup_prs.jsonl").touch()
    reporter.v2_runner_on_ok(wanted(tmp_path / "page.html"))
    reporter.v2_playbook_on_stats(stats(web_a={}))
    left = sorted(entry.name for entry in folder.iterdir())
    assert len(left) == KEPT + 1 and left[0].endswith("backup_prs.jsonl"), "those of other playbooks stay"
    assert "20200101T000051Z" in left[1], "and so do the newest"


def test_an_old_journal_that_cannot_be_removed_costs_no_report(reporter: RunReporter, tmp_path: Path):
    folder = tmp_path / "journal"
    folder.mkdir()
    (folder / "20190101T000000Z-rebuild_prs.jsonl").mkdir()
    for number in range(KEPT + KEPT // 20):
        (folder / f"20200101T{number:06}Z-rebuild_prs.jsonl").touch()
    reporter.v2_runner_on_ok(wanted(tmp_path / "page.html"))
    reporter.v2_playbook_on_stats(stats(web_a={}))
    assert (tmp_path / "page.html").exists() and len(list(folder.iterdir())) == KEPT + 1


def test_a_check_run_writes_no_journal(reporter: RunReporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(context, "CLIARGS", {"check": True})
    monkeypatch.setitem(os.environ, JOURNAL, "")
    reporter.v2_runner_on_ok(wanted(tmp_path / "page.html"))
    reporter.v2_playbook_on_play_start(play(JOURNAL_PLAY))
    reporter.v2_playbook_on_stats(stats(web_a={}))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["page.html", "page.json"]
    assert os.environ[JOURNAL] == ""


def test_the_play_that_carries_the_journal_finds_it(reporter: RunReporter, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(os.environ, JOURNAL, "")
    reporter.v2_runner_on_ok(wanted(""))
    reporter.v2_playbook_on_play_start(play(JOURNAL_PLAY))
    assert os.environ[JOURNAL] == ""  # nothing was done yet
    reporter.v2_runner_on_ok(result(changed=True))
    reporter.v2_playbook_on_play_start(play(JOURNAL_PLAY))
    file = Path(os.environ[JOURNAL])
    assert file.name.endswith("Z-rebuild_prs.jsonl")
    assert json.loads(file.read_text())["outcome"] == "succeeded"


def test_that_play_has_this_title():
    (carrier,) = yaml.safe_load((ROOT / "playbooks/shared/journal.yml").read_text())
    assert carrier["name"] == JOURNAL_PLAY
    assert JOURNAL in carrier["vars"]["_prs_journal"]


def test_an_ignored_failure_is_no_failure(reporter: RunReporter, tmp_path: Path):
    reporter.v2_runner_on_ok(wanted(tmp_path / "page.html"))
    reporter.v2_runner_on_failed(result(msg="not there"), ignore_errors=True)
    reporter.v2_playbook_on_stats(stats(web_a={}))
    told = json.loads((tmp_path / "page.json").read_text())
    assert (told["outcome"], told["failures"], told["warnings"]) == ("succeeded", [], [])


def test_where_nobody_asked_for_a_report_none_is_written(reporter: RunReporter):
    reporter.v2_runner_on_ok(result(msg="x"))
    reporter.v2_playbook_on_stats(stats(web_a={}))
    assert reporter.said == []


def test_a_report_that_cannot_be_written_is_a_warning(reporter: RunReporter, tmp_path: Path):
    (tmp_path / "file").write_text("")
    reporter.v2_runner_on_ok(wanted(tmp_path / "file" / "page.html"))
    reporter.v2_playbook_on_stats(stats(web_a={}))
    (warning,) = reporter.said
    assert "could not be written" in warning
    assert "Correct prs_report_path" in warning


STEPS = [
    {"phase": "install SQL Server", "host": "sql-a", "sentence": "install SQL Server", "seconds": 700, "size": 0},
    {"phase": "set up IIS and the application", "host": "web-a", "sentence": "set up IIS", "seconds": 100, "size": 0},
    {"phase": "restore the database", "host": "sql-a", "sentence": "restore it from S", "seconds": 150, "size": 9},
    {"phase": "verify the service", "host": "web-a", "sentence": "verify it", "seconds": 50, "size": 0},
]


def begin(reporter: RunReporter, title: str, host: str, role: str = "") -> None:
    reporter.v2_playbook_on_play_start(play(title))
    begun = result(host=host)
    begun._task._role = SimpleNamespace(get_name=lambda: role) if role else None
    reporter.v2_runner_on_start(begun._host, begun._task)


def test_each_step_of_the_plan_begins_with_a_line(reporter: RunReporter):
    begin(reporter, "Restore the database", "sql-a")
    assert reporter.said == []  # nobody has planned yet
    reporter.v2_runner_on_ok(result("prs.recovery.recovery_plan", steps=STEPS, roads=[]))
    begin(reporter, "Provision web and database servers at the same time", "sql-a", "prs.recovery.sql_server")
    begin(reporter, "Provision web and database servers at the same time", "web-a", "prs.recovery.iis")
    begin(reporter, "Provision web and database servers at the same time", "web-a", "prs.recovery.prs_app")
    begin(reporter, "Restore the database", "sql-a", "prs.recovery.restore")
    begin(reporter, "Restore the application", "web-a", "prs.recovery.restore")
    begin(reporter, "Verify", "sql-a")
    begin(reporter, "Verify", "web-a")
    assert reporter.said == [
        "1 of 4, sql-a: install SQL Server: about 11 min 40 s, 0 %",
        "2 of 4, web-a: set up IIS: about 1 min 40 s, 70 %",
        "3 of 4, sql-a: restore it from S: about 2 min 30 s, 80 %",
        "4 of 4, web-a: verify it: about 50 s, 95 %",
    ]


def test_a_check_run_begins_no_step(reporter: RunReporter, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(context, "CLIARGS", {"check": True})
    reporter.v2_runner_on_ok(result("prs.recovery.recovery_plan", steps=STEPS, roads=[]))
    begin(reporter, "Verify", "web-a")
    assert reporter.said == []
