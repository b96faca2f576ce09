"""What the tests of AWX share: where things are, the estate's secrets, and what a run of the playbook came to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EXAMPLE", "GIT", "ROOT", "SECRETS", "Configure", "Run"]

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "inventory.example"
GIT = "https://git.example.com/estate.git"
SECRETS = {
    "vault_prs_windows_password": "Windows-secret-1",
    "vault_prs_share_password": "Share-secret-1",
    "vault_prs_sql_admin_password": "Sql-secret-1",
    "vault_prs_app_login_password": "Application-secret-1",
    "vault_prs_certificate_password": "Certificate-secret-1",
    "prs_backup_encryption_password": "Encryption-secret-1",
}


@dataclass(kw_only=True)
class Run:
    code: int
    output: str

    @property
    def changed(self) -> list[str]:
        """What was changed: the names of the loop's items, or of the task where there is no loop."""
        task, found = "", []
        for line in self.output.splitlines():
            if match := re.match(r"TASK \[(?:[^\]]* : )?(.*)\]", line):
                task = match[1]
            elif match := re.match(r"changed: \[localhost\](?: => \(item=(.*?)\))?", line):
                found.append(match[1] or task)
        return found


Configure = Callable[..., Run]
