"""The contract of the PowerShell verbs: one table of cases, in verb_cases.py.

Every case runs against the twin's model of the verb, over the real wire. Where a PowerShell 7 is on PATH (`pwsh`), it
runs against the real script as well; cases that need Windows itself are skipped there unless it is Windows. Where a
PowerShell for Windows is that runs under Wine (`winpwsh`), all run there but those in NOT_UNDER_WINE. Who answered
stands in a test's name: twin, pwsh, winpwsh.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_entries import screen_entries
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._winrm import verbs
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection import conversation as conversation_module
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import (
    Conversation,
    Ended,
    Request,
    Secret,
    VerbFailed,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.errors import WindowsFault
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.runner import RUNNER
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.reader import WindowsReader
from prs_lab.windows.models import load_models
from prs_lab.windows.scripts.verbs import VERBS

from .benches import PWSH, WINPWSH, TwinBench, WineBench, wine_folder
from .local_powershell import SILENCE, Bench, PowerShellBench, ProcessPipe, expected_tree, placed, steady
from .verb_cases import BESIDE_A_CODE_PAGE, CASES, TREE, Case, with_fields
from .windows_twins import PASSWORD

WINDOWS = os.name == "nt"
NEEDS_THE_LAB = {"pool look", "connect a wrong password", "connect an account of its own"}
NOT_UNDER_WINE = {
    "stat_paths a server that is not there": "Wine has no client for SMB: no server is looked for",
    "pool look": "there is no IIS",
    "connect no such server": "Wine has no client for SMB, so nothing can be connected",
    "connect a wrong password": "Wine has no client for SMB, so nothing can be connected",
    "connect an account of its own": "Wine has no client for SMB, so nothing can be connected",
    "disconnect all of a server": "Wine's WScript.Network does not list what is connected",
}


def name_of(case: Case) -> str:
    return f"{case.verb} {case.about}"


def verbs_script(name: str) -> str:
    return importlib.import_module(f"{verbs.__name__}.{name}").SCRIPT


@pytest.fixture(scope="module")
def powershell() -> Iterator[Conversation]:
    """One process for all cases, as a run of a module has it."""
    yield from conversations(PWSH or "pwsh")


@pytest.fixture(scope="module")
def wine() -> Iterator[Conversation]:
    yield from conversations(WINPWSH or "winpwsh")


def conversations(program: str) -> Iterator[Conversation]:
    pipe = ProcessPipe(program)
    conversation = Conversation(pipe, patience=SILENCE)
    conversation.start()
    yield conversation
    pipe.close()


NEEDS_PWSH = pytest.mark.skipif(not PWSH, reason="there is no pwsh on PATH")
NEEDS_WINPWSH = pytest.mark.skipif(not WINPWSH, reason="there is no winpwsh on PATH")
ON_PWSH = pytest.param("pwsh", marks=[pytest.mark.pwsh, NEEDS_PWSH])
ON_WINPWSH = pytest.param("winpwsh", marks=[pytest.mark.winpwsh, NEEDS_WINPWSH])


@pytest.fixture(params=["twin", ON_PWSH, ON_WINPWSH])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "pwsh":
        root = tmp_path / "case"
        root.mkdir()
        yield PowerShellBench(root, request.getfixturevalue("powershell"))
        return
    if request.param == "winpwsh":
        conversation = request.getfixturevalue("wine")
        with wine_folder() as root:
            yield WineBench(root, conversation)
        return
    twins = request.getfixturevalue("twins")
    twins.install_iis()
    with Session(twins.connection(password=PASSWORD)) as session:
        yield TwinBench(twins, session)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_contract(bench: Bench, case: Case) -> None:
    check(bench, case)


def check(bench: Bench, case: Case) -> None:
    if isinstance(bench, WineBench):
        if name_of(case) in NOT_UNDER_WINE:
            pytest.skip(NOT_UNDER_WINE[name_of(case)])
    elif isinstance(bench, PowerShellBench) and ((case.windows and not WINDOWS) or name_of(case) in NEEDS_THE_LAB):
        pytest.skip("needs Windows itself, or the lab's hosts")
    for name, data in case.files.items():
        bench.put(name, data)
    for name in case.read_only:
        bench.mark_read_only(name)
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
            if not case.windows and name_of(case) not in NEEDS_THE_LAB:
                root = tmp_path / str(number)
                root.mkdir()
                check(PowerShellBench(root, powershell), case)
    finally:
        powershell.call(choose, parameters={"Name": "en-US"})


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


class BenchSession:
    """A session of a reader, on a bench."""

    host = "WEB1"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def call(
        self, script: str, *, doing: str, items: Any = (), on_progress: Any = None, **parameters: Any
    ) -> list[Any]:
        return self._bench.call(script, items=items, **parameters)


@pytest.mark.parametrize("about", BESIDE_A_CODE_PAGE)
def test_by_which_names_entries_are_written(bench: Bench, about: str) -> None:
    """Beside one in a code page there may be a name in UTF-8: it is what is judged, and nothing goes by another one."""
    entries, expected = BESIDE_A_CODE_PAGE[about]
    bench.put("x.zip", with_fields(entries))
    reader = WindowsReader(BenchSession(bench), check_mode=False, progress=Progress())  # type: ignore[arg-type]
    path = placed("{root}/x.zip", bench)
    for found in (reader.entries(path), reader.read_entries(path)):
        result = screen_entries(found)
        refused = [f"{refusal.name} {refusal.reason}" for refusal in result.refused]
        assert [entry.name for entry in result.accepted] + refused == expected


def test_many_lines_go_both_ways(bench: Bench) -> None:
    """More than one message holds, in both directions."""
    path = placed("{root}/list", bench)
    lines = [f'{{"number": {number}, "text": "{"ü" * 100}"}}' for number in range(5_000)]
    bench.call(verbs_script("write_lines"), items=lines, Path=path)
    assert bench.call(verbs_script("read_lines"), items=(), Path=path) == lines


def test_many_answers_keep_their_order(bench: Bench) -> None:
    """Also where those of the same keys go out as columns, and others stand between them."""
    names = [f"there/{number}" if number % 7 else f"gone/{number}" for number in range(1_300)]
    for name in names:
        if name.startswith("there"):
            bench.put(name, name.encode())
    answers = bench.call(verbs_script("hash_files"), items=names, Path=bench.root)
    assert [answer["name"] for answer in answers] == names
    expected = [hashlib.sha256(name.encode()).hexdigest() if name.startswith("there") else None for name in names]
    assert [answer.get("sha256") for answer in answers] == expected
    assert {answer["error"]["number"] for answer in answers if "error" in answer} == {3}


INVALID, IO, WRAPPED = (
    f"[System.{name}]::new"
    for name in ("IO.InvalidDataException", "IO.IOException", "Reflection.TargetInvocationException")
)
CAUSES = {
    "a seek before the beginning, of .NET Framework": (f"{INVALID}('x', {IO}('seek', 0x80070083))", (0, "InvalidDataException")),
    "the same of newer .NET": (f"{INVALID}('x', {IO}('seek', 0x80070057))", (0, "InvalidDataException")),
    "a connection that broke off": (f"{INVALID}('x', {IO}('gone', 0x80070040))", (64, "IOException")),
    "nothing behind it": (f"{INVALID}('x')", (0, "InvalidDataException")),
    "a wrapper of reflection": (f"{WRAPPED}('x', {IO}('full', 0x80070070))", (112, "IOException")),
    "a wrapper of PowerShell": (
        f"[System.Management.Automation.MethodInvocationException]::new('x', {IO}('in use', 0x80070020))", (32, "IOException"),
    ),
    "a cause that is not looked for": (f"{IO}('outer', {IO}('inner', 0x80070020))", (0, "IOException")),
}  # fmt: skip
"""Exceptions as the two .NETs throw them. Source: dotnet/runtime and referencesource, ZipArchive.ReadEndOfCentralDirectory
and FileStream.Seek; 131 is ERROR_NEGATIVE_SEEK, 87 ERROR_INVALID_PARAMETER.
"""


@pytest.mark.pwsh
@NEEDS_PWSH
@pytest.mark.parametrize("about", CAUSES)
def test_the_cause_of_an_error_is_told_and_no_wrapper(powershell: Conversation, about: str) -> None:
    exception, cause = CAUSES[about]
    with pytest.raises(VerbFailed) as caught:
        powershell.call(f"throw {exception}", parameters={})
    assert (caught.value.number, caught.value.kind) == cause


@pytest.mark.pwsh
@NEEDS_PWSH
def test_a_powershell_without_a_kind_of_dates_is_asked_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows PowerShell 5.1, which has no -DateKind."""
    asks = "ContainsKey('DateKind')"
    assert RUNNER.count(asks) == 1
    monkeypatch.setattr(conversation_module, "RUNNER", RUNNER.replace(asks, "ContainsKey('NoSuchParameter')"))
    for conversation in conversations("pwsh"):
        echo = "param($Items)\n$asText.Count\n$Items"
        assert conversation.call(echo, parameters={}, items=["a", "b"]) == [0, "a", "b"]


