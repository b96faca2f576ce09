from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import standby

B = {"site": "site_b", "sql": ["sql-b"], "web": ["web-b"]}


@pytest.mark.parametrize(
    ("sites", "left_out", "said"),
    [
        ([B], [], []),
        ([], [], ["needs a database server outside site_a"]),
        ([B, B], [], ["names site_b twice"]),
        ([{**B, "site": "site_a"}], [], ["which is the active site"]),
        ([{**B, "site": "nowhere", "sql": []}], [], ["has no group of that name"]),
        ([{**B, "sql": []}], [], ["has 0 hosts of the group prs_sql and 1 of the group prs_web"]),
        ([{**B, "web": []}], [], []),
        ([B], ["sql-b"], ["leaves out sql-b"]),
    ],
)
def test_an_inventory_that_cannot_be_meant_is_refused(sites, left_out, said):
    facts = {"active": "site_a", "groups": ["site_a", "site_b"], "sites": sites, "left_out": left_out}
    sentences = standby.inventory_problems(facts)
    assert len(sentences) == len(said)
    assert all(text in sentence for text, sentence in zip(said, sentences, strict=True)), sentences


def seen(host: str, site: str, **database: Any) -> dict[str, Any]:
    return {
        "host": host,
        "site": site,
        "answers": True,
        "problem": "",
        "would_lose": "",
        "has_all": False,
        "server": {"version": "15.0.1.1", "edition": "Express Edition (64-bit)"},
        "database": {"state": "ONLINE", "recovery_model": "FULL", "family_guid": "f", "files": [], **database},
    }


