# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers as lines of JSON with a PowerShell that runs RUNNER, whatever carries the bytes."""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .runner import RUNNER

__all__ = ["Conversation", "Ended", "Pipe", "Received", "Request", "Secret", "Silent", "VerbFailed"]

CHUNK = 150_000
"""Bytes of one piece of input: WinRM's envelope holds 500 KB, and base64 makes a third more of it."""


@dataclass(frozen=True)
class Received:
    """What came since the last time; ended when the process has."""

    stdout: bytes = b""
    stderr: bytes = b""
    ended: bool = False


PACKED = b'{"lines":"'
BLOCK = 256 << 10
WORTH_PACKING = 1 << 10
"""Bytes of lines that are packed into one, at most and at least."""

START_PATIENCE = 300.0
PATIENCE = 1800.0
"""Seconds without a word from a PowerShell that starts, and from one that works: a verb that takes its time says so
every second, but one call of Windows, such as for the rights of all that is in a folder, cannot be asked meanwhile.
"""


ENDS_THE_PROCESS = {"BrokenInput", "EndOfInput", "LanguageMode"}
"""Kinds of errors after which nothing more is answered."""

KEY_DELETED = 1018
"""Windows has unloaded the account's part of the registry, as when it logged off elsewhere: COM is of no use any more
to a process that was there before.
"""


class Pipe(Protocol):
    """A running PowerShell with BOOTSTRAP as its command."""

    def send(self, data: bytes) -> None:
        """Hand bytes to its input."""

    def receive(self) -> Received:
        """Wait for output, a while; nothing at all is an answer as well."""


class Secret(str):
    """A parameter that no cmdlet may be given: with module logging Windows writes what they are into its event log."""


@dataclass(frozen=True)
class Request:
    """A verb that is asked for before another: with that it travels, and that is not run where this fails."""

    script: str
    parameters: dict[str, Any]
    items: Sequence[Any] = ()
    on_progress: Callable[[dict[str, Any]], None] | None = None


class VerbFailed(Exception):
    """A verb answered with an error: number (Win32, 0 when it is none), kind (class of the exception), message
    (Windows' own words); position: which of several that were asked for together, counted from 0.
    """

    def __init__(self, *, number: int, kind: str, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.number = number
        self.kind = kind
        self.message = message
        self.position = position


class Ended(Exception):
    """The process ended although an answer was due; said is what it wrote that was no answer."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class Silent(Exception):
    """The process lives and has said nothing for so many seconds that nothing more is to be expected."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds:.0f} seconds")
        self.seconds = seconds


