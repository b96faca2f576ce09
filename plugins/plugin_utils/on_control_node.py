# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of this collection on the control node while its task targets the Windows or database host.

Every module has an action plugin of its name, and all of them are this one. The module gets what it needs to reach its
server from the connection of the task's own host; the host itself is never connected to, so it may be switched off.
"""

from __future__ import annotations

import inspect
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, get_shell_plugin
from ansible_collections.prs.recovery.plugins.module_utils._progress import ENVIRONMENT, HOST
from ansible_collections.prs.recovery.plugins.plugin_utils._built_module import KNOWN, ModuleProgram, module_program
from ansible_collections.prs.recovery.plugins.plugin_utils._host_connection import HostConnection, Refused, options_for
from ansible_collections.prs.recovery.plugins.plugin_utils._served_module import ITS_NAME, run_served
from ansible_collections.prs.recovery.plugins.plugin_utils._user import user_and_node

MODULES = os.path.join(os.sep, "ansible_collections", "prs", "recovery", "plugins", "modules", "")

LOOK_EVERY = 0.2
"""Seconds between two looks at the progress file."""


class ActionModule(ActionBase):
    """One plugin for all modules: C(self._task.action) stays the name of the module."""

    _requires_connection = False
    _program: ModuleProgram | None = None

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        try:
            self._refuse_what_cannot_work()
            arguments = self._arguments(task_vars)
        except Refused as refused:
            return {"failed": True, "changed": False, "msg": str(refused), "error_code": "option_invalid"}
        result = super().run(tmp, task_vars)

        # The host's own connection told what it knows; from here on everything happens on this machine.
        shell = get_shell_plugin(shell_type="sh", executable="/bin/sh")  # not the host's, which may be PowerShell
        self._connection = connection_loader.get("ansible.builtin.local", self._play_context, shell=shell)
        self._connection.set_option(
            "pipelining", True
        )  # the module goes to Python as it is: sooner, and no file holds its passwords
        with self._progress_shown(task_vars.get("inventory_hostname", "")) as path:
            named = (
                {}
                if self._task.args.get("login_host")
                else {HOST: self._task.delegate_to or task_vars.get("inventory_hostname", "")}
            )
            self._task.environment = [*(self._task.environment or []), {ENVIRONMENT: path, **named}]
            result.update(
                self._execute_module(
                    module_name=self._task.action, module_args=arguments, task_vars=on_this_machine(task_vars)
                )
            )
        words = result.pop("connection_error", "")
        if words:
            self._no_connection(words)
        return result

    def _no_connection(self, words: str) -> None:
        """What Ansible's own connection would say of a host that cannot be reached; the module's message says more."""

    def _configure_module(
        self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> tuple[Any, ...]:
        """The module as a program. Ansible's own way is left to who wants to keep the files that it makes
        (ANSIBLE_KEEP_REMOTE_FILES), and to versions of ansible-core that are not known here.
        """
        source = self._shared_loader_obj.module_loader.find_plugin_with_context(
            module_name, ".py", collection_list=self._task.collections
        )
        path = source.plugin_resolved_path or ""
        if KNOWN and self._is_pipelining_enabled("new") and path.endswith(f"{MODULES}{self._module}.py"):
            self._program = module_program(path, module_args)
            return self._program.built()
        return super()._configure_module(module_name, module_args, task_vars)

    def _low_level_execute_command(self, cmd: str, *args: Any, in_data: bytes | None = None, **keywords: Any) -> Any:
        """The module's run, by the server of modules, where the task sets no variables of the environment that a
        process may have needed when it started.
        """
        environment: dict[str, str] = {}
        self._compute_environment_string(environment)
        outcome = None
        if in_data is not None and self._program and environment.keys() <= {ENVIRONMENT, HOST}:
            outcome = run_served(self._program, environment=environment, folder=self._loader.get_basedir())
        if outcome is None:
            return super()._low_level_execute_command(cmd, *args, in_data=in_data, **keywords)
        self._display.vvv(f"EXEC {self._module} in a child of '{ITS_NAME}'", host=self._play_context.remote_addr)
        output, errors = (text.decode(errors="replace") for text in (outcome.output, outcome.errors))
        return {
            "rc": outcome.code,
            "stdout": output,
            "stdout_lines": output.splitlines(),
            "stderr": errors,
            "stderr_lines": errors.splitlines(),
        }

    @property
    def _module(self) -> str:
        return self._task.action.rpartition(".")[2]

    def _refuse_what_cannot_work(self) -> None:
        """The module speaks to its server from here: another user, a background job or a detour have nothing to act
        upon.
        """
        if self._task.become or getattr(self._connection, "become", None):
            raise Refused(
                f"{self._module} runs on the control node and speaks to its server under the account given in its "
                "options, so become cannot take effect. Set 'become: false' on this task (if it comes from the "
                "variable ansible_become, set that to false)."
            )
        if self._task.async_val:
            raise Refused(
                f"{self._module} cannot run with async: a server ends what it does for a client that goes away. "
                "Remove 'async' and 'poll' from this task; it shows its progress while it runs."
            )
        if self._task.delegate_to in C.LOCALHOST:
            raise Refused(
                f"{self._module} already runs on the control node. Remove 'delegate_to: {self._task.delegate_to}' and "
                "let the task target the server: then address and account are taken from that host's own connection."
            )

    def _arguments(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """The task's own arguments, completed by what the connection of its host says. Whatever the task says wins."""

        def option(name: str) -> Any:
            return self.get_plugin_option(self._connection, name)

        connection = HostConnection(
            host=self._task.delegate_to or task_vars.get("inventory_hostname", ""),
            transport=self._connection.transport,
            option=option,
            fallback_address=self._play_context.remote_addr,
            fallback_password=self._play_context.password,
            known_to_pywinrm=arguments_of_pywinrm() if self._connection.transport == "winrm" else (),
        )
        filled = options_for(self._module, given=self._task.args, connection=connection, run=this_run())
        return {**filled, **self._task.args}

    @contextmanager
    def _progress_shown(self, host: str):
        """A file whose lines are shown as they come; gone afterwards, however the module ended."""
        folder = tempfile.mkdtemp(prefix="prs-recovery-", dir=C.DEFAULT_LOCAL_TMP)
        path = os.path.join(folder, "progress")
        done = threading.Event()

        def show(line: str) -> None:
            # On stderr, as warnings are: standard output belongs to the callback plugin.
            self._display.display(f"[{host}] {self._module}: {line}", color=C.COLOR_VERBOSE, stderr=True)

        follower = threading.Thread(target=follow, kwargs={"path": path, "done": done, "show": show}, daemon=True)
        follower.start()
        try:
            yield path
        finally:
            done.set()
            follower.join()
            shutil.rmtree(folder, ignore_errors=True)


