"""The collection's own PowerShell sessions: `# prs.recovery bootstrap` on the command line, then requests and answers
as lines of JSON.

The protocol is written down in the collection's plugins/module_utils/_winrm/runner.py. A verb is a script with a name
of its own, modelled like all others with `models.script`.
"""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import Any

from .errors import WinError
from .execution import NotModelled, own_script, run_script
from .models import Caller
from .process import Process

__all__ = ["converse"]

_KINDS = {
    2: "FileNotFoundException",
    3: "DirectoryNotFoundException",
    5: "UnauthorizedAccessException",
}
_PACKED = b'{"lines":"'
_BLOCK, _WORTH_PACKING = 262144, 4096
_WIN32_KINDS = {53, 67, 86, 1219, 1312, 1326, 1330, 1331, 1332, 2250}


def converse(caller: Caller, process: Process) -> int:
    """Serve one session until its input ends; answers the exit code."""

    pending: list[bytes] = []

    def answer(kind: str, value: Any) -> None:
        pending.append(json.dumps({kind: value}, separators=(",", ":"), default=str).encode() + b"\n")
        if kind != "item" or sum(map(len, pending)) >= _BLOCK:
            data = b"".join(pending)
            process.emit(
                data if len(data) < _WORTH_PACKING else _PACKED + base64.b64encode(gzip.compress(data)) + b'"}\n'
            )
            pending.clear()

    runner, complete = process.stdin.read_until(b"\n")
    if not complete or own_script(json.loads(runner)) != "runner":
        raise NotModelled(caller, "a session with another runner", runner.decode("utf-8", "replace"))
    answer(
        "ready",
        {
            "powershell": "5.1.20348.2031",
            "computer": caller.host.name,
            "now": f"{caller.host.clock():%Y-%m-%dT%H:%M:%SZ}",
        },
    )
    while True:
        line, complete = process.stdin.read_until(b"\n")
        if not complete:
            return 0
        request = json.loads(line)
        items: list[Any] = []
        while len(items) < request.get("items", 0):
            items += [json.loads(line) for line in _unpacked(process.stdin.read_until(b"\n")[0])]
        _answer_request(caller, request, items, answer)


def _unpacked(line: bytes) -> list[bytes]:
    """The lines that a line stands for."""
    if not line.startswith(_PACKED):
        return [line]
    return gzip.decompress(base64.b64decode(line[len(_PACKED) : line.rindex(b'"')])).splitlines()


def _answer_request(caller: Caller, request: dict[str, Any], items: list[Any], answer: Any) -> None:
    reported = time.monotonic()

    def progress(value: dict[str, Any]) -> None:
        nonlocal reported
        if time.monotonic() - reported >= 1.0:
            reported = time.monotonic()
            answer("progress", value)

    text = request["script"]
    parameters = dict(request.get("parameters") or {})
    if items:
        parameters["Items"] = items
    try:
        done = run_script(caller, own_script(text) or "without a name", text, parameters, progress=progress)
    except WinError as error:
        kind = getattr(error, "kind", None) or (
            "Win32Exception" if error.number in _WIN32_KINDS else _KINDS.get(error.number, "IOException")
        )
        answer("error", {"number": error.number, "kind": kind, "message": error.dotnet})
    except NotModelled as error:
        answer("error", {"number": 0, "kind": "NotModelled", "message": str(error)})
    else:
        for item in done.output:
            answer("item", item)
        answer("end", True)
