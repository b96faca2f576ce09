"""Every statement of mirroring in every state of a session, on both partners: what is allowed ends right, what is not
says why and changes nothing.

A state of both partners is written like "P4 M1": role (P principal, p principal that does not serve, M mirror; without
a session o online, r restoring) and mirroring_state (0 suspended, 1 disconnected, 2 synchronizing, 4 synchronized).
"""

from __future__ import annotations

import contextlib

import pytest

from .mirror_lab import MirrorLab, Refusal

OPERATIONS = {
    "partner": "PARTNER = '{other}'", "off": "PARTNER OFF", "full": "PARTNER SAFETY FULL", "async": "PARTNER SAFETY OFF", "timeout": "PARTNER TIMEOUT 30",
    "suspend": "PARTNER SUSPEND", "resume": "PARTNER RESUME", "failover": "PARTNER FAILOVER", "force": "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS",
    "witness": "WITNESS = '{witness}'", "no witness": "WITNESS OFF",
}  # fmt: skip
STATES = {"SUSPENDED": 0, "DISCONNECTED": 1, "SYNCHRONIZING": 2, "SYNCHRONIZED": 4}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    made = MirrorLab(tmp_path_factory.mktemp("mirrors"))
    yield made
    made.close()


def suspended(lab, **how):
    name = lab.mirrored(**how)
    lab.a.set(name, "PARTNER SUSPEND")
    return name


def waiting(lab):
    name = lab.seeded()
    lab.b.set(name, f"PARTNER = '{lab.a.address}'")
    return name


def unsent(lab):
    name = lab.mirrored(safety="OFF")
    lab.a.instance.mirroring.hold_sending = True
    lab.a.insert(name, 3)
    return name


def apart(lab, *pairs, **how):
    name = lab.mirrored(**how)
    lab.cut(*pairs)
    return name