def arguments_of_pywinrm() -> list[str]:
    """What Ansible's winrm connection would hand on from variables ansible_winrm_*; nothing where pywinrm is not
    installed, which the module says itself.
    """
    try:
        from winrm.protocol import Protocol
    except ImportError:
        return []
    return inspect.getfullargspec(Protocol.__init__).args


def this_run() -> str:
    """Who is at work, the same in all tasks of one playbook: each task has a process of its own, and all of these the
    same parent.
    """
    return f"{user_and_node()} pid {os.getppid()}"


def follow(*, path: str, done: threading.Event, show: Callable[[str], None]) -> None:
    """Show every whole line that is appended to a file, until `done` and the end of the file."""
    position = 0
    last_look = False
    while not last_look:
        last_look = done.wait(LOOK_EVERY)
        if not os.path.exists(path):
            continue
        with open(path, "rb") as lines:
            lines.seek(position)
            whole = lines.read().rpartition(b"\n")[0]
        if whole:
            position += len(whole) + 1
            for line in whole.decode("utf-8", "replace").split("\n"):
                show(line)


def on_this_machine(task_vars: dict[str, Any]) -> dict[str, Any]:
    """A task's variables for a run here, with the interpreter that runs ansible: what the module imports is installed
    beside it.
    """
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_shell_type": "sh"}
    delegated = {
        host: {**variables, **here} for host, variables in (task_vars.get("ansible_delegated_vars") or {}).items()
    }
    return {**task_vars, **here, "ansible_delegated_vars": delegated}
