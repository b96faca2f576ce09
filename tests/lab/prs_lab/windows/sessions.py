"""The collection's own PowerShell sessions: `# prs.recovery bootstrap` on the command line, then requests and answers
as lines of JSON.

The protocol is written down in the collection's plugins/module_utils/_winrm/connection/runner.py. A verb is a script
with a name of its own, modelled like all others with `models.script`.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import time
from typing import Any

from .errors import WinError
from .execution import NotModelled, own_script, run_script
from .models import Caller
from .process import Process
from .scripts.verbs import DotNetError

__all__ = ["converse"]

_KINDS = {
    2: "FileNotFoundException",
    3: "DirectoryNotFoundException",
    5: "UnauthorizedAccessException",
}
_PACKED = b'{"lines":"'
_BLOCK, _WORTH_PACKING, _BATCH = 262144, 4096, 500
_WIN32_KINDS = {53, 67, 86, 1219, 1312, 1326, 1330, 1331, 1332, 2250}


def converse(caller: Caller, process: Process) -> int:
    """Serve one session until its input ends; answers the exit code. What it connected ends with its logon."""
    try:
        return _serve(caller, process)
    finally:
        caller.files.log_off()


class _Answers:
    """What is said and not sent yet. is_broken: something failed that more was to follow."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._pending: list[bytes] = []
        self.is_broken = False

    def add(self, kind: str, value: Any) -> None:
        self._pending.append(json.dumps({kind: value}, separators=(",", ":"), default=str).encode() + b"\n")
        if kind == "items" and sum(map(len, self._pending)) >= _BLOCK:
            self.send()

    def send(self) -> None:
        data = b"".join(self._pending)
        self._pending.clear()
        packed = _PACKED + base64.b64encode(gzip.compress(data)) + b'"}\n' if len(data) >= _WORTH_PACKING else data
        self._process.emit(packed)


def _serve(caller: Caller, process: Process) -> int:
    answers = _Answers(process)
    runner, complete = process.stdin.read_until(b"\n")
    if not complete or own_script(json.loads(runner)) != "runner":
        raise NotModelled(caller, "a session with another runner", runner.decode("utf-8", "replace"))
    while True:
        try:
            request = _read_request(caller, process)
        except _Broken as broken:
            answers.add("error", {"number": 0, "kind": broken.kind, "message": str(broken)})
            answers.send()
            return 1
        if request is None:
            answers.send()
            return 0
        if request[0].get("begins"):
            caller.files.log_off()
            now = f"{caller.host.clock():%Y-%m-%dT%H:%M:%SZ}"
            answers.add("ready", {"powershell": "5.1.20348.2031", "computer": caller.host.name, "now": now})
        _answer_request(caller, *request, answers)


class _Broken(Exception):
    """Input that is no request: where the next one begins cannot be known."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def _read_request(caller: Caller, process: Process) -> tuple[dict[str, Any], list[Any]] | None:
    """A request with its items; None where the input ended before it. What a cmdlet is given, which are all lines but
    the secrets, is in the event log where policies want that.
    """
    line, complete = process.stdin.read_until(b"\n")
    if not complete:
        return None
    items: list[Any] = []
    try:
        [plain] = _unpacked(line)
        request = json.loads(plain)
        if "module-logging" in caller.host.character.policies:
            caller.host.record.add("event", caller.host.name, number=4103, text=plain.decode())
        for name in request.get("secrets") or ():
            secret, complete = process.stdin.read_until(b"\n")
            if not complete:
                raise _Broken("EndOfInput", f"The input ended before the secret {name}")
            request.setdefault("parameters", {})[name] = base64.b64decode(secret, validate=True).decode()
        expected = request.get("items") or 0
        while len(items) < expected:
            line, complete = process.stdin.read_until(b"\n")
            if not complete:
                raise _Broken("EndOfInput", f"The input ended after {len(items)} of {expected} items")
            items += [json.loads(inner) for inner in _unpacked(line)]
    except (ValueError, AttributeError, EOFError, binascii.Error) as error:
        raise _Broken("BrokenInput", f"A line of the input cannot be read: {error}") from None
    return request, items


def _unpacked(line: bytes) -> list[bytes]:
    """The lines that a line stands for."""
    if not line.startswith(_PACKED):
        return [line]
    return gzip.decompress(base64.b64decode(line[len(_PACKED) : line.rindex(b'"')])).splitlines()


def _answer_request(caller: Caller, request: dict[str, Any], items: list[Any], answers: _Answers) -> None:
    reported = time.monotonic()

    def progress(value: dict[str, Any]) -> None:
        nonlocal reported
        if time.monotonic() - reported >= 1.0:
            reported = time.monotonic()
            answers.add("progress", value)
            answers.send()

    text, more = request["script"], bool(request.get("more"))
    parameters = dict(request.get("parameters") or {})
    if items:
        parameters["Items"] = items
    try:
        if answers.is_broken:
            raise DotNetError("OperationCanceledException", "What it follows failed")
        name = own_script(text) or "without a name"
        output = run_script(caller, name, text, parameters, progress=progress).output if text else []
    except WinError as error:
        answers.is_broken = more
        kind = getattr(error, "kind", None) or (
            "Win32Exception" if error.number in _WIN32_KINDS else _KINDS.get(error.number, "IOException")
        )
        answers.add("error", {"number": error.number, "kind": kind, "message": error.dotnet})
    except NotModelled as error:
        answers.is_broken = more
        answers.add("error", {"number": 0, "kind": "NotModelled", "message": str(error)})
    else:
        for start in range(0, len(output), _BATCH):
            answers.add("items", output[start : start + _BATCH])
        answers.add("end", True)
    if not more:
        answers.send()
