"""Every change of roles from every state: what is allowed ends right, what is not says why and changes nothing.

A state of both servers is written like "P4 M1": role (P principal, p principal that does not serve, M mirror; without a
session o online, r restoring) and mirroring_state (0 suspended, 1 disconnected, 2 synchronizing, 4 synchronized).
"""

from __future__ import annotations

import contextlib

import pytest

from ..conftest import Failed
from .conftest import address, closed_port, cut_off, killed

TASKS = {
    "to a": ("a", {}), "to b": ("b", {}), "force a": ("a", {"allow_data_loss": True}), "force b": ("b", {"allow_data_loss": True}),
    "rejoin a": ("a", {"rejoin": True}), "rejoin b": ("b", {"rejoin": True}), "force rejoin a": ("a", {"rejoin": True, "allow_data_loss": True}),
    "force rejoin b": ("b", {"rejoin": True, "allow_data_loss": True}),
}  # fmt: skip


# ---- states: context managers, within which the state lasts


@contextlib.contextmanager
def mirrored(pair, **wanted):
    pair.mirror(**wanted)
    yield


def witnessed(pair, **wanted):
    return mirrored(pair, witness=address(pair.witness), **wanted)


@contextlib.contextmanager
def without(pair, *lost, **wanted):
    pair.mirror(**wanted)
    with killed(*lost):
        yield


@contextlib.contextmanager
def apart(pair):
    pair.mirror()
    with closed_port(pair.a, pair.b):
        yield


@contextlib.contextmanager
def forced(pair, *, lost=False):
    """Service was forced on b, and the old principal is back. lost: it has a row that b never got."""
    pair.mirror(safety="OFF")
    if lost:
        pair.a.instance.mirroring.hold_sending = True
        pair.mark(2)
    with killed(pair.a):
        pair.fail_over(pair.b, allow_data_loss=True)
    pair.a.instance.mirroring.hold_sending = False
    yield


@contextlib.contextmanager
def both_serve(pair):
    """Service was forced on b while its site was alone, and the control node reaches both again, though they do not
    reach each other.
    """
    pair.mirror()
    with cut_off(pair, "site-a"):
        pair.fail_over(pair.b, allow_data_loss=True)
        ports = contextlib.ExitStack()
        ports.enter_context(closed_port(pair.a, pair.b))
    with ports:
        yield


@contextlib.contextmanager
def forced_alone(pair):
    """Service was forced on b, and the old principal is lost."""
    pair.mirror()
    with killed(pair.a):
        pair.fail_over(pair.b, allow_data_loss=True)
        yield


@contextlib.contextmanager
def ended_alone(pair):
    """The principal ended the session, which its mirror could not be told, and goes on without one."""
    pair.mirror()
    with closed_port(pair.a, pair.b):
        pair.a.do(f"ALTER DATABASE [{pair.name}] SET PARTNER OFF")
        yield


def every(on_a, on_b, **otherwise):
    """What comes of all tasks for one server, but for those that are named (to_b, force_rejoin_b ...)."""
    assert not {name.replace("_", " ") for name in otherwise} - TASKS.keys()
    return {task: otherwise.get(task.replace(" ", "_"), on_a if task.endswith("a") else on_b) for task in TASKS}


UNREACHED, SUSPENDED = "Cannot reach SQL Server", "is suspended"
YES = "allow_data_loss: true"