class Conversation:
    """One PowerShell process, asked one thing after the other. is_running: whether RUNNER runs there already, for who
    had a conversation before; patience: how many seconds it may say nothing.
    """

    def __init__(self, pipe: Pipe, *, is_running: bool = False, patience: float = PATIENCE) -> None:
        self._pipe = pipe
        self._patience = patience
        self._lines: deque[bytes] = deque()
        self._rest = b""
        self._noise: list[str] = []
        self._greeting = [] if is_running else [_line(RUNNER)]
        """The script that reads requests: it travels with the first of them."""
        self._begins = True
        self._is_spent = False
        self.about: dict[str, Any] = {}
        """Which PowerShell answers; nothing before its first answer."""
        self.owes_an_answer = False

    @property
    def can_go_on(self) -> bool:
        """Whether somebody else may begin a conversation with the same process."""
        return not (self._greeting or self.owes_an_answer or self._is_spent)

    def start(self) -> None:
        """Learn who answers, before anything is asked for."""
        if not self.about:
            self.call("", parameters={})

    def call(
        self,
        script: str,
        *,
        parameters: dict[str, Any],
        items: Iterable[Any] = (),
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        before: Sequence[Request] = (),
    ) -> list[Any]:
        """Run a verb and return what it put out. before: others, one after the other, whose items nobody wants. Raises
        VerbFailed for the first that fails; what comes after that was not run. Raises Ended, Silent.
        """
        if self.owes_an_answer:
            raise Ended("It still owes the answer to an earlier request")
        last = Request(script, parameters, [*items], on_progress)
        requests = [*before, last]
        lines = [
            line
            for number, request in enumerate(requests)
            for line in _asked(request, begins=self._begins and number == 0, more=request is not last)
        ]
        self.owes_an_answer = True
        for piece in _pieces(*self._greeting, *lines):
            self._pipe.send(piece)
        self._greeting, self._begins = [], False
        faults: list[VerbFailed] = []
        result: list[Any] = []
        for position, request in enumerate(requests):
            try:
                result = self._result(request.on_progress)
            except VerbFailed as fault:
                fault.position = position
                faults.append(fault)
            except Ended:
                if faults:  # of what ends the process as well, so that nothing more is to come
                    raise faults[0] from None
                raise
        self.owes_an_answer = False
        if faults:
            raise faults[0]
        return result

    def _result(self, on_progress: Callable[[dict[str, Any]], None] | None) -> list[Any]:
        """What one request put out."""
        result = []
        while True:
            kind, value = self._answer()
            if kind == "items":
                result.extend(value)
            elif kind == "columns":
                columns = [column.split("\0") if isinstance(column, str) else column for column in value.values()]
                result.extend(dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True))
            elif kind == "progress" and on_progress:
                on_progress(value)
            elif kind == "ready":
                self.about = value
            elif kind == "end":
                return result

    def _answer(self) -> tuple[str, Any]:
        """The next (kind, value). A line that is no answer is kept, for the case that nothing better comes."""
        while True:
            line = self._next_line(self._patience if self.about else min(START_PATIENCE, self._patience))
            try:
                [(kind, value)] = json.loads(line).items()
            except (ValueError, AttributeError):
                self._noise.append(line.decode("utf-8", "replace"))
                continue
            if kind == "error":
                if value.get("kind") in ENDS_THE_PROCESS or value.get("number") == KEY_DELETED:
                    self._is_spent = True
                raise VerbFailed(
                    number=value.get("number", 0), kind=value.get("kind", ""), message=value.get("message", "")
                )
            return kind, value

    def _next_line(self, patience: float) -> bytes:
        heard = time.monotonic()
        while not self._lines:
            received = self._pipe.receive()
            if received.stdout or received.stderr or received.ended:
                heard = time.monotonic()
            elif time.monotonic() - heard > patience:
                raise Silent(patience)
            *lines, self._rest = (self._rest + received.stdout).split(b"\n")
            self._lines.extend(lines)
            if received.stderr:
                self._noise.append(received.stderr.decode("utf-8", "replace"))
            if received.ended and not self._lines:
                raise Ended("\n".join([*self._noise, self._rest.decode("utf-8", "replace")]).strip())
        line = self._lines.popleft()
        if not line.startswith(PACKED):
            return line
        try:
            self._lines.extendleft(reversed(_unpacked(line)))
        except (ValueError, EOFError, OSError, zlib.error) as problem:
            raise Ended(f"A part of its answer cannot be read: {problem}") from None
        return self._next_line(patience)


def _asked(request: Request, *, begins: bool, more: bool) -> Iterator[bytes]:
    """The lines of a request, with its secrets and its items."""
    secrets = {name: value for name, value in request.parameters.items() if isinstance(value, Secret)}
    shown = {name: value for name, value in request.parameters.items() if name not in secrets}
    asked = {"script": request.script, "parameters": shown, "secrets": [*secrets], "items": len(request.items)}
    yield from _packed([_line({**asked, "begins": begins, "more": more})])
    yield from (base64.b64encode(value.encode()) + b"\n" for value in secrets.values())
    yield from _packed(_line(item) for item in request.items)


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _packed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines, many of them in one where that pays."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= BLOCK:
            yield _pack(block)
            block, size = [], 0
    if size < WORTH_PACKING:
        yield from block
    else:
        yield _pack(block)


def _pack(lines: list[bytes]) -> bytes:
    return PACKED + base64.b64encode(gzip.compress(b"".join(lines), mtime=0)) + b'"}\n'


def _unpacked(line: bytes) -> list[bytes]:
    return gzip.decompress(base64.b64decode(line[len(PACKED) : line.rindex(b'"')])).splitlines()


def _pieces(*lines: bytes) -> Iterator[bytes]:
    """The lines, joined and cut into pieces that fit into one message."""
    joined = memoryview(b"".join(lines))
    for start in range(0, len(joined), CHUNK):
        yield bytes(joined[start : start + CHUNK])
