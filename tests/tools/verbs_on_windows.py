#!/usr/bin/env python3
"""The cases of the verbs under a PowerShell of this machine, also on Windows, where neither Ansible nor the lab runs.

    verbs_on_windows.py [PROGRAM]      powershell.exe (Windows PowerShell 5.1) unless another is named, such as pwsh

Needs nothing but Python. Says of each case that does not run why, and ends with one line of numbers; exit code 1 when a
case fails. Cases of Windows need an administrator.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CASES_FOLDER = ROOT / "tests" / "integration" / "winrm"
COLLECTION = "ansible_collections.prs.recovery"
WINDOWS = os.name == "nt"
NEEDS_THE_LAB = {
    "pool look": "there is no IIS with a pool of the application",
    "connect a wrong password": "there is no file server with the account",
    "connect an account of its own": "there is no file server with the account",
    "stat_paths a server that is not there": "the lab knows no such name, a network may",
}


def package(name: str, *folders: Path) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__path__ = [str(folder) for folder in folders]
    sys.modules[name] = module
    return module


def load() -> tuple[Any, Any, Any]:
    """conversation.py, verb_cases.py and local_powershell.py, without what only a control node has."""
    package("ansible_collections")
    package("ansible_collections.prs")
    package(COLLECTION, ROOT)
    package("cases", CASES_FOLDER)
    twins = types.ModuleType("cases.windows_twins")
    twins.POOL, twins.SHARE_PASSWORD = "PasswordResetServer", "x"
    sys.modules["cases.windows_twins"] = twins
    conversation = importlib.import_module(f"{COLLECTION}.plugins.module_utils._winrm.connection.conversation")
    return conversation, importlib.import_module("cases.verb_cases"), importlib.import_module("cases.local_powershell")


CONVERSATION, VERB_CASES, LOCAL = load()


def script_of(verb: str) -> str:
    return importlib.import_module(f"{COLLECTION}.plugins.module_utils._winrm.verbs.{verb}").SCRIPT


@contextmanager
def session(program: str) -> Iterator[Any]:
    """One process for all cases, as a run of a module has it."""
    pipe = LOCAL.ProcessPipe(program)
    conversation = CONVERSATION.Conversation(pipe, patience=LOCAL.SILENCE)
    conversation.start()
    yield conversation
    pipe.close()


def problem_of(case: Any, conversation: Any, root: Path) -> str:
    """What is wrong about a case, "" when nothing is."""
    bench = LOCAL.PowerShellBench(root, conversation)
    for name, data in case.files.items():
        bench.put(name, data)
    for name in case.read_only:
        bench.mark_read_only(name)
    given, parameters = LOCAL.placed(list(case.given), bench), LOCAL.placed(case.parameters, bench)
    expected = case.error or LOCAL.steady(LOCAL.placed(case.items, bench))
    try:
        answer = LOCAL.steady(bench.call(script_of(case.verb), items=given, **parameters))
    except CONVERSATION.VerbFailed as fault:
        answer = (fault.number, fault.kind)
    if answer != expected:
        return f"answered {answer}, and not {expected}"
    if case.after is not None and bench.tree() != LOCAL.expected_tree(case.after):
        return f"left {bench.tree()}, and not {LOCAL.expected_tree(case.after)}"
    return ""


def main(program: str) -> int:
    counted = {"passed": 0, "failed": 0, "skipped": 0}
    with session(program) as conversation, tempfile.TemporaryDirectory() as folder:
        print(f"PowerShell {conversation.about['powershell']} on {conversation.about['computer']}")
        for number, case in enumerate(VERB_CASES.CASES):
            name = f"{case.verb} {case.about}"
            reason = NEEDS_THE_LAB.get(name) or ("needs Windows" if case.windows and not WINDOWS else "")
            if reason:
                counted["skipped"] += 1
                print(f"skipped  {name}: {reason}")
                continue
            root = Path(folder, str(number))
            root.mkdir()
            problem = problem_of(case, conversation, root)
            counted["failed" if problem else "passed"] += 1
            if problem:
                print(f"FAILED   {name}: {problem}")
    print(", ".join(f"{count} {outcome}" for outcome, count in counted.items()))
    return int(counted["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["powershell.exe"]))
