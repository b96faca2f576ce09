"""A rebuild that is killed and run again ends where one ends that nobody disturbed, wherever it was killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from mirrored import MIRRORED, at_home, stopping_after
from playbook_lab import MARKERS, Estate, Run

KILLED = 77
MOST = 120
"""More tasks than these do not change something in a rebuild."""


@dataclass(frozen=True, kw_only=True)
class Disaster:
    """What happens to the estate, and the playbook that brings the service back."""

    happen: Callable[[Estate], None]
    playbook: str
    arguments: tuple[str, ...] = ()

    def play(self, estate: Estate, *, environment: dict[str, str] | None = None) -> Run:
        return estate.play(self.playbook, *self.arguments, environment=environment)


def lose_database(estate: Estate) -> None:
    estate.lab.wipe("sql-a")


def lose_power(estate: Estate) -> None:
    for host in ("web-a", "sql-a"):
        estate.lab.kill(host)


TOTAL_LOSS = Disaster(happen=Estate.lose_site_a, playbook="rebuild_prs")
DATABASE_LOST = Disaster(happen=lose_database, playbook="rebuild_prs")
MIRRORED_SITE_LOST = Disaster(
    happen=lose_power,
    playbook="failover_prs",
    arguments=(*MIRRORED, "-e", "prs_active_site=site_b", "-e", "prs_allow_data_loss=true"),
)


def killed_and_run_again(estate: Estate, disaster: Disaster, changes: int) -> str:
    """Before which task it was killed, '' where it came to its end before that many changes."""
    disaster.happen(estate)
    run = disaster.play(estate, environment=stopping_after(changes))
    if run.code == 0:
        return ""
    assert run.code == KILLED, run.output
    where = f"{changes}: {run.output.rpartition('STOPPED BEFORE: ')[2].splitlines()[0]}"
    again = disaster.play(estate)
    assert again.code == 0, (where, again.output)
    assert estate.labels() == MARKERS, where
    third = disaster.play(estate)
    assert (third.code, third.changed) == (0, 0), (where, third.output)
    return where


@pytest.mark.parametrize("changes", [9, pytest.param(25, marks=pytest.mark.nightly)])
def test_a_total_loss_whose_rebuild_is_killed_once(estate: Estate, changes: int):
    """A sample, by day: everywhere it is killed at night."""
    assert killed_and_run_again(estate, TOTAL_LOSS, changes)


def killed_everywhere(state: Path, folder: Path, disaster: Disaster, *, network: str = "") -> list[str]:
    """All places where it was killed, each on a copy of the estate of its own."""
    places: list[str] = []
    for changes in range(1, MOST):
        shutil.copytree(state, folder / str(changes), ignore=shutil.ignore_patterns("record.jsonl"))
        estate = Estate(folder / str(changes))
        estate.up(network=network)
        try:
            assert not network or at_home(estate)
            where = killed_and_run_again(estate, disaster, changes)
        finally:
            estate.lab.down()
            shutil.rmtree(estate.lab.state_dir)
        if not where:
            return places
        places.append(where)
    raise AssertionError(f"{len(places)} changes and no end: {places}")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("disaster", "least"), [(TOTAL_LOSS, 30), (DATABASE_LOST, 15)], ids=["total loss", "database lost"]
)
def test_a_rebuild_is_killed_after_each_of_its_changes(
    protected_state: Path, tmp_path: Path, disaster: Disaster, least: int, figure: Callable[[str], None]
):
    places = killed_everywhere(protected_state, tmp_path, disaster)
    assert len(places) >= least, places
    figure(f"{disaster.playbook} was killed at {len(places)} places and went on")


@pytest.mark.nightly
def test_a_failover_from_a_lost_site_is_killed_after_each_of_its_changes(
    mirrored_state: Path, tmp_path: Path, shared_rests: None, figure: Callable[[str], None]
):
    network = Estate(mirrored_state).network
    places = killed_everywhere(mirrored_state, tmp_path, MIRRORED_SITE_LOST, network=network)
    assert len(places) >= 3, places
    figure(f"failover_prs was killed at {len(places)} places and went on")
