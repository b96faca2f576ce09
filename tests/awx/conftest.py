"""A real AWX for all tests, from the source in the folder that AWX names, and the playbook run against it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "integration/awx"))

import environment
from awx_lab import ROOT, Configure, Run, play
from real_awx import RealAwx, running
from repository import Repository


@pytest.fixture(scope="session")
def awx() -> Iterator[RealAwx]:
    try:
        prepared = environment.prepare(Path(os.environ["AWX"]).expanduser().resolve(), ROOT / "build/awx")
        with running(prepared) as awx:
            yield awx
    except environment.Missing as missing:
        pytest.exit(str(missing), returncode=1)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def own_repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """One that a test may change."""
    return Repository(tmp_path_factory.mktemp("own"))


@pytest.fixture
def configure(awx: RealAwx, repository: Repository, tmp_path: Path) -> Configure:
    def run(*arguments: str, **variables: object) -> Run:
        reached = {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": awx.token}
        return play(tmp_path, *arguments, environment=reached, repository=repository.url, variables=variables)

    return run
