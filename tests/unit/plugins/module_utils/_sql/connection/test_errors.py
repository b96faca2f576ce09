"""Texts as the two drivers gave them (measured with Microsoft's driver 18.6 and FreeTDS 1.3 through pyodbc 5)."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError, classify

MICROSOFT = "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]"


@pytest.mark.parametrize(
    ("sqlstate", "raw", "number", "text"),
    [
        (
            "28000",
            f"[28000] {MICROSOFT}Login failed for user 'sa'. (18456) (SQLDriverConnect)",
            18456,
            "Login failed for user 'sa'.",
        ),
        (
            "42000",
            "[42000] [FreeTDS][SQL Server]Login failed for user 'sa'. (18456) (SQLDriverConnect)",
            18456,
            "Login failed for user 'sa'.",
        ),
        (
            "42000",
            f"[42000] {MICROSOFT}Cannot open backup device 'D:\\x.bak'. Operating system error 5(Access is "
            "denied.). (3201) (SQLMoreResults); "
            f"[42000] {MICROSOFT}BACKUP DATABASE is terminating abnormally. (3013)",
            3201,
            "Cannot open backup device 'D:\\x.bak'. Operating system error 5(Access is denied.).",
        ),
        (
            "HYT00",
            "[HYT00] [Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired (0) (SQLDriverConnect)",
            0,
            "Login timeout expired",
        ),
        (
            "08S01",
            "[08S01] [FreeTDS][SQL Server]Communication link failure (20006) (SQLExecDirectW)",
            20006,
            "Communication link failure",
        ),
    ],
)
def test_classify(sqlstate, raw, number, text):
    assert classify(Exception(sqlstate, raw)) == {"sqlstate": sqlstate, "number": number, "text": text}


def test_an_error_of_the_module_itself_has_no_number():
    assert (
        classify(Exception("The SQL contains 0 parameter markers, but 1 parameters were supplied", "HY000"))["number"]
        is None
    )


def test_the_message_says_what_failed_why_and_what_to_do():
    text = "Cannot open backup device '\\\\files\\b\\x.bak'. Operating system error 5(Access is denied.)."
    problem = SqlError(
        "The backup of database PRS on sql01 failed",
        text=text,
        number=3201,
        sqlstate="42000",
        account="NT SERVICE\\MSSQLSERVER",
    )
    assert str(problem).startswith("The backup of database PRS on sql01 failed: Cannot open backup device")
    assert "(SQL Server error 3201)" in str(problem)
    assert "NT SERVICE\\MSSQLSERVER has no rights there" in str(problem)
    assert (problem.number, problem.os_error, problem.sqlstate, problem.lost) == (3201, 5, "42000", False)
    assert problem.details == {"sql_error": {"number": 3201, "sqlstate": "42000", "message": text, "os_error": 5}}


@pytest.mark.parametrize(("sqlstate", "number"), [("08S01", 0), ("08S01", 20006), ("HY000", 20004), ("01000", 20017)])
def test_a_lost_connection_is_recognised_with_both_drivers(sqlstate, number):
    problem = SqlError("x", text="gone", number=number, sqlstate=sqlstate)
    assert problem.lost
    assert "run again" in str(problem)
    assert "SQL Server error" not in str(problem)
