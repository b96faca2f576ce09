"""Every change of roles from every state: what is allowed ends right, what is not says why and changes nothing.

A state of both servers is written like "P4 M1": role (P principal, p principal that does not serve, M mirror; without a session o online,
r restoring) and mirroring_state (0 suspended, 1 disconnected, 2 synchronizing, 4 synchronized).
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
    """Service was forced on b while its site was alone, and the control node reaches both again, though they do not reach each other."""
    pair.mirror()
    with cut_off(pair, "site-a"):
        pair.fail_over(pair.b, allow_data_loss=True)
        ports = contextlib.ExitStack()
        ports.enter_context(closed_port(pair.a, pair.b))
    with ports:
        yield


UNREACHED = "Cannot reach SQL Server"
STAYS = {"to a": "stays", "force rejoin a": "stays"}

TABLE = {
    # state: (how it is made, what it looks like, {task: "stays", the reason why not, or (the way, the state afterwards)})
    "not mirrored": (contextlib.nullcontext, "o -", dict.fromkeys(("to a", "to b", "force b"), "is not mirrored")),
    "synchronous": (mirrored, "P4 M4", {
        "to a": "stays", "force a": "stays", "rejoin a": "stays", "force b": ("manual", "M4 P4"), "rejoin b": ("manual", "M4 P4"), "to b": ("manual", "M4 P4"),
    }),
    "synchronous with a witness": (witnessed, "P4 M4", {"to a": "stays", "to b": ("manual", "M4 P4")}),
    "asynchronous": (lambda pair: mirrored(pair, safety="OFF"), "P4 M4", {**STAYS, "to b": ("through_safety", "M4 P4")}),
    "suspended": (lambda pair: mirrored(pair, state="suspended"), "P0 M0", {
        "to a": "stays", "force a": "stays", "to b": "is suspended", "force b": "is suspended", "rejoin b": "is suspended", "force rejoin b": "is suspended",
        "rejoin a": ("resume", "P4 M4"),
    }),
    "partners apart": (apart, "P1 M1", {**STAYS, "to b": "two principals", "force b": "two principals", "force rejoin b": "two principals"}),
    "principal dead": (lambda pair: without(pair, pair.a), "M1", {
        "to a": UNREACHED, "to b": "allow_data_loss: true", "rejoin b": "allow_data_loss: true", "force b": ("force", "P1"),
    }),
    "principal dead, asynchronous": (lambda pair: without(pair, pair.a, safety="OFF"), "M1", {
        "to b": "allow_data_loss: true", "force rejoin b": ("force", "P1"),
    }),
    "principal dead, with a witness": (lambda pair: without(pair, pair.a, witness=address(pair.witness)), "P1", {
        "to b": "stays", "force b": "stays", "force rejoin b": "stays",
    }),
    "principal dead, with a witness, mirror behind": (
        lambda pair: without(pair, pair.a, witness=address(pair.witness), state="suspended"), "M1",
        {"to b": "did not take over by itself", "force b": ("force", "P1")},
    ),
    "took over, and the witness died": (lambda pair: without(pair, pair.a, pair.witness, witness=address(pair.witness)), "p1", {
        "to b": "does not serve it", "force b": "does not serve it", "rejoin b": "does not serve it",
    }),
    "principal and witness dead": (lambda pair: without(pair, pair.witness, pair.a, witness=address(pair.witness)), "M1", {
        "to b": "may not take over alone", "force b": "may not take over alone", "force rejoin b": "may not take over alone",
    }),
    "witness dead": (lambda pair: without(pair, pair.witness, witness=address(pair.witness)), "P4 M4", {**STAYS, "to b": ("manual", "M4 P4")}),
    "mirror dead": (lambda pair: without(pair, pair.b), "P1", {**STAYS, "to b": UNREACHED}),
    "forced, old principal back": (forced, "M0 P0", {
        "to b": "stays", "force b": "stays", "to a": "is suspended", "force a": "is suspended", "rejoin b": ("resume", "M4 P4"),
    }),
    "forced, old principal back with more": (lambda pair: forced(pair, lost=True), "M0 P0", {
        "to b": "stays", "force b": "stays", "to a": "is suspended", "force rejoin a": "is suspended", "rejoin b": "holds commits",
        "force rejoin b": ("resume", "M4 P4"),
    }),
    "both serve": (both_serve, "P1 P1", dict.fromkeys(("to a", "force a", "to b", "force rejoin b"), "Both .* and .* are principal")),
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
