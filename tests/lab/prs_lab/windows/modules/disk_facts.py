"""community.windows.win_disk_facts: one virtual disk per drive letter."""

from __future__ import annotations

import uuid
from typing import Any

from ..models import Task, module

__all__: list[str] = []


@module("community.windows.win_disk_facts")
def win_disk_facts(task: Task) -> dict[str, Any]:
    if not task.token.is_admin:
        task.fail("Module was not started with elevated rights")
    wanted = task.params["filter"]
    return {
        "ansible_facts": {
            "ansible_disks": [
                _disk(task, number, letter, wanted) for number, letter in enumerate(sorted(task.host.drives.volumes))
            ]
        }
    }


def _disk(task: Task, number: int, letter: str, wanted: list[str]) -> dict[str, Any]:
    volume = task.host.drives.volumes[letter]
    size = volume.capacity
    guid = f"{{{uuid.uuid5(uuid.NAMESPACE_DNS, task.host.name + letter)}}}"
    disk: dict[str, Any] = {
        "number": number, "size": size, "bus_type": "SAS", "friendly_name": "Msft Virtual Disk", "partition_style": "GPT", "partition_count": 1,
        "operational_status": "Online", "sector_size": 4096, "read_only": False, "bootable": letter == "C", "system_disk": letter == "C",
        "clustered": False, "manufacturer": "Msft    ", "model": "Virtual Disk    ", "firmware_version": "1.0 ", "location": f"Slot {number}",
        "serial_number": None, "unique_id": guid, "guid": guid, "path": f"\\\\?\\scsi#disk#{number}",
    }  # fmt: skip
    if "physical_disk" in wanted:
        disk["physical_disk"] = {
            "size": size, "device_id": str(number), "friendly_name": "Msft Virtual Disk", "media_type": "SSD", "operational_status": "OK",
            "health_status": "Healthy", "bus_type": "SAS",
        }  # fmt: skip
    if "partitions" in wanted or "volumes" in wanted:
        partition: dict[str, Any] = {
            "number": 1, "size": size, "type": "Basic", "drive_letter": letter, "offset": 1048576, "hidden": False, "shadow_copy": False,
            "guid": guid, "access_paths": [f"{letter}:\\"], "transition_state": 1, "gpt_type": "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}",
            "no_default_driveletter": False,
        }  # fmt: skip
        if "volumes" in wanted:
            partition["volumes"] = [
                {
                    "size": size, "size_remaining": volume.free(), "type": "NTFS", "label": "", "health_status": "Healthy", "drive_type": "Fixed",
                    "allocation_unit_size": 4096, "object_id": guid, "path": f"\\\\?\\Volume{guid}\\",
                }
            ]  # fmt: skip
        disk["partitions"] = [partition]
    return disk
