"""What the server of modules holds of sessions, asked by children that come and go."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import pytest
from ansible_collections.prs.recovery.plugins.plugin_utils._kept_sessions import KeptSessions

SHELL = {"transport": "ntlm", "shell": "s", "command": "c", "tasks": 1}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end, and a child's."""
    server, child = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with server, child:
        yield server, child


def asked(sessions: KeptSessions, pair: tuple[socket.socket, socket.socket], message: dict, *files: int) -> dict:
    server, child = pair
    socket.send_fds(child, [json.dumps(message).encode()], files)
    assert sessions.serve(server)
    return json.loads(child.recv(4096))


def keep(sessions: KeptSessions, pair: tuple[socket.socket, socket.socket], key: str) -> dict:
    memory = os.memfd_create("connection")
    try:
        return asked(sessions, pair, {"keep": key, "shell": SHELL}, memory)
    finally:
        os.close(memory)


def test_what_one_leaves_one_other_gets(pair: tuple[socket.socket, socket.socket]) -> None:
    sessions = KeptSessions()
    assert asked(sessions, pair, {"take": "a"}) == {}
    assert keep(sessions, pair, "a") == {"kept": True} and sessions
    assert keep(sessions, pair, "a") == {}, "a second one for the same key ends with its task"
    assert asked(sessions, pair, {"take": "b"}) == {}
    assert asked(sessions, pair, {"take": "a"}) == SHELL
    assert asked(sessions, pair, {"take": "a"}) == {} and not sessions


def test_no_descriptor_stays_open(pair: tuple[socket.socket, socket.socket]) -> None:
    sessions, before = KeptSessions(), len(os.listdir("/proc/self/fd"))
    for _turn in range(3):
        keep(sessions, pair, "a")
        keep(sessions, pair, "a")
        asked(sessions, pair, {"take": "a"})
    keep(sessions, pair, "b")
    sessions.forget()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_child_that_was_killed_before_it_read_its_answer_takes_nobody_along(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    server, child = pair
    sessions = KeptSessions()
    child.sendall(json.dumps({"take": "a"}).encode())
    assert sessions.serve(server)
    child.close()
    assert not sessions.serve(server)
