"""Every sentence of the plan."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.choice import Choice, choose
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.cost import (
    EVERYTHING,
    NOTHING,
    UNKNOWN,
    Estimate,
    Loss,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.estimates import Estimates
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.roads import RoadName, roads
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.sentences import (
    duration_text,
    loss_text,
    told,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.wreck import BackupSource
from wrecks import NOW, total_loss, wreck


def said(estate, **choice) -> list[str]:
    every = roads(estate, Estimates())
    made = Choice(road=every[0], **choice) if choice else choose(every, estate.consents)
    return told(every, made, consents=estate.consents, now=NOW)


def test_total_loss():
    assert said(total_loss()) == [
        "ROADS, the one that loses least first",
        "-> restore_set (20260301T020000Z): loses at most 10 h, takes about 16 min 22 s (as no run was measured yet, a "
        "guess)",
        "   provision: loses everything, takes about 13 min (as no run was measured yet, a guess); needs "
        "prs_allow_database_loss (all users, questions and answers are gone)",
        "1 of 5, sql-a: install SQL Server",
        "2 of 5, web-a: set up IIS and the application's site",
        "3 of 5, sql-a: restore the database from 20260301T020000Z",
        "4 of 5, web-a: bring back the application from prs.zip, as it was at 2026-03-01T02:00:00Z",
        "5 of 5, web-a: verify the page and the database",
        "WHAT WILL BE LOST: what was written since 2026-03-01T02:00:00Z, which is 10 h at most",
    ]


def test_nothing_to_do():
    sentences = said(wreck())
    assert sentences[1] == "-> nothing: loses nothing, takes no time"
    assert sentences[-2:] == ["Nothing has to be done", "WHAT WILL BE LOST: nothing of the database"]


def test_no_road():
    sentences = said(total_loss(busy="another run has the lease"))
    assert sentences[1] == "   restore_set (20260301T020000Z): cannot be gone, another run has the lease"
    assert sentences[-1] == "No road can be gone. another run has the lease"


def test_a_tie():
    assert "It loses and takes as much as move; prs_road takes another one" in said(wreck(), tied=(RoadName.MOVE,))


@pytest.mark.parametrize(
    ("loss", "text"),
    [
        (NOTHING, "nothing of the database"),
        (UNKNOWN, "nobody can say how much: what it comes from does not tell its time"),
        (EVERYTHING, "everything: all users, their questions and answers, and the history"),
        (Loss(rank=0, seconds=90), "what was written since 2026-03-01T11:58:30Z, which is 1 min 30 s at most"),
    ],
)
def test_what_will_be_lost(loss: Loss, text: str):
    assert loss_text(loss, NOW) == text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(seconds=0, runs=0), "no time"),
        (Estimate(seconds=60, runs=0), "about 1 min (as no run was measured yet, a guess)"),
        (Estimate(seconds=60, runs=1), "about 1 min (as the last run did)"),
        (Estimate(seconds=60, runs=3), "about 1 min (as the last 3 runs did)"),
    ],
)
def test_how_long_it_takes(estimate: Estimate, text: str):
    assert duration_text(estimate) == text


def test_another_site_is_named_while_servers_are_awaited():
    estate = total_loss()
    made = choose(roads(estate, Estimates()), estate.consents)
    given = {"consents": estate.consents, "now": NOW, "sites": ["site_b"]}
    sentence = (
        "Instead of waiting for web-a and sql-a: site_b answers, and rebuild_prs -e prs_active_site=site_b tells what it "
        "would bring back there"
    )
    assert told(roads(estate, Estimates()), made, awaited=["web-a", "sql-a"], **given)[-1] == sentence
    assert sentence not in told(roads(estate, Estimates()), made, **given)
    none = Choice(road=None, problem="No road")
    assert told([], none, awaited=["web-a", "sql-a"], **given)[-2:] == ["No road", sentence]


def test_the_copy_at_another_place_is_gone_by_naming_the_place():
    copy = BackupSource(name="S1 in \\\\b\\far", kind="set", elsewhere=True, place="\\\\b\\far", point=NOW)
    sentences = said(total_loss(backups=[copy]))
    assert sentences[1].startswith("-> restore_copy (S1 in \\\\b\\far): loses")
    [gone_by] = [sentence for sentence in sentences if sentence.startswith("This road is gone by: ")]
    assert """rebuild_prs -e '{"prs_share_path": "\\\\\\\\b\\\\far"}', with prs_share_user""" in gone_by
