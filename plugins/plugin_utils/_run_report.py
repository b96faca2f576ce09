# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listens to a run of ansible-playbook and writes its report at the end, however it ended."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import json
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from ansible import __version__ as ansible_version
from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.prs.recovery.plugins.module_utils._core.generations import outgrown
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.journal import (
    FOLDER,
    KEPT,
    journal_file_name,
    journal_text,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.page.page import page
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.plain import report_dict
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.reading import report_of
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.record import (
    Event,
    Run,
    RunReport,
    Server,
    TaskState,
)
from ansible_collections.prs.recovery.plugins.plugin_utils._served_module import end_sessions, start_server
from ansible_collections.prs.recovery.plugins.plugin_utils._user import user_and_node

__all__ = ["RunReporter", "write_report"]

PARTS = {"prs_web": "web server", "prs_sql": "database server", "prs_witness": "witness"}
JOURNAL_PLAY = "Write the journal"
"""Of playbooks/shared/journal.yml."""
JOURNAL = "PRS_RECOVERY_JOURNAL"
"""The variable of the environment by which that play knows the file."""
DECIDED_BY = "ansible_collections.prs.recovery.plugins.module_utils._core.decisions.preflight"
"""What the filters of most playbooks import. A task is a process of its own, forked from this one: what is imported
here before the first none of them compiles again.
"""
NEEDED = (
    "msg", "error", "failed", "censored", "results", "warnings", "rows", "ansible_facts", "ansible_stats", "changed",
    "plan", "server", "result", "road", "source", "roads", "steps", "sentences", "unreachable",
)  # fmt: skip
"""What the report reads of a result: a run is remembered until its end."""


class RunReporter(CallbackBase):
    """Remembers what every task came to, as far as Ansible shows it: what no_log hides does not come here."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._begun = _now()
        self._starts: dict[tuple[str, str], dt.datetime] = {}
        self._events: list[Event] = []
        self._play: Any = None
        self._plays = 0
        self._wanted: dict[str, Any] = {}
        self._progress = Progress(())

    # ---- while it runs
    def v2_playbook_on_start(self, playbook: Any) -> None:
        start_server()
        import_module(DECIDED_BY)
        gc.freeze()  # neither this process nor its tasks look through all that Ansible is, again and again, for garbage

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._play = play
        self._plays += 1
        touched = any(event.state is TaskState.CHANGED for event in self._events)
        if play.get_name() == JOURNAL_PLAY and touched and not _check_mode():
            self._hand_over_journal()

    def _hand_over_journal(self) -> None:
        """To the task that carries it to the share: tasks are processes of their own and inherit the environment."""
        report = report_of(self._run({}), self._events)
        file = os.path.join(C.DEFAULT_LOCAL_TMP, journal_file_name(report))
        _replace(file, journal_text(report))
        os.environ[JOURNAL] = file

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._starts[host.name, task._uuid] = _now()
        role = task._role.get_name() if task._role else ""
        for line in self._progress.begun(play=self._play.get_name(), role=role, host=host.name):
            self._display.display(line)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._remember(result, TaskState.CHANGED if result._result.get("changed") else TaskState.OK)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._remember(result, TaskState.RESCUED if ignore_errors else TaskState.FAILED)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._remember(result, TaskState.SKIPPED)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._remember(result, TaskState.UNREACHABLE)

    def _remember(self, result: Any, state: TaskState) -> None:
        task, host, ended = result._task, result._host.name, _now()
        known = {name: result._result[name] for name in NEEDED if name in result._result}
        self._wanted = ((known.get("ansible_stats") or {}).get("data") or {}).get("prs_report") or self._wanted
        if known.get("steps") and not _check_mode():
            self._progress = Progress(known["steps"])
        self._events.append(
            Event(
                play_number=self._plays,
                play=self._play.get_name(),
                role=task._role.get_name() if task._role else "",
                task=task.get_name().rpartition(" : ")[2],
                action=task.action,
                host=host,
                begun=self._starts.pop((host, task._uuid), ended),
                ended=ended,
                state=state,
                result=known,
            )
        )

    # ---- at the end
    def v2_playbook_on_stats(self, stats: Any) -> None:
        end_sessions()
        tags = [tag for tag in context.CLIARGS.get("tags") or () if tag != "all"]
        if tags and not self._events:
            self._display.warning(
                f"NOTHING WAS DONE: no task has the tags {', '.join(tags)}. The playbooks of prs.recovery have none, "
                "because each of their steps needs those before it; run them without --tags."
            )
        if not self._wanted.get("path"):
            return
        ends = {host: stats.summarize(host) for host in stats.processed}
        try:
            report = report_of(self._run(ends), self._events)
            path = write_report(report, self._wanted["path"])
        except OSError as problem:
            self._display.warning(f"The report of this run could not be written: {problem}. Correct prs_report_path.")
        else:
            self._display.display(f"REPORT: {path}", stderr=True)

    def _run(self, ends: Mapping[str, Mapping[str, int]]) -> Run:
        return Run(
            playbook=self._wanted.get("playbook", ""),
            check_mode=_check_mode(),
            begun=self._begun,
            ended=_now(),
            by=user_and_node(),
            servers=list(self._servers()),
            failed_hosts={host for host, end in ends.items() if end["failures"] or end["unreachable"]},
            versions={"ansible-core": ansible_version, "Python": platform.python_version()},
        )

    def _servers(self) -> Iterator[Server]:
        inventory = self._play.get_variable_manager()._inventory
        active = self._wanted.get("site", "")
        for name in sorted({host.name for group in PARTS for host in _members(inventory, group)}):
            groups = [group.name for group in inventory.get_host(name).get_groups()]
            sites = [group for group in sorted(groups) if not group.startswith("prs_") and group not in _NO_SITES]
            yield Server(
                host=name,
                site=active if active in groups else next(iter(sites), ""),
                parts=[part for group, part in PARTS.items() if group in groups],
                active=active in groups,
            )


_NO_SITES = ("all", "ungrouped")


def _members(inventory: Any, group: str) -> list[Any]:
    return inventory.groups[group].get_hosts() if group in inventory.groups else []


def _check_mode() -> bool:
    return bool(context.CLIARGS.get("check"))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def write_report(report: RunReport, path: str) -> str:
    """Write page and JSON beside one another, and the journal of a run that touched something below; the absolute path
    of the page. Raises OSError.
    """
    file = os.path.abspath(os.path.expanduser(path))
    beside = f"{file.removesuffix('.html')}.json"
    os.makedirs(os.path.dirname(file), exist_ok=True)
    if not report.check_mode:
        journal = os.path.join(os.path.dirname(file), FOLDER)
        os.makedirs(journal, exist_ok=True)
        name = journal_file_name(report)
        _replace(os.path.join(journal, name), journal_text(report))
        for old in outgrown(os.listdir(journal), like=name, keep=KEPT):
            with contextlib.suppress(OSError):  # gone, or another account's: no reason to have no report
                os.remove(os.path.join(journal, old))
    _replace(beside, json.dumps(report_dict(report), indent=2, ensure_ascii=False) + "\n")
    _replace(file, page(report, json_name=os.path.basename(beside)))
    return file


def _replace(file: str, text: str) -> None:
    """A reader sees the old one or the new one, never a half."""
    handle, new = tempfile.mkstemp(dir=os.path.dirname(file), prefix=".prs-report-")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
        stream.write(text)
    os.replace(new, file)
