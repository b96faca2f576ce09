"""A rebuild that is killed and run again ends where one ends that nobody disturbed, wherever it was killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from followed import AT_B, FOLLOWED, LOG, copy_of, fulls, states
from mirrored import MIRRORED, at_home, said, stopping_after
from playbook_lab import MARKERS, Estate, Run

KILLED = 77
MOST = 120
"""More tasks than these do not change something in a rebuild."""


@dataclass(frozen=True, kw_only=True)
class Disaster:
    """What happens to the estate, and the playbook that brings the service back. rows: that it has afterwards."""

    happen: Callable[[Estate], None]
    playbook: str
    arguments: tuple[str, ...] = ()
    rows: tuple[str, ...] = tuple(MARKERS)
    follows: str = ""
    """The database server that is the standby afterwards."""

    def play(self, estate: Estate, *, environment: dict[str, str] | None = None) -> Run:
        return estate.play(self.playbook, *self.arguments, environment=environment)


def lose_database(estate: Estate) -> None:
    estate.lab.wipe("sql-a")


def lose_power(estate: Estate) -> None:
    for host in ("web-a", "sql-a"):
        estate.lab.kill(host)


def one_more_log(estate: Estate) -> None:
    estate.lab.mark(["in a log"])
    said(estate.play("backup_prs", *LOG))


def a_row_in_the_tail(estate: Estate) -> None:
    estate.lab.mark(["in the tail alone"])


CATCH_UP = Disaster(
    happen=one_more_log, playbook="standby_prs", arguments=FOLLOWED, rows=(*MARKERS, "in a log"), follows="sql-b"
)
BACKUP_AND_CATCH_UP = Disaster(
    happen=a_row_in_the_tail,
    playbook="backup_prs",
    arguments=(*FOLLOWED, *LOG),
    rows=(*MARKERS, "in the tail alone"),
    follows="sql-b",
)
MOVE = Disaster(
    happen=a_row_in_the_tail,
    playbook="failover_prs",
    arguments=AT_B,
    rows=(*MARKERS, "in the tail alone"),
    follows="sql-a",
)
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
    assert estate.labels() == list(disaster.rows), where
    if disaster.follows:
        assert states(estate, disaster.follows) == ["RESTORING"] and fulls(estate) == 1, where
    if disaster.playbook == "backup_prs":  # it takes a backup each time
        return where
    third = disaster.play(estate)
    assert (third.code, third.changed) == (0, 0), (where, third.output)
    return where


@pytest.mark.parametrize("changes", [9, pytest.param(14, marks=pytest.mark.nightly)])
def test_a_total_loss_whose_rebuild_is_killed_once(estate: Estate, changes: int):
    """A sample, by day: everywhere it is killed at night. 14: the settings of SQL Server are there, and not in force."""
    assert killed_and_run_again(estate, TOTAL_LOSS, changes)


def killed_everywhere(state: Path, folder: Path, disaster: Disaster, *, moved: bool = False) -> list[str]:
    """All places where it was killed, each on a copy of the estate of its own."""
    places: list[str] = []
    for changes in range(1, MOST):
        estate = copy_of(state, folder / str(changes), moved=moved)
        try:
            assert disaster is not MIRRORED_SITE_LOST or at_home(estate)
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
    ("disaster", "least"), [(TOTAL_LOSS, 20), (DATABASE_LOST, 10)], ids=["total loss", "database lost"]
)
def test_a_rebuild_is_killed_after_each_of_its_changes(
    protected_state: Path, tmp_path: Path, disaster: Disaster, least: int, figure: Callable[[str], None]
):
    places = killed_everywhere(protected_state, tmp_path, disaster, moved=True)
    assert len(places) >= least, places
    figure(f"{disaster.playbook} was killed at {len(places)} places and went on")


@pytest.mark.nightly
def test_a_failover_from_a_lost_site_is_killed_after_each_of_its_changes(
    mirrored_state: Path, tmp_path: Path, shared_rests: None, figure: Callable[[str], None]
):
    places = killed_everywhere(mirrored_state, tmp_path, MIRRORED_SITE_LOST)
    assert len(places) >= 2, places
    figure(f"failover_prs was killed at {len(places)} places and went on")


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("disaster", "least"),
    [(CATCH_UP, 1), (BACKUP_AND_CATCH_UP, 3), (MOVE, 3)],
    ids=["catch-up", "backup and catch-up", "move"],
)
def test_a_standby_is_killed_after_each_change_of_what_brings_it_up_to_date_or_opens_it(
    followed_state: Path, tmp_path: Path, disaster: Disaster, least: int, figure: Callable[[str], None]
):
    places = killed_everywhere(followed_state, tmp_path, disaster)
    assert len(places) >= least, places
    figure(f"{disaster.playbook} of a standby was killed at {len(places)} places and went on")
