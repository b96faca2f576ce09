"""configure_awx against a real AWX, and the stand-in of the other tests held against it."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from awx_lab import ROOT, SECRETS, Configure, play
from real_awx import RealAwx
from refused import REFUSED, WRONG_RULES, move_execution_environment
from repository import Repository
from stand_in import KINDS, Awx


def test_a_check_run_then_everything_is_made_and_a_second_run_changes_nothing(awx: RealAwx, configure: Configure):
    check = configure("--check")
    assert check.code == 0, check.output
    assert "Not in AWX yet: credential type Windows" in check.output
    first = configure()
    assert first.code == 0, first.output
    assert not [secret for secret in SECRETS.values() if secret in first.output]
    second = configure()
    assert (second.code, second.changed) == (0, []), second.output


def test_the_stand_in_keeps_what_awx_keeps(awx: RealAwx, repository: Repository, tmp_path: Path):
    """Field by field, of what the same run makes in both; objects that others are referred to by have other numbers."""
    stand_in = Awx({repository.url: repository.folder})
    stand_in.tokens.add("the administrator's")
    reached = {"CONTROLLER_HOST": stand_in.url, "CONTROLLER_OAUTH_TOKEN": "the administrator's"}
    try:
        run = play(tmp_path, environment=reached, repository=repository.url, variables={})
    finally:
        stand_in.close()
    assert run.code == 0, run.output
    differing: list[str] = []
    for kind, known in KINDS.items():
        for one in stand_in.objects[kind].values():
            key = "name" if "name" in one else "identifier"
            query = urllib.parse.urlencode({key: one[key]})
            _status, found = awx.ask("GET", f"{kind}/?{query}")
            shown = stand_in.show(kind, one)
            differing += [
                f"{kind} {one[key]}: {field}: {shown[field]!r}, and in AWX {found['results'][0].get(field, 'not there')!r}"
                for field in set(known.fields) - set(known.references)
                if shown[field] != found["results"][0].get(field, "not there")
            ]
    assert differing == []


def administrator(awx: RealAwx, organization: int, name: str) -> dict[str, str]:
    """A new one, who has all rights in that organization and none elsewhere: how to reach AWX as that one."""
    password = "Estate-Password-1"
    _status, user = awx.ask("POST", "users/", {"username": name, "password": password})
    assert awx.ask("POST", f"organizations/{organization}/admins/", {"id": user["id"]})[0] == 204
    return {"controller_oauthtoken": awx.log_on(name, password)}


def test_an_organization_that_is_missing_is_said(configure: Configure):
    run = configure(prs_awx_organization="Estate")
    assert run.code != 0
    assert "AWX has no organization Estate" in run.output


def test_who_may_make_credential_types_is_said(awx: RealAwx, configure: Configure):
    run = configure(configure_awx_controller=administrator(awx, 1, "estate"), prs_awx_prefix="Estate")
    assert run.code != 0
    assert "AWX lets only a system administrator make or change credential types" in run.output


def test_two_organizations_are_each_whole_under_the_same_names(awx: RealAwx, configure: Configure):
    """Beside what the first test has made in Default, Estate B is set up by its own administrator, who sees nothing of that;
    the system administrator sees both.
    """
    _status, second = awx.ask("POST", "organizations/", {"name": "Estate B"})
    account = administrator(awx, second["id"], "estate-b")
    made = configure(prs_awx_organization="Estate B", configure_awx_controller=account)
    assert made.code == 0, made.output
    for name in ("Default", "Estate B"):
        again = configure(prs_awx_organization=name)
        assert (again.code, again.changed) == (0, []), again.output

    for name, environment in (
        ("Default", "PRS execution environment"),
        ("Estate B", "PRS execution environment of Estate B"),
    ):
        templates = awx.find("job_templates", organization__name=name, name__startswith="PRS ")
        assert len(templates) == len(list((ROOT / "inventory.example/playbooks").iterdir()))
        for template in templates:
            fields = template["summary_fields"]
            assert fields["execution_environment"]["name"] == environment
            used = [("projects", fields["project"]), ("inventories", fields["inventory"])]
            for kind, one in [*used, *(("credentials", credential) for credential in fields["credentials"])]:
                _status, found = awx.ask("GET", f"{kind}/{one['id']}/")
                assert found["summary_fields"]["organization"]["name"] == name
        assert len(schedules(awx, name)) == 7


def schedules(awx: RealAwx, organization: str) -> set[str]:
    return {
        one["name"]
        for one in awx.find("schedules", unified_job_template__organization__name=organization)
        if one["name"].startswith("PRS ")
    }


def test_a_schedule_of_which_only_its_absence_is_said_goes_and_that_of_another_organization_stays(
    awx: RealAwx, configure: Configure
):
    """Of what the test before has made, and one that Default alone has."""
    (backup,) = awx.find("job_templates", name="PRS backup", organization=1)
    tea = {"name": "PRS tea", "unified_job_template": backup["id"], "extra_data": {"prs_backup_kind": "full"}}
    tea["rrule"] = "DTSTART;TZID=UTC:20250105T000000 RRULE:FREQ=DAILY;INTERVAL=1"
    assert awx.ask("POST", "schedules/", tea)[0] == 201
    gone = [{"name": name, "state": "absent"} for name in ("drill, quarterly", "tea")]
    run = configure(prs_awx_organization="Estate B", configure_awx_schedules=gone)
    assert (run.code, run.changed) == (0, ["drill, quarterly"]), run.output
    assert "PRS drill, quarterly" not in schedules(awx, "Estate B")
    assert {"PRS drill, quarterly", "PRS tea"} < schedules(awx, "Default")


def test_passwords_are_given_again_and_what_somebody_changed_in_a_job_template_is_mended(
    awx: RealAwx, configure: Configure
):
    (backup,) = awx.find("job_templates", name="PRS backup", organization=1)
    path = f"job_templates/{backup['id']}/"
    assert awx.ask("PATCH", path, {"limit": "web-a", "become_enabled": True, "verbosity": 3})[0] == 200
    run = configure(configure_awx_update_secrets=True)
    assert (run.code, run.changed) == (0, ["Windows", "SQL Server", "share", "certificates", "backup"]), run.output
    mended = awx.ask("GET", path)[1]
    assert (mended["limit"], mended["become_enabled"], mended["verbosity"]) == ("", False, 0)


def test_a_fetch_that_failed_is_told_by_its_job_and_tried_again_by_the_next_run(
    awx: RealAwx, configure: Configure, own_repository: Repository
):
    """First of the project, whose branch is not there, then of the inventory, which is none."""
    settings: dict[str, Any] = {
        "prs_awx_project_url": own_repository.url,
        "prs_awx_project_branch": "later",
        "prs_awx_prefix": "Later",
        "configure_awx_schedules": [],
    }
    fetched = configure(**settings)
    assert fetched.code != 0
    assert re.search(
        r"AWX could not fetch the project from its repository: job \d+ on awx-bench failed", fetched.output
    )

    hosts = own_repository.folder / "inventory/hosts.yml"
    right = hosts.read_text()
    hosts.write_text("all: [")
    own_repository.push("later")
    read = configure(**settings)
    assert read.code != 0
    assert re.search(r"AWX could not read the inventory from the project: job \d+ on awx-bench failed", read.output)
    assert "host_filter" not in read.output, "the JSON of the inventory"
    assert awx.find("job_templates", name__startswith="Later") == []

    hosts.write_text(right)
    own_repository.push("later")
    whole = configure(**settings)
    assert whole.code == 0, whole.output
    assert {"Fetch the project", "Fetch the inventory"} < set(whole.changed)
    assert "sql-b" in {one["name"] for one in awx.find("hosts", inventory__name="Later inventory")}


def test_playbooks_that_are_not_in_the_repository_are_said_once(configure: Configure):
    run = configure(configure_awx_playbooks="elsewhere", prs_awx_prefix="Elsewhere")
    assert run.code != 0
    (fatal,) = (line for line in run.output.splitlines() if line.startswith("fatal: "))
    assert fatal.count("its repository lacks playbooks: copy inventory.example/playbooks into it") == 1


def test_a_workflow_that_somebody_linked_otherwise_is_told_by_name(awx: RealAwx, configure: Configure):
    """Of what the first test has made."""
    nodes = {
        name: awx.ask("GET", f"workflow_job_template_nodes/?identifier={name}")[1]["results"][0]["id"]
        for name in ("rebuild", "verify")
    }
    links = f"workflow_job_template_nodes/{nodes['rebuild']}"
    assert awx.ask("POST", f"{links}/success_nodes/", {"id": nodes["verify"], "disassociate": True})[0] == 204
    assert awx.ask("POST", f"{links}/failure_nodes/", {"id": nodes["verify"]})[0] == 204
    status, answer = awx.ask("POST", f"{links}/success_nodes/", {"id": nodes["verify"]})
    assert (status, answer) == (400, {"Error": "Relationship not allowed."})
    run = configure()
    assert run.code != 0
    assert "Somebody linked the nodes of the workflow that rebuilds and verifies otherwise" in run.output


def test_awx_wants_answers_in_a_schedule_although_there_are_defaults(awx: RealAwx):
    """Of what the test before has made."""
    _status, found = awx.ask("GET", "job_templates/?name=PRS+drill")
    rule = "DTSTART;TZID=UTC:20250105T000000 RRULE:FREQ=DAILY;INTERVAL=1"
    body = {"name": "x", "unified_job_template": found["results"][0]["id"], "rrule": rule, "extra_data": {}}
    status, answer = awx.ask("POST", "schedules/", body)
    assert (status, answer) == (400, {"variables_needed_to_start": ["'prs_drill_host' value missing"]})


@pytest.mark.parametrize(("kind", "body", "says"), REFUSED, ids=str)
def test_awx_refuses_what_the_stand_in_refuses(awx: RealAwx, kind: str, body: dict[str, Any], says: str):
    status, answer = awx.ask("POST", f"{kind}/", body)
    assert status == 400
    assert says in str(answer)


def test_awx_keeps_an_execution_environment_in_its_organization(awx: RealAwx):
    (taken, _said), (moved, said) = move_execution_environment(awx.ask)
    assert (taken, moved) == (400, 400)
    assert said == {"organization": ["Cannot change the organization of an execution environment"]}


@pytest.mark.parametrize(("rule", "says"), WRONG_RULES)
def test_awx_refuses_rules_that_the_stand_in_refuses(awx: RealAwx, rule: str, says: str):
    _status, found = awx.ask("GET", "job_templates/?name=Demo+Job+Template")
    body = {"name": "wrong", "unified_job_template": found["results"][0]["id"], "rrule": rule}
    status, answer = awx.ask("POST", "schedules/", body)
    assert status == 400
    assert says in str(answer)
