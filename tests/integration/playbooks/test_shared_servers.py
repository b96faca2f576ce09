"""Servers that others use and change as well: what is theirs stays, and what they are in for is said beforehand."""

from __future__ import annotations

import json

import pytest
from playbook_lab import MARKERS, MOVED, Estate, share_on_witness

SITE = {"name": "PasswordResetServer"}
ADDED = [
    {"ip": "*", "port": 8088, "protocol": "http"},
    {"ip": "*", "port": 80, "protocol": "http", "hostname": "reset.prslab.test"},
]
TCP = r"HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQLServer\SuperSocketNetLib\Tcp\IPAll"
RULE = {"name": "Theirs", "direction": "in", "protocol": "tcp", "localport": "8088", "action": "allow", "enabled": True}


def facts(estate: Estate, host: str, module: str, **arguments: object) -> dict:
    """What a module that only looks says of a host."""
    result = estate.lab.state_dir / "result.json"
    tasks = [
        {module: arguments, "register": "result"},
        {
            "ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": str(result)},
            "delegate_to": "localhost",
            "vars": {"ansible_connection": "local"},
        },
    ]
    file = estate.lab.state_dir / "facts.json"
    file.write_text(json.dumps([{"hosts": host, "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    run = estate.play_file(file)
    assert run.code == 0, run.output
    return json.loads(result.read_text(encoding="utf-8"))


@pytest.mark.nightly
def test_what_others_added_to_the_site_and_to_the_instance_stays(estate: Estate):
    """And that all of their databases will be restarted stands in the plan."""
    estate.task("web-a", "microsoft.iis.website", **SITE, bindings={"add": ADDED})
    estate.task("sql-a", "ansible.windows.win_regedit", path=TCP, name="TcpPort", data="14330", type="string")
    estate.task("sql-a", "community.windows.win_firewall_rule", **RULE)
    planned = estate.play("rebuild_prs", "--check")
    assert planned.code == 0, planned.output
    restart = (
        "sql-a: RESTART SQL Server (MSSQLSERVER), and all databases with it, for its certificate, TCP port 14330,1433"
    )
    assert restart in planned.output
    run = estate.play("rebuild_prs")
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS
    [site] = facts(estate, "web-a", "microsoft.iis.website_info", **SITE)["site"]
    assert [(binding["port"], binding["hostname"]) for binding in site["bindings"]] == [
        (8443, ""),
        (8088, ""),
        (80, "reset.prslab.test"),
    ]
    assert facts(estate, "sql-a", "ansible.windows.win_reg_stat", path=TCP, name="TcpPort")["value"] == "14330,1433"
    estate.task("sql-a", "ansible.windows.win_wait_for", port=14330, timeout=5)
    again = estate.play("rebuild_prs")
    assert (again.code, again.changed) == (0, 0), again.output
    assert "RESTART" not in again.output


def test_an_empty_answer_of_awx_is_no_answer(shared_estate: Estate):
    """It hands null over for a question that nobody answered."""
    empty = {"prs_restore_set": None, "prs_restore_until": None, "prs_sql_updates": None, "prs_failover_hook": None}
    without, run = (shared_estate.play("restore_prs", "--check", "-e", json.dumps(answers)) for answers in ({}, empty))
    assert run.code == 0, run.output
    planned = [line for line in run.output.splitlines() if "bring back the database" in line]
    assert planned and planned == [line for line in without.output.splitlines() if "bring back the database" in line]


@pytest.mark.nightly
def test_rules_are_left_to_another_firewall(estate: Estate, one_message):
    """No rule can be set where the service of Windows Firewall is off."""
    estate.task("web-a", "ansible.windows.win_service", name="MpsSvc", state="stopped", start_mode="disabled")
    before = estate.lab.digest()
    one_message(
        estate.play("rebuild_prs"),
        "web-a: the service of Windows Firewall (MpsSvc) does not run",
        "prs_firewall: ignored",
        "Nothing was touched",
        alone=True,
    )
    assert estate.lab.digest() == before
    run = estate.play("rebuild_prs", "-e", "prs_firewall=ignored")
    assert run.code == 0, run.output
    assert "win_firewall_rule" not in {entry["module"] for entry in estate.lab.record("module")}


def test_a_strategy_of_ansible_cfg_changes_nothing(estate: Estate):
    """Under the free strategy run_once is none, and a set was written twice and copied nowhere."""
    place = share_on_witness(estate, "copies")
    copies = {"prs_backup_copies": [{"site": "site_b", "path": place}], "prs_backup_label": "free"}
    free = {"ANSIBLE_STRATEGY": "free", "ANSIBLE_ANY_ERRORS_FATAL": "true"}
    run = estate.play("backup_prs", "-e", json.dumps(copies), *MOVED, environment=free)
    assert run.code == 0, run.output
    copied = estate.lab.state_dir / "hosts/witness/drives/C/copies/sets/free.json"
    assert json.loads(copied.read_text(encoding="utf-8"))["label"] == "free"
