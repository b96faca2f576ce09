"""The modules as a playbook runs them: routed by the action plugin, connected by what the inventory says of the host."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from .windows_twins import APPLICATION, CONTENT, PASSWORD, POOL, REMOTE, SHARE_PASSWORD, Twins

ROOT = Path(__file__).resolve().parents[3]
SHARE = {"share_user": "PRSLAB\\svc-backup", "share_password": "{{ share_password }}"}
BACKUP = {"path": APPLICATION, "destination": REMOTE, **SHARE}
RESTORE = {"path": APPLICATION, "source": REMOTE, "application_pool": POOL, "start_pool": True, **SHARE}


def play(
    twins: Twins,
    folder: Path,
    tasks: list[dict[str, Any]],
    *arguments: str,
    host: dict[str, Any] | None = None,
    more: dict[str, dict[str, Any]] | None = None,
) -> tuple[list[dict[str, Any]], str]:
    """Run tasks on the web server; the results of the tasks, and everything that was printed. host: other variables of
    it; more: other hosts, with theirs.
    """
    variables = {
        "ansible_host": twins.web.address, "ansible_connection": "winrm", "ansible_port": 5985, "ansible_winrm_transport": "ntlm",
        "ansible_user": "Administrator", "ansible_password": PASSWORD, "share_password": SHARE_PASSWORD,
        **(host or {}),
    }  # fmt: skip
    (folder / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"hosts": {"web": variables, **(more or {})}}}), encoding="utf-8"
    )
    (folder / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
    )
    environment = {
        **os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_LOG_PATH": str(folder / "log"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    command = [
        Path(sys.executable).parent / "ansible-playbook",
        "-i",
        folder / "hosts.yml",
        folder / "play.yml",
        "-vvvv",
        *arguments,
    ]
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    printed = done.stdout + done.stderr + (folder / "log").read_text(encoding="utf-8")
    results = [json.loads(text.partition("=> ")[2]) for text in blocks(done.stdout)]
    return results, printed


def blocks(text: str) -> list[str]:
    """The JSON that the default callback prints after each `web => `."""
    found: list[str] = []
    inside = False
    for line in text.splitlines():
        if not inside and line.startswith(("ok: [web]", "changed: [web]", "fatal: [web]")) and line.endswith("{"):
            found.append("")
            inside = True
        if inside:
            found[-1] += line + "\n"
            inside = line != "}"
    return found


def test_backup_and_restore(twins: Twins, tmp_path: Path) -> None:
    """The web server's clock, which is wrong, says how old archives are; the control node's may be wrong as well."""
    twins.install_iis()
    twins.web.clock_offset = dt.timedelta(days=400)
    tasks = [
        {"prs.recovery.app_backup": BACKUP},
        {"prs.recovery.app_backup_info": {"path": APPLICATION, "destination": REMOTE, "verify": "newest", **SHARE}},
        {"prs.recovery.app_restore": RESTORE},
    ]
    [backup, info, restore], printed = play(twins, tmp_path, tasks)
    assert backup["changed"] and backup["archive"]["verified"]
    assert dt.datetime.fromisoformat(backup["archive"]["created"]) > dt.datetime.now(dt.timezone.utc) + dt.timedelta(
        days=300
    )
    assert 0 <= info["newest"]["age_seconds"] < 86400
    assert (
        info["newest"]["path"] == backup["archive"]["path"] and info["newest"]["verified"] and info["newest"]["whole"]
    )
    assert not restore["changed"]

    twins.files.remove_tree(APPLICATION)
    [planned], more = play(twins, tmp_path, tasks[2:], "--check", "--diff")
    assert planned["changed"] and not twins.files.exists(APPLICATION)
    assert "-bin/Prs.Web.dll: missing" in more and "+bin/Prs.Web.dll: as in the archive" in more
    [restored], last = play(twins, tmp_path, tasks[2:])
    assert restored["changed"] and twins.tree() == CONTENT
    for secret in (SHARE_PASSWORD, PASSWORD):
        assert secret not in printed + more + last
        assert json.dumps(secret)[1:-1] not in printed + more + last


def test_failures_are_one_sentence_without_secrets(twins: Twins, tmp_path: Path) -> None:
    tasks = [{"prs.recovery.app_backup": {**BACKUP, "destination": "\\\\files\\nothing"}}]
    [failed], printed = play(twins, tmp_path, tasks)
    assert failed["windows_error"] == 67
    assert "The server has no share of that name" in failed["msg"] and twins.web.address in failed["msg"]
    assert (
        "Traceback" not in printed and SHARE_PASSWORD not in printed and json.dumps(SHARE_PASSWORD)[1:-1] not in printed
    )


def test_a_host_that_is_down(twins: Twins, tmp_path: Path) -> None:
    twins.web.close_network()
    [failed], _printed = play(twins, tmp_path, [{"prs.recovery.app_backup": BACKUP}])
    assert "cannot be reached" in failed["msg"] and "port 5985" in failed["msg"]
    assert "connection_error" not in failed
