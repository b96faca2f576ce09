from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import BackupKind, BackupSet, Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog import crosscheck
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError

BEGIN = dt.datetime(2026, 5, 6, tzinfo=dt.timezone.utc)
THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def failure(number, text="", sqlstate="42000"):
    return SqlError("", text=text, number=number, sqlstate=sqlstate)


class Server:
    """Answers FILELISTONLY with `rows`; VERIFYONLY of a file in `bad` fails."""

    def __init__(self, *, rows=(), bad=None):
        self.rows, self.bad, self.ran = rows, bad or {}, []

    def query(self, statement, *_values, doing=""):
        self.ran.append(statement)
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows

    def execute(self, statement, *, doing="", on_message=None):
        self.ran.append(statement)
        for file, problem in self.bad.items():
            if f"N'{file}'" in statement:
                raise problem


def full(name, *copies, **more):
    places = tuple(Copy(stripes=(copy,)) for copy in copies or (name,))
    return BackupSet(
        guid=name,
        kind=BackupKind.FULL,
        family_guid="family",
        first_lsn=1,
        last_lsn=9,
        started=BEGIN,
        finished=BEGIN,
        copies=places,
        **more,
    )


def verify(server, *sets):
    found = BackupCatalog(sets=list(sets))
    session = SimpleNamespace(connection=server, progress=Progress())
    crosscheck.read_to_the_end(session, found, list)
    return {one.guid: (one.verified, one.problem) for one in found.sets}


def test_the_second_copy_counts_when_the_first_is_damaged():
    server = Server(bad={"a1": failure(3189, "damaged")})
    assert verify(server, full("a", "a1", "a2"), full("b", checksums=True)) == {"a": (True, ""), "b": (True, "")}
    assert [statement.split("DISK = ")[1] for statement in server.ran] == [
        "N'a1' WITH FILE = 1, NO_CHECKSUM, STATS = 5",
        "N'b' WITH FILE = 1, CHECKSUM, STATS = 5",
        "N'a2' WITH FILE = 1, NO_CHECKSUM, STATS = 5",
    ]


def test_a_set_without_a_whole_copy_says_why():
    server = Server(bad={"a1": failure(3189, "damaged"), "a2": failure(3203, "cut off")})
    assert verify(server, full("a", "a1", "a2")) == {
        "a": (False, "it cannot be read to its end: damaged; it cannot be read to its end: cut off")
    }


def test_a_lost_connection_says_nothing_about_a_backup():
    with pytest.raises(SqlError):
        verify(Server(bad={"a": failure(None, "gone", "08S01")}), full("a"))


@pytest.mark.parametrize(
    ("rows", "thumbprints"),
    [
        ([{"LogicalName": "a", "Type": "D", "TDEThumbprint": None}], {""}),
        ([{"LogicalName": "a", "Type": "D", "TDEThumbprint": "0x" + THUMBPRINT}], {THUMBPRINT}),
        (failure(33111, f"Cannot find server certificate with thumbprint '0x{THUMBPRINT}'."), {THUMBPRINT}),
        (
            failure(
                33111, f"Das Serverzertifikat mit dem Fingerabdruck '0x{THUMBPRINT.lower()}' wurde nicht gefunden."
            ),
            {THUMBPRINT},
        ),
        (failure(3201, f"Cannot open backup device '0x{THUMBPRINT}'."), set()),
    ],
)
def test_the_certificate_of_an_encrypted_database(rows, thumbprints):
    older, newest = full("a"), full("b")
    log = BackupSet(
        guid="c",
        kind=BackupKind.LOG,
        family_guid="family",
        first_lsn=1,
        last_lsn=9,
        started=BEGIN,
        finished=BEGIN,
        copies=(Copy(stripes=("c",)),),
    )
    server = Server(rows=rows)
    crosscheck.add_file_lists_of_fulls(server, [[older, newest, log], [log]])
    assert {file.tde_thumbprint for file in newest.files} == thumbprints
    assert server.ran == ["RESTORE FILELISTONLY FROM DISK = N'b' WITH FILE = 1"] and older.files == ()
