"""The files that the SQL twin leaves are real ones: the product's reader takes them for what they are."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import Fault, inspect_file
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.judgement import (
    Attach,
    LogFit,
    Sureness,
    judge_files,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables

from .conftest import SYSTEM, mark

FILES = "SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) ORDER BY type"


def inspected(content, *, pages=True):
    return inspect_file(lambda offset, length: content[offset : offset + length], len(content), pages=pages)


@pytest.fixture
def files(sql_a, database):
    """The bytes of both files, taken while the server was down: cleanly, or after a crash."""

    def take(*, clean):
        paths = [path for (path,) in sql_a.ask(FILES, database)]
        if clean:
            sql_a.host.services.stop("MSSQLSERVER")
        else:
            sql_a.instance.stop(crash=True)
        held = [sql_a.host.files(SYSTEM).read(path) for path in paths]
        sql_a.host.services.restart("MSSQLSERVER")
        return held

    return take


def judged(data, log=None):
    found = {"a.mdf": inspected(data)} | ({"a.ldf": inspected(log)} if log is not None else {})
    (database,) = judge_files(found)
    return database, found


def test_of_a_server_that_was_shut_down(sql_a, database, files):
    """Clean, and the log ends with the closing checkpoint."""
    mark(sql_a, database, 2, "second")
    data, log = files(clean=True)
    found, each = judged(data, log)
    assert [file.faults for file in each.values()] == [[], []]
    assert (found.attach, found.sureness, found.log_fit) == (Attach.WITH_LOG, Sureness.LIKELY, LogFit.SAME)
    assert found.reasons == () and found.missing == ()
    boot = found.boot
    assert (boot.name, boot.clean, boot.recovery_model, boot.page_verify) == (database, True, "FULL", "CHECKSUM")
    assert boot.collation == "SQL_Latin1_General_CP1_CI_AS"
    family, fork = sql_a.ask(
        "SELECT family_guid, recovery_fork_guid FROM sys.database_recovery_status WHERE database_id = DB_ID(%s)",
        database,
    )[0]
    assert (boot.family_guid.lower(), boot.recovery_fork_guid.lower()) == (str(family).lower(), str(fork).lower())
    assert each["a.mdf"].page_check.damages == 0 and each["a.ldf"].log_check.blocks > 0
    assert [(table.schema, table.name, table.rows) for table in each["a.mdf"].tables] == [("dbo", "marker", 2)]
    listed = [(file.kind, file.path) for file in each["a.mdf"].files]
    assert listed == [(kind, path) for kind, (path,) in enumerate(sql_a.ask(FILES, database))]


def test_of_a_server_that_was_killed(sql_a, database, files):
    """Not clean, and what was committed last is in the log alone."""
    mark(sql_a, database, 2, "second")
    data, log = files(clean=False)
    found, each = judged(data, log)
    assert (found.attach, found.boot.clean, found.log_fit) == (Attach.ONLY_WITH_LOG, False, LogFit.SAME)
    assert each["a.ldf"].log.holds_checkpoint and not each["a.ldf"].log.is_quiet
    assert each["a.ldf"].log_check.bad == [] and each["a.mdf"].page_check.damages == 0
    alone, _ = judged(data)
    assert (alone.attach, alone.sureness) == (Attach.NOT_AS_IT_IS, Sureness.SURE)


def test_of_two_moments(sql_a, database, files):
    earlier = files(clean=True)
    mark(sql_a, database, 2, "second")
    later = files(clean=True)
    assert judged(earlier[0], later[1])[0].log_fit is LogFit.NEWER
    assert judged(later[0], earlier[1])[0].log_fit is LogFit.OLDER


def test_a_copy_that_was_taken_while_pages_were_written(sql_a, database, files):
    """The beginning of one moment, the rest of a later one."""
    earlier, _ = files(clean=True)
    mark(sql_a, database, 2, "second")
    later, _ = files(clean=True)
    fuzzy = earlier[: 32 * 8192] + later[32 * 8192 : len(earlier)]
    found, each = judged(fuzzy)
    assert each["a.mdf"].has(Fault.IN_USE) and found.attach is Attach.DAMAGED


def test_damage_to_a_page_of_a_table(sql_a, database, files):
    data, log = files(clean=True)
    changed = bytearray(data)
    changed[33 * 8192 + 500] ^= 1
    found, each = judged(bytes(changed), log)
    assert each["a.mdf"].has(Fault.PAGES) and found.attach is Attach.DAMAGED


@pytest.mark.parametrize("clean", [True, False], ids=["closed", "killed"])
def test_the_rows_are_those_that_t_sql_gives(sql_a, database, files, clean):
    """Of the last checkpoint: what was committed since lies in the log alone, and the file says that it is not closed."""
    mark(sql_a, database, 2, "second")
    sql_a.do("CHECKPOINT", database=database)
    expected = sql_a.ask("SELECT * FROM dbo.marker ORDER BY id", database=database)
    mark(sql_a, database, 3, "third")
    data, _log = files(clean=clean)
    after = sql_a.ask("SELECT * FROM dbo.marker ORDER BY id", database=database)
    reader = RangeReader(lambda offset, length: data[offset : offset + length], len(data))
    tables = Tables(Pages({1: reader}), inspected(data).boot.system_tables)
    found = list(tables.rows(tables.named("marker")))
    assert found == (after if clean else expected) and len(after) == len(expected) + 1
    assert tables.named("marker").rows == len(found)
