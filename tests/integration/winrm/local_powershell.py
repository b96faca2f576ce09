"""A PowerShell of this machine, spoken to as over WinRM, and what a case of a verb finds and leaves there.

Nothing in here needs Ansible or the laboratory, so that tests/tools/verbs_on_windows.py can use it on Windows.
"""

from __future__ import annotations

import base64
import gzip
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation, Received
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.runner import COMMAND_LINE

__all__ = ["SILENCE", "Bench", "PowerShellBench", "ProcessPipe", "expected_tree", "placed", "steady"]

SILENCE = 60.0
"""Seconds after which a PowerShell that does not answer is taken to hang."""
VOLATILE = {"modified", "free", "packed", "attributes", "message"}


class Bench(Protocol):
    root: str

    def put(self, name: str, data: bytes) -> None: ...

    def mark_read_only(self, name: str) -> None: ...

    def tree(self) -> dict[str, bytes]: ...

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]: ...


class ProcessPipe:
    """A local PowerShell, spoken to as over WinRM."""

    def __init__(
        self, program: str, *, through: Sequence[str | Path] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """through: what starts it, with its arguments."""
        command = [*through, program, *COMMAND_LINE.split()[1:]]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """So that to wait for a line has an end. The last one is empty, as at the end of a file."""
        assert self._process.stdout
        while line := self._process.stdout.readline():
            self._lines.put(line)
        self._lines.put(b"")

    def send(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def receive(self) -> Received:
        try:
            line = self._lines.get(timeout=1)
        except queue.Empty:
            return Received()
        return Received(stdout=line, ended=not line)

    def end_input(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()

    def close(self, *, code: int = 0) -> None:
        """Its input ends, and so must it."""
        self.end_input()
        try:
            assert self._process.wait(SILENCE) == code
        finally:
            self._process.kill()


class PowerShellBench:
    """The real script."""

    def __init__(self, folder: Path, conversation: Conversation) -> None:
        self.root = str(folder)
        self._folder = folder
        self._conversation = conversation

    def put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def mark_read_only(self, name: str) -> None:
        (self._folder / name).chmod(0o444)

    def tree(self) -> dict[str, bytes]:
        result = {}
        for path in self._folder.rglob("*"):
            name = path.relative_to(self._folder).as_posix()
            if path.is_file():
                result[name] = path.read_bytes()
            elif not any(path.iterdir()):
                result[f"{name}/"] = b""
        return result

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]:
        return self._conversation.call(script, parameters=parameters, items=items)


def placed(value: Any, bench: Bench) -> Any:
    """With the place of {root} on this bench, and its separators in what begins with it."""
    if isinstance(value, str):
        if not value.startswith("{root}"):
            return value
        separator = "\\" if "\\" in bench.root else "/"
        return bench.root + value.removeprefix("{root}").replace("/", separator)
    if isinstance(value, dict):
        return {key: placed(inner, bench) for key, inner in value.items()}
    return [placed(inner, bench) for inner in value] if isinstance(value, list) else value


def steady(value: Any) -> Any:
    """Without what differs from run to run, and entries of a folder in a fixed order."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, str) and value.startswith("H4sI"):
        return gzip.decompress(base64.b64decode(value)).hex()
    if isinstance(value, list):
        result = [steady(inner) for inner in value]
        return (
            sorted(result, key=lambda item: item["name"])
            if all(isinstance(item, dict) and "encrypted" in item for item in result)
            else result
        )
    return value


def expected_tree(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name: data
        for name, data in files.items()
        if not (name.endswith("/") and any(other.startswith(name) and other != name for other in files))
    }
