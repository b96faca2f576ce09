"""ansible.windows.win_command, win_shell and win_powershell: what they run is looked up among programs, PowerShell
lines and scripts of ours.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ..errors import WinError
from ..execution import NotModelled, own_script, run_command_line, run_powershell, run_script
from ..languages import calling
from ..models import Output, ScriptResult, Task, module

__all__ = ["SHOULD_PROCESS", "cut"]

SHOULD_PROCESS = re.compile(
    r"\[CmdletBinding\((?:[\w=\$]+,\s*)?SupportsShouldProcess(?:=\$true)?(?:,\s*[\w=\$]+)?\)\]", re.IGNORECASE
)
_HASHTABLE = "System.Collections.Hashtable"


@module("ansible.windows.win_command", check_mode=False)
def win_command(task: Task) -> dict[str, Any]:
    argv = task.params["argv"]
    text = (task.params.get("_raw_params") or " ".join(_quote(word) for word in argv or [])).strip()
    if not text:
        task.fail("one of the following is required: _raw_params, argv, cmd")
    skipped = _skip(task, text)
    if skipped:
        return {**skipped, "changed": False, "skipped": True}
    started = task.host.clock()
    try:
        done = run_command_line(
            task,
            text,
            stdin=(task.params["stdin"] or "").encode(),
            module=task.name,
            working_directory=task.expand(task.params["chdir"] or ""),
        )
    except WinError as error:
        task.fail(f"Failed to run: '{text}': {_cause(error)}", cmd=text, rc=error.number)
    return _finish(task, text, done, started)


@module("ansible.windows.win_shell", check_mode=False)
def win_shell(task: Task) -> dict[str, Any]:
    text = (task.params.get("_raw_params") or "").strip()
    skipped = _skip(task, text)
    if skipped:
        return {**skipped, "changed": False, "skipped": True}
    started = task.host.clock()
    stdin = (task.params["stdin"] or "").encode()
    if (task.params["executable"] or "powershell").lower().removesuffix(".exe") == "powershell":
        done = run_powershell(task, text, stdin=stdin, module=task.name)
    else:
        try:
            done = run_command_line(task, text, stdin=stdin, module=task.name)
        except WinError as error:
            unknown = (
                f"'{text.split()[0]}' is not recognized as an internal or external command,\r\noperable "
                "program or batch file.\r\n"
            )
            done = Output(stderr=unknown, rc=error.number)
    return _finish(task, text, done, started)


def _cause(error: WinError) -> str:
    number = f"Win32ErrorCode {error.number} - 0x{error.number:08X}"
    return calling("CreateProcess", 7, f"CreateProcessW() failed ({error.text.rstrip('.')}, {number})")


def _quote(word: str) -> str:
    return word if word and not re.search(r'[\s"]', word) else '"' + re.sub(r'(\\*)"', r'\1\1\\"', word) + '"'


def _skip(task: Task, text: str) -> dict[str, Any] | None:
    """`creates` and `removes`."""
    for option, there in (("creates", True), ("removes", False)):
        path = task.params[option]
        if path and task.files.exists(task.expand(path)) is there:
            return {"cmd": text, "rc": 0, "msg": f"skipped, since {path} {'exists' if there else 'does not exist'}"}
    return None


def _finish(task: Task, text: str, done: Output, started: datetime) -> dict[str, Any]:
    ended = task.host.clock()
    stdout = done.stdout if isinstance(done.stdout, str) else done.stdout.decode("utf-8", "replace")
    result = {
        "changed": True, "cmd": text, "stdout": stdout, "stderr": done.stderr, "rc": done.rc, "delta": str(ended - started),
        "start": f"{started:%Y-%m-%d %H:%M:%S.%f}", "end": f"{ended:%Y-%m-%d %H:%M:%S.%f}",
    }  # fmt: skip
    if done.rc:
        task.fail("non-zero return code", **result)
    return result


@module("ansible.windows.win_powershell")
def win_powershell(task: Task) -> dict[str, Any]:
    text = task.params["script"]
    if not text and not task.params["path"]:
        task.fail("one of the following is required: path, script")
    if task.params["path"]:
        text = task.files.read(task.expand(task.params["path"])).decode("utf-8-sig", "replace")
    result: dict[str, Any] = {
        "changed": True, "result": {}, "host_out": "", "host_err": "", "output": [], "error": [], "warning": [], "verbose": [], "debug": [], "information": [],
    }  # fmt: skip
    for option, there in (("creates", True), ("removes", False)):
        path = task.params[option]
        if path and task.files.exists(task.expand(path)) is there:
            return {
                **result,
                "changed": False,
                "msg": f"skipped, since {path} {'exists' if there else 'does not exist'}",
            }
    if task.check_mode and not SHOULD_PROCESS.search(text):
        return {**result, "msg": "skipped, running in check mode"}
    return {**result, **_run(task, text)}


def _run(task: Task, text: str) -> dict[str, Any]:
    name = own_script(text)
    try:
        if name is None:
            done = _plain(run_powershell(task, text, module=task.name))
        elif name in task.host.script_faults:
            done = ScriptResult(changed=False, failed=True, error=task.host.script_faults[name])
        else:
            parameters, sensitive = _parameters(task)
            done = run_script(task, name, text, parameters, check_mode=task.check_mode, sensitive=sensitive)
    except NotModelled as error:
        task.fail(str(error))
    except WinError as error:
        done = ScriptResult(error=error.dotnet)
    depth = task.params["depth"]
    answer: dict[str, Any] = {
        "changed": done.changed, "failed": done.failed or done.error is not None, "result": cut({} if done.result is None else done.result, depth),
        "output": [cut(item, depth) for item in done.output], "warning": done.warning,
    }  # fmt: skip
    if done.error is not None:
        answer["error"] = [_error_record(done.error)]  # and no msg, as the real module gives none
    if done.diff:
        answer["diff"] = done.diff
    return answer


def _plain(done: Output) -> ScriptResult:
    stdout = done.stdout if isinstance(done.stdout, str) else done.stdout.decode("utf-8", "replace")
    return ScriptResult(output=[line for line in stdout.split("\r\n") if line], error=done.stderr or None)


def _parameters(task: Task) -> tuple[dict[str, Any], set[str]]:
    """(parameters with the secret ones among them, the names of those). A credential is (user, password)."""
    parameters = dict(task.params["parameters"] or {})
    sensitive = set()
    for entry in task.params["sensitive_parameters"] or []:
        sensitive.add(entry["name"])
        parameters[entry["name"]] = (
            (entry["username"], entry["password"] or "") if entry["username"] else entry["value"] or ""
        )
    return parameters, sensitive


def cut(value: Any, depth: int) -> Any:
    """What is deeper than `depth` becomes text, as Convert-OutputObject of the real module does."""
    if not isinstance(value, (dict, list, tuple)):
        return value
    if depth < 0:
        return _HASHTABLE if isinstance(value, dict) else " ".join(str(cut(item, -1)) for item in value)
    if isinstance(value, dict):
        return {key: cut(item, depth - 1) for key, item in value.items()}
    return [cut(item, depth - 1) for item in value]


def _error_record(message: str) -> dict[str, Any]:
    return {
        "output": f"{message}\r\n", "error_details": None, "exception": {"message": message, "type": "System.Management.Automation.RuntimeException",
        "help_link": None, "source": None, "hresult": -2146233087, "inner_exception": None}, "target_object": None,
        "category_info": {
            "category": "OperationStopped", "category_id": 14, "activity": "", "reason": "RuntimeException", "target_name": message, "target_type": "String",
        },
        "fully_qualified_error_id": message, "script_stack_trace": "at <ScriptBlock>, <No file>: line 1", "pipeline_iteration_info": [],
    }  # fmt: skip
