"""How often servers are asked for the principal, and that no session stays open that is not used."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection import principal
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.connection import ServerAddress
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import ConnectionFailed, SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.partner import partner_target

FIRST = ServerAddress(host="a", user="me", password="one", name="sql-a", certificate_name="a.example", port=1450)
GIVEN = {
    "login_host": "b",
    "login_port": None,
    "login_instance": None,
    "login_user": None,
    "login_password": None,
    "certificate_name": None,
}
PRINCIPAL = {"state_desc": "ONLINE", "mirroring_role_desc": "PRINCIPAL", "mirroring_state_desc": "SYNCHRONIZED"}
EXPOSED = {**PRINCIPAL, "mirroring_state_desc": "DISCONNECTED"}
MIRROR = {"state_desc": "RESTORING", "mirroring_role_desc": "MIRROR", "mirroring_state_desc": "SYNCHRONIZED"}


def refused(number):
    return ConnectionFailed("Cannot log in", answered=True, text="no", number=number, sqlstate="28000")


LOST = SqlError("Cannot read", text="gone", number=None, sqlstate="08S01")


class Session:
    def __init__(self, target, answer):
        self.target, self.answer, self.closed = target, answer, False

    def row(self, _statement, database, *, doing):
        assert database == "PRS" and doing
        if isinstance(self.answer, SqlError):
            raise self.answer
        return self.answer

    def close(self):
        self.closed = True


@pytest.fixture
def find(monkeypatch):
    """Who is found when the servers answer that, and all sessions that were opened."""

    def run(first, partner):
        answers, opened = {"a": first, "b": partner}, []

        def connect(target, *, may_be_down):
            assert may_be_down
            answer = answers[target.host]
            if isinstance(answer, ConnectionFailed):
                raise answer
            opened.append(Session(target, answer))
            return opened[-1]

        monkeypatch.setattr(principal, "connect", connect)
        try:
            return principal.connect_to_principal(FIRST, partner_target(FIRST, GIVEN), "PRS")[0], opened
        except RecoveryError as problem:
            return problem, opened

    return run


def test_a_principal_is_the_only_one_that_is_asked(find):
    found, opened = find(PRINCIPAL, PRINCIPAL)
    assert opened == [found] and found.target is FIRST and not found.closed


@pytest.mark.parametrize("first", [MIRROR, None, LOST, refused(None), refused(18401)])
def test_otherwise_the_partner_is_asked_with_what_it_has_of_its_own(find, first):
    found, opened = find(first, PRINCIPAL)
    assert [one.closed for one in opened] == [one is not found for one in opened]
    target = found.target
    assert (target.host, target.port, target.name, target.certificate_name, target.user, target.password) == (
        "b",
        None,
        "",
        None,
        "me",
        "one",
    )


def test_a_wrong_password_is_not_tried_on_the_partner(find):
    problem, opened = find(refused(18456), PRINCIPAL)
    assert (problem.number, opened) == (18456, [])


def test_a_principal_alone_does_not_wait_long_for_its_mirror(find):
    found, opened = find(EXPOSED, MIRROR)
    assert (
        found.target is FIRST
        and opened[1].target.connect_timeout == principal.SHORT < FIRST.connect_timeout
        and opened[1].closed
    )
    assert find(EXPOSED, refused(18456))[0].target is FIRST


@pytest.mark.parametrize(("first", "partner"), [(EXPOSED, PRINCIPAL), (MIRROR, MIRROR), (MIRROR, refused(None))])
def test_nothing_stays_open_when_nobody_is_found(find, first, partner):
    problem, opened = find(first, partner)
    assert isinstance(problem, RecoveryError) and opened and all(one.closed for one in opened)


def test_another_error_of_the_partner_is_told_as_it_is(find):
    problem, opened = find(MIRROR, SqlError("Cannot read", text="denied", number=229, sqlstate="42000"))
    assert problem.number == 229 and all(one.closed for one in opened)
