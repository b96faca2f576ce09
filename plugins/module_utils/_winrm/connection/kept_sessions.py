# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShells that outlive a task: a real host needs one to three seconds to start each.

Each task has a process of its own, and none of them outlives it. What remains of a session is the name of its shell on
the host, which any process may go on with that logs in as the same account. The server of modules, whose child a task's
process is, holds these names until the run ends, and never two tasks have one of them. Where no such server is, a
session ends with its task.

A message to the server is JSON: C({"take": key}), which it answers by what was left there; or
C({"keep": key, "shell": {...}}), answered C({"kept": true}), with the descriptor of a file in memory, which only who
ends the session reads: it holds the connection, with its password. An answer is C({}) where there is nothing, or where
another task has left one for this key meanwhile.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pickle
import secrets
import socket
from collections.abc import Mapping
from typing import Any

from .options import WinrmConnection

__all__ = ["LONGEST", "KeptShell", "connection_in", "keep", "take", "use_channel"]

LONGEST = 4096
"""Bytes of a message and of an answer."""

_SALT = secrets.token_bytes(32)
"""The same for all that are children of one server, and nobody else's: a key is not to tell a password."""

_channel: socket.socket | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeptShell:
    """Where a PowerShell waits for input. transport: by which its host let the account in; shell, command: WinRM's
    names of the shell and of the process in it; tasks: how many had it.
    """

    transport: str
    shell: str
    command: str
    tasks: int = 0


def use_channel(channel: socket.socket) -> None:
    """For a child of the server of modules: its own connection to that."""
    global _channel
    _channel = channel


def take(connection: WinrmConnection) -> KeptShell | None:
    """What the last task left that reached the same host in the same way. It is this one's alone from now on."""
    answer = _ask({"take": _key(connection)})
    return KeptShell(**answer) if answer else None


def keep(connection: WinrmConnection, shell: KeptShell) -> bool:
    """Leave a PowerShell that waits for input. False where nobody keeps it."""
    memory = os.memfd_create("connection") if _channel else -1
    if memory < 0:
        return False
    with open(memory, "r+b", buffering=0) as file:
        file.write(pickle.dumps(connection))
        return bool(_ask({"keep": _key(connection), "shell": dataclasses.asdict(shell)}, memory))


def connection_in(memory: int) -> WinrmConnection:
    """What a descriptor of C(keep) holds. It is closed."""
    with open(memory, "rb") as file:
        file.seek(0)
        connection = pickle.load(file)  # written by a child of the server that holds it
    if not isinstance(connection, WinrmConnection):
        raise TypeError(type(connection).__name__)
    return connection


def _ask(message: Mapping[str, Any], *descriptors: int) -> dict[str, Any]:
    """The server's answer; nothing where there is none, or where it has gone."""
    if _channel is None:
        return {}
    try:
        socket.send_fds(_channel, [json.dumps(message).encode()], descriptors)
        return json.loads(_channel.recv(LONGEST) or b"{}")
    except OSError:
        return {}


def _key(connection: WinrmConnection) -> str:
    known = json.dumps(dataclasses.asdict(connection), sort_keys=True).encode()
    return hashlib.blake2b(known, key=_SALT).hexdigest()
