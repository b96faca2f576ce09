"""A real AWX for all tests, from the source in the folder that AWX names, and the playbook run against it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration/awx"))

import environment
from awx_lab import ROOT, Configure, Run, copy_repository, play
from real_awx import PASSWORD, USER, RealAwx, running


@pytest.fixture(scope="session")
def awx() -> Iterator[RealAwx]:
    try:
        prepared = environment.prepare(Path(os.environ["AWX"]).expanduser().resolve(), ROOT / "build/awx")
        with running(prepared) as awx:
            yield awx
    except environment.Missing as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The estate's repository, which AWX really fetches."""
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
    who = ["-c", "user.name=estate", "-c", "user.email=estate@example.com"]
    for command in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "Estate"]):
        subprocess.run(["git", "-C", folder, *command], check=True)
    return folder


@pytest.fixture
def configure(awx: RealAwx, repository: Path, tmp_path: Path) -> Configure:
    def run(*arguments: str, **variables: object) -> Run:
        reached = {"CONTROLLER_HOST": awx.url, "CONTROLLER_USERNAME": USER, "CONTROLLER_PASSWORD": PASSWORD}
        return play(tmp_path, *arguments, environment=reached, repository=f"file://{repository}", variables=variables)

    return run
