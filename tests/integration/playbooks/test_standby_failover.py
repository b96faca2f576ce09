"""The service moves to its warm standby, with SQL Server Express on both sides: as planned and back, and because a site is
lost.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from followed import AT_B, FOLLOWED, LOG, YES, copy_of, fulls, labels, states
from mirrored import running_sites, said
from playbook_lab import MARKERS, Estate

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def followed(followed_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate on Express whose site B follows site A; the tests go on from one another."""
    estate = copy_of(followed_state, tmp_path_factory.mktemp("moved") / "lab")
    yield estate
    estate.lab.down()
    shutil.rmtree(estate.lab.state_dir)


def test_there_and_back_without_a_full_backup(followed: Estate, figure):
    taken = fulls(followed)
    followed.lab.mark(["in a log"])
    said(followed.play("backup_prs", *FOLLOWED, *LOG), "sql-b: 1 log applied")
    followed.lab.mark(["in the tail alone"])
    before = followed.lab.digest()
    planned = followed.play("failover_prs", *AT_B, "--check")
    said(planned, "hands over the tail of its log, so nothing is lost")
    assert followed.lab.digest() == before and running_sites(followed) == ["web-a"]
    moved = followed.play("failover_prs", *AT_B)
    said(moved, "sql-b serves it", "sql-a is the standby now", "Set prs_active_site: site_b in the inventory")
    assert (running_sites(followed), states(followed)) == (["web-b"], ["RESTORING", "ONLINE"])
    assert labels(followed, "web-b") == [*MARKERS, "in a log", "in the tail alone"]
    figure(f"closed in a planned move to the standby: {re.findall(r'closed for ([0-9.]+) seconds', moved.output)} s")
    followed.lab.mark(["at b, in a log"], host="web-b")
    said(followed.play("backup_prs", *AT_B, *LOG), "sql-a: 1 log applied")
    followed.lab.mark(["at b, in the tail alone"], host="web-b")
    said(followed.play("failover_prs", *FOLLOWED), "sql-a serves it", "sql-b is the standby now")
    assert (running_sites(followed), states(followed)) == (["web-a"], ["ONLINE", "RESTORING"])
    assert labels(followed, "web-a") == [
        *MARKERS, "in a log", "in the tail alone", "at b, in a log", "at b, in the tail alone",
    ]  # fmt: skip
    assert fulls(followed) == taken
    again = followed.play("failover_prs", *FOLLOWED)
    said(again, "sql-a serves it")
    assert running_sites(followed) == ["web-a"]


def told_loss(output: str) -> dt.datetime:
    """Since when everything is lost, as a run says."""
    told = re.search(r"What was committed after (\S+ \S+) UTC is lost, the last (\d+) minutes?", output)
    assert told and int(told[2]) >= 1, output
    return dt.datetime.fromisoformat(told[1]).replace(tzinfo=dt.timezone.utc)


def test_a_lost_site_and_its_return(followed: Estate, one_message, figure):
    """The told loss covers the true one. What the old site held is kept, and it follows again when it is told to."""
    said(followed.play("backup_prs", *FOLLOWED, *LOG))
    kept = labels(followed, "web-a")
    lost_at = dt.datetime.now(dt.timezone.utc)
    followed.lab.mark(["lost with the site"])
    for host in ("sql-a", "web-a"):
        followed.lab.kill(host)
    refused = followed.play("failover_prs", *AT_B)
    message = one_message(refused, "cannot hand over the tail of its log", "allow_data_loss: true")
    assert told_loss(message) <= lost_at and running_sites(followed) == []
    moved = followed.play("failover_prs", *AT_B, *YES)
    said(moved, "sql-b serves it", "WARNING, LOST: What was committed after", "does not follow yet")
    assert told_loss(moved.output) <= lost_at
    assert labels(followed, "web-b") == kept
    figure(f"closed in a move without the principal: {re.findall(r'closed for ([0-9.]+) seconds', moved.output)} s")
    for host in ("sql-a", "web-a"):
        followed.lab.start(host)
    assert running_sites(followed) == ["web-a", "web-b"]  # its application starts by itself
    followed.lab.mark(["while both ran"], host="web-b")
    one_message(followed.play("failover_prs", *AT_B), "serves its own again", "allow_data_loss: true")
    assert states(followed) == ["ONLINE", "ONLINE"]
    said(followed.play("failover_prs", *AT_B, *YES), "came back with a database that was replaced", "is kept in")
    assert (running_sites(followed), states(followed)) == (["web-b"], ["RESTORING", "ONLINE"])
    assert labels(followed, "web-b") == [*kept, "while both ran"]
    alone = followed.play("standby_prs", *AT_B)
    one_message(alone, "sql-a: PasswordResetServer there does not follow", "Nothing was touched", alone=True)
    said(followed.play("backup_prs", *AT_B, *LOG))
    one_message(followed.play("standby_prs", *AT_B), "there does not follow", "Nothing was touched", alone=True)
    said(followed.play("standby_prs", *AT_B, *YES), "has a standby on sql-a")
    followed.lab.mark(["the last"], host="web-b")
    said(followed.play("failover_prs", *FOLLOWED), "sql-a serves it", "sql-b is the standby now")
    assert labels(followed, "web-a") == [*kept, "while both ran", "the last"]
