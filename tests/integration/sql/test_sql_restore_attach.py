"""source.attach: surviving files become a database again, with or without their log; nothing is overwritten."""

from __future__ import annotations

import pytest

from .conftest import SYSTEM, Failed, mark

FILES = "SELECT physical_name FROM sys.master_files WHERE database_id = DB_ID(%s) ORDER BY type"


@pytest.fixture
def survivors(sql_a, sql_b, database, name):
    """Copies of a database's files on sql-b, taken while its server was down: cleanly, or after a crash (rows 1 and 2
    are in the log alone).
    """

    def take(*, clean, marks=1):
        for number in range(2, 2 + marks):
            mark(sql_a, database, number, "committed")
        paths = [path for (path,) in sql_a.ask(FILES, database)]
        if clean:
            sql_a.host.services.stop("MSSQLSERVER")
        else:
            sql_a.instance.stop(crash=True)
        held = {path: sql_a.host.files(SYSTEM).read(path) for path in paths}
        sql_a.host.services.restart("MSSQLSERVER")
        there = sql_b.host.files(SYSTEM)
        for path, content in held.items():
            there.write(path, content)
        return paths

    return take


def attach(data, log=None, **more):
    return {"source": {"attach": {"data_files": [data], "log_files": [log] if log else []}, **more}}


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "crashed"])
def test_with_its_log(sql_b, database, survivors, clean, only_queries):
    """The rows that a crash left in the log alone are there, too."""
    data, log = survivors(clean=clean)
    before = sql_b.host.files(SYSTEM).read(data)
    options = {"database": database, **attach(data, log), "checkdb": "full"}
    with only_queries:
        planned = sql_b.run("sql_restore", check=True, **options)
    assert (
        planned["changed"] is True
        and sql_b.state_of(database) is None
        and sql_b.host.files(SYSTEM).read(data) == before
    )
    result = sql_b.run("sql_restore", **options)
    assert planned["plan"] == result["plan"] and result["plan"]["steps"][0]["statement"] == result["statements"][0]
    assert result["statements"][0].endswith("FOR ATTACH WITH RESTRICTED_USER") and result["statements"][-1].endswith(
        "SET MULTI_USER"
    )
    assert sql_b.marks(database) == [1, 2] and result["checked"] == "full"
    assert result["database"]["owner"] == "sa" and result["database"]["user_access"] == "MULTI_USER"
    again = sql_b.run("sql_restore", **options)
    assert again["changed"] is False and again["plan"] == {}


def test_the_log_is_looked_for_where_it_was(sql_b, database, survivors):
    data, log = survivors(clean=False)
    result = sql_b.run("sql_restore", database=database, **attach(data))
    assert result["plan"]["steps"][0]["devices"] == [data, log] and sql_b.marks(database) == [1, 2]


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "crashed"])
def test_without_its_log(sql_b, database, survivors, clean):
    data, log = survivors(clean=clean)
    sql_b.host.files(SYSTEM).remove(log)
    options = {"database": database, **attach(data), "validation_query": "SELECT COUNT(*) FROM dbo.marker"}
    planned = sql_b.run("sql_restore", check=True, **options)
    assert (
        planned["plan"]["steps"][0]["statement"].endswith("FOR ATTACH_REBUILD_LOG")
        and "full backup" in planned["plan"]["notes"][-1]
    )
    if clean:
        assert sql_b.run("sql_restore", **options)["database"]["user_access"] == "MULTI_USER"
        assert sql_b.marks(database) == [1, 2]
        return
    before = sql_b.host.files(SYSTEM).read(data)
    with pytest.raises(Failed, match="was not shut down cleanly"):
        sql_b.run("sql_restore", **options)
    assert sql_b.state_of(database) is None and sql_b.host.files(SYSTEM).read(data) == before


@pytest.fixture
def save(sql_b, database, survivors):
    """Options of a run that attaches copies; the originals lie in a folder of their own."""

    def put(*, clean):
        data, log = survivors(clean=clean)
        there = sql_b.host.files(SYSTEM)
        saved = []
        there.make_dir("E:\\saved")
        for path in (data, log):
            saved.append(f"E:\\saved\\{path.rpartition(chr(92))[2]}")
            there.write(saved[-1], there.read(path))
            there.remove(path)
        options = attach(*saved)
        options["source"]["attach"]["copy"] = True
        return {"database": database, **options, **sql_b.windows}

    return put


@pytest.fixture
def copied(save):
    return save(clean=False)