def estate(**changed: Any) -> dict[str, Any]:
    plain = {
        "database": "PRS",
        "site": "site_a",
        "principal": seen("sql-a", "site_a"),
        "standbys": [{**seen("sql-b", "site_b"), "database": {}}],
        "runs": {"web-a": True, "web-b": False},
        "web_here": "web-a",
        "webs": {"site_b": "web-b"},
        "readable": False,
        "allow_recovery_model": False,
        "allow_data_loss": False,
    }
    return {**plain, **changed}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"principal": seen("sql-a", "site_a", recovery_model="SIMPLE")}, "-e prs_allow_recovery_model=true"),
        ({"principal": seen("sql-a", "site_a", recovery_model="SIMPLE"), "allow_recovery_model": True}, ""),
        ({"principal": seen("sql-a", "site_a", state="SUSPECT")}, "is SUSPECT, so there is nothing"),
        ({"principal": {**seen("sql-a", "site_a"), "database": {}}}, "is not there, so there is nothing"),
        (
            {"principal": {**seen("sql-a", "site_a"), "answers": False, "problem": "refused"}},
            "SQL Server on sql-a cannot be asked for PRS: refused",
        ),
        ({"principal": seen("sql-a", "site_a", mirroring={"role": "PRINCIPAL"})}, "is mirrored"),
        ({"standbys": [seen("sql-b", "site_b")]}, "PRS is open on sql-b as well as on sql-a"),
        ({"standbys": [seen("sql-b", "site_b", family_guid="g")]}, "another database named PRS"),
        (
            {"standbys": [{**seen("sql-b", "site_b", state="RESTORING"), "would_lose": "It stands at LSN 7"}]},
            "It stands at LSN 7 (standby_prs -e prs_allow_data_loss=true). Nothing was touched.",
        ),
        ({"runs": {"web-a": False, "web-b": True}}, "site_b is the site that serves"),
        (
            {"principal": seen("sql-a", "site_a", state="RESTORING"), "standbys": [seen("sql-b", "site_b")]},
            "PRS is open on sql-b, and not on sql-a",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused_in_one_message(changed, said):
    sentences = standby.problems(estate(**changed))
    assert bool(sentences) == bool(said) and said in " ".join(sentences)
    assert not sentences or "Nothing was touched." in " ".join(sentences)


STEP = {"kind": "log"}


@pytest.mark.parametrize(
    ("applied", "said"),
    [
        (
            {"plan": {"steps": [{"kind": "full"}, STEP, STEP, {"kind": ""}], "recovery_point": {"time": "T"}}},
            ["sql-b: 1 full, 2 logs applied, the standby of PRS stands at T"],
        ),
        (
            {"plan": {}, "stood_at": {"time": "T"}},
            ["sql-b: nothing new for the standby of PRS, which stands at T"],
        ),
        (
            {"plan": {}, "stood_at": {"time": None}, "beyond_gap": [{"reason": "logs are missing"}]},
            [
                "sql-b: nothing new for the standby of PRS, which stands at where the newest log ended",
                "WARNING: 1 newer backup cannot be applied: logs are missing",
            ],
        ),
        ({"msg": "no answer."}, ["WARNING: the standby of PRS on sql-b was not brought up to date: no answer."]),
    ],
)
def test_what_became_of_it(applied, said):
    facts = {"host": "sql-b", "database": "PRS", "applied": applied, "minutes": 0, "check": False}
    facts |= {"standby": {}, "principal": {}}
    sentences = standby.caught_up(facts)
    assert len(sentences) == len(said)
    assert all(sentence.startswith(text) for text, sentence in zip(said, sentences, strict=True)), sentences


@pytest.mark.parametrize(
    ("lsn", "fork", "astray"), [(101, "a", True), (100, "A", False), (101, "b", False), (None, None, False)]
)
def test_an_old_principal_that_came_back_does_not_follow(lsn, fork, astray):
    """The new one was opened at LSN 100 of the fork a."""
    principal = {"recovery_fork_guid": "B", "first_recovery_fork_guid": "A", "fork_point_lsn": "100"}
    stands = {"redo_start_lsn": lsn and str(lsn), "redo_start_fork_guid": fork}
    file = {"type": "ROWS", "size_bytes": 1, **stands}
    facts = {"host": "sql-a", "database": "PRS", "applied": {"plan": {}}, "minutes": 0, "check": False}
    sentences = standby.caught_up({**facts, "standby": {"files": [file]}, "principal": principal})
    assert ("does not follow" in sentences[0]) is astray and ("nothing new" in sentences[0]) is not astray
    would_lose = {**seen("sql-b", "site_b", state="RESTORING", files=[file]), "would_lose": "It stands at LSN 7"}
    refused = " ".join(standby.problems(estate(principal=seen("sql-a", "site_a", **principal), standbys=[would_lose])))
    assert ("does not follow" in refused) is astray and ("at LSN 7" in refused) is not astray
    has_all = {**would_lose, "would_lose": "", "has_all": True}
    refused = standby.problems(estate(principal=seen("sql-a", "site_a", **principal), standbys=[has_all]))
    assert bool(refused) is astray
    unforked = {**principal, "first_recovery_fork_guid": "B"}
    assert "nothing new" in standby.caught_up({**facts, "standby": {"files": [file]}, "principal": unforked})[0]


def test_servers_that_were_not_reached():
    silent = [{"host": "sql-b", "problem": "connect timeout=30"}]
    assert standby.unreached({"unreached": [], "database": "PRS"}) == []
    assert "run standby_prs" in standby.unreached({"unreached": silent, "database": "PRS"})[0]
    assert standby.not_reached({"unreached": silent})


def test_what_an_administrator_has_to_know():
    facts = {
        "database": "PRS",
        "principal": "sql-a",
        "standbys": [{"host": "sql-b", "site": "site_b"}],
        "readable": True,
        "minutes": 60,
        "model_changed": True,
    }
    sentences = " ".join(standby.summary(facts))
    assert (
        "has a standby on sql-b (site_b)" in sentences
        and "NOW take a full backup" in sentences
        and "60 minutes" in sentences
    )
    plain = standby.summary({**facts, "readable": False, "minutes": 0, "model_changed": False})
    assert len(plain) == 2
