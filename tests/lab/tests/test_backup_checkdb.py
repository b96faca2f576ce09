"""DBCC CHECKDB: what it says of a sound database, and of one whose pages were damaged on disk."""

from __future__ import annotations

import pathlib

import pytest
from prs_lab.sqlserver.backup import commands
from prs_lab.sqlserver.errors import SqlError, Unmodelled
from prs_lab.sqlserver.parse.parser import parse
from prs_lab.sqlserver.storage.pages import PAGE, place_of
from prs_lab.sqlserver.wire.items import Error, Info

from .backup_double import InstanceDouble, SessionDouble


@pytest.fixture
def server(tmp_path: pathlib.Path) -> InstanceDouble:
    made = InstanceDouble(tmp_path)
    made.create("PRS")
    made.execute(
        "PRS",
        'CREATE TABLE "dbo.t"(n INTEGER PRIMARY KEY, filler)',
        *[f"INSERT INTO \"dbo.t\" VALUES({n}, '{'x' * 900}')" for n in range(100)],
    )
    made.databases.get("PRS").checkpoint()
    return made


def check(server: InstanceDouble, text: str = "DBCC CHECKDB (PRS)") -> list[tuple[int, str]]:
    (statement,) = parse(text)
    items = commands.check_database(server, SessionDouble(server), server.databases.get("PRS"), statement)
    return [(item.number, item.text) for item in items if isinstance(item, Error | Info)]


def damage(server: InstanceDouble, page: int) -> None:
    """page: as SQL Server counts."""
    with open(server.drives.real(r"C:\Data\PRS.mdf"), "r+b") as file:
        file.seek(page * PAGE + 700)
        file.write(b"\xde\xad\xbe\xef")


def test_a_sound_database(server: InstanceDouble) -> None:
    found = check(server)
    assert found[-2:] == [
        (8989, "CHECKDB found 0 allocation errors and 0 consistency errors in database 'PRS'."),
        (2528, "DBCC execution completed. If DBCC printed error messages, contact your system administrator."),
    ]
    assert server.databases.get("PRS").options["last_good_checkdb"] == "2025-07-01 12:00:00.000000"


@pytest.mark.parametrize("options", ["NO_INFOMSGS", "NO_INFOMSGS, PHYSICAL_ONLY"])
def test_nothing_to_say_is_not_said(server: InstanceDouble, options: str) -> None:
    assert check(server, f"DBCC CHECKDB (PRS) WITH {options}") == []


@pytest.mark.parametrize("options", ["NO_INFOMSGS, ALL_ERRORMSGS", "NO_INFOMSGS, PHYSICAL_ONLY"])
def test_damage_is_named_page_by_page(server: InstanceDouble, options: str) -> None:
    pages = [number for number in range(2, 15) if server.databases.get("PRS").table_of_page(number) == "dbo.t"][2:4]
    for number in pages:
        damage(server, place_of(number))
    found = check(server, f"DBCC CHECKDB (PRS) WITH {options}")
    assert [number for number, _ in found] == [8939, 8928, 8939, 8928, 8990, 8989, 8958]
    assert f"page (1:{place_of(pages[0])})" in found[0][1]
    assert found[-2][1] == "CHECKDB found 0 allocation errors and 4 consistency errors in database 'PRS'."
    assert "last_good_checkdb" not in server.databases.get("PRS").options


def test_damage_to_structures_under_good_checksums_takes_the_full_check(server: InstanceDouble) -> None:
    from prs_lab.sqlserver.storage.pages import plain, stamped

    database = server.databases.get("PRS")
    number = next(number for number in range(2, 15) if database.table_of_page(number) == "dbo.t")
    image = bytearray(plain(database.data.read_page(number)))
    image[8:40] = bytes(32)
    database.data.write_page(number, stamped(bytes(image), number, database.next_lsn))
    assert check(server, "DBCC CHECKDB (PRS) WITH NO_INFOMSGS, PHYSICAL_ONLY") == []
    found = check(server, "DBCC CHECKDB (PRS) WITH NO_INFOMSGS")
    assert found[0][0] == 8939
    assert found[-2][0] == 8989


def test_refusals(server: InstanceDouble) -> None:
    with pytest.raises(Unmodelled):
        check(server, "DBCC CHECKDB (PRS, REPAIR_ALLOW_DATA_LOSS)")
    SessionDouble(server).items("BACKUP DATABASE PRS TO DISK = 'x.bak'")
    SessionDouble(server).items("BACKUP LOG PRS TO DISK = 'x.trn' WITH NORECOVERY")
    with pytest.raises(SqlError) as caught:
        check(server)
    assert caught.value.number == 927
