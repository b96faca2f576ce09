"""community.windows.win_wait_for_process: worker processes of IIS, of which alone the twin knows an owner."""

from __future__ import annotations

import time
from typing import Any

from ..models import Task, module

_MODELLED = {"process_name_exact": ["w3wp"], "state": "absent"}
_LEFT_OUT = ("process_name_pattern", "pid", "pre_wait_delay", "post_wait_delay")


@module("community.windows.win_wait_for_process")
def win_wait_for_process(task: Task) -> dict[str, Any]:
    params = task.params
    if any(params[name] != wanted for name, wanted in _MODELLED.items()) or any(params[name] for name in _LEFT_OUT):
        task.fail("The lab's Windows twin models win_wait_for_process for w3wp that is to be gone alone")
    begin = time.monotonic()
    there = _workers(task, params["owner"])
    result = {"changed": False, "matched_processes": there}
    while any(worker in _workers(task, params["owner"]) for worker in there):
        if time.monotonic() - begin > params["timeout"]:
            task.fail("Timeout while waiting for process(es) to stop", elapsed=time.monotonic() - begin, **result)
        task.host.pause(0.2)
    return {**result, "elapsed": time.monotonic() - begin}


def _workers(task: Task, owner: str | None) -> list[dict[str, Any]]:
    """Those of an account, or all."""
    host = task.host
    return [
        {"name": "w3wp", "pid": process_id, "owner": pool.identity()}
        for pool in host.iis.pools.values()
        for process_id in host.iis.workers(pool.name)
        if owner is None or host.accounts.sid_of(pool.identity()) == host.accounts.lookup(owner)
    ]