SIX_MB = 6 << 20
FILES = [f"{number}.txt" for number in range(6)]
SAYS_HOW_FAR_IT_IS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "list_folder": ([], {"Path": "{root}/folders"}),
    "stat_paths": ([f"{{root}}/many/{name}" for name in FILES], {}),
    "hash_files": (["large"], {"Path": "{root}"}),
    "read_ranges": ([{"path": "{root}/large", "ranges": [[0, SIX_MB]]}], {}),
    "check_content": ([{"path": "{root}/large", "packed": False, "marks": [], "parts": [[0, SIX_MB]]}] * 6, {"MostFlaws": 1}),
    "entries": ([], {"Archive": "{root}/a.zip", "Hash": True}),
    "unpack": (
        [[0, "large", SIX_MB, False]], {"Archive": "{root}/a.zip", "Target": "{root}/to"},
    ),
    "pack": (["large"], {"Path": "{root}", "Archive": "{root}/b.zip", "ManifestName": "own/list", "ManifestHead": "{}"}),
    "pack beyond Settle": (
        ["large"], {"Path": "{root}", "Archive": "{root}/c.zip", "ManifestName": "own/list", "ManifestHead": "{}", "Settle": 9},
    ),
    "move": ([[f"{{root}}/many/{name}", f"{{root}}/to/{name}"] for name in FILES], {}),
    "remove": ([], {"Path": "{root}/many"}),
}  # fmt: skip
"""What is asked of a verb: one large file, read by the megabyte, or many small ones, or many folders."""


