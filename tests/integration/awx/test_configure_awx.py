"""The playbook configure_awx against the stand-in of AWX, with the real modules of awx.awx."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import jinja2
import jinja2.sandbox
import pytest
import rules
import yaml
from ansible_collections.prs.recovery.plugins.filter.awx_credential_types import awx_credential_types
from awx_lab import GIT, ROOT, SECRETS, Configure
from refused import REFUSED, WRONG_RULES, Ask, move_execution_environment
from stand_in import Awx

PLAYBOOKS = sorted(file.name for file in (ROOT / "playbooks").glob("*.yml") if file.name != "configure_awx.yml")


class Loader(yaml.SafeLoader):
    """YAML as Ansible writes it."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
ROLE: dict[str, Any] = yaml.load((ROOT / "roles/configure_awx/vars/main.yml").read_text(), Loader=Loader)


@pytest.mark.parametrize(
    "damaged", [["log backup, every 15 minutes"], pytest.param([], marks=pytest.mark.nightly)], ids=["damaged", "whole"]
)
def test_what_was_set_up_is_left_alone_but_for_what_somebody_changed(
    awx: Awx, configure: Configure, damaged: list[str]
):
    settings = {
        "prs_backup_keys_user": r"EXAMPLE\svc-keys",
        "prs_backup_keys_password": "",
        "prs_backup_encryption_certificate": "PRS backup",
    }
    first = configure(**settings)
    assert first.code == 0, first.output
    assert not [secret for secret in SECRETS.values() if secret in first.output]

    # One job template for every playbook, none of which runs twice at once.
    templates = awx.objects["job_templates"].values()
    assert sorted(one["playbook"] for one in templates) == [f"playbooks/{name}" for name in PLAYBOOKS]
    assert not any(one["allow_simultaneous"] for one in templates)
    assert all(one["survey_enabled"] == (one["id"] in awx.surveys) for one in templates)
    rebuild, verify = awx.find("job_templates", "PRS rebuild"), awx.find("job_templates", "PRS verify")
    assert json.loads(rebuild["extra_vars"]) == {
        "prs_files": "/runner/project/files",
        "prs_report_share": r"\\files.example.com\backup",
    }
    site, loss, *_ = awx.surveys[rebuild["id"]]["spec"]
    assert (site["variable"], site["choices"], site["default"]) == ("prs_active_site", ["site_a", "site_b"], "site_a")
    assert (loss["variable"], loss["default"]) == ("prs_allow_data_loss", "false")

    # Secrets lie in credentials; the one that the inventory does not know is empty, and the run says so.
    assert awx.find("credentials", "PRS Windows")["inputs"] == {
        "user": r"EXAMPLE\svc-ansible",
        "password": SECRETS["vault_prs_windows_password"],
    }
    empty = awx.find("credentials", "PRS keys")
    assert empty["inputs"] == {}
    assert "PRS keys: the inventory does not give password, so fill in this credential in AWX." in first.output
    assert awx.find("credentials", "PRS encryption")["inputs"] == {
        "password": SECRETS["prs_backup_encryption_password"]
    }
    assert "PRS database backups" not in {one["name"] for one in awx.objects["credentials"].values()}

    # The workflow: verify follows rebuild, if that went well.
    before, after = (
        awx.find("workflow_job_template_nodes", "rebuild"),
        awx.find("workflow_job_template_nodes", "verify"),
    )
    assert (before["unified_job_template"], before["_success_nodes"]) == (rebuild["id"], [after["id"]])
    assert (after["unified_job_template"], after["_success_nodes"]) == (verify["id"], [])

    # What AWX read of the inventory holds the servers and none of the secrets.
    inventory = json.dumps(awx.find("inventories", "PRS inventory")["_content"])
    assert '"sql-b"' in inventory
    assert not [secret for secret in SECRETS.values() if secret in inventory]

    empty["inputs"] = {"user": "typed", "password": "by a person"}
    content = awx.content()
    for name in damaged:
        awx.find("schedules", f"PRS {name}")["rrule"] = "DTSTART;TZID=UTC:20250105T000700 RRULE:FREQ=HOURLY;INTERVAL=24"
    if damaged:
        awx.find("job_templates", "PRS backup").update(limit="web-a", become_enabled=True, ask_limit_on_launch=True)
    second = configure(**settings)
    assert (second.code, second.changed) == (0, ["backup", *damaged] if damaged else []), second.output
    assert awx.content() == content


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"prs_awx_project_url": ""}, "Set prs_awx_project_url to the Git repository"),
        ({"prs_active_site": "site_c"}, "prs_active_site is site_c"),
        (
            {"configure_awx_schedules": [{"name": "tea", "template": "kettle"}]},
            '"tea" starts "kettle"; it may be one of provision, backup',
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_missing_is_said_before_anything_is_asked(
    awx: Awx, configure: Configure, settings: dict[str, Any], says: str
):
    run = configure(**settings)
    assert run.code != 0
    assert says in run.output.replace('\\"', '"')
    assert awx.asked == []


def test_a_check_run_on_an_empty_awx_says_what_would_be_made(awx: Awx, configure: Configure):
    before = awx.content()
    run = configure("--check")
    assert run.code == 0, run.output
    assert "Not in AWX yet: credential type Windows, credential type SQL Server" in run.output
    assert awx.content() == before


def test_an_organization_that_is_missing_is_said_before_anything_is_made(awx: Awx, configure: Configure):
    before = awx.content()
    run = configure(prs_awx_organization="Estate")
    assert run.code != 0
    assert "AWX has no organization Estate" in run.output
    assert awx.content() == before


@pytest.mark.nightly
def test_a_project_that_cannot_be_fetched_ends_the_run_with_a_sentence(awx: Awx, configure: Configure):
    run = configure(prs_awx_project_url="https://git.example.com/elsewhere.git")
    assert run.code != 0
    assert re.search(r"AWX could not fetch the project from its repository: job \d+ on awx-1 failed, and", run.output)
    assert not awx.objects["inventories"] and not awx.objects["job_templates"]


@pytest.mark.nightly
def test_what_was_pushed_is_fetched_by_the_next_run_also_after_one_that_failed(
    awx: Awx, configure: Configure, repository: Path, tmp_path: Path
):
    ours = awx.repositories[GIT] = tmp_path / "repository"
    shutil.copytree(repository, ours)
    hosts = ours / "inventory/hosts.yml"
    right = hosts.read_text()
    hosts.write_text("all: [")
    failed = configure(configure_awx_schedules=[])
    assert failed.code != 0
    assert re.search(r"AWX could not read the inventory from the project: job \d+ on awx-1 failed, and", failed.output)
    assert "host_filter" not in failed.output
    hosts.write_text(right)
    mended = configure(configure_awx_schedules=[])
    assert mended.code == 0, mended.output
    assert {"Fetch the project", "Fetch the inventory"} <= set(mended.changed)
    assert '"sql-b"' in json.dumps(awx.find("inventories", "PRS inventory")["_content"])


@pytest.mark.nightly
def test_a_second_organization_gets_everything_of_its_own_beside_the_first(awx: Awx, configure: Configure):
    """Of the first there is here what the run could take for its own: objects of the same names."""
    windows = json.loads(json.dumps(awx_credential_types(ROLE["_configure_awx_table"])[0]))
    known = {key: windows[key] for key in ("description", "inputs", "injectors")}
    named = {
        "name": "PRS Windows",
        "credential_type": awx.add("credential_types", {"name": "PRS Windows", "kind": "cloud", **known})["id"],
    }
    first = {"organization": 1}
    awx.add(
        "execution_environments", {"name": "PRS execution environment", "image": "registry.example.com/a:1", **first}
    )
    awx.add("credentials", {**named, **first})
    project = awx.add("projects", {"name": "PRS playbooks", "scm_type": "git", "scm_url": GIT, **first})["id"]
    inventory = awx.add("inventories", {"name": "PRS inventory", **first})["id"]
    source = {"name": "PRS inventory from project", "source": "scm", "inventory": inventory, "source_project": project}
    awx.add("inventory_sources", source)
    awx.objects["projects"][project].pop("_update")  # that is over
    template = {
        "name": "PRS backup",
        "project": project,
        "inventory": inventory,
        "playbook": "playbooks/backup_prs.yml",
    }
    rule = "DTSTART;TZID=UTC:20250105T000000 RRULE:FREQ=DAILY;INTERVAL=1"
    for name, started in (("tea", awx.add("job_templates", template)["id"]), ("fetch playbooks, daily", project)):
        awx.add("schedules", {"name": f"PRS {name}", "unified_job_template": started, "rrule": rule})
    awx.add("workflow_job_templates", {"name": "PRS rebuild and verify", **first})
    before = awx.content()["objects"]

    other = awx.add("organizations", {"name": "Estate B"})["id"]
    gone = [{"name": name, "state": "absent"} for name in ("tea", "fetch playbooks, daily")]
    run = configure(prs_awx_organization="Estate B", configure_awx_schedules=gone)
    assert run.code == 0, run.output
    after = awx.content()["objects"]
    assert {kind: {number: after[kind].get(number) for number in before[kind]} for kind in before} == before
    environment = awx.find("execution_environments", "PRS execution environment of Estate B")
    templates = [one for number, one in after["job_templates"].items() if number not in before["job_templates"]]
    assert len(templates) == len(PLAYBOOKS)
    assert {one["execution_environment"] for one in templates} == {environment["id"]}
    for kind, numbers in {
        "execution_environments": {environment["id"]},
        "projects": {one["project"] for one in templates},
        "inventories": {one["inventory"] for one in templates},
        "credentials": {number for one in templates for number in one["_credentials"]},
    }.items():
        assert {after[kind][number]["organization"] for number in numbers} == {other}, kind


def occurrences(name: str, begin: dt.datetime, end: dt.datetime, zone: str = "Europe/Berlin") -> list[dt.datetime]:
    """When AWX starts the schedule of that name, if configure_awx_time_zone is `zone`."""
    (one,) = (one for one in ROLE["_configure_awx_rhythm"] if one["name"].startswith(name))
    rule = f"DTSTART;TZID={one.get('time_zone', zone)}:{one['start']} RRULE:{one['rule']}"
    rules.schedule_rule(rule)
    return rules.occurrences(rule).between(begin, end)


def test_the_rhythm():
    begin, end = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (6, 7))
    full, differential = occurrences("full", begin, end), occurrences("differential", begin, end)
    assert [moment.strftime("%a %H:%M") for moment in full] == ["Sun 01:00"] * 4
    assert sorted(moment.day for moment in full + differential) == list(range(1, 31))
    assert len(occurrences("log", begin, begin + dt.timedelta(days=1))) == 96
    drills = occurrences("drill", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert [moment.strftime("%a %d %b") for moment in drills] == [
        "Sun 04 Jan",
        "Sun 05 Apr",
        "Sun 05 Jul",
        "Sun 04 Oct",
    ]


@pytest.mark.parametrize(
    "day", [dt.datetime(2026, 3, 28, tzinfo=dt.UTC), dt.datetime(2026, 10, 24, tzinfo=dt.UTC)], ids=["forward", "back"]
)
def test_clocks_that_are_set_leave_no_gap(day: dt.datetime):
    """A log backup every quarter of an hour, and each night's backup once, in a zone that changes on the 29th of March
    and the 25th of October.
    """
    begin, end = day + dt.timedelta(hours=12), day + dt.timedelta(hours=84)
    logs = [moment.astimezone(dt.UTC) for moment in occurrences("log", begin, end)]
    assert {after - before for before, after in itertools.pairwise(logs)} == {dt.timedelta(minutes=15)}
    assert len(occurrences("full", begin, end) + occurrences("differential", begin, end)) == 3


def read_somewhere(variable: str) -> bool:
    files = [
        file for part in ("roles", "playbooks") for file in (ROOT / part).rglob("*") if file.suffix in (".yml", ".j2")
    ]
    return any(re.search(rf"\b{variable}\b", file.read_text()) for file in files if "configure_awx" not in str(file))


def test_credentials_give_what_playbooks_read():
    """As AWX injects them: each field of a type reaches a variable that something reads, unchanged."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment()
    given: dict[str, str] = {}
    for one in awx_credential_types(ROLE["_configure_awx_table"]):
        names = [field["id"] for field in one["inputs"]["fields"]]
        assert one["inputs"]["required"] == names, "an empty field would hide the inventory's variable"
        values = {name: f"{{{{ not evaluated }}}} {one['name']} {name}" for name in names}
        injected = {
            key: environment.from_string(text).render(**values) for key, text in one["injectors"]["extra_vars"].items()
        }
        assert sorted(injected.values()) == sorted(values.values())
        assert set(one["injectors"]) == {"extra_vars"}, "what lies in the environment is written to a job's artifacts"
        assert not set(injected) & set(given)
        given |= injected
    assert [name for name in given if not name.startswith("ansible_") and not read_somewhere(name)] == []


def test_surveys_ask_what_playbooks_read():
    questions = [value for name, value in ROLE.items() if name.startswith("_configure_awx_ask_")]
    assert [one["variable"] for one in questions if not read_somewhere(one["variable"])] == []
    assert all("default" in one for one in questions if one["required"])
    assert not any("default" in one for one in questions if not one["required"])


def test_every_playbook_has_its_copy_for_the_project():
    copies = {
        file.name: yaml.safe_load(file.read_text()) for file in (ROOT / "inventory.example/playbooks").glob("*.yml")
    }
    assert sorted(copies) == PLAYBOOKS
    assert all(
        plays[0]["ansible.builtin.import_playbook"] == f"prs.recovery.{Path(name).stem}"
        for name, plays in copies.items()
    )


@pytest.fixture
def ask(awx: Awx) -> Ask:
    return lambda method, path, body=None, **query: awx.answer(method, f"/api/v2/{path}", query, body)


@pytest.mark.parametrize(("kind", "body", "says"), REFUSED, ids=str)
def test_the_stand_in_refuses_what_awx_refuses(ask: Ask, kind: str, body: dict[str, Any], says: str):
    status, answer = ask("POST", f"{kind}/", body)
    assert status == 400
    assert says in str(answer)


def test_the_stand_in_keeps_an_execution_environment_in_its_organization(ask: Ask):
    (taken, _said), (moved, said) = move_execution_environment(ask)
    assert (taken, moved) == (400, 400)
    assert said == {"organization": ["Cannot change the organization of an execution environment"]}


@pytest.mark.parametrize(("rule", "says"), WRONG_RULES)
def test_the_stand_in_knows_rules(rule: str, says: str):
    with pytest.raises(rules.Refused, match=says):
        rules.schedule_rule(rule)


def test_the_stand_in_wants_answers_in_a_schedule_although_there_are_defaults():
    question = {
        "variable": "host",
        "type": "multiplechoice",
        "choices": ["sql-a"],
        "default": "sql-a",
        "required": True,
    }
    template = {"survey_enabled": True, "ask_variables_on_launch": False}
    with pytest.raises(rules.Refused, match="'host' value missing"):
        rules.accepted_variables(template, {"spec": [question]}, {})
    rules.accepted_variables(template, {"spec": [question]}, {"host": "sql-a"})


def test_the_stand_in_links_two_nodes_once(awx: Awx, ask: Ask):
    workflow = awx.add("workflow_job_templates", {"name": "w", "organization": 1})["id"]
    kind = "workflow_job_template_nodes"
    first, second = (awx.add(kind, {"workflow_job_template": workflow, "identifier": name})["id"] for name in "ab")
    assert ask("POST", f"{kind}/{first}/failure_nodes/", {"id": second})[0] == 204
    status, answer = ask("POST", f"{kind}/{first}/success_nodes/", {"id": second})
    assert (status, answer) == (400, {"Error": "Relationship not allowed."})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "teams/", None),
        ("POST", "organizations/", {"name": "o", "color": "red"}),
        ("GET", "organizations/1/users/", None),
        ("PUT", "organizations/1/", {"name": "o"}),
    ],
    ids=["path", "field", "list", "method"],
)
def test_the_stand_in_says_what_it_does_not_model(awx: Awx, ask: Ask, method: str, path: str, body: Any):
    status, _answer = ask(method, path, body)
    assert status == 501
    assert len(awx.unmodelled) == 1
    awx.unmodelled.clear()
