"""ansible.windows.win_wait_for: ports and files."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import Any

from ..models import Task, module


@module("ansible.windows.win_wait_for")
def win_wait_for(task: Task) -> dict[str, Any]:
    params = task.params
    path, port, state = params["path"], params["port"], params["state"]
    if port is not None and path is not None:
        task.fail("port and path parameter can not both be passed to win_wait_for", elapsed=0)
    if params["exclude_hosts"] is not None and state != "drained":
        task.fail("exclude_hosts should only be with state=drained", elapsed=0)
    if path is not None and state in ("stopped", "drained"):
        task.fail(f"state={state} should only be used for checking a port in the win_wait_for module", elapsed=0)
    if port is not None and params["regex"] is not None:
        task.fail("regex should by used when checking a string in a file in the win_wait_for module", elapsed=0)
    if state == "drained":
        task.fail("The lab's Windows twin does not model state=drained of win_wait_for")
    started = time.monotonic()
    task.host.pause(params["delay"] or 0)
    if path is None and port is None:
        task.host.pause(params["timeout"])
        return {"elapsed": time.monotonic() - started, "wait_attempts": 0}
    attempts = 0
    if path is not None:
        fulfilled, complaint = _file_condition(task, task.expand(path), state)
    else:
        fulfilled, complaint = _port_condition(task, port, state)
    deadline = time.monotonic() + params["timeout"]
    while time.monotonic() < deadline:
        attempts += 1
        if fulfilled():
            return {"elapsed": time.monotonic() - started, "wait_attempts": attempts}
        task.host.pause(min(params["sleep"], max(0.0, deadline - time.monotonic())))
    task.fail(complaint, elapsed=time.monotonic() - started, wait_attempts=attempts)


def _file_condition(task: Task, path: str, state: str) -> tuple[Callable[[], bool], str]:
    regex = task.params["regex"]
    wanted = state != "absent"

    def there() -> bool:
        if not task.files.exists(path):
            return False
        return (
            regex is None
            or re.search(regex, task.files.read(path).decode("utf-8", "replace"), re.IGNORECASE) is not None
        )

    if regex is None:
        complaint = f"timeout while waiting for file {path} to be {'present' if wanted else 'absent'}"
    else:
        complaint = (
            f"timeout while waiting for string regex {regex} in file {path} to {'match' if wanted else 'not match'}"
        )
    return lambda: there() is wanted, complaint


def _port_condition(task: Task, port: int, state: str) -> tuple[Callable[[], bool], str]:
    name = task.params["host"]
    wanted = state in ("started", "present")
    complaint = f"timeout while waiting for {name}:{port} to {'start' if wanted else 'stop'} listening"
    return lambda: _listens(task, name, port) is wanted, complaint


def _listens(task: Task, name: str, port: int) -> bool:
    """127.0.0.1 means this host, whose own address it is in the lab; another one must be reachable from here."""
    target = task.host.find_host(name)
    if target is None:
        return False
    try:
        socket.create_connection((target.address, port), timeout=task.params["connect_timeout"]).close()
    except OSError:
        return False
    return True