@pytest.mark.pwsh
@NEEDS_PWSH
@pytest.mark.parametrize("name", SAYS_HOW_FAR_IT_IS)
def test_a_verb_says_how_far_it_is(powershell: Conversation, tmp_path: Path, name: str) -> None:
    """Inside of a large file, too, of files that are moved or removed, and between folders: whenever a second is over,
    which here it is at once.
    """
    bench = PowerShellBench(tmp_path, powershell)
    bench.put("large", bytes(SIX_MB))
    bench.put("to/", b"")
    for file in FILES:
        bench.put(f"many/{file}", b"x")
        bench.put(f"folders/{file}/x", b"x")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("large", bytes(SIX_MB))
    items, parameters = placed(list(SAYS_HOW_FAR_IT_IS[name]), bench)
    script = verbs_script(name.split()[0])
    assert "-ge 1000" in script
    said: list[dict[str, Any]] = []
    powershell.call(script.replace("-ge 1000", "-ge 0"), parameters=parameters, items=items, on_progress=said.append)
    assert len(said) >= len(FILES)


@pytest.mark.pwsh
@NEEDS_PWSH
def test_attributes_that_this_dotnet_does_not_tell_are_0(powershell: Conversation, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", b"x")
    script = verbs_script("entries")
    parameters = {"Archive": str(tmp_path / "a.zip")}
    [entry] = powershell.call(script, parameters=parameters)
    assert entry["attributes"]
    [older] = powershell.call(script.replace("ExternalAttributes", "NotThere"), parameters=parameters)
    assert older == {**entry, "attributes": 0}


def test_every_verb_has_its_cases_and_its_model() -> None:
    load_models()
    files = {path.stem for folder in verbs.__path__ for path in Path(folder).glob("*.py")} - {"__init__"}
    assert {case.verb for case in CASES} == files == set(VERBS)


@pytest.mark.pwsh
@NEEDS_PWSH
@pytest.mark.parametrize("items", [[], ["a", "b"]])
def test_a_secret_reaches_its_parameter(powershell: Conversation, items: list[str]) -> None:
    script = '# prs.recovery secret\nparam($User, $Password, $Items)\n"$User $Password $($Items.Count)"'
    given = {"User": "u", "Password": Secret("Größe 'quoted' \"twice\"")}
    expected = f"u {given['Password']} {len(items)}"
    assert powershell.call(script, parameters=given, items=items) == [expected]
    assert powershell.call(script, parameters={**given, "User": Secret("v")}, items=items) == ["v" + expected[1:]]


LISTING = verbs_script("stat_paths")
CUT = base64.b64encode(gzip.compress(b'"C:\\\\a"\n"C:\\\\b"\n' * 50)[:-9])
BROKEN = {
    "a request that is no JSON": (b"", -1, "BrokenInput"),
    "an item that is no JSON": (b"{half an item\n", 2, "BrokenInput"),
    "packed lines that are cut": (b'{"lines":"H4sIAAAA"}\n', 2, "BrokenInput"),
    "packed lines that are cut later": (b'{"lines":"' + CUT + b'"}\n', 2, "BrokenInput"),
    "input that ends in the middle": (b'"C:\\\\a"\n', 2, "EndOfInput"),
}


@pytest.fixture(params=["twin", ON_PWSH, ON_WINPWSH])
def own_conversation(request: pytest.FixtureRequest) -> Iterator[tuple[Conversation, Any, Any]]:
    """A conversation of its own, how to hand raw bytes over, and how to end the input."""
    if request.param != "twin":
        pipe = ProcessPipe(request.param)
        conversation = Conversation(pipe, patience=SILENCE)
        conversation.start()
        yield conversation, pipe.send, pipe.end_input
        pipe.close(code=1)
        return
    twins = request.getfixturevalue("twins")
    with Session(twins.connection(password=PASSWORD)) as session:
        assert session.computer
        wire = session._conversation._pipe

        def end_input() -> None:
            wire._protocol.send_command_input(wire._shell, wire._command, b"", end=True)

        yield session._conversation, wire.send, end_input


def conversation_of(bench: Bench) -> Conversation:
    return bench._conversation if isinstance(bench, PowerShellBench) else bench._session._conversation


def test_what_prepares_a_verb_is_run_before_it_and_stops_it_where_it_fails(bench: Bench) -> None:
    """Two folders and a look at them in one message, their answers in one as well."""
    conversation = conversation_of(bench)
    conversation.start()
    pipe, sent = conversation._pipe, []
    real_send = pipe.send
    pipe.send = lambda data: (sent.append(data), real_send(data))
    made, nothing = placed("{root}/made", bench), placed("{root}/nothing", bench)
    make = verbs_script("make_folder")
    try:
        first = [Request(make, {"Path": made}), Request(make, {"Path": placed("{root}/made/two", bench)})]
        [state] = conversation.call(LISTING, parameters={}, items=[made], before=first)
        assert state["folder"] and len(sent) == 1
        assert bench.tree() == {"made/two/": b""}
        failing = [
            Request(verbs_script("read_lines"), {"Path": nothing}),
            Request(make, {"Path": placed("{root}/three", bench)}),
        ]
        with pytest.raises(VerbFailed) as caught:
            conversation.call(verbs_script("remove"), parameters={"Path": made}, before=failing)
        assert (caught.value.position, caught.value.number) == (0, 2)
        assert bench.tree() == {"made/two/": b""}, "nothing of what followed was run"
        assert conversation.call(LISTING, parameters={}, items=[made])[0]["folder"]
    finally:
        del pipe.send


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
        conversation._answer()
    assert caught.value.kind == kind
    with pytest.raises(Ended):
        conversation._answer()


@pytest.mark.pwsh
@NEEDS_PWSH
@pytest.mark.parametrize("line", [b"no JSON\n", b'"begin { throw 1 }"\n', b'"}"\n'])
def test_a_runner_that_cannot_begin_is_an_answer(line: bytes) -> None:
    pipe = ProcessPipe("pwsh")
    pipe.send(line)
    conversation = Conversation(pipe, patience=SILENCE)
    with pytest.raises(VerbFailed) as caught:
        conversation._answer()
    assert caught.value.kind == "BrokenInput"
    with pytest.raises(Ended):
        conversation._answer()
    pipe.close(code=1)


@pytest.mark.pwsh
@NEEDS_PWSH
def test_a_text_that_is_no_script_is_an_answer(powershell: Conversation) -> None:
    """The session goes on."""
    with pytest.raises(VerbFailed) as caught:
        powershell.call("param($Items)\n}", parameters={"Items": 1})
    assert caught.value.kind == "ParseException"
    assert powershell.call(LISTING, parameters={}) == []
