"""The service moves to its warm standby, with SQL Server Express on both sides: as planned and back, and because a site is
lost.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import prs_lab
import pytest
import yaml
from mirrored import DATABASE, ask, running_sites, said
from playbook_lab import MARKERS, Estate

FOLLOWED = ("-e", json.dumps({"prs_ha": "standby"}))
AT_B = (*FOLLOWED, "-e", "prs_active_site=site_b")
YES = ("-e", "prs_allow_data_loss=true")
LOG = ("-e", "prs_backup_kind=log")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An estate on Express whose site B follows site A; the tests go on from one another."""
    state = tmp_path_factory.mktemp("followed") / "lab"
    description = yaml.safe_load((Path(prs_lab.__file__).parent / "estates/default.yml").read_text(encoding="utf-8"))
    description["media"]["sql_edition"] = "Express Edition (64-bit)"
    file = state.with_suffix(".yml")
    file.write_text(yaml.safe_dump(description), encoding="utf-8")
    estate = Estate(state)
    estate.up(str(file))
    said(estate.play("provision_prs"))
    assert estate.lab.wizard().state == "ready"
    estate.lab.mark(MARKERS)
    ask(estate, "sql-a", f"ALTER DATABASE [{DATABASE}] SET RECOVERY FULL; SELECT 1")
    said(estate.play("backup_prs"))
    said(estate.play("standby_prs", *FOLLOWED))
    yield estate
    estate.lab.down()
    shutil.rmtree(state)


def states(estate: Estate) -> list[str]:
    question = "SELECT state_desc FROM sys.databases WHERE name = %s"
    return [ask(estate, host, question, DATABASE)[0][0] for host in ("sql-a", "sql-b")]


def fulls(estate: Estate) -> int:
    """Full backups that were taken, on either server."""
    question = "SELECT backup_set_uuid FROM msdb.dbo.backupset WHERE database_name = %s AND type = 'D'"
    return len({guid for host in ("sql-a", "sql-b") for (guid,) in ask(estate, host, question, DATABASE)})


def labels(estate: Estate, web: str) -> list[str]:
    return [row["label"] for row in estate.lab.page(host=web).rows]


@pytest.mark.nightly
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


@pytest.mark.nightly
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
    said(followed.play("backup_prs", *AT_B, *LOG))
    said(followed.play("standby_prs", *AT_B, *YES), "has a standby on sql-a")
    followed.lab.mark(["the last"], host="web-b")
    said(followed.play("failover_prs", *FOLLOWED), "sql-a serves it", "sql-b is the standby now")
    assert labels(followed, "web-a") == [*kept, "while both ran", "the last"]
