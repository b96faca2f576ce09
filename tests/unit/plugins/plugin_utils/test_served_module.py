"""The server of modules, under ansible itself: what it saves, and that nothing of one run is left for the next."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.plugin_utils._served_module import ITS_NAME

ROOT = Path(__file__).resolve().parents[4]

LOOK = r"""
import atexit, os, signal, sys, threading, time
from pathlib import Path
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils import _progress

module = AnsibleModule({"login_host": {}, "login_password": {"no_log": True}, "do": {}})
if module.params["do"] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
if module.params["do"] == "wait":
    with open("waits", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(60)
if module.params["do"] == "tidy up":
    atexit.register(Path("ends").write_text, "tidied up")
    threading.Thread(target=lambda: (time.sleep(0.5), Path("thread").write_text("ended"))).start()
if module.params["do"] == "say why":
    sys.exit("no way")
if module.params["do"] == "fail":
    raise KeyboardInterrupt("a fault")
parent = os.getppid()
with open(f"/proc/{parent}/cmdline", "rb") as file:
    program = file.read().decode().split("\0")
left = getattr(_progress, "LEFT", ""), os.environ.get("LEFT", ""), len(sys.argv)
_progress.LEFT = os.environ["LEFT"] = "by another run"
open_files = sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}"))
environment = os.environ.get("MINE")
with open(f"/proc/{parent}/stat") as file:
    starter = int(file.read().rpartition(")")[2].split()[1])
module.exit_json(process=os.getpid(), parent=parent, program=program, starter=starter, left=left, files=open_files, mine=environment,
    folder=os.getcwd(), padding="x" * 300_000)
"""
LOGIN = "prs.recovery.sql_login"
CORES = ["", "2.16", "2.21"]


@pytest.fixture(autouse=True)
def look(collections):
    (collections / "ansible_collections/prs/recovery/plugins/modules/sql_login.py").write_text(LOOK)


def serves(result):
    return ITS_NAME in result["program"]


def is_gone(process, seconds=10):
    """Whether it has ended by then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("core", CORES)
def test_modules_are_children_of_one_server_that_ends_with_the_run(play, core, tmp_path):
    (first, second), _done = play({LOGIN: {"login_password": "hush-hush"}}, {LOGIN: {}}, core=core)
    assert serves(first) and first["parent"] == second["parent"] and first["process"] != second["process"]
    assert is_gone(first["parent"])
    assert first["folder"] == second["folder"] == str(tmp_path) and len(first["padding"]) == 300_000


def test_nothing_of_a_run_is_left_for_the_next(play):
    (first, second), _done = play({LOGIN: {}}, {LOGIN: {}})
    assert serves(second) and first["left"] == second["left"] == ["", "", 1]
    left = [name for name in second["files"] if "socket" in name or "pidfd" in name or "memfd" in name]
    assert len(left) == 1 and "socket" in left[0], "its own, to ask for sessions"


@pytest.mark.parametrize("core", CORES)
def test_a_run_that_writes_a_report_starts_it_before_its_first_task(play, core, tmp_path):
    (tmp_path / "callback_plugins").symlink_to(ROOT / "playbooks/callback_plugins")
    ansible = {"ansible.builtin.set_fact": {"ansible": "{{ lookup('pipe', 'ps -o ppid= $PPID') }}"}}
    results, _done = play({LOGIN: {}}, {LOGIN: {}}, ansible, core=core, extra=["play.yml"])  # that book twice
    first, second, asked, third, *_asked = results
    assert serves(first) and first["parent"] == second["parent"] == third["parent"] and is_gone(first["parent"])
    assert first["starter"] == second["starter"] == int(asked["ansible_facts"]["ansible"])


@pytest.mark.parametrize("core", CORES)
def test_a_run_that_writes_a_report_compiles_this_collection_once(play, core, monkeypatch, tmp_path):
    """Ansible compiles what it loads of a collection in each run anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "callback_plugins").symlink_to(ROOT / "playbooks/callback_plugins")
    play({LOGIN: {}}, core=core)
    kept = [path.name for path in (tmp_path / "cache").rglob("*.pyc")]
    assert [name for name in kept if name.endswith(".plugin_utils._run_report.pyc")], kept


def test_hosts_at_the_same_time_share_it(play):
    results, _done = play({LOGIN: {}}, hosts="all", extra=["--forks", "2"])
    assert len(results) == 2 and len({result["parent"] for result in results}) == 1 and serves(results[0])


def test_a_task_with_an_environment_of_its_own_gets_a_new_python(play):
    """Python reads much of it when it starts, and what the libraries read when they are imported nobody knows."""
    (result,), _done = play({LOGIN: {}, "environment": {"MINE": "yes"}})
    assert not serves(result) and result["mine"] == "yes"


def test_a_module_that_is_killed_is_a_failed_task_and_the_next_one_runs(play):
    (killed, after), _done = play({LOGIN: {"do": "die"}, "ignore_errors": True}, {LOGIN: {}})
    assert killed["rc"] == 128 + signal.SIGKILL and serves(after)


@pytest.mark.parametrize(("do", "said"), [("say why", "no way"), ("fail", "KeyboardInterrupt: a fault")])
def test_a_module_that_ends_in_its_own_way_says_why(play, do, said):
    (result,), _done = play({LOGIN: {"do": do}, "ignore_errors": True})
    assert result["rc"] == 1 and said in result["module_stderr"]


def test_a_module_tidies_up_behind_itself(play, tmp_path):
    """Its process ends without Python's own end, which would copy all of its memory to free it."""
    (result,), _done = play({LOGIN: {"do": "tidy up"}})
    assert serves(result)
    assert (tmp_path / "ends").read_text() == "tidied up" and (tmp_path / "thread").read_text() == "ended"


def test_a_server_that_is_killed_is_replaced(play):
    kill = {"ansible.builtin.command": "kill -9 {{ first.parent }}", "delegate_to": "localhost"}
    (first, _killed, after), _done = play({LOGIN: {}, "register": "first"}, kill, {LOGIN: {}})
    assert serves(after) and after["parent"] != first["parent"]


def test_a_module_whose_task_timed_out_is_ended(play, tmp_path):
    (late,), _done = play({LOGIN: {"do": "wait"}, "timeout": 2})
    assert late["timedout"]["period"] == 2, late
    assert is_gone((tmp_path / "waits").read_text())


@pytest.mark.parametrize(
    ("core", "number"),
    [("2.16", signal.SIGINT), *((core, signal.SIGTERM) for core in ("", "2.21")), ("", signal.SIGINT)],
)
def test_who_ends_ansible_ends_the_module_and_the_server(start, core, number, tmp_path):
    process = start({LOGIN: {"do": "wait"}}, core=core)
    waits = tmp_path / "waits"
    end = time.monotonic() + 20
    while not (waits.exists() and waits.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    module = waits.read_text()
    server = re.search(r"PPid:\s*(\d+)", Path(f"/proc/{module}/status").read_text())[1]
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert is_gone(module) and is_gone(server)


def test_without_a_way_to_serve_modules_run_alone(play, monkeypatch, tmp_path):
    """As on systems other than Linux."""
    (tmp_path / "sitecustomize.py").write_text("import os; del os.pidfd_open")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (result,), _done = play({LOGIN: {}})
    assert not serves(result) and result["process"]
