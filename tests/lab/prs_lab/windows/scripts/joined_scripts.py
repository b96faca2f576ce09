"""Models of what runs scripts of the roles: roles/estate/files/look_at_once.ps1, and the verb run_scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from ..errors import WinError
from ..execution import NotModelled, own_script, run_script
from ..models import ScriptCall, ScriptResult, script
from ..modules.commands import SHOULD_PROCESS, cut
from .verbs import DotNetError, verb

__all__: list[str] = []


@script("look_at_once")
def look_at_once(call: ScriptCall) -> ScriptResult:
    secrets = _secrets(str(call.parameter("Secret") or ""))
    answers = {}
    for look in call.parameter("Look"):
        name, text = own_script(look["script"]), look["script"]
        if name is None or not SHOULD_PROCESS.search(text):
            # It is given -WhatIf and -Confirm, which other scripts refuse.
            raise NotModelled(
                call, f"the look {look['name']}, whose script is none of ours or knows no check mode", text
            )
        hidden = secrets.get(look["name"], {})
        parameters = {**look["parameters"], **hidden}
        answers[look["name"]] = _answer(
            _run(call, name, text, parameters, check_mode=call.check_mode, sensitive={*hidden})
        )
    return ScriptResult(changed=any(answer["changed"] for answer in answers.values()), result=answers)


def _secrets(text: str) -> dict[str, dict[str, str]]:
    """{look: {parameter: value}} of lines such as `certificate Password pass%20word`."""
    found: dict[str, dict[str, str]] = {}
    for line in text.split("\n"):
        if len(parts := line.split(" ")) == 3:
            found.setdefault(parts[0], {})[parts[1]] = unquote(parts[2])
    return found


@verb("run_scripts")
def run_scripts(
    call: ScriptCall,
    *,
    Depth: int,
    CheckMode: bool = False,
    Verbosity: int = 0,
    Unconnected: Mapping[str, Mapping[str, Any]] | None = None,
    Items: Sequence[Mapping[str, Any]] = (),
) -> Iterator[dict[str, Any]]:
    refusals = {root.lower(): _refusal(**fault) for root, fault in (Unconnected or {}).items()}
    for item in Items:
        name, text = own_script(item["script"]), item["script"]
        if name is None:
            raise NotModelled(call, f"the script {item['name']}, which is none of ours", text)
        if SHOULD_PROCESS.search(text):
            # Only a script that asks for them knows of shares that are to be asked for nothing.
            with call.files.avoiding(refusals if "$Ansible.Unconnected" in text else {}):
                done = _run(call, name, text, item["parameters"], check_mode=CheckMode)
        else:
            done = ScriptResult(error="The script has no [CmdletBinding(SupportsShouldProcess)].")
        answer = {**_answer(done), "diff": done.diff or {}}
        yield {"name": item["name"], **{key: cut(value, Depth) for key, value in answer.items()}}


def _refusal(number: int, message: str) -> WinError:
    refusal = DotNetError("IOException", message)
    refusal.number = number
    return refusal


def _run(
    call: ScriptCall,
    name: str,
    text: str,
    parameters: Mapping[str, Any],
    *,
    check_mode: bool,
    sensitive: Collection[str] = (),
) -> ScriptResult:
    if name in call.host.script_faults:
        return ScriptResult(changed=False, failed=True, error=call.host.script_faults[name])
    try:
        return run_script(call, name, text, parameters, check_mode=check_mode, sensitive=sensitive)
    except WinError as error:
        return ScriptResult(error=error.dotnet)


def _answer(done: ScriptResult) -> dict[str, Any]:
    return {
        "failed": done.failed or done.error is not None,
        "changed": done.changed,
        "result": {} if done.result is None else done.result,
        "error": [] if done.error is None else [{"exception": {"message": done.error}}],
    }
