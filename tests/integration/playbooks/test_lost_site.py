"""A site that does not answer: the runs that must go on without it say so. No lab is needed, only addresses at which
nobody listens.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from playbook_lab import ROOT, Estate, Run

NOBODY = {
    "ansible_connection": "winrm",
    "ansible_host": "127.0.0.1",
    "ansible_port": 9,
    "ansible_user": "nobody",
    "ansible_password": "none",
}
GROUPS = {
    "site_a": ["web-a", "sql-a"],
    "site_b": ["web-b", "sql-b"],
    "prs_web": ["web-a", "web-b"],
    "prs_sql": ["sql-a", "sql-b"],
}


@pytest.fixture(
    params=["", pytest.param("2.16", marks=pytest.mark.nightly), pytest.param("2.21", marks=pytest.mark.nightly)],
    ids=["here", "2.16", "2.21"],
)
def ansible(request: pytest.FixtureRequest) -> str:
    """Whether a host that is ignored ends the run of the others is each version's own affair."""
    tool = ROOT / "build" / f"venv-{request.param}" / "bin" / "ansible-playbook"
    if request.param and not tool.exists():
        pytest.skip(f"no ansible-core {request.param} here: make venv-{request.param}")
    return str(tool) if request.param else ""


def included(folder: Path, role: str, tasks: str, *, ansible: str, hosts: str = "all", **variables: object) -> Run:
    """A part of a role on servers of which none answers, in a play like those of the playbooks."""
    inventory = {"all": {
        "hosts": {host: NOBODY for name in ("site_a", "site_b") for host in GROUPS[name]},
        "vars": {"prs_ha": "mirror", "prs_sql_admin_password": "none", **variables},
        "children": {name: {"hosts": {host: {} for host in members}} for name, members in GROUPS.items()},
    }}  # fmt: skip
    (folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    task = {"ansible.builtin.include_role": {"name": f"prs.recovery.{role}", "tasks_from": tasks}}
    play = [{"hosts": hosts, "gather_facts": False, "any_errors_fatal": True, "tasks": [task]}]
    (folder / "play.json").write_text(json.dumps(play), encoding="utf-8")
    return Estate(folder).play_file(folder / "play.json", ansible=ansible, inventory=str(folder / "inventory.json"))


def test_failover_names_what_does_not_answer(tmp_path: Path, one_message, ansible: str):
    run = included(tmp_path, "failover", "gather", prs_active_site="site_b", ansible=ansible)
    one_message(run, "sql-b", "web-b", "cannot be reached by WinRM, so site_b cannot take over", alone=True)


def test_failover_goes_on_when_the_old_web_server_goes_away_meanwhile(tmp_path: Path, ansible: str):
    found = {"app_pools": [{"attributes": {"state": "Started"}}]}
    run = included(
        tmp_path, "failover", "stop", hosts="web-a", prs_active_site="site_b", ansible=ansible, _failover_pool=found
    )
    assert run.code == 0 and not run.messages and "failed=0" in run.output, run.output


def test_mirroring_names_what_does_not_answer(tmp_path: Path, one_message, ansible: str):
    run = included(tmp_path, "mirror", "gather", prs_active_site="site_a", ansible=ansible)
    one_message(run, "sql-b", "web-b", "cannot be reached by WinRM", "Nothing was touched", alone=True)


@pytest.mark.parametrize("there", ["answers", "is lost"])
def test_a_backup_waits_for_an_instance_that_answers_and_cannot_be_asked(
    tmp_path: Path, one_message, ansible: str, there: str
):
    """It may hold the newer database: a login that is refused is no lost server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if there == "is lost":
            listener.close()
        hosts = {"hosts": "sql-a", "prs_active_site": "site_a", "prs_sql_port": port, "ansible": ansible}
        run = included(tmp_path, "mirror", "check_other_site", **hosts)
    if there == "answers":
        one_message(
            run,
            "sql-b answers, but cannot be asked whether it holds PasswordResetServer",
            "prs_allow_database_loss=true",
            alone=True,
        )
    else:
        assert run.code == 0 and not run.messages, run.output


def test_a_rebuild_warns_of_a_site_that_does_not_answer(tmp_path: Path, ansible: str):
    run = included(tmp_path, "mirror", "gather", prs_active_site="site_a", mirror_unreached="skip", ansible=ansible)
    assert run.code == 0, run.output
    assert "PasswordResetServer is NOT protected by a mirror now" in run.output
