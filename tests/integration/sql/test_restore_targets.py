"""One history of backups, brought back to every kind of target: exactly the rows that were there then, read by another
client.

A marker row is written before every backup, so the rows tell which backups were restored, and how far.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

import pytest

from .conftest import SHARE, Failed, mark

NAME = "Targets"
OTHER = "Targets_Archive"
ROOT = f"{SHARE}\\targets"
MAIN, COPY, OLA, PRODUCT, MIXED, FORK = (
    f"{ROOT}\\{folder}" for folder in ("main", "copy", "ola", "product", "mixed", "fork")
)
MARK = "payroll's run"


@dataclass
class History:
    """moments: after each row's backup, before the next row. files: of each row's backup. lsns: where the log stood
    then.
    """

    moments: dict[int, dt.datetime] = field(default_factory=dict)
    files: dict[int, list[str]] = field(default_factory=dict)
    lsns: dict[int, int] = field(default_factory=dict)
    between_3_and_4: str = ""
    lsn_of_mark: int = 0
    lost_fork: str = ""
    family: str = ""


class Builder:
    """Writes rows and takes backups, minutes apart on every server's clock."""

    def __init__(self, lab, server):
        self.made, _ca_file = lab
        self.server = server
        self.history = History()

    def wait(self, minutes=2):
        for host in ("sql-a", "sql-b"):
            self.made.host(host).clock_offset += dt.timedelta(minutes=minutes)

    def now(self):
        return self.server.host.clock() - dt.timedelta(minutes=1)

    def row(self, number, database=NAME):
        mark(self.server, database, number, f"row {number}")

    def backup(self, number, kind, path=MAIN, **options):
        """Row `number`, then a backup that holds it."""
        self.row(number)
        self.take(number, kind, path, **options)

    def take(self, number, kind, path=MAIN, **options):
        backup = self.server.run("sql_backup", database=NAME, kind=kind, path=path, **options)["backup"]
        self.wait()
        self.history.moments[number], self.history.files[number], self.history.lsns[number] = (
            self.now(),
            backup["files"],
            backup["last_lsn"],
        )
        return backup


