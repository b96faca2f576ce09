"""Small things that clients say to a shell of themselves: ansible-core's housekeeping, and who and where am I."""

from __future__ import annotations

import re

from ..errors import WinError
from ..models import CommandCall, Output, powershell, program


def _unquote(text: str) -> str:
    return text.replace("''", "'")


@powershell(r"Remove-Item (?:'((?:[^']|'')*)'|(\S+)) -Force( -Recurse)?;?$")
def remove_item(call: CommandCall, match: re.Match[str]) -> Output:
    """ansible-core removes its temporary folder."""
    path = match[2] or _unquote(match[1])
    if not call.files.exists(path):
        return Output(stderr=f"Remove-Item : Cannot find path '{path}' because it does not exist.", rc=1)
    try:
        call.files.remove_tree(path)
    except WinError as error:
        return Output(stderr=f"Remove-Item : {error.dotnet}", rc=1)
    return Output()


@powershell(r"Write-Output \(?\(Get-Location\)\.Path(?: \+ '((?:[^']|'')*)'\))?$")
def expand_home(call: CommandCall, match: re.Match[str]) -> Output:
    """ansible-core up to 2.18 expands `~`: a remote shell starts in the profile."""
    return Output(call.environment["USERPROFILE"] + _unquote(match[1] or "") + "\r\n")


@powershell(r"Write-Output '((?:[^']|'')*)'$")
def echo(_call: CommandCall, match: re.Match[str]) -> Output:
    return Output(_unquote(match[1]) + "\r\n")


@program("whoami")
def whoami(call: CommandCall) -> Output:
    return (
        Output(call.token.name.lower() + "\r\n")
        if not call.arguments
        else Output(stderr="ERROR: Invalid argument/option.\r\n", rc=1)
    )


@program("hostname")
def hostname(call: CommandCall) -> Output:
    return Output(call.host.name + "\r\n")


@powershell(r"(whoami|hostname)(?:\.exe)?$")
def bare_program(call: CommandCall, match: re.Match[str]) -> Output:
    return {"whoami": whoami, "hostname": hostname}[match[1].lower()](call)


@powershell(r"\$env:(\w+)$")
def variable(call: CommandCall, match: re.Match[str]) -> Output:
    known = {name.lower(): value for name, value in call.environment.items()}
    value = known.get(match[1].lower())
    return Output(f"{value}\r\n" if value is not None else "")
