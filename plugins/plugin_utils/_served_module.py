# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module through the server of this run of ansible. The first task that needs it starts it, unless the run
itself has begun with that: then it imports what modules need while ansible still reads playbooks and roles.

Whoever starts it has locked ansible's temporary folder, and the server itself unlocks it once it listens.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ansible import constants as C

from ._built_module import KNOWN, PROFILE, ModuleProgram, packages_beside, text_of_start
from ._module_server import END, LONGEST_REQUEST

__all__ = ["ITS_NAME", "Outcome", "end_sessions", "run_served", "start_server"]

SOCKET = "prs-modules"

SERVES = all(hasattr(os, name) for name in ("pidfd_open", "memfd_create"))
"""Whether this is a Linux that has what the server needs."""

END_WITHIN = 5.0
"""Seconds."""

ITS_NAME = "modules of prs.recovery"
"""What lists of processes show."""

_PROGRAM = """
{start}

import fcntl
import socket

prepare(**{packages!r})
from ansible_collections.prs.recovery.plugins.plugin_utils._module_server import next_module

listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind("/proc/self/fd/{folder}/{socket_name}")
listener.listen(64)
fcntl.flock({folder}, fcntl.LOCK_UN)
os.close({folder})
run_in_child(
    **next_module(listener=listener, owner={owner!r}), profile={profile!r}, collections={packages[collections]!r}
)
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    code: int
    """As a shell tells it: 128 and the signal's number where a signal ended the module."""
    output: bytes
    errors: bytes


def run_served(program: ModuleProgram, *, environment: Mapping[str, str], folder: str) -> Outcome | None:
    """Run a module to its end. None, and nothing has run, where there can be no server: then it is to be started alone.

    environment: what the module gets beside the variables of this process. folder: its working folder.
    """
    request = json.dumps({"module": program.module, "folder": folder, "environment": dict(environment)}).encode()
    if not SERVES or len(request) > LONGEST_REQUEST:
        return None
    server = _connected(program)
    if server is None:
        return None
    with server:
        return _run(server, request, program.parameters)


def _run(server: socket.socket, request: bytes, parameters: bytes) -> Outcome:
    (output, output_end), (errors, errors_end) = os.pipe(), os.pipe()
    with open(output, "rb") as output_file, open(errors, "rb") as errors_file:
        # Parameters hold passwords: this file lies in memory only.
        with (
            open(output_end, "wb"),
            open(errors_end, "wb"),
            open(os.memfd_create("parameters"), "wb", buffering=0) as memory,
        ):
            memory.write(parameters)
            memory.seek(0)
            socket.send_fds(server, [request], [memory.fileno(), output_end, errors_end])
        texts = _read_all(output_file, errors_file)
    code = int(server.recv(16) or 1)  # nothing, where the server was ended by force
    return Outcome(code=code if code >= 0 else 128 - code, output=texts[0], errors=texts[1])


def _read_all(*files: BinaryIO) -> list[bytes]:
    """All at once, as the module waits where one of them is full."""
    texts = {file: bytearray() for file in files}
    with selectors.DefaultSelector() as open_files:
        for file in files:
            open_files.register(file, selectors.EVENT_READ)
        while open_files.get_map():
            for key, _events in open_files.select():
                part = os.read(key.fd, 65_536)
                texts[key.fileobj] += part
                if not part:
                    open_files.unregister(key.fileobj)
    return [bytes(text) for text in texts.values()]


def start_server() -> None:
    """For the process of ansible itself, before its first task; where it fails, the first task tries again. One command
    may run several playbooks.
    """
    if SERVES and KNOWN:
        with suppress(OSError), _temporary_folder() as folder:
            running = _connection_once_it_listens(folder)
            if running is None:
                _start(folder, packages=packages_beside(Path(__file__)), profile=PROFILE, owner=os.getpid())
            else:
                running.close()


def end_sessions() -> None:
    """For the process of ansible itself, after its last task: end what its modules left open on hosts, as far as they
    answer soon. Where nobody calls this, or where it fails, the server does so when the run has ended, which is too
    late where a container ends with the run.
    """
    if SERVES and KNOWN:
        with suppress(OSError), _temporary_folder() as folder:
            server = _connection(folder)
            if server is not None:
                with server:
                    server.settimeout(END_WITHIN)
                    server.sendall(END)
                    server.recv(16)


def _connected(program: ModuleProgram) -> socket.socket | None:
    """A connection to the server. The first task starts it, and those for other hosts wait meanwhile."""
    with _temporary_folder() as folder:
        server = _connection(folder) or _connection_once_it_listens(folder)
        if server is None:
            _start(folder, packages=program.packages, profile=program.profile, owner=os.getppid())
    if server is None:
        with _temporary_folder() as folder:
            server = _connection_once_it_listens(folder)
    return server


@contextmanager
def _temporary_folder() -> Iterator[int]:
    """A descriptor of the folder; it takes its lock with it, if no other process has it."""
    folder = os.open(C.DEFAULT_LOCAL_TMP, os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


def _connection_once_it_listens(folder: int) -> socket.socket | None:
    fcntl.flock(folder, fcntl.LOCK_EX)
    return _connection(folder)


def _connection(folder: int) -> socket.socket | None:
    """folder: its descriptor, as the path of a socket may have no more than 107 bytes."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        server.connect(f"/proc/self/fd/{folder}/{SOCKET}")
    except OSError:
        server.close()
        return None
    return server


def _start(folder: int, *, packages: Mapping[str, str], profile: str, owner: int) -> None:
    """Start it in a session of its own, as a task's process ends long before it. It gets the folder, and its lock, by
    this descriptor.
    """
    with suppress(FileNotFoundError):
        os.unlink(SOCKET, dir_fd=folder)  # of one that was ended by force
    text = _PROGRAM.format(
        start=text_of_start(),
        packages=packages,
        folder=folder,
        socket_name=SOCKET,
        owner=owner,
        profile=profile,
    )
    process = subprocess.Popen(
        [sys.executable, "-", ITS_NAME],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=[folder],
    )
    with suppress(BrokenPipeError), process.stdin as program_end:
        program_end.write(text.encode())
