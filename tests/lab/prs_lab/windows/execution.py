"""Running what a caller names: a command line, a PowerShell text, a script of ours. Modules (win_command,
win_powershell) and the wire share it.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from .arguments import mask_command_line, mask_secrets
from .errors import WinError
from .models import COMMANDS, EXECUTABLES, POWERSHELL, SCRIPTS, Caller, CommandCall, Output, ScriptCall, ScriptResult

__all__ = [
    "NotModelled",
    "clixml",
    "own_script",
    "run_command_line",
    "run_powershell",
    "run_script",
    "split_command_line",
]

_OWN_SCRIPT = re.compile(r"\s*# prs\.recovery (\S+)")
# What ansible-core and win_reboot put around a text.
_AROUND = (
    re.compile(r"^Set-StrictMode -Version Latest\s*"),
    re.compile(r"^(?:try \{ \[Console\]::OutputEncoding = New-Object System\.Text\.UTF8Encoding \} catch \{\};?\s*)"),
    re.compile(r"^(?:\[Console\]::(?:InputEncoding|OutputEncoding)[^;\n]*[;\n]\s*)+"),
)
_AFTER = re.compile(r"[;\r\n]\s*If \(-not \$\?\) \{ If \(Get-Variable LASTEXITCODE.*$", re.DOTALL | re.IGNORECASE)


class NotModelled(Exception):
    """Nobody can say what a real host would do. `what` is short; the host records it before this is raised."""

    def __init__(self, caller: Caller, what: str, detail: str = "") -> None:
        caller.host.record.unmodelled(caller.host.name, what, detail)
        super().__init__(
            f"The lab's twin of {caller.host.name} has no model of {what}. It does not guess: write one in "
            "prs_lab/windows (see models.py)."
        )


def own_script(text: str) -> str | None:
    """The name in the first line `# prs.recovery NAME` of a script of ours."""
    match = _OWN_SCRIPT.match(text)
    return match[1] if match else None


def run_script(
    caller: Caller,
    name: str,
    text: str,
    parameters: Mapping[str, Any],
    *,
    check_mode: bool = False,
    sensitive: Collection[str] = (),
    **extra: Any,
) -> ScriptResult:
    """Run a script of ours; WinError of its model is raised."""
    host = caller.host
    host.record.add(
        "script",
        host.name,
        name=name,
        account=caller.token.name,
        check_mode=check_mode,
        parameters=mask_secrets(parameters, sensitive),
        text=text,
    )
    if name not in SCRIPTS:
        raise NotModelled(caller, f"script {name}", text)
    done = SCRIPTS[name](
        ScriptCall(
            **_as_caller(caller), name=name, text=text, parameters=dict(parameters), check_mode=check_mode, **extra
        )
    )
    host.changed()
    return done if isinstance(done, ScriptResult) else ScriptResult(output=list(done))


def run_powershell(caller: Caller, text: str, *, stdin: bytes = b"", module: str = "") -> Output:
    """Run a PowerShell text that somebody sent: a script of ours, or one of the few lines that are known."""
    bare = text.strip()
    for around in _AROUND:
        bare = around.sub("", bare).strip()
    bare = _AFTER.sub("", bare).strip()
    caller.host.record.add(
        "command", caller.host.name, shell="powershell", text=bare, account=caller.token.name, module=module
    )
    for pattern, model in POWERSHELL:
        match = pattern.match(bare)
        if match:
            try:
                done = model(CommandCall(**_as_caller(caller), text=bare, stdin=stdin, module=module), match)
            except WinError as error:
                done = Output(stderr=error.dotnet, rc=1)
            caller.host.changed()
            return done
    raise NotModelled(caller, "this PowerShell text", bare)


def run_command_line(
    caller: Caller, text: str, *, stdin: bytes = b"", module: str = "", working_directory: str = ""
) -> Output:
    """Start a program as CreateProcess would: 2 when a given path does not exist, 3 when its folder does not."""
    words = split_command_line(text)
    if not words:
        raise WinError(87, text)
    path = caller.expand(words[0])
    base = re.sub(r"\.(exe|cmd|bat|com)$", "", ntpath.basename(path).lower())
    call = CommandCall(
        **_as_caller(caller),
        text=text,
        program=path,
        arguments=words[1:],
        stdin=stdin,
        module=module,
        working_directory=working_directory,
    )
    caller.host.record.add(
        "command", caller.host.name, shell="", text=mask_command_line(text), account=caller.token.name, module=module
    )
    done: Output | None = None
    if base in COMMANDS:
        done = COMMANDS[base](call)
    elif "\\" in path or "/" in path:
        if not ntpath.isabs(path) and working_directory:
            call.program = path = ntpath.join(working_directory, path)
        if not caller.files.is_file(path) and not caller.files.is_file(path + ".exe"):
            raise WinError(2 if caller.files.is_dir(ntpath.dirname(path)) else 3, path)
        answers = (model(call) for model in EXECUTABLES)
        done = next((answer for answer in answers if answer is not None), None)
    if done is None:
        raise NotModelled(caller, f"program {ntpath.basename(path)}", mask_command_line(text))
    caller.host.changed()
    return done


def split_command_line(text: str) -> list[str]:
    """The arguments of a command line by the rules of CommandLineToArgvW."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            count = len(text[position:]) - len(text[position:].lstrip("\\"))
            position += count
            word = word or []
            if text[position : position + 1] == '"':
                word.append("\\" * (count // 2))
                if count % 2:
                    word.append('"')
                    position += 1
            else:
                word.append("\\" * count)
            continue
        if character == '"':
            word = word or []
            quoted = not quoted
        elif character in " \t" and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(character)
        position += 1
    if word is not None:
        words.append("".join(word))
    return words


def clixml(text: str) -> bytes:
    """An error text as PowerShell writes it to standard error when that is no console."""
    escaped = (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\r\n", "\n")
        .replace("\n", "_x000D__x000A_")
    )
    return (
        '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
        f'<S S="Error">{escaped}_x000D__x000A_</S></Objs>'
    ).encode()


def _as_caller(caller: Caller) -> dict[str, Any]:
    return {field.name: getattr(caller, field.name) for field in fields(Caller)}
