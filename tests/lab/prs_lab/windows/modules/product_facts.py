"""ansible.windows.win_product_facts."""

from __future__ import annotations

from typing import Any

from ..models import Task, module

__all__: list[str] = []


@module("ansible.windows.win_product_facts")
def win_product_facts(task: Task) -> dict[str, Any]:
    edition = "Professional" if task.host.features.is_client else "ServerStandard"
    return {
        "ansible_facts": {
            "ansible_os_product_id": "00454-60000-00001-AA000",
            "ansible_os_product_key": None,
            "ansible_os_license_edition": f"Windows(R), {edition} edition",
            "ansible_os_license_channel": "Volume:GVLK",
            "ansible_os_license_status": "Licensed",
        }
    }
