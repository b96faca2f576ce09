"""Clients that come back at once: a pool of connections does that, above all while somebody wants the database for
himself.
"""

from __future__ import annotations

import contextlib
import threading
import time

import pymssql
import pytest

from .sql_clients import connect, rows
from .sql_host import make_instance

CROWD = 4


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    found = make_instance(tmp_path_factory.mktemp("crowd"))
    with contextlib.closing(connect("pymssql", found)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE Shop")
        cursor.execute("CREATE TABLE Shop.dbo.sold (id int NOT NULL)")
    yield found
    found.stop()


def inside(instance):
    return len(list(instance.sessions_in("Shop")))


def until(condition):
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def crowd(instance):
    """Clients in the database who ask and ask, and come back as soon as they are thrown out. They end with the test."""
    leave = threading.Event()

    def come_back():
        while not leave.is_set():
            with (
                contextlib.suppress(pymssql.Error, pymssql._mssql.MSSQLException),
                contextlib.closing(connect("pymssql", instance, database="Shop")) as connection,
            ):
                while not leave.is_set():
                    rows(connection, "SELECT COUNT(*) FROM dbo.sold")

    clients = [threading.Thread(target=come_back, daemon=True) for _ in range(CROWD)]
    for client in clients:
        client.start()
    until(lambda: inside(instance) == CROWD)
    yield
    leave.set()
    for client in clients:
        client.join(60)
    assert not any(client.is_alive() for client in clients)


def test_who_closes_a_database_has_closed_it(instance, crowd):
    """Whoever comes while the others are sent away waits at the door, and one of them finds a place afterwards."""
    with contextlib.closing(connect("pymssql", instance)) as admin, admin.cursor() as cursor:
        for _turn in range(5):
            cursor.execute("ALTER DATABASE Shop SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
            assert inside(instance) <= 1
            until(lambda: inside(instance) == 1)
            cursor.execute("ALTER DATABASE Shop SET OFFLINE WITH ROLLBACK IMMEDIATE")
            assert inside(instance) == 0
            cursor.execute("ALTER DATABASE Shop SET ONLINE")
            cursor.execute("ALTER DATABASE Shop SET MULTI_USER WITH ROLLBACK IMMEDIATE")
            until(lambda: inside(instance) == CROWD)


def test_who_leaves_without_a_word_leaves_nothing_behind(instance):
    """Transactions that end with their connection, and the next one at once, from several sides."""
    failures = []

    def leave_in_the_middle():
        try:
            for number in range(25):
                with (
                    contextlib.closing(connect("pymssql", instance, database="Shop", autocommit=False)) as connection,
                    connection.cursor() as cursor,
                ):
                    cursor.execute("INSERT INTO dbo.sold (id) VALUES (%d)", (number,))
        except Exception as problem:
            failures.append(problem)

    clients = [threading.Thread(target=leave_in_the_middle, daemon=True) for _ in range(CROWD)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
    assert failures == [] and not any(client.is_alive() for client in clients)
    until(lambda: inside(instance) == 0)
    with contextlib.closing(connect("pymssql", instance)) as connection:
        assert rows(connection, "SELECT COUNT(*) FROM Shop.dbo.sold") == [(0,)]


def test_nothing_of_it_broke_the_twin(instance):
    """After the tests above: whoever was ended in the middle of a statement was ended, and no more."""
    assert list(instance.host.record.entries("unmodelled")) == []
