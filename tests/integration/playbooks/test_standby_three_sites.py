"""Two sites follow the first: the service moves to one of them, and the third follows the new principal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from followed import AT_B, AT_C, FOLLOWED, LOG, YES, described, fulls, labels, states, used_and_backed_up
from mirrored import said
from playbook_lab import MARKERS, Estate

pytestmark = pytest.mark.nightly

SERVERS = ("sql-a", "sql-b", "sql-c")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Sites B and C follow site A; the tests go on from one another."""
    estate = used_and_backed_up(tmp_path_factory.mktemp("three") / "lab", described(third_site=True))
    said(estate.play("standby_prs", *FOLLOWED), "sql-b (site_b) and sql-c (site_c)")
    yield estate
    estate.lab.down()
    shutil.rmtree(estate.lab.state_dir)


def test_the_third_site_follows_the_new_principal_without_a_new_full(three: Estate):
    taken = fulls(three, *SERVERS)
    three.lab.mark(["in a log"])
    said(three.play("backup_prs", *FOLLOWED, *LOG), "sql-b: 1 log applied", "sql-c: 1 log applied")
    three.lab.mark(["in the tail alone"])
    said(three.play("failover_prs", *AT_B), "sql-b serves it", "sql-a is the standby now")
    assert states(three, *SERVERS) == ["RESTORING", "ONLINE", "RESTORING"]
    three.lab.mark(["at b"], host="web-b")
    said(three.play("backup_prs", *AT_B, *LOG), "sql-a: 1 log applied", "sql-c: 2 logs applied")
    assert fulls(three, *SERVERS) == taken
    assert labels(three, "web-b") == [*MARKERS, "in a log", "in the tail alone", "at b"]


def test_a_lost_site_among_three_needs_no_name(three: Estate, one_message):
    """Of several the one that does not answer is lost, where the others follow."""
    kept = labels(three, "web-b")
    for host in ("sql-b", "web-b"):
        three.lab.kill(host)
    one_message(three.play("failover_prs", *AT_C), "cannot hand over the tail of its log", "allow_data_loss: true")
    said(three.play("failover_prs", *AT_C, *YES), "sql-c serves it")
    assert labels(three, "web-c") == kept
    three.lab.mark(["at c"], host="web-c")
    said(three.play("backup_prs", *AT_C, *LOG), "sql-a: 1 log applied", "on sql-b was not brought up to date")
    assert states(three, "sql-a", "sql-c") == ["RESTORING", "ONLINE"]
    assert three.lab.unmodelled() == []
