"""A stand-in of AWX, an estate's repository as AWX fetches it, and the estate's inventory with its secrets as the
administrator has it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from awx_lab import EXAMPLE, GIT, ROOT, SECRETS, Configure, Run
from stand_in import Awx


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What docs/awx.md says that an administrator puts there: the examples, without the vault."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(EXAMPLE / "two_sites", folder / "inventory", ignore=shutil.ignore_patterns("vault.yml"))
    shutil.copytree(EXAMPLE / "playbooks", folder / "playbooks")
    return folder


@pytest.fixture
def awx(repository: Path) -> Iterator[Awx]:
    awx = Awx({GIT: repository})
    yield awx
    awx.close()
    assert awx.unmodelled == []


@pytest.fixture
def configure(awx: Awx, tmp_path: Path) -> Configure:
    """Run the playbook against the stand-in, on the administrator's inventory."""
    inventory = tmp_path / "inventory"
    shutil.copytree(EXAMPLE / "two_sites", inventory)
    (inventory / "group_vars/all/vault.yml").write_text(json.dumps(SECRETS), encoding="utf-8")
    awx.tokens.add("the administrator's")

    def run(*arguments: str, **variables: object) -> Run:
        settings = {"prs_awx_project_url": GIT, "prs_awx_image": "registry.example.com/prs-recovery-ee:1", **variables}
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
            "ANSIBLE_HOME": str(tmp_path / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": "the administrator's",
        }
        command = [
            Path(sys.executable).parent / "ansible-playbook",
            "-i",
            inventory,
            "prs.recovery.configure_awx",
            "-e",
            json.dumps(settings),
            *arguments,
        ]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        return Run(code=done.returncode, output=done.stdout + done.stderr)

    return run
