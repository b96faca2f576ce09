"""configure_awx against a real AWX, and the stand-in of the other tests held against it."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from awx_lab import SECRETS, Configure, play
from real_awx import RealAwx
from refused import REFUSED, WRONG_RULES
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


def test_the_stand_in_keeps_what_awx_keeps(awx: RealAwx, repository: Path, tmp_path: Path):
    """Field by field, of what the same run makes in both; objects that others are referred to by have other numbers."""
    stand_in = Awx({f"file://{repository}": repository})
    stand_in.tokens.add("the administrator's")
    reached = {"CONTROLLER_HOST": stand_in.url, "CONTROLLER_OAUTH_TOKEN": "the administrator's"}
    try:
        run = play(tmp_path, environment=reached, repository=f"file://{repository}", variables={})
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


def test_an_organization_that_is_missing_is_said(configure: Configure):
    run = configure(prs_awx_organization="Estate")
    assert run.code != 0
    assert "AWX has no organization Estate" in run.output


def test_who_may_make_credential_types_is_said(awx: RealAwx, configure: Configure):
    """An administrator of the organization, who has all rights in it."""
    _status, user = awx.ask("POST", "users/", {"username": "estate", "password": "Estate-Password-1"})
    awx.ask("POST", "organizations/1/admins/", {"id": user["id"]})
    account = {"controller_username": "estate", "controller_password": "Estate-Password-1"}
    run = configure(configure_awx_controller=account, prs_awx_prefix="Estate")
    assert run.code != 0
    assert "AWX lets only a system administrator make or change credential types" in run.output


def test_a_branch_that_is_not_there_ends_the_run_with_a_sentence(awx: RealAwx, configure: Configure):
    run = configure(prs_awx_project_branch="nowhere", prs_awx_prefix="Branch")
    assert run.code != 0
    assert "AWX could not fetch the project from its repository" in run.output
    assert awx.ask("GET", "job_templates/?name__startswith=Branch")[1]["count"] == 0


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


@pytest.mark.parametrize(("rule", "says"), WRONG_RULES)
def test_awx_refuses_rules_that_the_stand_in_refuses(awx: RealAwx, rule: str, says: str):
    _status, found = awx.ask("GET", "job_templates/?name=Demo+Job+Template")
    body = {"name": "wrong", "unified_job_template": found["results"][0]["id"], "rrule": rule}
    status, answer = awx.ask("POST", "schedules/", body)
    assert status == 400
    assert says in str(answer)
