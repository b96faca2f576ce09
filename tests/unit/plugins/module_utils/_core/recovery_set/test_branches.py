"""Which of several copies of a database lives, told by restores and recovery sets."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.branches import (
    Branch,
    Lineage,
    branch_file_name,
    lines_of_branch,
    parse_branch,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.recovery_set import RecoverySet
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_set.selection import choose
from recovery_set_rhythm import BEGIN, made_at

HOUR = dt.timedelta(hours=1)
AT_B = Branch(fork="b", began_at=BEGIN + 10 * HOUR, site="site_b", server="SQL-B", parent="a", left_lsn=100, label="s1")


@pytest.mark.parametrize(
    ("recovery_set", "replaced", "rivals"),
    [
        pytest.param(made_at("site_a", 1, fork="a", lsn=100), False, False, id="that it was restored from"),
        pytest.param(made_at("site_a", 9, fork="a", lsn=130), True, False, id="newer, and was not there any more"),
        pytest.param(made_at("site_a", 11, fork="a", lsn=140), True, True, id="a lost site came back"),
        pytest.param(made_at("site_a", 11, fork="a", lsn=100), False, False, id="the same, by a clock that is ahead"),
        pytest.param(made_at("site_b", 11, fork="b", lsn=140), False, False, id="of the living one"),
        pytest.param(made_at("site_a", 12, fork="b", lsn=150), False, False, id="a failover took it to another site"),
        pytest.param(made_at("site_b", 12, fork="c", lsn=1, parent="b"), False, False, id="restored by hand"),
        pytest.param(made_at("site_a", 12, fork="c", lsn=1, parent="b"), False, False, id="restored by hand elsewhere"),
        pytest.param(made_at("site_a", 12, fork="c", lsn=1), False, False, id="of which SQL Server tells no parent"),
        pytest.param(made_at("site_a", 12, fork="c", lsn=1, parent="a"), False, True, id="a replaced one, by hand"),
        pytest.param(made_at("site_b", 12, fork="c", lsn=1, parent="a"), False, False, id="by hand over the living"),
        pytest.param(made_at("site_a", 0, fork="z", lsn=1), False, False, id="from before all that is known"),
    ],
)
def test_a_set_after_a_rebuild_at_the_other_site(recovery_set: RecoverySet, replaced: bool, rivals: bool):
    lineage = Lineage([AT_B])
    assert (lineage.replaced_by(recovery_set) is not None) == replaced
    after = lineage.after(recovery_set)
    assert (len(after.living) > 1) == rivals
    if rivals:
        with pytest.raises(RecoveryError, match="lives more than once: the one of site_b on SQL-B") as raised:
            after.refuse_rivals()
        assert raised.value.code == "two_branches"
    else:
        after.refuse_rivals()


def test_without_a_restore_every_set_is_as_good_as_another():
    nothing = Lineage()
    assert nothing.after(made_at("site_a", 1, fork="a", lsn=1)) is nothing
    assert nothing.replaced_by(made_at("site_a", 1, fork="a", lsn=1)) is None


def test_a_lost_site_whose_clock_is_behind_is_heard_of_all_the_same():
    behind = made_at("site_a", 9, fork="a", lsn=140)
    assert set(Lineage([AT_B]).after(behind).living) == {"b"}
    assert set(Lineage([AT_B]).after(behind, just_taken=True).living) == {"a", "b"}
    assert set(Lineage([AT_B]).after(behind, just_taken=True, end_others=True).living) == {"a"}
    assert set(Lineage([AT_B]).after(made_at("site_a", 9, fork="a", lsn=100), just_taken=True).living) == {"b"}


def test_a_yes_ends_the_others_until_they_are_heard_of_again():
    ours, theirs = made_at("site_a", 11, fork="a", lsn=140), made_at("site_b", 12, fork="b", lsn=150)
    chosen = Lineage([AT_B]).after(ours, end_others=True)
    assert set(chosen.living) == {"a"}
    assert chosen.replaced_by(ours) is None and chosen.replaced_by(theirs) is not None
    assert set(chosen.after(theirs).living) == {"a", "b"}


def test_a_yes_of_the_living_one_ends_the_one_that_came_back():
    rivals = Lineage([AT_B]).after(made_at("site_a", 11, fork="a", lsn=140))
    again = made_at("site_b", 12, fork="b", lsn=150)
    assert set(rivals.after(again).living) == {"a", "b"}
    assert set(rivals.after(again, end_others=True).living) == {"b"}


def test_the_way_back_over_two_restores():
    back = Branch(fork="c", began_at=BEGIN + 20 * HOUR, site="site_a", parent="b", left_lsn=150, ended=("b",))
    lineage = Lineage([AT_B, back])
    states = {
        name: lineage.replaced_by(recovery_set) is not None
        for name, recovery_set in {
            "first": made_at("site_a", 1, fork="a", lsn=100),
            "lost": made_at("site_a", 9, fork="a", lsn=130),
            "meanwhile": made_at("site_b", 15, fork="b", lsn=150),
            "not taken along": made_at("site_b", 19, fork="b", lsn=160),
        }.items()
    }
    assert states == {"first": False, "lost": True, "meanwhile": False, "not taken along": True}


def test_a_restore_to_a_moment_leaves_behind_what_came_after_it():
    undone = Branch(fork="b", began_at=BEGIN + 5 * HOUR, parent="a", left_at=BEGIN + 2 * HOUR)
    assert Lineage([undone]).replaced_by(made_at("", 2, fork="a", lsn=1)) is None
    assert Lineage([undone]).replaced_by(made_at("", 3, fork="a", lsn=2)) is undone


def test_files_that_contradict_one_another_come_to_an_end():
    ring = [
        Branch(fork="a", began_at=BEGIN, parent="b", left_lsn=1),
        Branch(fork="b", began_at=BEGIN, parent="a", left_lsn=1),
    ]
    assert Lineage(ring).replaced_by(made_at("", 1, fork="x", lsn=1)) is None


def test_a_branch_survives_its_file():
    text = "\n".join(lines_of_branch(AT_B))
    assert parse_branch(text, where="x") == AT_B
    assert branch_file_name(AT_B) == "20260301T120000Z-b.branch"


@pytest.mark.parametrize("damage", [("1", "9"), ('"b"', "7"), ("{", "["), ('"2026', '"x2026')])
def test_a_file_that_tells_no_branch_is_no_silence(damage: tuple[str, str]):
    text = "\n".join(lines_of_branch(AT_B)).replace(*damage)
    with pytest.raises(RecoveryError, match="does not tell when the database was restored"):
        parse_branch(text, where="x")


def test_a_choice_passes_over_what_was_replaced_and_says_why():
    sets = [made_at("site_a", 9, fork="a", lsn=130), made_at("site_a", 1, fork="a", lsn=100)]
    choice = choose(sets, lineage=Lineage([AT_B]))
    assert choice.set.label == "site_a1"
    assert "site_a9" in choice.notes[0] and "was replaced by the one of site_b on SQL-B" in choice.notes[0]


def test_a_choice_between_two_that_live_is_a_persons():
    sets = [made_at("site_a", 11, fork="a", lsn=140), made_at("site_a", 1, fork="a", lsn=100)]
    with pytest.raises(RecoveryError, match="lives more than once"):
        choose(sets, lineage=Lineage([AT_B]))


# ---- every short history of two sites, against what their users wrote


@dataclass
class Site:
    """A database: its fork, and what its users wrote, in their order."""

    name: str
    fork: str = ""
    rows: tuple[int, ...] = ()


@dataclass
class World:
    """Two sites and one place for their sets. What each set holds is known here, and not to what is tested."""

    sites: dict[str, Site] = field(default_factory=lambda: {"A": Site("A", fork="a"), "B": Site("B")})
    sets: list[RecoverySet] = field(default_factory=list)
    rows: dict[str, tuple[int, ...]] = field(default_factory=dict)
    branches: list[Branch] = field(default_factory=list)
    hour: int = 0
    serving: str = "A"
    stopped: bool = False

    def step(self, action: str) -> None:
        self.hour += 1
        site = self.sites[action[1]]
        if action[0] == "w" and site.fork:
            site.rows += (self.hour,)
        elif action[0] == "b" and site.fork:
            self.back_up(site)
        elif action[0] == "r":
            self.rebuild(site)

    def back_up(self, site: Site) -> None:
        new = made_at(site.name, self.hour, fork=site.fork, lsn=len(site.rows))
        after = Lineage(self.branches).after(new)
        rivals = site.name != self.serving and any(
            branch.fork == self.sites[self.serving].fork for branch in self.branches
        )
        try:
            after.refuse_rivals()
        except RecoveryError:
            self.stopped = True
            assert rivals, "a backup of the living database was refused"
            return
        known = set(self.rows[self.label_at_rebuild]) if self.branches else set()
        assert not rivals or set(site.rows) <= known, "a replaced database's new rows made a set"
        self.branches = after.branches
        self.sets.append(new)
        self.rows[new.label] = site.rows

    def rebuild(self, site: Site) -> None:
        lineage = Lineage(self.branches)
        try:
            choice = choose(self.sets[::-1], lineage=lineage)
        except RecoveryError as problem:
            assert problem.code == "no_recovery_set"
            return
        if self.branches:
            living = self.sites[self.serving].rows
            taken = self.rows[choice.set.label]
            assert living[: len(taken)] == taken, "rows of the living database gave way to a replaced one's"
        site.fork, site.rows = f"{site.name}{self.hour}".lower(), self.rows[choice.set.label]
        link = choice.set.chain[-1]
        self.branches = [
            *self.branches,
            Branch(
                fork=site.fork,
                began_at=BEGIN + self.hour * HOUR,
                site=site.name,
                parent=link["last_fork"],
                left_lsn=link["last_lsn"],
                label=choice.set.label,
                ended=tuple(lineage.living),
            ),
        ]
        self.serving = site.name
        self.label_at_rebuild = choice.set.label


def test_no_history_lets_a_replaced_database_win():
    stopped = 0
    for history in itertools.product([kind + site for kind in "wbr" for site in "AB"], repeat=5):
        world = World()
        for action in ("wA", "bA", *history):
            world.step(action)
        stopped += world.stopped
    assert stopped > 100, "no history has a site that came back"
