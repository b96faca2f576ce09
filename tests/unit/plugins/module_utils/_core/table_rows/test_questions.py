"""What is asked of tables: which rows and columns come back, and what is said of the rest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.binary.range_reader import RangeReader
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.system_rows import Pages
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.last_use import Witness, last_use
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.questions import answers, questions
from ansible_collections.prs.recovery.plugins.module_utils._core.table_rows.tables import Tables
from database_files import moment
from database_rows import DATETIME, INT, NVARCHAR, VARBINARY, Built, Stored, database_with, integer, text

ID = Stored(name="UserId", kind=INT, size=4)
NAME = Stored(name="Name", kind=NVARCHAR, length=100)
LAST = Stored(name="LastLogin", kind=DATETIME, size=8)
PASSWORD = Stored(name="PasswordHash", kind=VARBINARY, length=64)
NOW = datetime(2024, 6, 1)
MAY, JUNE, LATER = datetime(2024, 5, 6, 12), datetime(2024, 6, 1), datetime(2030, 1, 1)


def opened(*tables: Built) -> Tables:
    data = database_with(tables)
    return Tables(Pages({1: RangeReader(lambda offset, length: data[offset : offset + length], len(data))}), (1, 16))


def asked(built: Built, *, clean: bool = True, **question: Any) -> dict[str, Any]:
    wanted = questions([{"name": built.name, "columns": None, "newest": 10, "newest_by": None} | question])
    (answer,) = answers(opened(built), wanted, last_change=False, clean=clean, now=NOW)["rows"]
    return answer


USERS = Built(
    name="Users",
    columns=(ID, NAME, LAST, PASSWORD),
    rows=[
        [integer(1), text("ann"), moment(JUNE), b"\1"],
        [integer(2), text("bob"), None, b"\2"],
        [integer(3), text("eve"), moment(MAY), b"\3"],
    ],
)


def test_columns_that_are_named_like_a_secret_are_left_out_unless_they_are_asked_for() -> None:
    answer = asked(USERS)
    assert answer["columns"] == ["UserId", "Name", "LastLogin"] and answer["left_out"] == ["PasswordHash"]
    assert answer["rows"][0] == {"UserId": 1, "Name": "ann", "LastLogin": "2024-06-01T00:00:00"}
    answer = asked(USERS, columns=["passwordhash"])
    assert answer["rows"] == [{"PasswordHash": "0x01"}, {"PasswordHash": "0x02"}, {"PasswordHash": "0x03"}]
    assert answer["left_out"] == []


def test_the_newest_rows_are_the_last_ones_or_those_with_the_greatest_value() -> None:
    assert [row["UserId"] for row in asked(USERS, newest=2)["rows"]] == [2, 3]
    assert [row["UserId"] for row in asked(USERS, newest=2, newest_by="LastLogin")["rows"]] == [3, 1]
    assert asked(USERS, newest=2, newest_by="LastLogin", columns=["Name"])["rows"] == [{"Name": "eve"}, {"Name": "ann"}]
    assert [row["UserId"] for row in asked(USERS, newest=3, newest_by="lastlogin")["rows"]] == [2, 3, 1]
    assert asked(USERS, newest=0)["rows"] == [] and asked(USERS, newest=0)["total"] == 3


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ({"name": "Groups"}, "It has no Groups, or several of that name. The tables are: dbo.Users."),
        ({"columns": ["Nmae"]}, "The columns of dbo.Users are: UserId, Name, LastLogin, PasswordHash."),
        ({"newest_by": "Nmae"}, "It has no Nmae"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(question: dict[str, Any], says: str) -> None:
    answer = asked(USERS, **question)
    assert says in answer["problems"][0] and answer["total"] is None


def test_what_may_be_missing_is_said() -> None:
    assert asked(USERS)["problems"] == []
    assert "its log" in asked(USERS, clean=False)["problems"][0]
    compressed = Built(name="Users", columns=(ID,), rows=[[integer(1)]], compression=1)
    assert asked(compressed)["problems"] == ["It cannot be read: its rows are compressed."]


def test_fewer_rows_than_the_database_counts_are_said() -> None:
    ghost = bytearray(b"\x10\x00\x08\x00\x01\x00\x00\x00\x01\x00\x00")
    built = Built(name="Users", columns=(ID,), rows=[[integer(1)]], extra=(bytes(ghost),))
    assert asked(built)["problems"] == ["2 rows were read, and the database counts 1."]


STAMPED = Stored(name="Since", kind=DATETIME, size=8, default="(getdate())")
CLOSING = Stored(name="Closing", kind=DATETIME, size=8)


@pytest.mark.parametrize(
    ("columns", "values", "expected"),
    [
        ((CLOSING, LAST, STAMPED), (JUNE, MAY, MAY), (MAY, "Since", Witness.STAMPED)),
        ((CLOSING, LAST), (JUNE, MAY), (MAY, "LastLogin", Witness.NAMED)),
        ((CLOSING,), (JUNE,), (JUNE, "Closing", Witness.ANY)),
        ((CLOSING, LAST), (JUNE, LATER), (JUNE, "Closing", Witness.ANY)),
        ((CLOSING,), (LATER,), None),
    ],
)
def test_the_last_use_is_told_by_the_best_witness(columns: Any, values: Any, expected: Any) -> None:
    built = Built(name="Events", columns=columns, rows=[[moment(value) for value in values]])
    change = last_use(opened(built), until=NOW).change
    assert (change and (change.moment, change.column, change.witness)) == expected


def test_users_and_versions_are_counted_without_a_name() -> None:
    version = Built(name="SchemaVersions", columns=(ID, NAME), rows=[[integer(1), text("5.1")]])
    others = [
        Built(name="UserSettings", columns=(ID,), rows=[[integer(1)]]),
        Built(name="tbUser", columns=(ID,), rows=[[integer(1)], [integer(2)]]),
    ]
    result = answers(opened(USERS, version, *others), [], last_change=True, clean=True, now=NOW)["last_change"]
    assert result["users"] == {"dbo.Users": 3, "dbo.tbUser": 2}
    assert result["schema_versions"] == {"dbo.SchemaVersions": [{"UserId": 1, "Name": "5.1"}]}
    assert (result["moment"], result["witness"]) == ("2024-06-01T00:00:00", "named")
    assert "ann" not in str(result)


def test_a_table_that_cannot_be_read_keeps_none_of_the_others_back() -> None:
    compressed = Built(name="Old", columns=(ID, LAST), rows=[[integer(1), moment(MAY)]], compression=1)
    use = last_use(opened(compressed, USERS), until=NOW)
    assert use.unread == {"dbo.Old": "its rows are compressed"} and use.change and use.change.moment == JUNE


def test_a_default_of_another_type_stands_beside_values_in_no_order_but_breaks_nothing() -> None:
    """As damage leaves it: a text among numbers."""
    later = Stored(name="Locked", kind=INT, size=4, later=bytes((NVARCHAR, 1, 0, 0, 0, 0, 0, 0)) + text("x"))
    rows = [[integer(1), b""], [integer(2), integer(8)], [integer(3), integer(9)]]
    built = Built(name="Users", columns=(ID, later), rows=rows, short={0: 1})
    assert [row["Locked"] for row in asked(built, newest=3, newest_by="Locked")["rows"]] == [8, 9, "x"]