TABLE = {
    # state: (how it is made, what it looks like, {task: "stays", the reason why not, or (the way, the state
    # afterwards)})
    "not mirrored": (contextlib.nullcontext, "o -", every("is not mirrored", "is not mirrored")),
    "synchronous": (mirrored, "P4 M4", every("stays", ("manual", "M4 P4"))),
    "synchronous with a witness": (witnessed, "P4 M4", every("stays", ("manual", "M4 P4"))),
    "asynchronous": (lambda pair: mirrored(pair, safety="OFF"), "P4 M4", every("stays", ("through_safety", "M4 P4"))),
    "suspended": (lambda pair: mirrored(pair, state="suspended"), "P0 M0", every(
        "stays", SUSPENDED, rejoin_a=("resume", "P4 M4"), force_rejoin_a=("resume", "P4 M4"),
    )),
    "partners apart": (apart, "P1 M1", every("stays", "two principals")),
    "principal dead": (lambda pair: without(pair, pair.a), "M1", every(UNREACHED, ("force", "P1"), to_b=YES, rejoin_b=YES)),
    "principal dead, asynchronous": (
        lambda pair: without(pair, pair.a, safety="OFF"), "M1", every(UNREACHED, ("force", "P1"), to_b=YES, rejoin_b=YES),
    ),
    "principal dead, with a witness": (lambda pair: without(pair, pair.a, witness=address(pair.witness)), "P1", every(UNREACHED, "stays")),
    "principal dead, with a witness, mirror behind": (
        lambda pair: without(pair, pair.a, witness=address(pair.witness), state="suspended"), "M1",
        every(UNREACHED, ("force", "P1"), to_b="did not take over by itself", rejoin_b="did not take over by itself"),
    ),
    "took over, and the witness died": (
        lambda pair: without(pair, pair.a, pair.witness, witness=address(pair.witness)), "p1", every(UNREACHED, "does not serve it"),
    ),
    "principal and witness dead": (
        lambda pair: without(pair, pair.witness, pair.a, witness=address(pair.witness)), "M1", every(UNREACHED, "may not take over alone"),
    ),
    "witness dead": (lambda pair: without(pair, pair.witness, witness=address(pair.witness)), "P4 M4", every("stays", ("manual", "M4 P4"))),
    "mirror dead": (lambda pair: without(pair, pair.b), "P1", every("stays", UNREACHED)),
    "mirror dead, with a witness": (lambda pair: without(pair, pair.b, witness=address(pair.witness)), "P1", every("stays", UNREACHED)),
    "mirror and witness dead": (
        lambda pair: without(pair, pair.b, pair.witness, witness=address(pair.witness)), "p1", every("does not serve it", UNREACHED),
    ),
    "forced, old principal dead": (forced_alone, "P1", every(UNREACHED, "stays")),
    "forced, old principal back": (forced, "M0 P0", every(SUSPENDED, ("resume", "M4 P4"), to_b="stays", force_b="stays")),
    "forced, old principal back with more": (lambda pair: forced(pair, lost=True), "M0 P0", every(
        SUSPENDED, "stays", rejoin_b="holds commits", force_rejoin_b=("resume", "M4 P4"),
    )),
    "both serve": (both_serve, "P1 P1", every("Both .* and .* are principal", "Both .* and .* are principal")),
    "ended by the principal alone": (ended_alone, "o M1", every("is not mirrored", "serves .* on its own")),
}  # fmt: skip

STATES = {"SUSPENDED": 0, "DISCONNECTED": 1, "SYNCHRONIZING": 2, "SYNCHRONIZED": 4}


def alive(pair):
    return [server for server in (pair.a, pair.b) if server.host.sql_server.running("MSSQLSERVER")]


def look(pair):
    """Those that answer, as in the table."""
    found = []
    for server in alive(pair):
        online = server.state_of(pair.name)
        role, state, _safety = pair.state(server) if online else (None, None, None)
        if role is None:
            found.append({"ONLINE": "o", "RESTORING": "r", None: "-"}[online])
        else:
            assert online == {"M": "RESTORING", "P": online}[role[0]]
            found.append((role[0] if role == "MIRROR" or online == "ONLINE" else "p") + str(STATES[state]))
    return " ".join(found)


def everything(pair):
    """All that the catalogs say of the session, and the rows that are served."""
    told = []
    for server in alive(pair):
        told += server.ask("SELECT * FROM sys.database_mirroring WHERE database_id = DB_ID(%s)", pair.name)
        told.append(server.marks(pair.name) if server.state_of(pair.name) == "ONLINE" else None)
    return told


def perform(pair, task, **more):
    """Nobody waits long for a server that is known to be dead."""
    place, options = TASKS[task]
    if getattr(pair, place) not in alive(pair):
        more["connect_timeout"] = 1
    return pair.fail_over(getattr(pair, place), **options, **more)


@pytest.mark.parametrize("state", TABLE)
def test_every_change_of_roles(pair, state):
    """Of several changes that are allowed the last one is made, the others are only planned."""
    make, looks, expected = TABLE[state]
    assert expected.keys() == TASKS.keys()
    changes = {task: result for task, result in expected.items() if isinstance(result, tuple)}
    with make(pair):
        pair.wait = 1 if "behind" in state else pair.wait
        assert look(pair) == looks
        before = everything(pair)
        for task in expected.keys() - changes:
            if expected[task] == "stays":
                assert (perform(pair, task)["way"], task) == ("stays", task)
            else:
                with pytest.raises(Failed, match=expected[task]) as refusal:
                    perform(pair, task)
                assert "statements" not in refusal.value.result, task
            assert (task, everything(pair)) == (task, before)
        for task, (way, _afterwards) in changes.items():
            planned = perform(pair, task, check=True)
            assert (task, planned["way"], everything(pair)) == (task, "wait" if "behind" in state else way, before)
        for task, (way, afterwards) in list(changes.items())[-1:]:
            assert (perform(pair, task)["way"], look(pair)) == (way, afterwards)
            again = perform(pair, task)
            assert (again["way"], again["changed"], look(pair)) == ("stays", False, afterwards)