@pytest.fixture(scope="module")
def history(lab, sql_a, sql_b):
    """
    1 full, 2 log, (3 and) 4 log, 5 differential, (6 marked, and) 7 log, 8 copy-only full elsewhere, 9 log, 10 full, 11
    log; back to where row 9 was the last one; 12 log, 13 log.
    """
    build = Builder(lab, sql_a)
    told = build.history
    sql_a.run("sql_database", name=NAME, recovery_model="FULL")
    sql_a.do("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=NAME)
    told.family = build_full(build)
    build.backup(2, "log")
    build.row(3)
    told.between_3_and_4 = str(build.take(3, "log", COPY, copy_only=True)["last_lsn"])
    build.backup(4, "log")
    build.backup(5, "differential")
    sql_a.do(
        f"BEGIN TRAN [{MARK}] WITH MARK; INSERT INTO dbo.marker (id, said) VALUES (6, N'marked'); COMMIT", database=NAME
    )
    told.lsn_of_mark = int(sql_a.ask("SELECT lsn FROM msdb.dbo.logmarkhistory WHERE database_name = %s", NAME)[0][0])
    build.backup(7, "log")
    build.backup(8, "full", COPY, copy_only=True)
    build.backup(9, "log")
    build.backup(10, "full", stripes=2)
    told.lost_fork = build_log(build, 11)
    ola_and_product(build)
    back = {"target": told.moments[9].isoformat(), "replace": "always", "tail_log_path": f"{ROOT}\\tail"}
    sql_a.run("sql_restore", database=NAME, source={"folders": [MAIN], "time_zone": "UTC"}, **back)
    build.wait()
    build.backup(12, "log", FORK)
    build.backup(13, "log", FORK)
    mixed(build, sql_b)
    return told


def build_full(build):
    build.row(1)
    return build.take(1, "full")["family_guid"]


def build_log(build, number):
    build.row(number)
    return build.take(number, "log")["sets"][0]["last_fork"]


def ola_and_product(build):
    """The same rows as others save them: Ola Hallengren's folders, names and options, then the product's backup page, a
    plain .bak.
    """
    server, when = build.server, itertools.count(1)

    def ola(kind, statement, options, extension, files=1):
        folder = f"{OLA}\\SQL-A\\{NAME}\\{kind}"
        server.do(f"EXECUTE master.dbo.xp_create_subdir N'{folder}'")
        number = next(when)
        devices = [
            f"{folder}\\SQL-A_{NAME}_{kind}_20260301_{number:02}0000{f'_{one}' if files > 1 else ''}.{extension}"
            for one in range(1, files + 1)
        ]
        disks = ", ".join(f"DISK = N'{device}'" for device in devices)
        server.do(f"BACKUP {statement} [{NAME}] TO {disks} WITH CHECKSUM, COMPRESSION{options}")
        build.wait()

    ola("FULL", "DATABASE", ", COPY_ONLY", "bak")
    ola("FULL", "DATABASE", "", "bak", files=2)
    build.row(101)
    ola("DIFF", "DATABASE", ", DIFFERENTIAL", "bak")
    build.row(102)
    ola("LOG", "LOG", "", "trn")
    server.do(f"EXECUTE master.dbo.xp_create_subdir N'{PRODUCT}'")
    build.row(103)
    server.do(f"BACKUP DATABASE [{NAME}] TO DISK = N'{PRODUCT}\\Monday, after lunch.bak'")
    build.wait()


def mixed(build, sql_b):
    """One folder with backups of this database, of one whose name begins alike, and of another database of the same
    name.
    """
    sql_a = build.server
    sql_a.run("sql_backup", database=NAME, path=MIXED, copy_only=True)
    for server, name, number in ((sql_a, OTHER, 201), (sql_b, NAME, 301)):
        server.run("sql_database", name=name, recovery_model="FULL")
        server.do("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=name)
        mark(server, name, number, "of another database")
        server.run("sql_backup", database=name, path=MIXED, file_name="{server}_{database}_{time}.{extension}")
        build.wait()
    sql_b.run("sql_database", name=NAME, state="absent", allow_data_loss=True)


BEFORE_FORK = [1, 2, 3, 4, 5, 6, 7, 8, 9]

TARGETS = {
    # What is restored: (folders, options of the module, suboptions of the source, the rows that must be there). {h} is
    # the history.
    "newest": ([MAIN], {}, {}, [*BEFORE_FORK, 10, 11]),
    "boundary after the full": ([MAIN], {"target": "{h.moments[1]}"}, {}, [1]),
    "boundary after the first log": ([MAIN], {"target": "{h.moments[2]}"}, {}, [1, 2]),
    "inside a log": ([MAIN], {"target": "{h.moments[3]}"}, {}, [1, 2, 3]),
    "boundary after the second log": ([MAIN], {"target": "{h.moments[4]}"}, {}, [1, 2, 3, 4]),
    "boundary after the differential": ([MAIN], {"target": "{h.moments[5]}"}, {}, [1, 2, 3, 4, 5]),
    "boundary after the third log": ([MAIN], {"target": "{h.moments[7]}"}, {}, BEFORE_FORK[:7]),
    "inside a log that holds a copy-only full": ([MAIN, COPY], {"target": "{h.moments[8]}"}, {}, BEFORE_FORK[:8]),
    "boundary after the fourth log": ([MAIN], {"target": "{h.moments[9]}"}, {}, BEFORE_FORK),
    "boundary after the second full": ([MAIN], {"target": "{h.moments[10]}"}, {}, [*BEFORE_FORK, 10]),
    "mark, which its server remembers": ([MAIN], {"target": f"mark:{MARK}"}, {}, [1, 2, 3, 4, 5, 6]),
    "before the mark, which its server remembers": ([MAIN], {"target": f"before-mark:{MARK}"}, {}, [1, 2, 3, 4, 5]),
    "mark after a moment": ([MAIN], {"target": f"mark:{MARK}", "mark_after": "{h.moments[2]}"}, {}, [1, 2, 3, 4, 5, 6]),
    "before the mark after a moment": (
        [MAIN],
        {"target": f"before-mark:{MARK}", "mark_after": "{h.moments[5]}"},
        {},
        [1, 2, 3, 4, 5],
    ),
    "LSN": ([MAIN], {"target": "lsn:{h.lsn_of_mark}"}, {}, [1, 2, 3, 4, 5, 6]),
    "before an LSN": ([MAIN], {"target": "before-lsn:{h.between_3_and_4}"}, {}, [1, 2, 3]),
    "differential alone": (["{h.files[1]}", "{h.files[5]}"], {}, {}, [1, 2, 3, 4, 5]),
    "copy-only base alone": (["{h.files[8]}"], {}, {}, BEFORE_FORK[:8]),
    "copy-only base with a log": (["{h.files[8]}", "{h.files[9]}"], {}, {}, BEFORE_FORK),
    "after a fork": ([MAIN, FORK], {}, {}, [*BEFORE_FORK, 12, 13]),
    "inside the fork": ([MAIN, FORK], {"target": "{h.moments[12]}"}, {}, [*BEFORE_FORK, 12]),
    "the path that was left": ([MAIN, FORK], {}, {"recovery_fork": "{h.lost_fork}"}, [*BEFORE_FORK, 10, 11]),
    "tail of the path that was left": ([OLA, f"{ROOT}\\tail"], {}, {}, [*BEFORE_FORK, 10, 11, 101, 102, 103]),
    "folder of mixed databases": ([MIXED], {}, {"family_guid": "{h.family}"}, [*BEFORE_FORK, 12, 13]),
    "folder of mixed databases, the one of a longer name": ([MIXED], {}, {"database": OTHER}, [201]),
    "folders of everything": ([ROOT], {"target": "{h.moments[10]}"}, {"family_guid": "{h.family}"}, [*BEFORE_FORK, 10]),
    "Ola Hallengren's folders": ([OLA], {}, {}, [*BEFORE_FORK, 10, 11, 101, 102]),
    "the product's own file": ([PRODUCT], {}, {}, [*BEFORE_FORK, 10, 11, 101, 102, 103]),
}

HISTORY = {"history": True}
TARGETS |= {
    "all that msdb of its server knows": ([], {}, HISTORY, [*BEFORE_FORK, 12, 13]),
    "a moment that msdb of its server knows": ([], {"target": "{h.moments[3]}"}, HISTORY, [1, 2, 3]),
    "msdb of its server beside a folder": ([FORK], {"target": "{h.moments[12]}"}, HISTORY, [*BEFORE_FORK, 12]),
}
"""Restored beside the database itself, on the server that remembers."""

_copies = itertools.count(1)


@pytest.mark.parametrize("kind", TARGETS)
def test_the_rows_of(sql_a, sql_b, history, kind):
    server = sql_a if "its server" in kind else sql_b
    where, options, choice, rows = TARGETS[kind]
    copy = f"Copy{next(_copies)}"
    folders = [place for place in where if not place.startswith("{")]
    files = [path for place in where if place.startswith("{") for path in history.files[int(place[9:-2])]]
    told = {name: value.format(h=history) if isinstance(value, str) else value for name, value in choice.items()}
    source = {"folders": folders, "files": files, "time_zone": "UTC", "database": NAME, **told}
    result = server.run(
        "sql_restore",
        database=copy,
        source=source,
        **{name: value.format(h=history) for name, value in options.items()},
    )
    assert server.marks(copy) == rows
    assert server.state_of(copy) == "ONLINE" and result["database"]["user_access"] == "MULTI_USER"
    assert server.run("sql_restore", database=copy, source=source)["changed"] is False
    server.run("sql_database", name=copy, state="absent", allow_data_loss=True)


@pytest.mark.parametrize("options", [{"mark_after": "{h.moments[2]}"}, {"mark_after": "{h.moments[7]}"}])
def test_a_mark_that_is_nowhere_leaves_nothing_open(sql_b, history, options):
    """A server that does not meet the mark rolls on to the end; to open the database there would be to hand over other
    rows than were asked for.
    """
    copy, told = f"Copy{next(_copies)}", {name: value.format(h=history) for name, value in options.items()}
    source = {"folders": [MAIN], "time_zone": "UTC", "database": NAME}
    with pytest.raises(Failed, match="was not met in the logs") as failed:
        sql_b.run("sql_restore", database=copy, source=source, target="mark:nobody's", **told)
    assert failed.value.result["database_state"] == sql_b.state_of(copy) == "RESTORING"
    sql_b.run("sql_database", name=copy, state="absent", allow_data_loss=True)


def test_a_mark_of_which_nobody_knows_where_it_lies_is_not_searched_without_opening(sql_b, history, only_queries):
    source = {"folders": [MAIN], "time_zone": "UTC", "database": NAME}
    options = {"target": f"mark:{MARK}", "mark_after": history.moments[2].isoformat(), "recovery": "norecovery"}
    with only_queries, pytest.raises(Failed, match="recovery: recovered"):
        sql_b.run("sql_restore", check=True, database="Nothing", source=source, **options)


def test_what_msdb_knows_but_no_file_holds_any_more_is_left_out(sql_a, share):
    """One log's file was removed, another one's file now holds somebody else's backup: headers decide, not the history."""
    name, folder = "Targets_Pruned", f"{ROOT}\\pruned"
    sql_a.run("sql_database", name=name, recovery_model="FULL")
    sql_a.do("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=name)
    files = []
    for number, kind in enumerate(("full", "log", "full", "full"), 1):
        mark(sql_a, name, number, kind)
        files += sql_a.run("sql_backup", database=name, kind=kind, path=folder, file_name=f"{number}.bak")["backup"][
            "files"
        ]
    share.remove(files[3].replace(SHARE, "D:\\Shares\\backup"))
    sql_a.run("sql_backup", database=OTHER, path=folder, file_name="3.bak", overwrite=True)
    result = sql_a.run("sql_restore", database=f"{name}_copy", source={"history": True, "database": name})
    assert sql_a.marks(f"{name}_copy") == [1, 2]
    rejected = {one["path"]: one["reason"] for one in result["plan"]["rejected"] if one["code"] == "unusable"}
    assert "holds something else now" in rejected[files[2]] and "operating system error 2" in rejected[files[3]]
