"""Plays under ansible itself against a host that does not exist, with modules that say what they were given."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[4]
SECRET = "S3cret-of-the-host"
HOST = {
    "ansible_host": "127.99.99.99",  # nothing listens there
    "ansible_connection": "winrm",
    "ansible_port": 5985,
    "ansible_user": "admin",
    "ansible_password": SECRET,
    "ansible_shell_type": "powershell",
    "ansible_winrm_transport": "ntlm",
}
ECHO = """
import glob, os, sys, time
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.prs.recovery.plugins.module_utils._progress import ENVIRONMENT, HOST, Progress

module = AnsibleModule({"login_host": {"type": "str"}, "login_user": {}, "login_password": {"no_log": True}}, supports_check_mode=True)
progress = Progress(secrets=module.no_log_values)
progress.line("half way with " + str(module.params["login_password"]))
time.sleep(0.5)
progress.line("done")
beside = glob.glob(os.path.join(os.path.dirname(os.path.dirname(os.environ[ENVIRONMENT])), "prs-recovery-*"))
controller = "ansible.plugins" in sys.modules or "ansible._internal" in sys.modules
seen = {"origin": __file__, "controller": controller, "beside": len(beside), "seen": module.params["login_host"], "user": module.params["login_user"]}
module.exit_json(**seen, check=module.check_mode, python=sys.executable, file=os.environ[ENVIRONMENT], name=os.environ.get(HOST))
"""

CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME, CALLBACK_NEEDS_ENABLED = 2.0, "aggregate", "results", False

    def _write(self, result, **_more):
        with open(os.environ["RESULTS"], "a") as lines:
            lines.write(self._dump_results(result._result, indent=None).replace("\\n", " ") + "\\n")

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_unreachable = _write
"""


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """The collection as it is, but with a sql_info that only tells what reached it."""
    home = tmp_path_factory.mktemp("collections")
    recovery = home / "ansible_collections" / "prs" / "recovery"
    (recovery / "plugins" / "modules").mkdir(parents=True)
    for name in ("meta", "galaxy.yml"):
        (recovery / name).symlink_to(ROOT / name)
    for name in ("action", "plugin_utils", "module_utils", "doc_fragments"):
        (recovery / "plugins" / name).symlink_to(ROOT / "plugins" / name)
    (recovery / "plugins" / "modules" / "sql_info.py").write_text(ECHO)
    for name in ("backup_file_info.py", "windows_script.py"):
        (recovery / "plugins" / "modules" / name).symlink_to(ROOT / "plugins/modules" / name)
    return home


@pytest.fixture
def start(collections, tmp_path):
    """Starts ansible-playbook; what it says can be read from the process."""

    def start(*tasks, extra=(), core="", **keywords):
        program = (
            ROOT / "build" / f"venv-{core}" / "bin" if core else pathlib.Path(sys.executable).parent
        ) / "ansible-playbook"
        if not program.exists():
            pytest.skip(f"ansible-core {core} is not there: make venv-{core}")
        inventory = {"all": {"hosts": {"sql01": HOST, "sql02": {**HOST, "ansible_host": "127.99.99.98"}}}}
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory))
        book = [{"hosts": "sql01", "gather_facts": False, **keywords, "tasks": list(tasks)}]
        (tmp_path / "ansible.cfg").touch()
        (tmp_path / "callback").mkdir()
        (tmp_path / "callback" / "results.py").write_text(CALLBACK)
        (tmp_path / "play.yml").write_text(yaml.safe_dump(book))
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"),
            "RESULTS": str(tmp_path / "results"),
            "ANSIBLE_CALLBACK_PLUGINS": str(tmp_path / "callback"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }
        command = [str(program), "-i", "hosts.yml", "play.yml", *extra]
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
        )

    return start


@pytest.fixture
def play(start, tmp_path):
    """Runs a play to its end; returns the results of its tasks, and what ansible-playbook said."""

    def run(*tasks, **keywords):
        process = start(*tasks, **keywords)
        stdout, stderr = process.communicate(timeout=120)
        assert (tmp_path / "results").exists(), stdout + stderr
        results = [json.loads(line) for line in (tmp_path / "results").read_text().splitlines()]
        return results, subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    return run
