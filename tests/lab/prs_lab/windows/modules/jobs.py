"""ansible.windows.async_status."""

from __future__ import annotations

import json
import ntpath
from typing import Any

from ..models import Task, module


@module("ansible.windows.async_status")
def async_status(task: Task) -> dict[str, Any]:
    job_id = task.params["jid"]
    folder = task.expand(task.params["_async_dir"].replace("~", "%USERPROFILE%"))
    path = ntpath.join(folder, job_id)
    if not task.files.is_file(path):
        task.fail(f"could not find job at '{folder}'", ansible_job_id=job_id, started=1, finished=1)
    if task.params["mode"] == "cleanup":
        task.files.remove(path)
        return {"ansible_job_id": job_id, "erased": path}
    content = task.files.read(path)
    if not content:
        return {"results_file": path, "ansible_job_id": job_id, "started": 1, "finished": 0}
    return json.loads(content)
