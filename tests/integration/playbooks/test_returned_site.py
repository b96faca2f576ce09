"""A site that was lost and comes back, with a database that was rebuilt at the other one, and an inventory that nobody
changed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playbook_lab import MARKERS, Estate, table_rows

AT_B = ("-e", "prs_active_site=site_b")
MEANWHILE = [f"written at site B {number}" for number in range(1, 6)]


@pytest.fixture
def estate(protected_state: Path, tmp_path: Path) -> Iterator[Estate]:
    """A copy at the addresses of the first one, which its certificates bear."""
    state = tmp_path / "lab"
    shutil.copytree(protected_state, state, ignore=shutil.ignore_patterns("record.jsonl"))
    copy = Estate(state)
    copy.up(network=Estate(protected_state).network)
    yield copy
    copy.lab.down()
    shutil.rmtree(state)


def sets(estate: Estate) -> set[str]:
    folder = estate.lab.state_dir / "hosts" / "files" / "drives" / "D" / "Shares" / "backup" / "sets"
    return {path.stem for path in folder.glob("*.json")}


@pytest.mark.nightly
def test_a_site_that_comes_back_does_not_win_over_the_one_that_was_rebuilt(estate: Estate, one_message):
    for host in ("web-a", "sql-a"):
        estate.lab.kill(host)
    rebuilt = estate.play("rebuild_prs", *AT_B)
    assert rebuilt.code == 0, rebuilt.output
    for sentence in (
        "TO DO: The service is at site_b now, not at site_a. Set prs_active_site: site_b in the inventory",
        "to the web server of site_b (DNS, load balancer)",
        "TO DO: Then run backup_prs",
    ):
        assert sentence in rebuilt.output
    estate.lab.mark(MEANWHILE, host="web-b")
    for host in ("web-a", "sql-a"):
        estate.lab.start(host)
    estate.lab.mark(["written at the wrong site"], host="web-a")

    # The night, with the inventory as it was.
    before = sets(estate)
    nightly = estate.play("backup_prs")
    one_message(nightly, "lives more than once", "of site_a on sql-a", "of site_b on sql-b", "prs_end_other_branches")
    assert sets(estate) == before
    verified = estate.play("verify_prs", "-e", "verify_attempts=1")
    [row] = [row for row in table_rows(verified) if row[1:3] == ("second application", "web-b")]
    assert row[0] == "FAIL"
    assert "The database was rebuilt at site_b, which serves since" in " ".join(verified.output.split()), (
        verified.output
    )

    # Now the inventory says where the service is, and what was written there survives the next loss.
    backed_up = estate.play("backup_prs", *AT_B)
    assert backed_up.code == 0, backed_up.output
    estate.lab.wipe("sql-b")
    again = estate.play("rebuild_prs", *AT_B)
    assert again.code == 0, again.output
    page = estate.lab.page(host="web-b")
    assert [row["label"] for row in page.rows] == [*MARKERS, *MEANWHILE]
    assert not json.dumps([row["label"] for row in page.rows]).count("wrong site")
