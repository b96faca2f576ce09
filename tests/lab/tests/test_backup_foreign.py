"""Backup files that the twin did not write: it says what is in them as a server does, and restores none."""

from __future__ import annotations

import datetime as dt
import io
import pathlib

import pytest
from prs_lab.sqlserver.errors import Unmodelled
from prs_lab.sqlserver.storage.tape.huffman import unpack, xpress_huffman
from prs_lab.sqlserver.storage.tape.records import LOG_FILE, BackupSet, DatabaseFile, end_part, media_part, set_part
from prs_lab.sqlserver.storage.tape.writer import TapeWriter

from .backup_double import InstanceDouble, SessionDouble

MEDIA = "7d8f0a5c-3a1e-4a49-9b0e-0f54b2c0a001"
EXTRA = DatabaseFile(logical_name="prs_more", physical_name="D:\\Data\\more.ndf", file_id=3, filegroup_id=2)


@pytest.fixture
def server(tmp_path: pathlib.Path) -> InstanceDouble:
    return InstanceDouble(tmp_path)


@pytest.fixture
def sa(server: InstanceDouble) -> SessionDouble:
    return SessionDouble(server)


def real_file(*sets: BackupSet, packed: bool = False, mark_size: int = 512) -> bytes:
    """As a real server writes it: without the twin's own stream, and with compression that compresses."""
    file = io.BytesIO()
    tape = TapeWriter(file, packed=packed, mark_size=mark_size, pack=xpress_huffman)
    tape.write(media_part(stripes=1, stripe=1, media=MEDIA, filemark_size=mark_size, name="media"))
    tape.close_part()
    for number, made in enumerate(sets, 1):
        for part in (set_part(made, number), end_part(made, number)):
            tape.write(part)
            tape.close_part()
    return file.getvalue()


@pytest.mark.parametrize(("packed", "mark_size"), [(False, 512), (False, 4096), (True, 512), (True, 4096)])
def test_its_headers_are_shown(server: InstanceDouble, sa: SessionDouble, *, packed: bool, mark_size: int) -> None:
    full = BackupSet(
        database="Ночь",
        version=(15, 0, 4430),
        provisional=(1, 2, 3),
        pages=b"page" * 20_000,
        files=(DatabaseFile(), EXTRA, LOG_FILE),
        filegroups=((1, "PRIMARY"), (2, "MORE")),
    )
    log = BackupSet(letter="L", flags=0x210, log_chain_start=full.first_lsn, log=b"log")
    server.drives.write(r"C:\Backup\real.bak", real_file(full, log, packed=packed, mark_size=mark_size))
    first, second = sa.table("RESTORE HEADERONLY FROM DISK = 'real.bak'")
    assert (first["DatabaseName"], first["BackupType"], first["Position"]) == ("Ночь", 1, 1)
    assert (first["FirstLSN"], first["LastLSN"]) == (full.first_lsn, full.last_lsn)
    assert first["BackupFinishDate"] == dt.datetime(2026, 3, 1, 2, 0, 5)
    assert first["Compressed"] == packed and first["HasBackupChecksums"] is True
    assert (second["BackupType"], second["Position"], second["BeginsLogChain"]) == (2, 2, True)
    files = sa.table("RESTORE FILELISTONLY FROM DISK = 'real.bak'")
    assert [(row["LogicalName"], row["Type"], row["FileGroupName"]) for row in files] == [
        ("prs", "D", "PRIMARY"),
        ("prs_more", "D", "MORE"),
        ("prs_log", "L", None),
    ]
    (label,) = sa.table("RESTORE LABELONLY FROM DISK = 'real.bak'")
    assert (str(label["MediaSetId"]), label["MediaName"], label["IsCompressed"]) == (MEDIA, "media", packed)


@pytest.mark.parametrize(
    "statement",
    [
        r"RESTORE DATABASE New FROM DISK = 'real.bak' WITH MOVE 'prs' TO 'C:\Data\n.mdf', MOVE 'prs_log' TO 'C:\Data\n.ldf'",
        "RESTORE VERIFYONLY FROM DISK = 'real.bak'",
    ],
)
def test_it_is_not_restored(server: InstanceDouble, sa: SessionDouble, statement: str) -> None:
    server.drives.write(r"C:\Backup\real.bak", real_file(BackupSet()))
    with pytest.raises(Unmodelled, match="that this twin did not write"):
        sa.items(statement)


def test_nothing_is_appended_to_it(server: InstanceDouble, sa: SessionDouble) -> None:
    server.create("PRS")
    server.drives.write(r"C:\Backup\real.bak", real_file(BackupSet()))
    with pytest.raises(Unmodelled, match="that this twin did not write"):
        sa.items("BACKUP DATABASE PRS TO DISK = 'real.bak'")
    sa.items("BACKUP DATABASE PRS TO DISK = 'real.bak' WITH FORMAT")
    assert len(sa.table("RESTORE HEADERONLY FROM DISK = 'real.bak'")) == 1


def test_one_that_is_cut_is_shown_as_unfinished(server: InstanceDouble, sa: SessionDouble) -> None:
    data = real_file(BackupSet(pages=b"page" * 20_000))
    server.drives.write(r"C:\Backup\real.bak", data[: len(data) // 2])
    (row,) = sa.table("RESTORE HEADERONLY FROM DISK = 'real.bak'")
    assert row["BackupName"] == "*** INCOMPLETE ***"


@pytest.mark.parametrize("place", [3, 30, 1540, 2600], ids=["kind of TAPE", "TAPE", "SSET", "VOLB"])
def test_a_damaged_head_is_told(server: InstanceDouble, sa: SessionDouble, place: int) -> None:
    data = bytearray(real_file(BackupSet()))
    data[place] ^= 0x40
    server.drives.write(r"C:\Backup\real.bak", bytes(data))
    assert sa.errors("RESTORE HEADERONLY FROM DISK = 'real.bak'") == [3241, 3013]


def test_what_is_packed_comes_out_again() -> None:
    for data in (bytes(range(256)) * 8, b"abc" * 30_000, bytes(70_000) + b"end" * 1000):
        assert unpack(xpress_huffman(data), len(data)) == data
