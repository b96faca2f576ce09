"""Servers that die, sites that are cut off: what is there afterwards, row by row, and that a second run changes
nothing.
"""

from __future__ import annotations

import contextlib

import pytest

from ..conftest import Failed
from .conftest import ENOUGH, Writer, address, closed_port, cut_off, killed


def test_no_acknowledged_row_is_lost_when_the_mirror_takes_over_by_itself(pair):
    pair.mirror(witness=address(pair.witness))
    with Writer(pair) as writer:
        writer.wait_for(ENOUGH)
        with killed(pair.a):
            writer.wait_for(ENOUGH)  # nobody does anything, and it goes on
            taken_over = pair.fail_over(pair.b)
        writer.wait_for(ENOUGH)
    assert (taken_over["way"], taken_over["may_be_lost"]) == ("stays", {})
    rows = set(pair.b.marks(pair.name))
    assert set(writer.acknowledged) <= rows and rows - {1} <= {*writer.acknowledged, *writer.refused}
    settled(pair, pair.b, witness=address(pair.witness))
    pair.fail_over(pair.a)
    assert set(pair.a.marks(pair.name)) == rows


def test_no_acknowledged_row_is_lost_by_a_planned_failover_there_and_back(pair):
    pair.mirror(safety="OFF")
    with Writer(pair) as writer:
        for server in (pair.b, pair.a):
            writer.wait_for(ENOUGH)
            assert pair.fail_over(server)["may_be_lost"] == {}
        writer.wait_for(ENOUGH)
    assert set(writer.acknowledged) <= set(pair.a.marks(pair.name))
    settled(pair, pair.a, safety="OFF")


def end_of_log(pair, server):
    ((lsn,),) = server.ask(
        "SELECT mirroring_end_of_log_lsn FROM sys.database_mirroring WHERE database_id = DB_ID(%s)", pair.name
    )
    return int(lsn)


@contextlib.contextmanager
def nothing_is_sent(pair):
    pair.a.instance.mirroring.hold_sending = True
    yield
    pair.a.instance.mirroring.hold_sending = False


@pytest.mark.parametrize(("wanted", "trouble"), [
    ({"safety": "FULL"}, lambda pair: closed_port(pair.a)), ({"safety": "OFF"}, nothing_is_sent),
], ids=["synchronous, not in step", "asynchronous"])  # fmt: skip
def test_what_may_be_lost_covers_what_was_lost(pair, wanted, trouble):
    """Each row with the end of the principal's log after its commit: what lies before the reported point was kept, what
    was lost lies behind.
    """
    a, b, name = pair.a, pair.b, pair.name
    pair.mirror(**wanted)
    ends = {}

    def write(*numbers):
        for number in numbers:
            pair.mark(number)
            ends[number] = end_of_log(pair, a)

    write(*range(2, 7))
    with trouble(pair):
        write(*range(7, 12))
        with killed(a):
            with pytest.raises(Failed, match="allow_data_loss: true") as refusal:
                pair.fail_over(b)
            forced = pair.fail_over(b, allow_data_loss=True)
            point = forced["may_be_lost"]["after_lsn"]
            assert str(point) in str(refusal.value) and forced["may_be_lost"]["safety"] == wanted["safety"]
            kept = set(b.marks(name))
            lost = ends.keys() - kept
            assert lost == set(range(7, 12))
            assert all(ends[number] > point for number in lost)
            assert {number for number, end in ends.items() if end <= point} <= kept
            pair.mark(50, b)
    for run in (pair.mirror, lambda: pair.mirror(b), lambda: pair.fail_over(b, rejoin=True)):
        with pytest.raises(Failed, match="holds commits"):
            run()
    assert pair.fail_over(b, rejoin=True, allow_data_loss=True)["way"] == "resume"
    settled(pair, b, **wanted)
    pair.fail_over(a)
    assert set(a.marks(name)) == kept | {50}


