"""The contract of the PowerShell verbs: one table of cases, in verb_cases.py.

Every case runs against the twin's model of the verb, over the real wire. Where a PowerShell 7 is on PATH (`pwsh`), it
runs against the real script as well; cases that need Windows itself are skipped there unless it is Windows. The two are
told apart by their names: twin, pwsh.
"""

from __future__ import annotations

import base64
import gzip
import importlib
import io
import json
import os
import queue
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._winrm import verbs
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import (
    Conversation,
    Ended,
    Received,
    VerbFailed,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.errors import WindowsFault
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.runner import COMMAND_LINE
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from prs_lab.windows.scripts.verbs import VERBS

from .verb_cases import CASES, TREE, Case
from .windows_twins import PASSWORD, Twins

PWSH = shutil.which("pwsh")
WINDOWS = os.name == "nt"
NEEDS_THE_LAB = {"pool look", "connect a wrong password", "connect an account of its own"}
VOLATILE = {"modified", "free", "packed", "attributes", "message"}


def verbs_script(name: str) -> str:
    return importlib.import_module(f"{verbs.__name__}.{name}").SCRIPT


class Bench(Protocol):
    """Where a case runs."""

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
        found = {}
        for path, state in self._twins.files.walk(self.root):
            name = path[len(self.root) + 1 :].replace("\\", "/")
            if not state.is_dir:
                found[name] = self._twins.files.read(path)
            elif not self._twins.files.list(path):
                found[f"{name}/"] = b""
        return found

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]:
        return self._session.call(script, doing="Trying", items=items, **parameters)


SILENCE = 60.0
"""Seconds after which a PowerShell that does not answer is taken to hang."""


class ProcessPipe:
    """A local PowerShell, spoken to as over WinRM."""

    def __init__(self) -> None:
        command = [PWSH or "pwsh", *COMMAND_LINE.split()[1:]]
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
            assert self._process.wait(30) == code
        finally:
            self._process.kill()


class PowerShellBench:
    """The real script."""

    def __init__(self, root: Path, conversation: Conversation) -> None:
        self.root = str(root)
        self._conversation = conversation

    def put(self, name: str, data: bytes) -> None:
        path = Path(self.root, name)
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def tree(self) -> dict[str, bytes]:
        found = {}
        for path in Path(self.root).rglob("*"):
            name = path.relative_to(self.root).as_posix()
            if path.is_file():
                found[name] = path.read_bytes()
            elif not any(path.iterdir()):
                found[f"{name}/"] = b""
        return found

    def call(self, script: str, *, items: Sequence[Any], **parameters: Any) -> list[Any]:
        return self._conversation.call(script, parameters=parameters, items=items)


@pytest.fixture(scope="module")
def powershell() -> Iterator[Conversation]:
    """One process for all cases, as a run of a module has it."""
    pipe = ProcessPipe()
    conversation = Conversation(pipe, patience=SILENCE)
    conversation.start()
    yield conversation
    pipe.close()


NEEDS_PWSH = pytest.mark.skipif(not PWSH, reason="there is no pwsh on PATH")


@pytest.fixture(params=["twin", pytest.param("pwsh", marks=[pytest.mark.pwsh, NEEDS_PWSH])])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "pwsh":
        root = tmp_path / "case"
        root.mkdir()
        yield PowerShellBench(root, request.getfixturevalue("powershell"))
        return
    twins = request.getfixturevalue("twins")
    twins.install_iis()
    with Session(twins.connection(password=PASSWORD)) as session:
        yield TwinBench(twins, session)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.verb} {case.about}")
def test_contract(bench: Bench, case: Case) -> None:
    check(bench, case)


def check(bench: Bench, case: Case) -> None:
    on_pwsh = isinstance(bench, PowerShellBench)
    if on_pwsh and ((case.windows and not WINDOWS) or f"{case.verb} {case.about}" in NEEDS_THE_LAB):
        pytest.skip("needs Windows itself, or the lab's hosts")
    for name, data in case.files.items():
        bench.put(name, data)
    parameters, given = placed(case.parameters, bench), placed(list(case.given), bench)
    script = verbs_script(case.verb)
    if case.error:
        with pytest.raises((VerbFailed, WindowsFault)) as caught:
            bench.call(script, items=given, **parameters)
        assert (caught.value.number, caught.value.kind) == case.error
    else:
        assert steady(bench.call(script, items=given, **parameters)) == steady(placed(case.items, bench))
    if case.after is not None:
        assert bench.tree() == expected_tree(case.after)


@pytest.mark.pwsh
@NEEDS_PWSH
@pytest.mark.parametrize("culture", ["th-TH", "tr-TR", "ar-SA", "fa-IR", "de-DE", "da-DK"])
def test_no_culture_changes_anything(powershell: Conversation, tmp_path: Path, culture: str) -> None:
    """Calendars, separators, casing: all cases again, as an administrator of that country would see them."""
    choose = "# prs.recovery culture\nparam($Name)\n[CultureInfo]::CurrentCulture = $Name\n(Get-Culture).Name"
    try:
        assert powershell.call(choose, parameters={"Name": culture}) == [culture]
        for number, case in enumerate(CASES):
            if not case.windows and f"{case.verb} {case.about}" not in NEEDS_THE_LAB:
                root = tmp_path / str(number)
                root.mkdir()
                check(PowerShellBench(root, powershell), case)
    finally:
        powershell.call(choose, parameters={"Name": "en-US"})


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
        found = [steady(inner) for inner in value]
        return (
            sorted(found, key=lambda item: item["name"])
            if all(isinstance(item, dict) and "encrypted" in item for item in found)
            else found
        )
    return value


