"""BACKUP and RESTORE on hosts of the Windows twin: paths with the rights of the service account, shares, full drives,
lost links.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from prs_lab.sqlserver.errors import SqlError
from prs_lab.windows.errors import WinError
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.security import Ace, Rights
from prs_lab.windows.services import Service
from prs_lab.windows.shares import Share

from .backup_double import InstanceDouble, SessionDouble
from .windows_lab import Network

ACCOUNT = "NT SERVICE\\MSSQLSERVER"
EVERYONE = "S-1-1-0"
MEGABYTE = 1 << 20


class Estate:
    """SQL01 with an instance, FILES with a share."""

    def __init__(self, root: pathlib.Path) -> None:
        self.network = Network(root / "hosts")
        self.sql = self.network.add("SQL01", capacities={"C": 100 * MEGABYTE, "D": 8 * MEGABYTE})
        self.sql.services.add(Service(name="MSSQLSERVER", display_name="SQL Server", path="sqlservr.exe"))
        self.files = self.network.add("FILES")
        share = self.files.files("NT AUTHORITY\\SYSTEM")
        share.make_dir("C:\\shares\\backup")
        self.files.shares.add(Share(name="backup", path="C:\\shares\\backup", access=[(EVERYONE, "full")]))
        system = self.sql.files("NT AUTHORITY\\SYSTEM")
        for folder in ("C:\\Data", "C:\\Log", "C:\\Backup", "D:\\Data", "C:\\Private"):
            system.make_dir(folder)
        for folder in ("C:\\Data", "C:\\Log", "C:\\Backup", "D:\\Data"):
            self.let_in(self.sql, folder, self.sql.accounts.lookup(ACCOUNT))
        system.set_security(
            "C:\\Private", entries=[Ace(sid="S-1-5-32-544", mask=Rights.FULL, inheritance=3)], protected=True
        )
        self.server = InstanceDouble(root / "sql", files=self.sql.files(ACCOUNT))
        self.server.create("PRS")
        self.server.execute(
            "PRS",
            "CREATE TABLE t(n INTEGER PRIMARY KEY, filler)",
            *[f"INSERT INTO t VALUES({n}, '{'x' * 3000}')" for n in range(200)],
        )
        self.sa = SessionDouble(self.server)

    @staticmethod
    def let_in(host: WindowsHost, folder: str, sid: str) -> None:
        view = host.files("NT AUTHORITY\\SYSTEM")
        view.set_security(
            folder, entries=[*view.security(folder).entries, Ace(sid=sid, mask=Rights.FULL, inheritance=3)]
        )


@pytest.fixture
def estate(tmp_path: pathlib.Path) -> Iterator[Estate]:
    made = Estate(tmp_path)
    yield made
    made.network.close()


def refused(estate: Estate, text: str) -> str:
    with pytest.raises(SqlError) as caught:
        estate.sa.items(text)
    return f"{caught.value.number} {caught.value.text}"


def test_a_share_and_back(estate: Estate) -> None:
    estate.sa.items(r"BACKUP DATABASE PRS TO DISK = N'\\files\backup\prs.bak' WITH CHECKSUM")
    assert estate.files.files("NT AUTHORITY\\SYSTEM").stat("C:\\shares\\backup\\prs.bak").size > 600_000
    estate.sa.items(
        r"RESTORE DATABASE New FROM DISK = N'\\files.prs.lab\backup\PRS.bak' WITH MOVE 'PRS' TO 'D:\Data\n.mdf', "
        r"MOVE 'PRS_log' TO 'D:\Data\n.ldf'"
    )
    assert estate.server.rows("New") == set(range(200))


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        (r"\\files\backup\none\x.bak", "3(The system cannot find the path specified.)"),
        (r"\\files\nothing\x.bak", "67(The network name cannot be found.)"),
        (r"\\nobody\backup\x.bak", "53(The network path was not found.)"),
        (r"C:\Private\x.bak", "5(Access is denied.)"),
        (r"X:\x.bak", "3(The system cannot find the path specified.)"),
        (r"C:\Data\PRS.mdf", "32(The process cannot access the file because it is being used by another process.)"),
    ],
)
def test_paths_that_the_service_account_cannot_use(estate: Estate, path: str, cause: str) -> None:
    assert (
        refused(estate, f"BACKUP DATABASE PRS TO DISK = N'{path}'")
        == f"3201 Cannot open backup device '{path}'. Operating system error {cause}."
    )


def test_a_share_without_rights(estate: Estate) -> None:
    view = estate.files.files("NT AUTHORITY\\SYSTEM")
    view.set_security(
        "C:\\shares\\backup", entries=[Ace(sid="S-1-5-32-544", mask=Rights.FULL, inheritance=3)], protected=True
    )
    assert "Operating system error 5(Access is denied.)" in refused(
        estate, r"BACKUP DATABASE PRS TO DISK = N'\\files\backup\prs.bak'"
    )


def test_a_drive_that_fills_up(estate: Estate) -> None:
    estate.sql.files("NT AUTHORITY\\SYSTEM").write("D:\\ballast", b"x" * (8 * MEGABYTE - 300_000))
    assert refused(estate, r"BACKUP DATABASE PRS TO DISK = N'D:\Data\x.bak'") == (
        r'3202 Write on "D:\Data\x.bak" failed: 112(There is not enough space on the disk.)'
    )
    assert not estate.sql.files(ACCOUNT).exists("D:\\Data\\x.bak")
    estate.sa.items("BACKUP DATABASE PRS TO DISK = N'prs.bak'")
    text = refused(
        estate,
        r"RESTORE DATABASE New FROM DISK = N'prs.bak' WITH MOVE 'PRS' TO 'D:\Data\n.mdf', MOVE 'PRS_log' TO "
        r"'C:\Log\n.ldf'",
    )
    assert text.startswith(r"3257 There is insufficient free space on disk volume 'D:\'")
    assert estate.server.databases.get("New") is None


@pytest.mark.parametrize("how", ["cut", "dead"])
def test_a_link_that_breaks_in_the_middle(estate: Estate, how: str) -> None:
    def away(session: SessionDouble) -> None:
        if session.progress.percent > 50:
            estate.network.cut.add("FILES") if how == "cut" else estate.files.power.kill()

    estate.sa.on_pause = away
    assert refused(estate, r"BACKUP DATABASE PRS TO DISK = N'\\files\backup\prs.bak'") == (
        r'3202 Write on "\\files\backup\prs.bak" failed: 64(The specified network name is no longer available.)'
    )
    assert estate.server.databases.get("PRS").busy == set()


def test_the_files_of_a_database_are_held_open(estate: Estate) -> None:
    admin = estate.sql.files("NT AUTHORITY\\SYSTEM")
    for action in (lambda: admin.read(r"C:\Data\PRS.mdf"), lambda: admin.remove(r"C:\Log\PRS_log.ldf")):
        with pytest.raises(WinError) as caught:
            action()
        assert caught.value.number == 32
    estate.server.databases.get("PRS").close()
    assert admin.read(r"C:\Data\PRS.mdf").startswith(b"\x01\x0f")


def test_the_account_owns_what_it_makes(estate: Estate) -> None:
    estate.sa.items("BACKUP DATABASE PRS TO DISK = N'prs.bak'")
    view = estate.sql.files("NT AUTHORITY\\SYSTEM")
    assert estate.sql.accounts.name_of(view.security(r"C:\Backup\prs.bak").owner) == ACCOUNT