def test_an_asynchronous_failover_that_does_not_come_about_leaves_it_asynchronous(pair):
    pair.mirror(safety="OFF")
    with nothing_is_sent(pair):
        pair.mark(2)
        pair.wait = 1
        with pytest.raises(Failed, match="in step was not reached within 1 seconds"):
            pair.fail_over(pair.b)
        assert pair.state(pair.a) == ("PRINCIPAL", "SYNCHRONIZING", "OFF")
    pair.wait = 60
    assert pair.fail_over(pair.b)["way"] == "through_safety"
    assert pair.state(pair.b) == ("PRINCIPAL", "SYNCHRONIZED", "OFF") and pair.b.marks(pair.name) == [1, 2]


def settled(pair, principal, **wanted):
    """Both work together under that principal, and no task has anything to do any more."""
    mirror = pair.other(principal)
    assert (pair.state(principal)[:2], pair.state(mirror)[:2]) == (
        ("PRINCIPAL", "SYNCHRONIZED"),
        ("MIRROR", "SYNCHRONIZED"),
    )
    for run in (
        lambda: pair.mirror(pair.a, **wanted), lambda: pair.mirror(pair.b, **wanted), lambda: pair.fail_over(principal),
        lambda: pair.fail_over(principal, rejoin=True, allow_data_loss=True),
    ):  # fmt: skip
        assert not run()["changed"]


@pytest.mark.parametrize("first", ["a", "b"])
def test_both_die_without_a_witness(pair, first):
    """Whoever dies first: the principal stays what it was, and misses nothing."""
    pair.mirror()
    one = getattr(pair, first)
    with killed(one):
        if one is pair.b:
            pair.mark(2)  # exposed
        with killed(pair.other(one)):
            pass
    settled(pair, pair.a)
    assert pair.a.marks(pair.name) == ([1, 2] if first == "b" else [1])


def test_the_one_that_took_over_dies_too(pair):
    """The old principal comes back first, and waits for the one that knows more."""
    wanted = {"witness": address(pair.witness)}
    pair.mirror(**wanted)
    with contextlib.ExitStack() as dead:
        with killed(pair.a):
            pair.mark(2, pair.b)
            dead.enter_context(killed(pair.b))
        assert pair.a.state_of(pair.name) == "RECOVERING"
        for yes in (False, True):
            with pytest.raises(Failed, match="does not serve it"):
                pair.fail_over(pair.a, allow_data_loss=yes)
    settled(pair, pair.b, **wanted)
    assert pair.b.marks(pair.name) == [1, 2]


def test_the_mirror_dies_first_with_a_witness(pair):
    wanted = {"witness": address(pair.witness)}
    pair.mirror(**wanted)
    with killed(pair.b):
        with killed(pair.a):
            pass
        pair.mark(2)  # nobody took over, and it serves again with its witness
    settled(pair, pair.a, **wanted)
    pair.fail_over(pair.b)
    assert pair.b.marks(pair.name) == [1, 2]


def test_a_site_is_cut_off_and_the_witness_decides(pair):
    pair.mirror(witness=address(pair.witness))
    with cut_off(pair, "site-a"):
        assert pair.fail_over(pair.b)["way"] == "stays"
        pair.mark(2, pair.b)
    settled(pair, pair.b, witness=address(pair.witness))
    with cut_off(pair, "site-w"):  # the witness alone: nobody changes anything
        assert (pair.state(pair.b)[:2], pair.fail_over(pair.b)["way"]) == (("PRINCIPAL", "SYNCHRONIZED"), "stays")
        pair.mark(3, pair.b)
    settled(pair, pair.b, witness=address(pair.witness))
    pair.fail_over(pair.a)
    assert pair.a.marks(pair.name) == [1, 2, 3]


def test_a_site_is_cut_off_and_service_is_forced(pair):
    """Meanwhile both serve. The forced one is right, and the other's rows are dropped only with a yes."""
    pair.mirror()
    with cut_off(pair, "site-a"):
        forced = pair.fail_over(pair.b, allow_data_loss=True)
        pair.mark(2, pair.b)
        assert not pair.fail_over(pair.b, allow_data_loss=True)["changed"]
    assert forced["way"] == "force" and pair.state(pair.a)[:2] == ("MIRROR", "SUSPENDED")
    assert pair.fail_over(pair.b, rejoin=True, allow_data_loss=True)["way"] == "resume"
    settled(pair, pair.b)
    pair.fail_over(pair.a)
    assert pair.a.marks(pair.name) == [1, 2]
