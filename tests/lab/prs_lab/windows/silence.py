"""Ports that answer nothing at all, as those of a machine that is switched off: packets to them are dropped.

On loopback nobody needs to be root for that: Linux drops every SYN that comes for a full queue of a socket that never
accepts.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Silence", "listening_ports", "silent_port"]

_LISTEN = "0A"
_MOMENT = 0.05


class Silence:
    """The silent ports of one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._sockets: dict[int, list[socket.socket]] = {}

    @property
    def ports(self) -> list[int]:
        return sorted(self._sockets)

    def begin(self, ports: Iterable[int]) -> None:
        """Drop what comes for these ports, whose own listeners are closed. Raises OSError for one that is taken."""
        for port in sorted(set(ports) - self._sockets.keys()):
            self._sockets[port] = _full_queue(self.address, port)

    def end(self) -> None:
        """Give the ports back. Whoever is trying yet is heard by the next listener, when he tries again."""
        while self._sockets:
            for item in self._sockets.popitem()[1]:
                item.close()


@contextmanager
def silent_port(address: str = "127.0.0.1") -> Iterator[int]:
    """Any port of an address that answers nothing."""
    with socket.socket() as chosen:
        chosen.bind((address, 0))
        port = chosen.getsockname()[1]
    silence = Silence(address)
    silence.begin([port])
    try:
        yield port
    finally:
        silence.end()


def listening_ports(address: str) -> list[int]:
    """TCP ports on which somebody listens at this very IPv4 address."""
    wanted = bytes(reversed(socket.inet_aton(address))).hex().upper()
    ports = []
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        local, state = (line.split()[field] for field in (1, 3))
        host, _, port = local.partition(":")
        if state == _LISTEN and host == wanted:
            ports.append(int(port, 16))
    return sorted(ports)


def _full_queue(address: str, port: int) -> list[socket.socket]:
    """A listener and what fills its queue."""
    listener = socket.socket()
    sockets = [listener]
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        while _is_let_in(sockets, address, port):
            pass
    except OSError:
        for item in sockets:
            item.close()
        raise
    return sockets


def _is_let_in(sockets: list[socket.socket], address: str, port: int) -> bool:
    """Whether one more client got a place; it is among the sockets then, and keeps it."""
    client = socket.socket()
    client.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        client.connect((address, port))
    waiting = select.poll()  # select knows the first 1,024 files of a process alone
    waiting.register(client, select.POLLOUT)
    if waiting.poll(_MOMENT * 1000):
        sockets.append(client)
        return True
    client.close()
    return False
