"""Where a case of a verb runs: on the twin, in a PowerShell on PATH, or in a PowerShell for Windows under Wine.

`pwsh` is PowerShell 7 of this machine's own system. `winpwsh` is any program of that name that hands its arguments to a
PowerShell for Windows whose drive C: is the folder drive_c of WINEPREFIX (~/.winps unless the environment says so).
"""

from __future__ import annotations

import base64
import gzip
import os
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation, Received
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.runner import COMMAND_LINE
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session

from .windows_twins import Twins

__all__ = [
    "PWSH", "SILENCE", "WINPWSH", "Bench", "PowerShellBench", "ProcessPipe", "TwinBench", "WineBench", "expected_tree", "placed", "steady", "wine_folder",
]  # fmt: skip

PWSH = shutil.which("pwsh")
WINPWSH = shutil.which("winpwsh")
DRIVE = Path(os.environ.get("WINEPREFIX", "~/.winps")).expanduser() / "drive_c"
SILENCE = 60.0
"""Seconds after which a PowerShell that does not answer is taken to hang."""
VOLATILE = {"modified", "free", "packed", "attributes", "message"}


class Bench(Protocol):
    root: str

    def put(self, name: str, data: bytes) -> None: ...

    def tree(self) -> dict[str, bytes]: ...

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]: ...


class TwinBench:
    """The twin's model, over WinRM."""

    def __init__(self, twins: Twins, session: Session) -> None:
        self.root = "C:\\case"
        self._twins = twins
        self._session = session
        twins.files.make_dir(self.root)

    def put(self, name: str, data: bytes) -> None:
        path = f"{self.root}\\{name}"
        self._twins.files.make_dir(path.replace("/", "\\")) if name.endswith("/") else self._twins.write(path, data)

    def tree(self) -> dict[str, bytes]:
        result = {}
        for path, state in self._twins.files.walk(self.root):
            name = path[len(self.root) + 1 :].replace("\\", "/")
            if not state.is_dir:
                result[name] = self._twins.files.read(path)
            elif not self._twins.files.list(path):
                result[f"{name}/"] = b""
        return result

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]:
        return self._session.call(script, doing="Trying", items=items, **parameters)


class ProcessPipe:
    """A local PowerShell, spoken to as over WinRM."""

    def __init__(self, program: str) -> None:
        command = [program, *COMMAND_LINE.split()[1:]]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
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


class WineBench(PowerShellBench):
    """The real script, with Windows' drives, paths and error numbers."""

    def __init__(self, folder: Path, conversation: Conversation) -> None:
        super().__init__(folder, conversation)
        self.root = "C:\\" + "\\".join(folder.relative_to(DRIVE).parts)


@contextmanager
def wine_folder() -> Iterator[Path]:
    """A folder on Wine's drive C:, which is there once a PowerShell has been started."""
    folder = Path(tempfile.mkdtemp(prefix="prs-case-", dir=DRIVE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


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
