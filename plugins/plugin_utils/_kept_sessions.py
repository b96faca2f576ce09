# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server of modules holds of sessions that outlive a module, and how these end."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.kept_sessions import (
    LONGEST,
    KeptShell,
    connection_in,
)

__all__ = ["KeptSessions"]


@dataclass(frozen=True, kw_only=True)
class _Kept:
    shell: dict[str, Any]
    connection: int
    """The descriptor of a file in memory that holds it."""


class KeptSessions:
    """By their keys, as C(kept_sessions) of the modules asks for them."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def __bool__(self) -> bool:
        return bool(self._kept)

    def serve(self, channel: socket.socket) -> bool:
        """Answer a child; False where it has gone away, also one that did not wait for the answer before."""
        try:
            message, descriptors, _flags, _sender = socket.recv_fds(channel, LONGEST, 1)
        except OSError:
            return False
        if not message:
            return False
        asked = json.loads(message)
        answer: dict[str, Any] = {}
        if "take" in asked:
            kept = self._kept.pop(asked["take"], None)
            if kept:
                os.close(kept.connection)
                answer = kept.shell
        elif asked["keep"] not in self._kept and descriptors:
            self._kept[asked["keep"]] = _Kept(shell=asked["shell"], connection=descriptors.pop())
            answer = {"kept": True}
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(OSError):
            channel.sendall(json.dumps(answer).encode())
        return True

    def forget(self) -> None:
        """Somebody else has them."""
        for kept in self._kept.values():
            os.close(kept.connection)
        self._kept.clear()

    def end(self) -> None:
        """End them on their hosts, all at once, each in a process of its own: a host that does not answer holds up no
        other.
        """
        processes = []
        for kept in self._kept.values():
            process = os.fork()
            if not process:
                _end(kept)
            processes.append(process)
        self.forget()
        for process in processes:
            os.waitpid(process, 0)


def _end(kept: _Kept) -> None:
    """In a process that ends with it, whatever happens: its host ends what nobody uses, sooner or later."""
    try:
        # Only here: the server is to import what modules need while nobody waits for it.
        from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import end_session

        end_session(connection_in(kept.connection), KeptShell(**kept.shell))
    finally:
        os._exit(0)
