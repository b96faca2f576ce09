"""The lines that go to and come from a PowerShell on the host, with a double in the place of the host."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import random
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import (
    CHUNK,
    Conversation,
    Ended,
    Received,
    Request,
    Secret,
    Silent,
    VerbFailed,
)
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.runner import RUNNER


class Pipe:
    """Gives out what it was told to, piece by piece; keeps what it is given."""

    def __init__(self, *pieces: bytes | Received) -> None:
        self.pieces = [piece if isinstance(piece, Received) else Received(stdout=piece) for piece in pieces]
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def receive(self) -> Received:
        return self.pieces.pop(0) if self.pieces else Received(ended=True)

    @property
    def lines(self) -> list[Any]:
        """What was sent, with the lines that stand for many taken apart."""
        found: list[Any] = []
        for line in b"".join(self.sent).splitlines():
            value = json.loads(line)
            packed = isinstance(value, dict) and list(value) == ["lines"]
            found += (
                [json.loads(inner) for inner in gzip.decompress(base64.b64decode(value["lines"])).splitlines()]
                if packed
                else [value]
            )
        return found


def packed(*lines: bytes) -> bytes:
    return b'{"lines":"' + base64.b64encode(gzip.compress(b"".join(lines))) + b'"}\n'


def call(*pieces: bytes | Received, **given: Any) -> list[Any]:
    return Conversation(Pipe(*pieces)).call("# prs.recovery x", parameters={}, **given)


def test_the_runner_travels_with_the_first_request_and_says_who_answers() -> None:
    pipe = Pipe(b'{"ready":{"powershell":"5.1","computer":"WEB"}}\n{"items":[1]}\n{"end":true}\n', b'{"end":true}\n')
    conversation = Conversation(pipe)
    assert conversation.call("a", parameters={}) == [1]
    assert conversation.about["computer"] == "WEB" and len(pipe.sent) == 1
    conversation.call("b", parameters={})
    runner, *requests = pipe.lines
    assert runner == RUNNER and [request["script"] for request in requests] == ["a", "b"]


def test_who_goes_on_with_a_runner_begins_without_another() -> None:
    pipe = Pipe(b'{"ready":{"computer":"WEB"}}\n{"end":true}\n{"end":true}\n', b'{"end":true}\n')
    conversation = Conversation(pipe, is_running=True)
    conversation.call("b", parameters={}, before=[Request("a", {})])
    conversation.call("c", parameters={})
    begun = [(request["script"], request["begins"]) for request in pipe.lines]
    assert begun == [("a", True), ("b", False), ("c", False)] and conversation.about["computer"] == "WEB"


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [
        (b'{"end":true}\n', True),
        (b'{"error":{"number":2,"kind":"FileNotFoundException","message":"?"}}\n', True),
        (b'{"error":{"number":0,"kind":"BrokenInput","message":"?"}}\n', False),
        (b'{"error":{"number":0,"kind":"LanguageMode","message":"?"}}\n', False),
        (b'{"items":[1]}\n', False),
    ],
)
def test_another_conversation_may_begin_where_this_one_owes_nothing(answer: bytes, goes_on: bool) -> None:
    conversation = Conversation(Pipe(b'{"ready":{"computer":"WEB"}}\n' + answer))
    assert not conversation.can_go_on, "no runner is there yet"
    with contextlib.suppress(VerbFailed, Ended):
        conversation.call("a", parameters={})
    assert conversation.can_go_on is goes_on


def test_who_answers_can_be_asked_before_anything_else() -> None:
    pipe = Pipe(b'{"ready":{"computer":"WEB"}}\n{"end":true}\n')
    conversation = Conversation(pipe)
    conversation.start()
    conversation.start()
    assert conversation.about["computer"] == "WEB" and [*map(type, pipe.lines)] == [str, dict]


def test_a_request_is_ascii_and_says_how_many_lines_follow() -> None:
    pipe = Pipe(b'{"end":true}\n')
    Conversation(pipe).call("script", parameters={"Path": "C:\\Größe"}, items=["ü", {"n": 1}])
    request = {"script": "script", "parameters": {"Path": "C:\\Größe"}, "secrets": [], "items": 2}
    assert pipe.lines == [RUNNER, {**request, "begins": True, "more": False}, "ü", {"n": 1}]
    assert b"".join(pipe.sent).isascii()


def test_a_secret_is_in_no_line_that_a_cmdlet_reads() -> None:
    """With module logging those are in the event log."""
    pipe = Pipe(b'{"end":true}\n')
    Conversation(pipe).call("script", parameters={"User": "u", "Password": Secret("Größe 1")}, items=["i"])
    _runner, request, secret, item = b"".join(pipe.sent).splitlines()
    said = json.loads(request)
    assert (said["parameters"], said["secrets"], said["items"]) == ({"User": "u"}, ["Password"], 1)
    assert (base64.b64decode(secret).decode(), json.loads(item)) == ("Größe 1", "i")


AHEAD = [Request("connect", {"Password": Secret("p")}), Request("make", {"Path": "x"})]
CANCELED = b'{"error":{"number":0,"kind":"OperationCanceledException","message":"canceled"}}\n'


def test_what_prepares_a_verb_travels_with_it_and_its_items_are_nobodys() -> None:
    pipe = Pipe(b'{"end":true}\n', b'{"items":["made"]}\n{"end":true}\n{"items":[1]}\n{"end":true}\n')
    assert Conversation(pipe).call("list", parameters={}, items=["i"], before=AHEAD) == [1]
    _runner, connect, secret, make, listing, item = b"".join(pipe.sent).splitlines()
    asked = [json.loads(request) for request in (connect, make, listing)]
    assert [(request["script"], request["more"]) for request in asked] == [
        ("connect", True),
        ("make", True),
        ("list", False),
    ]
    assert base64.b64decode(secret) == b"p" and json.loads(item) == "i" and len(pipe.sent) == 1


def test_how_far_it_is_is_told_to_whom_it_concerns() -> None:
    ahead: list[Any] = []
    own: list[Any] = []
    pipe = Pipe(b'{"progress":1}\n{"end":true}\n{"progress":2}\n{"end":true}\n')
    before = [Request("remove", {}, on_progress=ahead.append)]
    Conversation(pipe).call("list", parameters={}, on_progress=own.append, before=before)
    assert (ahead, own) == ([1], [2])


@pytest.mark.parametrize(("done", "position"), [(b"", 0), (b'{"end":true}\n', 1), (b'{"end":true}\n' * 2, 2)])
def test_the_first_that_fails_is_told_and_its_place(done: bytes, position: int) -> None:
    failed = done + b'{"error":{"number":67,"kind":"IOException","message":"gone"}}\n' + CANCELED * (2 - position)
    conversation = Conversation(Pipe(failed + b'{"items":[2]}\n{"end":true}\n'))
    with pytest.raises(VerbFailed, match="gone") as caught:
        conversation.call("list", parameters={}, before=AHEAD)
    assert (caught.value.position, caught.value.number) == (position, 67)
    assert conversation.call("list", parameters={}) == [2]


def test_an_error_that_ends_the_process_is_told_for_all_that_was_asked() -> None:
    failed = b'{"error":{"number":0,"kind":"LanguageMode","message":"restricted"}}\n'
    with pytest.raises(VerbFailed, match="restricted"):
        Conversation(Pipe(failed)).call("list", parameters={}, before=AHEAD)


def test_a_long_list_goes_in_pieces() -> None:
    pipe = Pipe(b'{"end":true}\n')
    chance = random.Random(1)
    items = [chance.randbytes(20).hex() for _ in range(20_000)]
    Conversation(pipe).call("script", parameters={}, items=items)
    assert len(pipe.sent) > 3 and max(map(len, pipe.sent)) == CHUNK
    assert pipe.lines[2:] == items


def test_a_list_of_names_is_packed() -> None:
    pipe = Pipe(b'{"end":true}\n')
    items = [f"Content/folder/file {number} \u00fc.js" for number in range(20_000)]
    Conversation(pipe).call("script", parameters={}, items=items)
    assert pipe.lines[2:] == items and sum(map(len, pipe.sent)) - len(RUNNER) * 1.1 < sum(map(len, items)) / 3
    assert b"".join(pipe.sent).isascii()


ANSWERS = [
    ([b'{"end":true}\n'], []),
    ([b'{"items":[1,"two"]}\n{"items":[{"n":3}]}\n{"end":true}\n'], [1, "two", {"n": 3}]),
    (
        [b'{"columns":{"name":["a","b"],"size":[1,2]}}\n{"items":[{"name":"c"}]}\n{"columns":{}}\n{"end":true}\n'],
        [{"name": "a", "size": 1}, {"name": "b", "size": 2}, {"name": "c"}],
    ),
    (
        [
            b'{"columns":{"name":"a\\u0000\\u0000b","size":[1,2,3]}}\n{"columns":{"name":"c","size":[4]}}\n{"end":true}\n'
        ],
        [{"name": "a", "size": 1}, {"name": "", "size": 2}, {"name": "b", "size": 3}, {"name": "c", "size": 4}],
    ),
    ([b'{"it', b'ems":', b'[1]}\n{"end"', b":true}\n"], [1]),
    ([b'{"items":["\xc3', b'\xbc"]}\n{"end":true}\n'], ["ü"]),
    ([b'{"items":[1]}\r\n', b'{"end":true}\r\n'], [1]),
    (
        [
            packed(b'{"items":[1]}\n', b'{"items":["\xc3\xbc"]}\n'),
            b'{"items":[3]}\n',
            packed(b'{"items":[4]}\n', b'{"end":true}\n'),
        ],
        [1, "ü", 3, 4],
    ),
    ([packed(b'{"items":[1]}\n{"end":true}\n')[:30], packed(b'{"items":[1]}\n{"end":true}\n')[30:]], [1]),
    ([Received(), Received(), b'{"items":[1]}\n{"end":true}\n'], [1]),
    ([b'Some profile said hello\n\n[1, 2]\n{"items":[1]}\n', b'{"end":true}\n'], [1]),
    ([Received(stderr=b"#< CLIXML"), b'{"items":[1]}\n{"end":true}\n'], [1]),
    ([Received(stdout=b'{"items":[1]}\n{"end":true}\n', ended=True)], [1]),
]


@pytest.mark.parametrize("pieces, items", ANSWERS)
def test_answers(pieces: list[bytes | Received], items: list[Any]) -> None:
    assert call(*pieces) == items


def test_progress_comes_while_it_works() -> None:
    seen: list[Any] = []
    assert call(
        b'{"progress":{"bytes":1}}\n{"items":[1]}\n{"progress":{"bytes":2}}\n{"end":true}\n', on_progress=seen.append
    ) == [1]
    assert seen == [{"bytes": 1}, {"bytes": 2}]


def test_an_error_ends_a_call_and_not_the_conversation() -> None:
    pipe = Pipe(
        b'{"items":[1]}\n{"error":{"number":53,"kind":"IOException","message":"gone"}}\n{"items":[2]}\n{"end":true}\n'
    )
    conversation = Conversation(pipe)
    with pytest.raises(VerbFailed) as caught:
        conversation.call("script", parameters={})
    assert (caught.value.number, caught.value.kind, caught.value.message) == (53, "IOException", "gone")
    assert conversation.call("script", parameters={}) == [2]


def test_a_process_that_ends_says_what_it_said() -> None:
    with pytest.raises(Ended) as caught:
        call(b"something odd\n", Received(stdout=b"half a li", stderr=b"out of memory", ended=True))
    assert caught.value.said == "something odd\nout of memory\nhalf a li"


class MutePipe(Pipe):
    """A process that lives and has nothing to say."""

    def receive(self) -> Received:
        return self.pieces.pop(0) if self.pieces else Received()


def test_a_process_that_says_nothing_is_not_waited_for_without_end() -> None:
    with pytest.raises(Silent):
        Conversation(MutePipe(), patience=0.01).start()
    conversation = Conversation(MutePipe(b'{"items":[1]}\n'), patience=0.01)
    with pytest.raises(Silent):
        conversation.call("# prs.recovery x", parameters={})


def test_a_word_begins_the_wait_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(f"{Conversation.__module__}.time.monotonic", lambda: next(clock))
    nothing = [Received()] * 2
    pieces = [*nothing, Received(stderr=b"x"), *nothing, b'{"progress":{}}\n', *nothing, b'{"end":true}\n']
    assert Conversation(Pipe(*pieces), patience=120).call("x", parameters={}) == []
    with pytest.raises(Silent):
        Conversation(Pipe(*[Received()] * 4), patience=120).call("x", parameters={})


def test_what_comes_late_is_not_taken_for_the_next_answer() -> None:
    pipe = MutePipe()
    conversation = Conversation(pipe, patience=0.01)
    with pytest.raises(Silent):
        conversation.call("a", parameters={})
    pipe.pieces = [Received(stdout=b'{"items":["of a"]}\n{"end":true}\n')]
    with pytest.raises(Ended, match="earlier request"):
        conversation.call("b", parameters={})
    assert [line["script"] for line in pipe.lines[1:]] == ["a"]


WHOLE = packed(b'{"items":[1]}\n', b'{"end":true}\n')


@pytest.mark.parametrize(
    "line",
    [
        b'{"lines":"H4sIAAAA"}\n',
        b'{"lines":"x"}\n',
        b'{"lines":"',
        WHOLE[:40] + b'"}\n',
        WHOLE.replace(b"H4sI", b"AAAA"),
    ],
)
def test_packed_lines_that_are_damaged_are_the_end(line: bytes) -> None:
    with pytest.raises(Ended):
        call(line)
