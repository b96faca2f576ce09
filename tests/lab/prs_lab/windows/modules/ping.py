"""ansible.windows.win_ping."""

from __future__ import annotations

from typing import Any

from ..models import Task, module


@module("ansible.windows.win_ping")
def win_ping(task: Task) -> dict[str, Any]:
    if task.params["data"] == "crash":
        task.fail("Unhandled exception while executing module: boom")
    return {"ping": task.params["data"]}
