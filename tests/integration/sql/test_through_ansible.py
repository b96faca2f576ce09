"""The modules as a user has them: a play against the database hosts, on every ansible-core that is at hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import ADMIN, PASSWORD, SHARE

ROOT = Path(__file__).resolve().parents[3]
WINDOWS_PASSWORD = "W1ndows-Passw0rd-of-tests"
APP_PASSWORD = "App-Passw0rd-of-tests"


@pytest.fixture
def play(lab, tmp_path):
    made, ca_file = lab

    def run(name, tasks, *, core="", extra=()):
        binaries = ROOT / "build" / f"venv-{core}" / "bin" if core else Path(sys.executable).parent
        if core and not binaries.exists():
            pytest.skip(f"no ansible-core {core} here: make venv-{core}")
        common = {
            "ansible_connection": "winrm",
            "ansible_user": "Administrator",
            "ansible_password": WINDOWS_PASSWORD,
            "ansible_port": 5985,
        }
        hosts = {
            one: {**common, "ansible_host": made.host(one).address, "fqdn": made.host(one).fqdn}
            for one in ("sql-a", "sql-b")
        }
        (tmp_path / "hosts.yml").write_text(
            yaml.safe_dump({"all": {"hosts": hosts, "vars": {"database": name, "folder": f"{SHARE}\\play\\{name}"}}})
        )
        login = {"login_user": ADMIN, "login_password": PASSWORD, "ca_file": ca_file, "certificate_name": "{{ fqdn }}"}
        book = [
            {"hosts": host, "gather_facts": False, "module_defaults": {"group/prs.recovery.sql": login}, "tasks": some}
            for host, some in tasks
        ]
        (tmp_path / "play.yml").write_text(yaml.safe_dump(book, sort_keys=False))
        (tmp_path / "ansible.cfg").touch()
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
        }
        environment.pop("SSL_CERT_FILE", None)
        command = [binaries / "ansible-playbook", "-i", "hosts.yml", "play.yml", *extra]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
        )

    return run


APP = {
    "name": "app_{{ database }}",
    "password": APP_PASSWORD,
    "databases": [{"name": "{{ database }}", "roles": ["db_owner"]}],
}
ACROSS = [
    (
        "sql-a",
        [
            {"prs.recovery.sql_info": {}},
            {"prs.recovery.sql_database": {"name": "{{ database }}", "recovery_model": "FULL"}},
            {"prs.recovery.sql_login": APP},
            {"prs.recovery.sql_backup": {"database": "{{ database }}", "path": "{{ folder }}"}},
            {"prs.recovery.sql_backup_info": {"folders": ["{{ folder }}"]}},
        ],
    ),
    (
        "sql-b",
        [
            {"prs.recovery.sql_restore": {"database": "{{ database }}", "source": {"folders": ["{{ folder }}"]}}},
            {"prs.recovery.sql_login": APP},
        ],
    ),
]


@pytest.mark.parametrize("core", ["", "2.16", "2.21"])
def test_from_one_server_to_the_other(play, sql_b, name, core):
    done = play(name, ACROSS, core=core)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sql_b.state_of(name) == "ONLINE"
    assert f"[sql-a] sql_backup: backup of {name}: 100 %" in done.stderr
    assert f"[sql-b] sql_restore: reading {SHARE}" in done.stderr


def test_check_mode_changes_nothing_and_shows_the_plan(play, sql_a, sql_b, database, only_queries):
    folder = f"{SHARE}\\play\\{database}"
    sql_a.run("sql_backup", database=database, path=folder)
    tasks = [
        (
            "sql-b",
            [{"prs.recovery.sql_restore": {"database": "{{ database }}", "source": {"folders": ["{{ folder }}"]}}}],
        )
    ]
    with only_queries:
        done = play(database, tasks, extra=["--check", "-v"])
    assert done.returncode == 0 and "changed=1" in done.stdout
    assert f"RESTORE DATABASE [{database}] FROM DISK" in done.stdout
    assert sql_b.state_of(database) is None


@pytest.mark.parametrize(
    "core", ["", pytest.param("2.16", marks=pytest.mark.nightly), pytest.param("2.21", marks=pytest.mark.nightly)]
)
def test_no_secret_anywhere_at_any_verbosity(play, name, core):
    wrong = {"login_password": "Wr0ng-Passw0rd-of-tests"}
    tasks = [
        *ACROSS,
        (
            "sql-a",
            [
                {"prs.recovery.sql_login": {**APP, "sid": "0x01"}, "ignore_errors": True},
                {"prs.recovery.sql_info": wrong},
            ],
        ),
    ]
    done = play(name, tasks, extra=["-vvvv", "--diff"], core=core)
    assert done.returncode == 2 and "18456" in done.stdout + done.stderr
    for secret in (PASSWORD, WINDOWS_PASSWORD, APP_PASSWORD, wrong["login_password"]):
        assert secret not in done.stdout + done.stderr
