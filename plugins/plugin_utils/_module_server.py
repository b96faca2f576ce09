# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has imported what modules import, and forks itself for each module that is to run.

Starting Python and importing takes most modules longer than their work. So a run of ansible has one such process, which
listens in ansible's own temporary folder, where only this user may go, and ends with the run. Each module runs in a
child of its own, in which nothing ran before; the server itself only imports, and reads no module's parameters.

A request is one message: JSON with C(module), C(folder) and C(environment), and three descriptors, of a file with the
parameters, and for what the module prints and its errors. The answer is the exit code as text. Who goes away without
waiting for the answer ends the module, as ansible-core ends its workers since 2.19.

Sessions with Windows hosts outlive the modules that opened them: a child asks for one over a channel of its own, and
leaves it again. The server ends them with the run, or where END is the request.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.kept_sessions import use_channel

from ._kept_sessions import KeptSessions
from ._module_start import PLUGINS

__all__ = ["DESCRIPTORS", "END", "LONGEST_REQUEST", "next_module"]

LONGEST_REQUEST = 65_536
"""Bytes; its parameters are not in it."""

DESCRIPTORS = 3

END = b"end"
"""The request that ends all sessions. It is answered when that is done."""

IMPORTED_LATE = ("ansible.module_utils.basic", "pyodbc", "winrm")
"""What modules import only when they need it. A module says itself what is not installed."""


def next_module(*, listener: socket.socket, owner: int) -> dict[str, Any]:
    """Serve until a child is made; returns, in that child, the arguments C(module) and C(parameters) of its run.

    The server ends here, when the process C(owner) has ended and no module runs any more.
    """
    with _Server(listener, owner=owner) as server:
        _import(*IMPORTED_LATE)  # before anybody asks, who then need not wait for it
        request = None
        try:
            while not server.is_done:
                request = server.serve()
                if request:
                    return request
        finally:
            if not request:
                server.sessions.end()
    sys.exit()


@dataclass(frozen=True, kw_only=True)
class _Child:
    process: int
    ended: int
    """Its pidfd."""
    client: socket.socket
    channel: socket.socket
    """Where it asks for sessions."""


class _Server:
    def __init__(self, listener: socket.socket, *, owner: int) -> None:
        self.sessions = KeptSessions()
        self._listener = listener
        self._owner = os.pidfd_open(owner)
        self._children: dict[int, _Child] = {}
        self._imported: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._owner, selectors.EVENT_READ)

    def __enter__(self) -> _Server:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing of the server is open in a child that goes on from here."""
        self._selector.close()
        self._listener.close()
        os.close(self._owner)
        for child in self._children.values():
            os.close(child.ended)
            child.client.close()
            child.channel.close()
        self.sessions.forget()

    @property
    def is_done(self) -> bool:
        return self._listener.fileno() not in self._selector.get_map() and not self._children

    def serve(self) -> dict[str, Any] | None:
        """Whatever comes next; a request only in the child that is to run it."""
        ready = {key.fd for key, _events in self._selector.select()}
        for child in [child for child in self._children.values() if child.channel.fileno() in ready]:
            if not self.sessions.serve(child.channel):
                self._selector.unregister(child.channel)
        for child in [child for child in self._children.values() if child.ended in ready]:
            self._answer(child)
        for child in [child for child in self._children.values() if child.client.fileno() in ready]:
            self._end(child)
        if self._owner in ready:
            self._selector.unregister(self._listener)
            self._selector.unregister(self._owner)
        return self._accept() if self._listener.fileno() in ready else None

    def _answer(self, child: _Child) -> None:
        _process, status = os.waitpid(child.process, 0)
        del self._children[child.ended]
        self._selector.unregister(child.ended)
        os.close(child.ended)
        for end in (child.client, child.channel):
            with suppress(KeyError):  # where who has the other end had gone away
                self._selector.unregister(end)
        with suppress(OSError):
            child.client.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        child.client.close()
        child.channel.close()

    def _end(self, child: _Child) -> None:
        self._selector.unregister(child.client)
        with suppress(ProcessLookupError):
            os.kill(child.process, signal.SIGTERM)

    def _accept(self) -> dict[str, Any] | None:
        client, _address = self._listener.accept()
        message, descriptors, _flags, _sender = socket.recv_fds(client, LONGEST_REQUEST, DESCRIPTORS)
        if message == END and self.sessions:
            if self._fork(client):
                self.sessions.end()
                os._exit(0)
            self.sessions.forget()
        elif len(descriptors) == DESCRIPTORS:
            request = json.loads(message)
            self._import_module(request["module"])
            channel = self._fork(client)
            if channel:
                use_channel(channel)
                return _take_over(request, *descriptors)
        else:
            client.close()  # it went away, or there is nothing to end
        for descriptor in descriptors:
            os.close(descriptor)
        return None

    def _fork(self, client: socket.socket) -> socket.socket | None:
        """Make a child for who asked. In the child: its end of the channel."""
        channel, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = os.fork()
        if not process:
            client.close()
            channel.close()
            return its_end
        its_end.close()
        child = _Child(process=process, ended=os.pidfd_open(process), client=client, channel=channel)
        self._children[child.ended] = child
        for readable in (child.ended, client, channel):
            self._selector.register(readable, selectors.EVENT_READ)
        return None

    def _import_module(self, module: str) -> None:
        """What the module and the like of it import. What fails, fails in the child again, where it is reported."""
        if module in self._imported:
            return
        self._imported.add(module)
        name = f"{PLUGINS}.modules.{module}"
        _import(name)
        sys.modules.pop(name, None)  # it runs as a program, under another name
        gc.freeze()  # children share this memory until they write to it


def _import(*wanted: str) -> None:
    for name in wanted:
        with suppress(Exception, SystemExit):
            importlib.import_module(name)


def _take_over(request: dict[str, Any], parameters: int, output: int, errors: int) -> dict[str, Any]:
    """Make this process the module's."""
    os.dup2(output, sys.stdout.fileno())
    os.dup2(errors, sys.stderr.fileno())
    os.close(output)
    os.close(errors)
    with open(parameters, "rb") as file:
        content = file.read()
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    sys.argv[1:] = []
    return {"module": request["module"], "parameters": content}
