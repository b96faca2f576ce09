"""A site that does not answer: the runs that must go on without it say so. No lab is needed, only ports that drop what
comes.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playbook_lab import ROOT, Estate, Run
from prs_lab.windows.silence import silent_port

NOBODY: dict[str, object] = {
    "ansible_connection": "winrm",
    "ansible_host": "127.0.0.1",
    "ansible_user": "nobody",
    "ansible_password": "none",
    "ansible_winrm_operation_timeout_sec": 1,
    "ansible_winrm_read_timeout_sec": 2,
}
REFUSED_PORT = 9
"""Nobody listens there, and the system says so."""
GROUPS = {
    "site_a": ["web-a", "sql-a"],
    "site_b": ["web-b", "sql-b"],
    "prs_web": ["web-a", "web-b"],
    "prs_sql": ["sql-a", "sql-b"],
}


@pytest.fixture(scope="module", autouse=True)
def lost() -> Iterator[int]:
    """A port that is silent, at which all servers are looked for."""
    with silent_port() as port:
        NOBODY["ansible_port"] = port
        yield port


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


class _Refusing(BaseHTTPRequestHandler):
    """WinRM that knows no account."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(401)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Not into the output of the tests."""


@pytest.fixture
def refusing() -> Iterator[dict[str, object]]:
    """Variables of hosts that answer, and refuse the account."""
    server = HTTPServer(("127.0.0.1", 0), _Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"ansible_port": server.server_port, "ansible_winrm_scheme": "http", "ansible_winrm_transport": "basic"}
    server.shutdown()
    server.server_close()


def included(
    folder: Path,
    role: str,
    tasks: str,
    *,
    ansible: str,
    hosts: str = "all",
    answering: dict[str, object] | None = None,
    **variables: object,
) -> Run:
    """A part of a role on servers of which none answers (or those that `answering` says), in a play like those of the
    playbooks.
    """
    inventory = {"all": {
        "hosts": {host: NOBODY | (answering or {}) for name in ("site_a", "site_b") for host in GROUPS[name]},
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
    found = {"app_pools": [{"name": "PasswordResetServer", "attributes": {"state": "Started"}}]}
    run = included(
        tmp_path, "failover", "stop", hosts="web-a", prs_active_site="site_b", ansible=ansible, _failover_pool=found
    )
    assert run.code == 0 and not run.messages and "failed=0" in run.output, run.output


def test_failover_waits_when_the_old_web_server_refuses_the_account_meanwhile(
    tmp_path: Path, one_message, ansible: str, refusing: dict[str, object]
):
    """Its password was changed in the middle of the run: it serves on, and two applications would."""
    found = {"app_pools": [{"name": "PasswordResetServer", "attributes": {"state": "Started"}}]}
    variables = {"prs_active_site": "site_b", "_failover_pool": found, "answering": refusing, "ansible": ansible}
    run = included(tmp_path, "failover", "stop", hosts="web-a", **variables)
    one_message(
        run, "web-a answers, but refuses the account", "sql-b has the database by now, and web-b was not started"
    )
    by_hand = included(tmp_path, "failover", "stop", hosts="web-a", prs_old_application_stopped=True, **variables)
    assert by_hand.code == 0, by_hand.output


def test_failover_waits_when_the_old_web_server_refuses_connections_meanwhile(
    tmp_path: Path, one_message, ansible: str
):
    """Its service WinRM was stopped in the middle of the run, and no firewall hides that: it serves on."""
    found = {"app_pools": [{"name": "PasswordResetServer", "attributes": {"state": "Started"}}]}
    variables = {
        "prs_active_site": "site_b",
        "_failover_pool": found,
        "answering": {"ansible_port": REFUSED_PORT},
        "ansible": ansible,
    }
    run = included(tmp_path, "failover", "stop", hosts="web-a", **variables)
    one_message(run, "web-a answers, but takes no connection for WinRM", "web-b was not started")
    by_hand = included(tmp_path, "failover", "stop", hosts="web-a", prs_old_application_stopped=True, **variables)
    assert by_hand.code == 0, by_hand.output


def test_failover_waits_when_the_page_of_a_silent_web_server_answers(tmp_path: Path, one_message, ansible: str):
    """Windows Firewall drops what comes for a service WinRM that was stopped, so that a server which serves on is silent."""
    found = {"app_pools": [{"name": "PasswordResetServer", "attributes": {"state": "Started"}}]}
    with socket.create_server(("127.0.0.1", 0)) as page:
        threading.Thread(target=lambda: page.accept()[0].close(), daemon=True).start()
        variables = {"prs_active_site": "site_b", "_failover_pool": found, "ansible": ansible}
        port = page.getsockname()[1]
        run = included(tmp_path, "failover", "stop", hosts="web-a", prs_app_https_port=port, **variables)
    one_message(run, "web-a does not answer by WinRM, but its page answers", "web-b was not started")


def test_a_new_site_that_refuses_the_account_is_not_said_to_be_lost(
    tmp_path: Path, one_message, ansible: str, refusing: dict[str, object]
):
    run = included(tmp_path, "failover", "gather", prs_active_site="site_b", ansible=ansible, answering=refusing)
    said = one_message(run, "sql-b answers, but refuses the account", "So site_b cannot take over", alone=True)
    assert "cannot be reached" not in said and "lost" not in said
    run = included(tmp_path, "mirror", "gather", prs_active_site="site_a", ansible=ansible, answering=refusing)
    said = one_message(run, "web-b answers, but refuses the account", "Nothing was touched", alone=True)
    assert "cannot be reached" not in said


def test_mirroring_names_what_does_not_answer(tmp_path: Path, one_message, ansible: str):
    run = included(tmp_path, "mirror", "gather", prs_active_site="site_a", ansible=ansible)
    one_message(run, "sql-b", "web-b", "cannot be reached by WinRM", "Nothing was touched", alone=True)


@pytest.mark.parametrize("there", ["answers", "refuses", "is lost"])
def test_a_backup_waits_for_an_instance_that_answers_and_cannot_be_asked(
    tmp_path: Path, one_message, ansible: str, lost: int, there: str
):
    """It may hold the newer database: a login that is refused is no lost server, nor is one without its SQL Server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = {"answers": listener.getsockname()[1], "refuses": REFUSED_PORT, "is lost": lost}[there]
        hosts = {"hosts": "sql-a", "prs_active_site": "site_a", "prs_sql_port": port, "ansible": ansible}
        run = included(tmp_path, "mirror", "check_other_site", **hosts)
    if there != "is lost":
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
