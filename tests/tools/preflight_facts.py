"""Facts of a host with which nothing is wrong, in the shape in which the role preflight hands them over."""

from __future__ import annotations

import copy
import datetime as dt
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.control_node import ControlNode

__all__ = [
    "ANSWERED",
    "INSTALLED",
    "NOW",
    "SKIPPED",
    "control_node",
    "failed_script",
    "file",
    "gathered",
    "in_iis",
    "newest",
]

NOW = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.timezone.utc)
SKIPPED = {"skipped": True, "changed": False}
ANSWERED = {"failed": False, "changed": False}
GB = 1 << 30


def failed_script(reason: str) -> dict[str, Any]:
    """As win_powershell returns what a script threw."""
    return {"failed": True, "changed": False, "result": {}, "error": [{"exception": {"message": reason}}]}


def file(path: str, **changes: Any) -> dict[str, Any]:
    record = {"path": path, "exists": True, "version": "", "missing": [], "error": 0, "message": ""}
    return {**record, **changes}


def newest(pattern: str, **changes: Any) -> dict[str, Any]:
    return {
        "pattern": pattern,
        "count": 1,
        "path": "",
        "modified": "",
        "unreadable": [],
        "error": 0,
        "message": "",
        **changes,
    }


NOT_LISTENING = {
    "login_mode": 0, "listens_on_all_addresses": True, "tcp_enabled": 0, "tcp_port": "", "tcp_dynamic_ports": "", "certificate": "",
}  # fmt: skip
LISTENING = {**NOT_LISTENING, "login_mode": 2, "tcp_enabled": 1, "tcp_port": "1433"}
INSTALLED = {
    "installed": True,
    "partly_installed": False,
    "version": "15.0.4430.1",
    "collation": "SQL_Latin1_General_CP1_CI_AS",
    "service_account": "",
    "service_state": "Running",
    **LISTENING,
}
"""An instance that is there and runs."""
"""Of an instance that has nothing to read anew."""

HEALTHY: dict[str, Any] = {
    "host": "srv-a",
    "address": "10.0.0.1:5986",
    "account": "admin",
    "parts": ["web", "sql"],
    "provision": True,
    "need_backup": True,
    "overwrite_database": False,
    "overwrite_application": False,
    "settings": {
        "sql_instance": "MSSQLSERVER",
        "sql_port": "1433",
        "sql_mixed_mode": True,
        "sql_updates": "",
        "firewall": "managed",
        "sql_collation": "SQL_Latin1_General_CP1_CI_AS",
        "sql_build": "",
        "sql_folders": ["D:\\data", "d:\\log", ""],
        "database": "PasswordResetServer",
        "sql_service_account": "",
        "setup": "\\\\files\\media\\sql\\setup.exe",
        "package": "\\\\files\\media\\PasswordResetServer.zip",
        "web_config": "C:\\PRS\\web.config",
        "archives": "\\\\files\\backup\\application\\*.zip",
        "application_folder": "C:\\PRS",
        "application_pool": "PRS",
        "application_path": "\\\\files\\backup\\application",
        "database_path": "\\\\files\\backup\\database",
        "share_user": "LAB\\svc-backup",
        "staged_by": "",
        "dotnet_release": "378675",
        "free_gb": "20",
        "data_file_folders": [],
    },
    "windows": {
        **ANSWERED,
        "result": {
            "name": "SRV-A",
            "domain": "lab.test",
            "domain_role": 3,
            "caption": "Microsoft Windows Server 2016 Standard",
            "version": "10.0.14393",
            "dotnet_release": 378675,
            "free_bytes": {"C:": 20 * GB, "D:": GB},
            "mounted_bytes": {},
            "firewall_running": True,
            "pending_restart": [],
        },
    },
    "instance": {
        **ANSWERED,
        "result": {
            "installed": False,
            "partly_installed": False,
            "version": "",
            "collation": "",
            "service_account": "",
            **NOT_LISTENING,
            "service_state": "",
        },
    },
    "answers": SKIPPED,
    "iis": SKIPPED,
    "other_sites": [],
    "shares": {
        **ANSWERED,
        "result": {
            "paths": [
                file("\\\\files\\media\\sql\\setup.exe", version="15.0.2000.5"),
                file("\\\\files\\media\\PasswordResetServer.zip"),
                file("C:\\PRS\\web.config", exists=False, error=3, message="Could not find a part of the path."),
            ],
            "newest": [
                newest(
                    "\\\\files\\backup\\application\\*.zip",
                    path="\\\\files\\backup\\application\\new.zip",
                    modified="2026-02-28T10:00:00Z",
                )
            ],
        },
    },
    "backups": {
        **ANSWERED,
        "result": {
            "paths": [file("\\\\files\\backup\\database"), file("\\\\files\\backup\\database\\a.bak")],
            "newest": [],
        },
    },
    "backup_files": SKIPPED,
    "restore": SKIPPED,
    "data_files": SKIPPED,
    "choice": {
        "problem": "",
        "code": "",
        "named": False,
        "chosen": {
            "label": "20260228T100000Z",
            "healthy": True,
            "site": "site_a",
            "server": "SQL-A",
            "recovery_point": "2026-02-28T10:00:00+00:00",
            "target": "latest",
            "build": "15.0.2000.5",
            "chain": [],
            "files": ["\\\\files\\backup\\database\\a.bak"],
            "folders": [],
            "archive": "\\\\files\\backup\\application\\set.zip",
            "notes": [],
            "web": {"version": "5.2.1"},
        },
    },
    "certificates": [
        {
            **ANSWERED,
            "item": {"part": "web", "pfx": "site.pfx", "names": ["Reset.lab.test", ""]},
            "result": {
                "names": ["RESET.lab.test"],
                "not_after": "2026-03-01T12:00:00Z",
                "key": "exchange",
                "thumbprint": "AB12",
            },
        }
    ],
}


def in_iis(**changes: Any) -> dict[str, Any]:
    """What inspect_protection.ps1 says of a healthy application in IIS, with these changes."""
    found = {
        "installed": True,
        "service": "Running",
        "site": "Started",
        "asked_state": "Started",
        "error": 0,
        "message": "",
    }
    return {**ANSWERED, "result": {"iis": {**found, **changes}}}


def gathered(**changes: Any) -> dict[str, Any]:
    """The same with other facts: a double underscore leads into what lies within (settings__free_gb=5)."""
    facts = copy.deepcopy(HEALTHY)
    for path, value in changes.items():
        *above, name = path.split("__")
        place: Any = facts
        for step in above:
            place = place[int(step) if step.isdigit() else step]
        if isinstance(place, list):
            place[int(name)] = value
        else:
            place[name] = value
    return facts


def control_node(**changes: Any) -> ControlNode:
    nothing_wrong: dict[str, Any] = {
        "ha": "mirror",
        "python": "/usr/bin/python3",
        "driver_problem": "",
        "authorities": {},
        "roots": {},
        "secrets": {"prs_share_password": "set"},
    }
    return ControlNode(**{**nothing_wrong, **changes})
