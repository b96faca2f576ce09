"""What the tests of AWX share: where things are, the estate's secrets, and what a run of the playbook came to."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EXAMPLE", "GIT", "ROOT", "SECRETS", "Configure", "Run", "copy_repository", "play"]

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


def copy_repository(folder: Path) -> None:
    """What docs/awx.md says that an administrator puts into the repository: the examples, without the vault."""
    shutil.copytree(EXAMPLE / "two_sites", folder / "inventory", ignore=shutil.ignore_patterns("vault.yml"))
    shutil.copytree(EXAMPLE / "playbooks", folder / "playbooks")


def play(
    folder: Path, *arguments: str, environment: dict[str, str], repository: str, variables: dict[str, object]
) -> Run:
    """Run the playbook on the administrator's inventory, which has the vault and is made in `folder`. environment: how
    AWX is reached; repository: the address from which it fetches the estate.
    """
    inventory = folder / "inventory"
    if not inventory.exists():
        shutil.copytree(EXAMPLE / "two_sites", inventory)
        (inventory / "group_vars/all/vault.yml").write_text(json.dumps(SECRETS), encoding="utf-8")
    settings = {
        "prs_awx_project_url": repository,
        "prs_awx_image": "registry.example.com/prs-recovery-ee:1",
        **variables,
    }
    done = subprocess.run(
        [
            Path(sys.executable).parent / "ansible-playbook",
            "-i",
            inventory,
            "prs.recovery.configure_awx",
            "-e",
            json.dumps(settings),
            *arguments,
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Run(code=done.returncode, output=done.stdout + done.stderr)
