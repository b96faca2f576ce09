"""The backups that bring a database to the end of one."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.chain import chain_of, link_of
from recovery_set_rhythm import Rhythm, guids, night, taken


@pytest.mark.parametrize(
    ("number", "chain"),
    [
        (0, "F110"),
        (1, "F110 L150"),
        (2, "F110 L150 L200"),
        (3, "F110 D210"),
        (4, "F110 D210 L250"),
        (5, "F110 D210 L250 L250idle"),
    ],
)
def test_a_set_names_all_that_its_database_needs(number: int, chain: str):
    assert guids(night().sets[number].chain) == chain


@pytest.mark.parametrize(
    ("backup", "known", "chain"),
    [
        pytest.param(taken("log", 300, 310), ["F110", "L150", "L200"], "", id="a log in between is missing"),
        pytest.param(taken("log", 200, 250, fork="b"), ["F110", "L150", "L200"], "", id="another recovery path"),
        pytest.param(
            taken("differential", 190, 210, base="other"), ["F110"], "", id="differential on a full of somebody else"
        ),
        pytest.param(taken("log", 150, 220), ["L150"], "", id="no full at all"),
        pytest.param(taken("full", 1, 2), [], "F2", id="a full needs nothing"),
    ],
)
def test_a_chain_with_a_gap_is_none(backup: dict, known: list[str], chain: str):
    links = [link for one in night().sets for link in one.chain if link["set_guid"] in known]
    assert guids(chain_of(link_of(backup), links)) == chain


def test_a_backup_that_is_in_no_set_closes_the_gap():
    rhythm = Rhythm()
    rhythm.take(taken("full", 100, 110), hours=0)
    orphan = link_of(taken("log", 105, 150))
    own = link_of(taken("log", 150, 160))
    known = [link for one in rhythm.sets for link in one.chain]
    assert chain_of(own, known) == []
    assert guids(chain_of(own, [*known, orphan])) == "F110 L150 L160"
