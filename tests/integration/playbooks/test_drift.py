"""What somebody changed on servers that serve is told by a check run and put right by the next: one thing each, which the
roles set only where a look of the run found that it differs. A check run of Ansible's win_acl tells nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any

from playbook_lab import Estate

SITE = "PasswordResetServer"
FOLDER = rf"C:\inetpub\wwwroot\{SITE}"
RULE = {"direction": "in", "action": "allow", "protocol": "tcp", "state": "present"}
GONE = {"type": "allow", "state": "absent"}
RIGHT = GONE | {"user": r"NT SERVICE\MSSQLSERVER", "rights": "Read"}
KEYS = "ProgramData/Microsoft/Crypto/RSA/MachineKeys"
CHANGES: dict[str, list[dict[str, Any]]] = {
    "web-a": [
        {"community.windows.win_firewall_rule": RULE | {"name": "Password Reset Server (HTTPS)", "enabled": False}},
        {"microsoft.iis.web_app_pool": {"name": SITE, "attributes": {"managedPipelineMode": "Integrated"}}},
        {"microsoft.iis.website": {"name": SITE, "state": "stopped"}},
        {"ansible.windows.win_acl": GONE | {"user": rf"IIS AppPool\{SITE}", "rights": "Modify", "path": FOLDER}},
        {"ansible.windows.win_feature": {"name": "Web-Mgmt-Console", "state": "absent"}},
    ],
    "sql-a": [
        {"community.windows.win_firewall_rule": RULE | {"name": "SQL Server (MSSQLSERVER)", "localport": "1434"}},
    ],
}
LOG = ("-e", "prs_backup_kind=log")
FULL = ("-e", "prs_database_recovery_model=FULL")
MENDED = {
    ("web-a", "Install roles and features of a server"),
    ("web-a", "Set up the application pool"),
    ("web-a", "Set up the site"),
    ("web-a", "Allow browsers in the firewall"),
    ("sql-a", "Put the certificate into the machine's store"),
    ("sql-a", "Allow clients in the firewall"),
}


def key_of_sql_server(estate: Estate) -> str:
    [key] = (estate.lab.state_dir / "hosts/sql-a/drives/C" / KEYS).iterdir()
    return "C:\\" + f"{KEYS}/{key.name}".replace("/", "\\")


def changed_tasks(output: str) -> set[tuple[str, str]]:
    """(host, task) of each task that said that it changed, or would change, something."""
    found, task = set(), ""
    for line in output.splitlines():
        if began := re.match(r"TASK \[(?:[^]]* : )?(.*)\] \*", line):
            task = began[1]
        elif told := re.match(r"changed: \[([^ \]]+)", line):
            found.add((told[1], task))
    return found


def test_what_somebody_changed_is_told_and_put_right(estate: Estate):
    changes = CHANGES | {
        "sql-a": [*CHANGES["sql-a"], {"ansible.windows.win_acl": RIGHT | {"path": key_of_sql_server(estate)}}]
    }
    plays = [{"hosts": host, "gather_facts": False, "tasks": tasks} for host, tasks in changes.items()]
    file = estate.lab.state_dir / "drift.json"
    file.write_text(json.dumps(plays), encoding="utf-8")
    drifted = estate.play_file(file)
    assert drifted.code == 0, drifted.output
    told = estate.play("rebuild_prs", "--check")
    assert told.code == 0, told.output
    assert changed_tasks(told.output) >= MENDED
    run = estate.play("rebuild_prs")
    assert run.code == 0, run.output
    assert changed_tasks(run.output) >= MENDED | {("web-a", "Give the pool's identity its rights on the folder")}
    again = estate.play("rebuild_prs")
    assert (again.code, again.changed) == (0, 0), again.output


def test_a_database_that_keeps_no_log_gets_one_by_what_the_refused_log_backup_says(estate: Estate, one_message):
    one_message(
        estate.play("backup_prs", *LOG), "recovery model SIMPLE", "prs_database_recovery_model: FULL", "provision_prs"
    )
    model = ("sql-a", "Let a database that is there keep its log, where the inventory says so")
    told = estate.play("provision_prs", *FULL, "--check")
    assert told.code == 0 and model in changed_tasks(told.output), told.output
    run = estate.play("provision_prs", *FULL)
    assert run.code == 0 and model in changed_tasks(run.output), run.output
    again = estate.play("provision_prs", *FULL)
    assert (again.code, again.changed) == (0, 0), again.output
    for kind in ((), LOG):
        backup = estate.play("backup_prs", *kind)
        assert backup.code == 0, backup.output
    kept = estate.play(
        "provision_prs"
    )  # the inventory says SIMPLE, and the logs that are backed up are not given up for it
    assert (kept.code, kept.changed) == (0, 0), kept.output
    assert estate.play("backup_prs", *LOG).code == 0
