"""One table of advice for all who meet an error of Windows."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.advice.windows import (
    BY_KIND,
    BY_NUMBER,
    advice_for,
    of_share_user,
    of_sql_service,
    over_winrm,
)

ACCESSES = [over_winrm("web-a"), of_sql_service("LAB\\svc-sql"), of_sql_service(), of_share_user("web-a")]


@pytest.mark.parametrize("access", ACCESSES, ids=lambda access: access.account)
def test_advice_is_one_sentence_without_its_stop(access):
    texts = [advice_for(number=number, access=access) for number in BY_NUMBER]
    texts += [advice_for(number=0, kind=kind, access=access) for kind in BY_KIND]
    assert all(text[0].isupper() and not text.endswith((".", ":", " ")) and "{" not in text for text in texts)


@pytest.mark.parametrize(
    ("access", "number", "words"),
    [
        (over_winrm("web-a"), 5, "WinRM's own logon counts for nobody: give share_user and share_password"),
        (over_winrm("web-a"), 1326, "check share_user"),
        (over_winrm("web-a"), 112, "What was written so far was removed"),
        (over_winrm("web-a"), 53, "that web-a reaches it on TCP port 445"),
        (of_sql_service("LAB\\svc-sql"), 5, "The service account LAB\\svc-sql has no rights there: give it Modify"),
        (of_sql_service(), 1326, "(DOMAIN\\SERVER$)"),
        (of_share_user("web-a"), 5, "give it the right to read"),
        (of_share_user("web-a"), 1326, "user name or password is wrong: correct prs_share_user"),
    ],
)
def test_what_lets_each_of_them_in(access, number, words):
    assert words in advice_for(number=number, access=access)


def test_an_unknown_error_has_no_advice():
    assert advice_for(number=None, kind="Nothing", access=ACCESSES[0]) == ""
    assert advice_for(number=44, access=ACCESSES[0]) == ""