def forced(lab):
    name = apart(lab, (lab.a, lab.b))
    lab.b.set(name, "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
    lab.heal()
    return name


CONNECTED = {
    "partner": (1405, 1405), "off": ("o r", "o r"), "full": ("P4 M4", 1470), "async": ("P4 M4", 1470), "timeout": ("P4 M4", 1470),
    "suspend": ("P0 M0", "P0 M0"), "resume": ("P4 M4", 1470), "failover": ("M4 P4", 1470), "force": (1455, 1455), "witness": ("P4 M4", 1470),
    "no witness": (1439, 1470),
}  # fmt: skip
APART = {
    "partner": (1405, 1405), "off": ("o M1", "P1 r"), "full": (1447, 1470), "async": (1447, 1470), "timeout": (1447, 1470), "suspend": (1447, 1447),
    "resume": (1447, 1470), "failover": (1422, 1470), "force": (1455, "P1 P1"), "witness": (1426, 1470), "no witness": (1439, 1470),
}  # fmt: skip
NONE = dict.fromkeys(OPERATIONS, (1416, 1416))

TABLE = {
    # state: (how it is made, what it looks like, {operation: (on a, on b)}); a number is the error, a text the state
    # afterwards
    "no session": (lambda lab: lab.seeded(), "o r", {**NONE, "partner": (1416, "o r")}),
    "mirror waits": (waiting, "o r", {
        **dict.fromkeys(OPERATIONS, (1416, 1470)), "partner": ("P4 M4", 1405), "off": (1416, "o r"), "suspend": (1416, 1447),
        "force": (1416, 1455),
    }),
    "synchronous": (lambda lab: lab.mirrored(), "P4 M4", CONNECTED),
    "with witness": (lambda lab: lab.mirrored(witness=True), "P4 M4", {**CONNECTED, "no witness": ("P4 M4", 1470)}),
    "asynchronous": (lambda lab: lab.mirrored(safety="OFF"), "P4 M4", {**CONNECTED, "failover": (1477, 1470)}),
    "asynchronous, log unsent": (unsent, "P2 M2", {
        **CONNECTED, "full": ("P2 M2", 1470), "async": ("P2 M2", 1470), "timeout": ("P2 M2", 1470), "resume": ("P2 M2", 1470), "failover": (1477, 1470),
        "witness": (1426, 1470),
    }),
    "suspended": (suspended, "P0 M0", {
        **CONNECTED, "full": ("P0 M0", 1470), "async": ("P0 M0", 1470), "timeout": ("P0 M0", 1470), "failover": (1422, 1470), "witness": (1426, 1470),
    }),
    "suspended, with witness": (lambda lab: suspended(lab, witness=True), "P0 M0", {
        **CONNECTED, "full": ("P0 M0", 1470), "async": ("P0 M0", 1470), "timeout": ("P0 M0", 1470), "failover": (1422, 1470), "witness": (1426, 1470),
        "no witness": ("P0 M0", 1470),
    }),
    "partners apart": (lambda lab: apart(lab, (lab.a, lab.b)), "P1 M1", APART),
    "asynchronous, partners apart": (lambda lab: apart(lab, (lab.a, lab.b), safety="OFF"), "P1 M1", {**APART, "failover": (1477, 1470)}),
    "partners apart, witness sees both": (lambda lab: apart(lab, (lab.a, lab.b), witness=True), "P1 M1", {
        **APART, "force": (1455, 1455), "no witness": ("P1 M1", 1470),
    }),
    "witness away": (lambda lab: apart(lab, (lab.a, lab.w), (lab.b, lab.w), witness=True), "P4 M4", {
        **CONNECTED, "witness": (1456, 1470), "no witness": ("P4 M4", 1470),
    }),
    "mirror away, with witness": (lambda lab: apart(lab, (lab.a, lab.b), (lab.b, lab.w), witness=True), "P1 M1", {
        **APART, "suspend": (1447, 1431), "force": (1455, 1431), "no witness": ("P1 M1", 1470),
    }),
    "principal away, with witness": (lambda lab: apart(lab, (lab.a, lab.b), (lab.a, lab.w), witness=True), "p1 P1", {
        "partner": (1405, 1405), "off": ("o P1", "p1 o"), "full": (1431, 1447), "async": (1431, 1447), "timeout": (1431, 1447), "suspend": (1431, 1447),
        "resume": (1431, 1447), "failover": (1422, 1422), "force": (1455, 1455), "witness": (1456, 1426), "no witness": (1431, "p1 P1"),
    }),
    "all apart, with witness": (lambda lab: apart(lab, (lab.a, lab.b), (lab.a, lab.w), (lab.b, lab.w), witness=True), "p1 M1", {
        **APART, "off": ("o M1", "p1 r"), "full": (1431, 1470), "async": (1431, 1470), "timeout": (1431, 1470), "suspend": (1431, 1431),
        "resume": (1431, 1470), "force": (1455, 1431), "witness": (1456, 1470), "no witness": (1431, 1470),
    }),
    "forced, partner is back": (forced, "M0 P0", {
        "partner": (1405, 1405), "off": ("r o", "r o"), "full": (1470, "M0 P0"), "async": (1470, "M0 P0"), "timeout": (1470, "M0 P0"),
        "suspend": ("M0 P0", "M0 P0"), "resume": (1470, "M4 P4"), "failover": (1470, 1422), "force": (1455, 1455), "witness": (1470, 1426),
        "no witness": (1470, 1439),
    }),
}  # fmt: skip


def look(lab, name):
    """Both partners as in the table."""
    found = []
    for server in (lab.a, lab.b):
        role, state, online = server.state(name)
        if role is None:
            found.append({"ONLINE": "o", "RESTORING": "r"}[online])
        else:
            assert online == {"M": "RESTORING", "P": online}[role[0]]
            found.append((role[0] if role == "MIRROR" or online == "ONLINE" else "p") + str(STATES[state]))
    return " ".join(found)


def everything(lab, name):
    """All that the catalogs of the three servers say of the session, and the rows that are served."""
    told = [
        server.run(f"SELECT * FROM sys.database_mirroring WHERE database_id = DB_ID('{name}')")
        for server in (lab.a, lab.b)
    ]
    told.append(lab.w.run(f"SELECT * FROM sys.database_mirroring_witnesses WHERE database_name = '{name}'"))
    told += [server.run(f"SELECT state_desc FROM sys.databases WHERE name = '{name}'") for server in (lab.a, lab.b)]
    return [*told, served(lab, name)]


def served(lab, name):
    return {server.host.name: server.rows(name) for server in (lab.a, lab.b) if server.state(name)[2] == "ONLINE"}


def perform(lab, name, operation, server):
    other = lab.b if server is lab.a else lab.a
    server.set(name, OPERATIONS[operation].format(other=other.address, witness=lab.w.address))


def done_with(lab, name):
    """The network is whole again, and the database no longer mirrored."""
    lab.a.instance.mirroring.hold_sending = False
    lab.heal()
    for server in (lab.a, lab.b):
        with contextlib.suppress(Refusal):
            server.set(name, "PARTNER OFF")


@pytest.mark.parametrize("state", TABLE)
def test_every_statement_in_every_state(lab, state):
    make, looks, expected = TABLE[state]
    assert set(expected) == set(OPERATIONS)
    name = make(lab)
    assert look(lab, name) == looks
    before, allowed = everything(lab, name), []
    for operation, results in expected.items():
        for place, result in zip("ab", results, strict=True):
            if isinstance(result, str):
                allowed.append((operation, place, result))
                continue
            with pytest.raises(Refusal) as refusal:
                perform(lab, name, operation, getattr(lab, place))
            assert (operation, place, refusal.value.number) == (operation, place, result)
            assert everything(lab, name) == before, (operation, place)
    for operation, place, result in allowed:
        if name is None:
            name = make(lab)
            assert look(lab, name) == looks
        acknowledged = next(iter(served(lab, name).values()), [1, 2])
        perform(lab, name, operation, getattr(lab, place))
        assert (operation, place, look(lab, name)) == (operation, place, result)
        assert all(rows == acknowledged for rows in served(lab, name).values()), (operation, place)
        if result != looks or operation in ("async", "partner", "witness", "no witness"):
            done_with(lab, name)
            name = None
    if name is not None:
        done_with(lab, name)
