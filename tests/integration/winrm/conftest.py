from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .windows_twins import Twins, without_pauses
from .wire import Wire


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    twins = Twins(tmp_path)
    yield twins
    unmodelled = [entry for host in twins.hosts.values() for entry in host.record.entries("unmodelled")]
    twins.close()
    assert not unmodelled


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pauses(monkeypatch)
