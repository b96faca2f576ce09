"""The action plugin under ansible itself: a play against a host that does not exist, with a module that says what it
was given.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import threading

import pytest
import yaml
from ansible_collections.prs.recovery.plugins.plugin_utils.on_control_node import follow, on_this_machine
from backup_file_builder import build

ROOT = pathlib.Path(__file__).resolve().parents[4]
SECRET = "S3cret-of-the-host"
INFO = "prs.recovery.sql_info"


def test_no_module_was_forgotten():
    """A module without its action plugin would run on the Windows host, one outside the groups would miss its defaults."""
    modules = {file.stem for file in (ROOT / "plugins" / "modules").glob("*.py")}
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]
    assert modules == {file.stem for file in (ROOT / "plugins" / "action").glob("*.py")}
    assert modules == {name for names in groups.values() for name in names}
    of_windows = ("app_", "backup_file_", "database_file_", "recovery_", "text_", "windows_")
    assert all(name.startswith("sql_") for name in groups["sql"])
    assert all(name.startswith(of_windows) for name in groups["winrm"])


def test_a_task_for_an_unreachable_host_runs_here(play):
    (result,), done = play({INFO: {}})
    assert result["seen"] == "127.99.99.99"
    assert pathlib.Path(result["python"]).samefile(sys.executable)
    assert result["check"] is False
    assert done.returncode == 0


@pytest.mark.parametrize("core", ["", "2.16", "2.21"])
def test_a_script_for_an_unreachable_host_ends_as_with_ansible_s_own(play, core):
    (own, ansible_s), done = play(
        {"prs.recovery.windows_script": {"script": "1"}, "ignore_unreachable": True},
        {"ansible.builtin.raw": "hostname", "ignore_unreachable": True},
        core=core,
    )
    assert done.returncode == 0
    assert own["unreachable"] is True and not own.get("failed")
    differing = re.compile("0x[0-9a-f]+")  # where an object lies in memory
    assert differing.sub("", own["msg"]) == differing.sub("", ansible_s["msg"])


def test_files_of_the_control_node_are_read_without_a_connection(play, tmp_path):
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "full.bak").write_bytes(build())
    (result,), done = play(
        {"prs.recovery.backup_file_info": {"folders": [str(tmp_path / "backup")], "target": "latest"}}
    )
    assert done.returncode == 0 and [file["state"] for file in result["files"]] == ["whole"]
    assert [step["action"] for step in result["plan"]["steps"]] == ["database", "recover"]


def test_check_mode_defaults_of_the_group_and_explicit_options(play):
    (given, explicit), _done = play(
        {INFO: {}},
        {INFO: {"login_host": "elsewhere"}},
        module_defaults={"group/prs.recovery.sql": {"login_user": "me"}},
        extra=["--check"],
    )
    assert given["check"] is True and given["user"] == "me"
    assert explicit["seen"] == "elsewhere"
    assert given["name"] == "sql01" and explicit["name"] is None  # messages name the host as the inventory does


def test_loop_strategy_free_and_delegation_to_another_host(play):
    (loop, delegated), _done = play({INFO: {}, "loop": [1, 2]}, {INFO: {}, "delegate_to": "sql02"}, strategy="free")
    assert [item["seen"] for item in loop["results"]] == ["127.99.99.99"] * 2
    assert delegated["seen"] == "127.99.99.98" and delegated["name"] == "sql02"


def test_progress_is_shown_on_stderr_and_its_file_is_gone(play):
    (_first, result), done = play({INFO: {}}, {INFO: {"login_password": "hush-hush"}})
    assert "[sql01] sql_info: half way with" in done.stderr and "[sql01] sql_info: done" in done.stderr
    assert result["beside"] == 1, "the first task left its file behind"
    assert "hush-hush" not in done.stderr + done.stdout


def test_no_secret_at_any_verbosity(play):
    (result,), done = play({INFO: {"login_password": "hush-hush"}}, extra=["-vvvv"])
    assert result["seen"] and "EXEC" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert "hush-hush" not in done.stdout + done.stderr


CRASHES = """
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"login_host": {}, "login_password": {"no_log": True}})
module.warn("it comes")
raise LookupError("like this")
"""


@pytest.mark.parametrize("core", ["", "2.16", "2.21"])
def test_it_starts_from_the_files_in_place_and_crashes_as_any_module(play, collections, core):
    """No zip is packed, the arguments stand in no file, and a module that raises is a failed task that says so."""
    crashing = collections / "ansible_collections/prs/recovery/plugins/modules/sql_login.py"
    crashing.write_text(CRASHES)
    tasks = [{INFO: {}}, {"prs.recovery.sql_login": {"login_password": "hush-hush"}, "ignore_errors": True}]
    (result, crashed), done = play(*tasks, core=core, extra=["-vvv"])
    assert result["origin"] == str(collections / "ansible_collections/prs/recovery/plugins/modules/sql_info.py")
    assert result["controller"] is False, "a module has none of the controller's side of ansible"
    assert "like this" in json.dumps(crashed) and "...ignoring" in done.stdout, crashed
    assert "hush-hush" not in done.stdout + done.stderr


def test_who_keeps_the_files_of_modules_gets_those_that_ansible_makes(play, monkeypatch):
    monkeypatch.setenv("ANSIBLE_KEEP_REMOTE_FILES", "1")
    (result,), done = play({INFO: {}})
    assert result["seen"] == "127.99.99.99" and "_payload.zip/" in result["origin"], done.stdout


REFUSED = [
    ({"become": True, "become_method": "runas", "become_user": "SYSTEM"}, "'become: false'"),
    (
        {"vars": {"ansible_become": True, "ansible_become_method": "runas", "ansible_become_user": "SYSTEM"}},
        "ansible_become",
    ),
    ({"async": 10, "poll": 1}, "Remove 'async' and 'poll'"),
    ({"delegate_to": "localhost"}, "Remove 'delegate_to: localhost'"),
]


@pytest.mark.parametrize("core", ["", "2.16", "2.21"])
def test_refusals_say_what_to_do(play, core):
    """With the ansible-core that runs the tests, and with the oldest and the newest one where they are installed (make
    venv-2.16 ...).
    """
    tasks = [{INFO: {}, "ignore_errors": True, **keywords} for keywords, _part in REFUSED]
    tasks.append(
        {
            "prs.recovery.app_backup": {"path": "C:\\x", "destination": "D:\\y"},
            "vars": {"ansible_connection": "ssh"},
            "ignore_errors": True,
        }
    )
    (*results, seen), done = play(*tasks, {INFO: {}}, core=core)
    parts = [part for _keywords, part in REFUSED] + ["ansible_connection to winrm"]
    for result, part in zip(results, parts, strict=True):
        assert part in result["msg"]
    assert seen["seen"] == "127.99.99.99"
    assert "[sql01] sql_info: done" in done.stderr


def test_follow_shows_whole_lines_in_order(tmp_path):
    file, shown, done = tmp_path / "progress", [], threading.Event()
    file.write_text("one\ntw")
    follower = threading.Thread(target=follow, kwargs={"path": str(file), "done": done, "show": shown.append})
    follower.start()
    while not shown:
        done.wait(0.05)
    assert shown == ["one"]
    with file.open("a") as lines:
        lines.write("o\nünï\n")
    done.set()
    follower.join()
    assert shown == ["one", "two", "ünï"]


def test_variables_of_this_machine_reach_delegated_hosts_too():
    here = on_this_machine(
        {
            "ansible_connection": "winrm",
            "ansible_delegated_vars": {"sql02": {"x": 1, "ansible_shell_type": "powershell"}},
        }
    )
    assert here["ansible_python_interpreter"] == sys.executable
    assert here["ansible_delegated_vars"]["sql02"] == {
        "x": 1,
        "ansible_connection": "local",
        "ansible_shell_type": "sh",
        "ansible_python_interpreter": sys.executable,
    }
