"""Ways back by a warm standby: to the moment before a mistake, and as one of the roads of a rebuild."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from followed import AT_B, FOLLOWED, LOG, YES, copy_of, labels, states
from mirrored import running_sites, said
from playbook_lab import MARKERS, Estate

pytestmark = pytest.mark.nightly


@pytest.fixture
def followed(followed_state: Path, tmp_path: Path) -> Iterator[Estate]:
    estate = copy_of(followed_state, tmp_path / "lab")
    yield estate
    estate.lab.down()
    shutil.rmtree(estate.lab.state_dir)


def test_back_to_the_moment_before_a_mistake_that_the_delay_kept_out(followed: Estate, one_message):
    behind = ("-e", json.dumps({"prs_ha": "standby", "prs_standby_delay": 60, "prs_sql_time_zone": "UTC"}))
    followed.lab.mark(["before the mistake"])
    time.sleep(1)
    until = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
    time.sleep(1)
    followed.lab.mark(["the mistake"])
    said(followed.play("backup_prs", *behind, *LOG), "60 min are kept back")
    followed.lab.mark(["in the tail alone"])
    back = (*AT_B, "-e", json.dumps({"prs_restore_until": until, "prs_standby_delay": 60, "prs_sql_time_zone": "UTC"}))
    one_message(followed.play("failover_prs", *back), "would go back to an earlier moment", "allow_data_loss: true")
    assert (running_sites(followed), states(followed)) == (["web-a"], ["ONLINE", "RESTORING"])
    run = followed.play("failover_prs", *back, *YES)
    said(run, "sql-b serves it", "WARNING, LOST: What was committed after", "is kept in")
    assert labels(followed, "web-b") == [*MARKERS, "before the mistake"]
    assert running_sites(followed) == ["web-b"]


def test_a_rebuild_knows_the_standby_as_a_road_and_what_it_loses(followed: Estate):
    followed.lab.mark(["in a log"])
    said(followed.play("backup_prs", *FOLLOWED, *LOG), "sql-b: 1 log applied")
    followed.lab.mark(["lost with the server"])
    followed.lab.wipe("sql-a")
    told = followed.play("rebuild_prs", *FOLLOWED, "--check")
    assert re.search(r"move \(site_b\): loses at most [0-9]+ (s|min)", told.output), told.output
    assert "-> restore_set (" in told.output  # which loses no more, and needs no yes
    insisted = followed.play("rebuild_prs", *FOLLOWED, *YES, "--check", "-e", "prs_road=move")
    assert "failover_prs -e prs_active_site=site_b -e prs_allow_data_loss=true" in insisted.output, insisted.output
    said(followed.play("failover_prs", *AT_B, *YES), "sql-b serves it", "WARNING, LOST: What was committed after")
    assert labels(followed, "web-b") == [*MARKERS, "in a log"]
    assert followed.lab.unmodelled() == []
