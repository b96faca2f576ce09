"""A stand-in of AWX, an estate's repository as AWX fetches it, and the estate's inventory with its secrets as the
administrator has it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from awx_lab import GIT, Configure, Run, copy_repository, play
from stand_in import Awx


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    copy_repository(folder)
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
    awx.tokens.add("the administrator's")

    def run(*arguments: str, **variables: object) -> Run:
        return play(
            tmp_path,
            *arguments,
            environment={"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": "the administrator's"},
            repository=GIT,
            variables=variables,
        )

    return run
