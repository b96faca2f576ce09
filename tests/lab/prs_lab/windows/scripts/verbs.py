"""How the verbs of the collection's own PowerShell (plugins/module_utils/_winrm/verbs) are modelled.

A verb is a function whose keyword-only parameters are those of the script, by the script's own names, and that yields
the script's items:

    @verb("remove")
    def remove(call: ScriptCall, *, Path: str) -> Iterator[dict]: ...

A parameter that the script does not have, or a mandatory one that is missing, fails as [CmdletBinding()] does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ..errors import WinError
from ..models import ScriptCall, script

__all__ = ["VERBS", "DotNetError", "fault", "joined", "moment", "plain_path", "verb"]

_KINDS = {2: "FileNotFoundException", 3: "DirectoryNotFoundException", 5: "UnauthorizedAccessException"}

VERBS: dict[str, Callable[..., Iterator[Any]]] = {}
"""The models by name, for who compares them with the scripts."""


class DotNetError(WinError):
    """An exception of .NET that is no Win32 error: its class and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(0)
        self.kind = kind
        self.message = message

    @property
    def dotnet(self) -> str:
        return self.message


def verb(name: str) -> Callable[[Callable[..., Iterator[Any]]], Callable[..., Iterator[Any]]]:
    def register(model: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        VERBS[name] = model
        signature = inspect.signature(model)

        @script(name)
        def run(call: ScriptCall) -> list[Any]:
            known = {parameter.lower(): parameter for parameter in list(signature.parameters)[1:]}
            given = {}
            for key, value in call.parameters.items():
                if key.lower() not in known:
                    raise DotNetError(
                        "ParameterBindingException", f"A parameter cannot be found that matches parameter name '{key}'."
                    )
                given[known[key.lower()]] = value
            missing = [
                key
                for key, parameter in signature.parameters.items()
                if parameter.default is parameter.empty and key not in ("call", *given)
            ]
            if missing:
                text = (
                    f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}."
                )
                raise DotNetError("ParameterBindingException", text)
            return list(model(call, **given))

        return model

    return register


def fault(error: WinError) -> dict[str, Any]:
    """What Get-Fault of the runner makes of it."""
    return {
        "number": error.number,
        "kind": error.kind if isinstance(error, DotNetError) else _KINDS.get(error.number, "IOException"),
        "message": error.dotnet,
    }


def moment(time: datetime) -> str:
    """As ToString('o') of .NET writes a time in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def plain_path(path: str) -> str:
    return path.removeprefix("\\\\?\\")


def joined(folder: str, name: str) -> str:
    windows_name = name.replace("/", "\\")
    return f"{folder.rstrip(chr(92))}\\{windows_name}"