def damage(server, path, page):
    """A byte of a page is another one: of 33 in the system tables, of the last one in the rows."""
    there = server.host.files(SYSTEM)
    content = bytearray(there.read(path))
    content[(page % (len(content) // 8192)) * 8192 + 500] ^= 1
    there.write(path, bytes(content))


def test_copies_are_attached_and_the_originals_are_only_read(sql_b, database, copied, only_queries):
    there = sql_b.host.files(SYSTEM)
    saved = [*copied["source"]["attach"]["data_files"], *copied["source"]["attach"]["log_files"]]
    before = [there.read(path) for path in saved]
    with only_queries:
        planned = sql_b.run("sql_restore", check=True, **copied)
    assert planned["changed"] is True and [copy["sha256"] for copy in planned["copied"]] == [None, None]
    assert not any(there.exists(copy["target"]) for copy in planned["copied"])
    result = sql_b.run("sql_restore", **copied)
    assert planned["plan"] == result["plan"]
    assert [copy["target"] for copy in result["copied"]] == [path for (path,) in sql_b.ask(FILES, database)]
    assert [copy["source"] for copy in result["copied"]] == saved and all(copy["sha256"] for copy in result["copied"])
    assert sql_b.marks(database) == [1, 2] and [there.read(path) for path in saved] == before
    again = sql_b.run("sql_restore", **copied)
    assert again["changed"] is False and again["plan"] == {}


def test_copies_that_do_not_pass_the_check_are_dropped_again(sql_b, database, save):
    """The originals are as they were, and what there is otherwise is named."""
    damaged = save(clean=True)
    [data], there = damaged["source"]["attach"]["data_files"], sql_b.host.files(SYSTEM)
    whole = there.read(data)
    damage(sql_b, data, -1)
    before = there.read(data)
    damaged["source"]["otherwise"] = "Run again with -e prs_road=restore_set"
    with pytest.raises(Failed) as failed:
        sql_b.run("sql_restore", **damaged, checkdb="full")
    assert failed.value.result["error_code"] == "check_failed"
    said = str(failed.value)
    assert "DBCC CHECKDB found damage" in said and "The copies were dropped from" in said
    assert f"what they were made of ({data}, " in said and "Run again with -e prs_road=restore_set" in said
    assert "RESTRICTED_USER" not in said, "nobody has to be kept out of what is not there"
    assert sql_b.state_of(database) is None and there.read(data) == before
    assert not there.exists(f"D:\\Data\\{database}.mdf") and not there.exists(f"E:\\Log\\{database}_log.ldf")
    there.write(data, whole)
    sql_b.run("sql_restore", **damaged, checkdb="full")
    assert sql_b.marks(database) == [1, 2]


@pytest.mark.parametrize("lost", ["system tables", "log"])
def test_an_attach_that_fails_names_what_there_is_otherwise(sql_b, database, save, lost):
    options = save(clean=lost != "log")
    attached, otherwise = options["source"]["attach"], "Run again with -e prs_road=restore_set"
    if lost == "log":
        attached["log_files"] = []
    else:
        damage(sql_b, attached["data_files"][0], 33)
    options["source"]["otherwise"] = otherwise
    with pytest.raises(Failed, match=otherwise):
        sql_b.run("sql_restore", **options)
    assert sql_b.state_of(database) is None
    assert not sql_b.host.files(SYSTEM).exists(f"D:\\Data\\{database}.mdf"), "a restore would want that place"


@pytest.mark.parametrize("asks", [True, False], ids=["as an attach", "as a restore"])
def test_what_an_interrupted_run_left_closed_is_checked_before_it_is_opened(sql_b, database, survivors, asks):
    """Killed between the attach and the check: the next run is not told that these were files of a broken server."""
    data, log = survivors(clean=True)
    sql_b.do(f"CREATE DATABASE [{database}] ON (FILENAME = '{data}'), (FILENAME = '{log}') FOR ATTACH")
    sql_b.do(f"ALTER DATABASE [{database}] SET RESTRICTED_USER")
    if asks:
        result = sql_b.run("sql_restore", database=database, **attach(data, log))
    else:
        sql_b.do(f"BACKUP DATABASE [{database}] TO DISK = 'D:\\Backup\\{database}.bak'")
        result = sql_b.run("sql_restore", database=database, source={"folders": ["D:\\Backup"]})
    assert (result["checked"], result["plan"]) == ("full", {})
    assert result["database"]["user_access"] == "MULTI_USER"


@pytest.mark.parametrize("checkdb", ["none", "full"])
@pytest.mark.parametrize("option", ["SINGLE_USER", "READ_ONLY"])
def test_single_user_mode_ends_and_a_read_only_database_stays_so(sql_a, sql_b, database, survivors, option, checkdb):
    """As whoever detached it left it."""
    sql_a.do(f"ALTER DATABASE [{database}] SET {option} WITH ROLLBACK IMMEDIATE")
    data, log = survivors(clean=True, marks=0)
    result = sql_b.run("sql_restore", database=database, **attach(data, log), checkdb=checkdb)
    state = result["database"]
    assert (state["user_access"], state["read_only"]) == ("MULTI_USER", option == "READ_ONLY")
    assert ("run ALTER DATABASE ... SET READ_WRITE" in str(result.get("warnings"))) == (option == "READ_ONLY")
    assert (state["owner"] == "sa") == (option == "SINGLE_USER")
    assert sql_b.marks(database) == [1]


def test_a_copy_takes_another_name_where_its_own_is_taken(sql_b, database, copied):
    there = sql_b.host.files(SYSTEM)
    planned = sql_b.run("sql_restore", check=True, **copied)["copied"]
    there.write(planned[0]["target"], b"somebody else's")
    there.write(planned[1]["target"], there.read(planned[1]["source"]))  # what an interrupted run has brought
    result = sql_b.run("sql_restore", **copied)
    assert [copy["target"] for copy in result["copied"]] == [
        planned[0]["target"].replace(".mdf", "_2.mdf"),
        planned[1]["target"],
    ]
    assert there.read(planned[0]["target"]) == b"somebody else's"
    assert sql_b.marks(database) == [1, 2] and sql_b.run("sql_restore", **copied)["changed"] is False


def test_a_copy_needs_room_and_windows(sql_b, database, copied, monkeypatch):
    with pytest.raises(Failed, match="needs WinRM"):
        sql_b.run("sql_restore", **{name: value for name, value in copied.items() if "winrm" not in name})
    gone = {"attach": {"data_files": ["E:\\saved\\none.mdf"], "log_files": [], "copy": True}}
    with pytest.raises(Failed, match="There is no file"):
        sql_b.run("sql_restore", **{**copied, "source": gone})
    drive = sql_b.host.drives.volumes["D"]
    free = sql_b.host.files(SYSTEM).free_bytes("D:\\")
    monkeypatch.setattr(drive, "capacity", drive.capacity - free + 4096)
    with pytest.raises(Failed, match="MiB are free"):
        sql_b.run("sql_restore", **copied)
    assert sql_b.state_of(database) is None


def test_nothing_is_overwritten(sql_b, database, survivors):
    data, log = survivors(clean=True)
    other = f"{database}_other"
    sql_b.run("sql_database", name=other)
    with pytest.raises(Failed, match="overwrites nothing"):
        sql_b.run("sql_restore", database=other, **attach(data, log))
    (theirs,), _log = sql_b.ask(FILES, other)
    with pytest.raises(Failed, match=f"belongs to database {other}"):
        sql_b.run("sql_restore", database=database, **attach(theirs, log))


def test_another_family_is_detached_again(sql_a, sql_b, database, survivors):
    family = sql_a.ask("SELECT family_guid FROM sys.database_recovery_status WHERE database_id = DB_ID(%s)", database)[
        0
    ][0]
    data, log = survivors(clean=True)
    with pytest.raises(Failed, match="hold another database"):
        sql_b.run(
            "sql_restore", database=database, **attach(data, log, family_guid="00000000-0000-0000-0000-000000000001")
        )
    assert sql_b.state_of(database) is None
    sql_b.run("sql_restore", database=database, **attach(data, log, family_guid=str(family)))
    assert sql_b.marks(database) == [1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (attach("D:\\Data\\nothing.mdf"), "The file does not exist for the service account"),
        (attach("C:\\setup.ini"), "no primary data file"),
        (attach("D:\\Data\\x.mdf", folders=["D:\\Backup"]), "both files to attach and backups"),
        ({**attach("D:\\Data\\x.mdf"), "target": "lsn:1"}, "opened as they are"),
    ],
)
def test_what_cannot_be_attached(sql_b, name, options, message):
    with pytest.raises(Failed, match=message) as failed:
        sql_b.run("sql_restore", database=name, **options)
    assert "statements" not in failed.value.result and sql_b.state_of(name) is None


def test_a_newer_servers_files_are_refused_before_anything_is_touched(sql_b, database, survivors, monkeypatch):
    data, log = survivors(clean=True)
    monkeypatch.setattr(sql_b.instance.databases.get("master").boot, "version", 869)  # as on SQL Server 2017
    with pytest.raises(Failed, match="of a newer SQL Server"):
        sql_b.run("sql_restore", database=database, **attach(data, log))
    assert sql_b.state_of(database) is None
