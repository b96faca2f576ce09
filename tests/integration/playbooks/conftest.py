"""One estate is provisioned, used and backed up once; every test gets a copy of it of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from followed import FOLLOWED, copy_of, described, used_and_backed_up
from mirrored import MIRRORED, at_home
from playbook_lab import MARKERS, Beginning, Estate, Run

_FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Takes what a test measured, which is shown when all of them have ended."""
    return request.config.stash.setdefault(_FIGURES, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for measured in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(f"measured: {measured}")


@pytest.fixture(scope="session")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    estate = Estate(tmp_path_factory.mktemp("protected"))
    estate.up()
    said = {}
    try:
        for name in ("provision_prs", "backup_prs"):
            run = estate.play(name, "-vvvv", "--diff")  # as talkative as can be, for who looks for secrets in it
            assert run.code == 0, run.output[-10000:]
            said[name] = run.output
            if name == "provision_prs":
                assert estate.lab.wizard().state == "ready"
                estate.lab.mark(MARKERS)
    finally:
        estate.lab.down()
    return Beginning(state=estate.lab.state_dir, said=said)


@pytest.fixture(scope="session")
def protected_state(beginning: Beginning) -> Path:
    return beginning.state


@pytest.fixture
def estate(protected_state: Path, tmp_path: Path) -> Iterator[Estate]:
    """A running copy of the protected estate; ended and removed afterwards."""
    state = tmp_path / "lab"
    shutil.copytree(protected_state, state, ignore=shutil.ignore_patterns("record.jsonl"))
    copy = Estate(state)
    copy.up()
    yield copy
    copy.lab.down()
    shutil.rmtree(state)


@pytest.fixture(scope="module")
def shared_estate(protected_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A running copy for all tests of a file, each of which leaves it as it was. Its addresses are the first one's,
    which its certificates bear.
    """
    state = tmp_path_factory.mktemp("shared") / "lab"
    shutil.copytree(protected_state, state, ignore=shutil.ignore_patterns("record.jsonl"))
    copy = Estate(state)
    copy.up(network=Estate(protected_state).network)
    yield copy
    copy.lab.down()
    shutil.rmtree(state)


@pytest.fixture(scope="session")
def mirrored_state(protected_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a lab (stopped) whose site B mirrors site A, with a witness; the application knows its failover
    partner.
    """
    estate = copy_of(protected_state, tmp_path_factory.mktemp("mirrored") / "lab")
    try:
        assert estate.lab.partner("prs-sql-partner").state == "ready"
        mirrored = estate.play("mirror_prs", *MIRRORED)
        assert mirrored.code == 0, mirrored.output
        (estate.lab.state_dir / "mirrored.txt").write_text(mirrored.output, encoding="utf-8")
    finally:
        estate.lab.down()
    return estate.lab.state_dir


_shared: list[Estate] = []


@pytest.fixture
def shared_rests() -> Iterator[None]:
    """The addresses of the mirrored estate are free meanwhile: the copy that the tests of the file share is at rest,
    where there is one.
    """
    networks = [copy.network for copy in _shared]
    for copy in _shared:
        copy.lab.down()
    yield
    for copy, network in zip(_shared, networks, strict=True):
        copy.up(network=network)


@pytest.fixture
def mirrored(mirrored_state: Path, tmp_path: Path, shared_rests: None) -> Iterator[Estate]:
    """A running copy of the mirrored estate."""
    copy = copy_of(mirrored_state, tmp_path / "lab")
    assert at_home(copy)
    yield copy
    copy.lab.down()
    shutil.rmtree(copy.lab.state_dir)


@pytest.fixture(scope="module")
def shared_mirrored(mirrored_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The same for all tests of a file, which go on from one another."""
    copy = copy_of(mirrored_state, tmp_path_factory.mktemp("shared") / "lab")
    assert at_home(copy)
    _shared.append(copy)
    yield copy
    _shared.remove(copy)
    copy.lab.down()
    shutil.rmtree(copy.lab.state_dir)


@pytest.fixture(scope="session")
def followed_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a lab (stopped) with Express on both sides, used and backed up, whose site B follows site A."""
    estate = used_and_backed_up(tmp_path_factory.mktemp("followed") / "lab", described())
    try:
        run = estate.play("standby_prs", *FOLLOWED)
        assert run.code == 0, run.output
    finally:
        estate.lab.down()
    return estate.lab.state_dir


@pytest.fixture
def one_message() -> Callable[[Run, Any], str]:
    """Assert that a run failed, that one of its messages holds every given text, and return it. `alone`: that there is
    no other message.
    """

    def check(run: Run, *texts: str, alone: bool = False) -> str:
        assert run.code != 0, run.output
        assert run.messages and (len(run.messages) == 1 or not alone), (
            f"{len(run.messages)} messages: {run.messages}\n{run.output}"
        )
        lacking = [[text for text in texts if text.lower() not in message.lower()] for message in run.messages]
        best = min(lacking, key=len)
        assert not best, f"{best} not in one message of {run.messages}\n{run.output}"
        return run.messages[lacking.index(best)]

    return check
