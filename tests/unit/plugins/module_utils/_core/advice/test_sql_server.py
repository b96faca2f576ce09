from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.advice.sql_server import (
    ADVICE,
    advice_for,
    operating_system_error,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.advice.windows import BY_NUMBER

DENIED = "Cannot open backup device '\\\\files\\backup\\x.bak'. Operating system error 5(Access is denied.)."


@pytest.mark.parametrize(
    ("message", "number"),
    [
        (DENIED, 5),
        (
            (
                "Das Sicherungsmedium 'D:\\x.bak' kann nicht geöffnet werden. Betriebssystemfehler 3(Das System kann "
                "den Pfad nicht finden.)."
            ),
            3,
        ),
        (
            (
                "Cannot open backup device '\\\\f\\s\\x.bak'. Operating system error 1326(The user name or password is "
                "incorrect.)."
            ),
            1326,
        ),
        ("xp_create_subdir() returned error 5, 'Access is denied.'", 5),
        (
            "xp_subdirs konnte nicht auf 'D:\\2\\*.*' zugreifen: FindFirstFile() gab Fehler 5, 'Zugriff verweigert', zur\u00fcck",
            5,
        ),
        (
            (
                'Directory lookup for the file "E:\\x.mdf" failed with the operating system error 2(The system cannot '
                "find the file specified.)."
            ),
            2,
        ),
        (
            "The operating system returned the error '112(There is not enough space on the disk.)' while attempting "
            "'SetEndOfFile' on 'E:\\x.ldf'.",
            112,
        ),
        ("There is already an object named 'x' in the database.", None),
        ("Login failed for user 'sa'.", None),
    ],
)
def test_the_windows_error_inside_a_message(message, number):
    assert operating_system_error(message) == number


@pytest.mark.parametrize("cause", [2, 3, 5, 53, 112, 1326])
def test_each_windows_error_has_advice_of_its_own(cause):
    message = f"Cannot open backup device 'x'. Operating system error {cause}(text)."
    same = [
        other
        for other in BY_NUMBER
        if advice_for(3201, message.replace(f" {cause}(", f" {other}(")) == advice_for(3201, message)
    ]
    assert same == [cause]


def test_the_account_is_named_where_it_is_known():
    assert "NT SERVICE\\MSSQLSERVER" in advice_for(3201, DENIED, account="NT SERVICE\\MSSQLSERVER")
    assert advice_for(3201, DENIED).startswith("The SQL Server service account has no rights")


def test_a_windows_error_counts_only_in_messages_that_carry_one():
    assert advice_for(3154, DENIED) == ADVICE[3154]


@pytest.mark.parametrize("number", [None, 0, 50000])
def test_unknown_numbers_have_no_advice(number):
    assert advice_for(number, "whatever") == ""


def test_advice_is_one_sentence_without_its_stop():
    for advice in ADVICE.values():
        assert advice[0].isupper() and not advice.endswith(".")


@pytest.mark.parametrize(
    ("number", "word"), [(3049, "log of the database is damaged"), (3137, "snapshot"), (3268, "sector size")]
)
def test_advice_is_about_what_the_number_means(number, word):
    """As sys.messages has them: 3049 corruption in the log, 3137 a revert to a snapshot, 3268 sectors."""
    assert word in advice_for(number, "")