def expected_tree(files: dict[str, bytes]) -> dict[str, bytes]:
    return {
        name: data
        for name, data in files.items()
        if not (name.endswith("/") and any(other.startswith(name) and other != name for other in files))
    }


def test_what_pack_wrote_another_program_can_read(bench: Bench) -> None:
    for name, data in TREE.items():
        bench.put(name, data)
    bench.call(
        verbs_script("pack"),
        items=["empty/", "web.config", "sub/Ümläut 日本.txt"],
        Path=bench.root,
        Archive=placed("{root}/new.zip", bench),
        ManifestName="own/list",
        ManifestHead='{"files": {count}, "x": 1}',
    )
    with zipfile.ZipFile(io.BytesIO(bench.tree()["new.zip"])) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["empty/", "web.config", "sub/Ümläut 日本.txt", "own/list"]
        assert archive.read("sub/Ümläut 日本.txt") == b"\xff\x00"
        assert (
            archive.read("own/list").startswith(b'{"files": 2, "x": 1}\n{')
            and archive.read("own/list").count(b"\n") == 3
        )


def test_many_lines_go_both_ways(bench: Bench) -> None:
    """More than one message holds, in both directions."""
    path = placed("{root}/list", bench)
    lines = [f'{{"number": {number}, "text": "{"ü" * 100}"}}' for number in range(5_000)]
    bench.call(verbs_script("write_lines"), items=lines, Path=path)
    assert bench.call(verbs_script("read_lines"), items=(), Path=path) == lines


def test_every_verb_has_its_cases_and_its_model() -> None:
    files = {path.stem for folder in verbs.__path__ for path in Path(folder).glob("*.py")} - {"__init__"}
    assert {case.verb for case in CASES} == files == set(VERBS)


LISTING = verbs_script("stat_paths")
CUT = base64.b64encode(gzip.compress(b'"C:\\\\a"\n"C:\\\\b"\n' * 50)[:-9])
BROKEN = {
    "a request that is no JSON": (b"", -1, "BrokenInput"),
    "an item that is no JSON": (b"{half an item\n", 2, "BrokenInput"),
    "packed lines that are cut": (b'{"lines":"H4sIAAAA"}\n', 2, "BrokenInput"),
    "packed lines that are cut later": (b'{"lines":"' + CUT + b'"}\n', 2, "BrokenInput"),
    "input that ends in the middle": (b'"C:\\\\a"\n', 2, "EndOfInput"),
}


@pytest.fixture(params=["twin", pytest.param("pwsh", marks=[pytest.mark.pwsh, NEEDS_PWSH])])
def own_conversation(request: pytest.FixtureRequest) -> Iterator[tuple[Conversation, Any, Any]]:
    """A conversation of its own, how to hand raw bytes over, and how to end the input."""
    if request.param == "pwsh":
        pipe = ProcessPipe()
        conversation = Conversation(pipe, patience=SILENCE)
        conversation.start()
        yield conversation, pipe.send, pipe.end_input
        pipe.close(code=1)
        return
    twins = request.getfixturevalue("twins")
    with Session(twins.connection(password=PASSWORD)) as session:
        wire = session._conversation._pipe

        def end_input() -> None:
            wire._protocol.send_command_input(wire._shell, wire._command, b"", end=True)

        yield session._conversation, wire.send, end_input


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_input_is_an_answer_and_no_hang(own_conversation: tuple[Conversation, Any, Any], fault: str) -> None:
    """And the end of the process, though its input stays open."""
    conversation, send, end_input = own_conversation
    line, expected, kind = BROKEN[fault]
    request = json.dumps({"script": LISTING, "parameters": {}, "items": expected}).encode()
    send((request if expected >= 0 else request[:-9]) + b"\n" + line)
    if kind == "EndOfInput":
        end_input()
    with pytest.raises(VerbFailed) as caught:
        conversation._answer(SILENCE)
    assert caught.value.kind == kind
    with pytest.raises(Ended):
        conversation._answer(SILENCE)


@pytest.mark.pwsh
@NEEDS_PWSH
@pytest.mark.parametrize("line", [b"no JSON\n", b'"begin { throw 1 }"\n', b'"}"\n'])
def test_a_runner_that_cannot_begin_is_an_answer(line: bytes) -> None:
    pipe = ProcessPipe()
    pipe.send(line)
    conversation = Conversation(pipe, patience=SILENCE)
    with pytest.raises(VerbFailed) as caught:
        conversation._answer(SILENCE)
    assert caught.value.kind == "BrokenInput"
    with pytest.raises(Ended):
        conversation._answer(SILENCE)
    pipe.close(code=1)


@pytest.mark.pwsh
@NEEDS_PWSH
def test_a_text_that_is_no_script_is_an_answer(powershell: Conversation) -> None:
    """The session goes on."""
    with pytest.raises(VerbFailed) as caught:
        powershell.call("param($Items)\n}", parameters={"Items": 1})
    assert caught.value.kind == "ParseException"
    assert powershell.call(LISTING, parameters={}) == []
