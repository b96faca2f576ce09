"""The model of roles/estate/files/look_at_once.ps1, which runs other scripts of the roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ..errors import WinError
from ..execution import NotModelled, own_script, run_script
from ..models import ScriptCall, ScriptResult, script
from ..modules.commands import SHOULD_PROCESS

__all__: list[str] = []


@script("look_at_once")
def look_at_once(call: ScriptCall) -> ScriptResult:
    secrets = _secrets(str(call.parameter("Secret") or ""))
    answers = {look["name"]: _taken(call, look, secrets.get(look["name"], {})) for look in call.parameter("Look")}
    return ScriptResult(changed=any(answer["changed"] for answer in answers.values()), result=answers)


def _secrets(text: str) -> dict[str, dict[str, str]]:
    """{look: {parameter: value}} of lines such as `certificate Password pass%20word`."""
    found: dict[str, dict[str, str]] = {}
    for line in text.split("\n"):
        if len(parts := line.split(" ")) == 3:
            found.setdefault(parts[0], {})[parts[1]] = unquote(parts[2])
    return found


def _taken(call: ScriptCall, look: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    name, text = own_script(look["script"]), look["script"]
    if name is None or not SHOULD_PROCESS.search(text):
        # It is given -WhatIf and -Confirm, which other scripts refuse.
        raise NotModelled(call, f"the look {look['name']}, whose script is none of ours or knows no check mode", text)
    if name in call.host.script_faults:
        done = ScriptResult(changed=False, failed=True, error=call.host.script_faults[name])
    else:
        parameters = {**look["parameters"], **secrets}
        try:
            done = run_script(call, name, text, parameters, check_mode=call.check_mode, sensitive=set(secrets))
        except WinError as error:
            done = ScriptResult(error=error.dotnet)
    return {
        "failed": done.failed or done.error is not None,
        "changed": done.changed,
        "result": {} if done.result is None else done.result,
        "error": [] if done.error is None else [{"exception": {"message": done.error}}],
    }
