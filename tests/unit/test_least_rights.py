"""The page of least rights says what the product does: every T-SQL statement on it is one that the product sends for these
names, and Microsoft's parser takes it; every account and folder of its commands is one of the example inventory.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import judge_tsql
import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import (
    certificates,
    endpoint,
    login_run,
    logins,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "least-rights.md").read_text(encoding="utf-8")
STATEMENTS = [
    line for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line
]
ICACLS = re.findall(r"^ +icacls (.+)$", PAGE, re.MULTILINE)
SETTINGS = (ROOT / "inventory.example/two_sites/group_vars/all/main.yml").read_text(encoding="utf-8")
DATABASE, APPLICATION, OTHER, SERVICE = "PasswordResetServer", "prs_app", "sql-b_mirroring", "EXAMPLE\\svc-sql"
SHOWN = "N'***'"


class Recorder:
    """A session on an instance that has no logins: it keeps what would be sent, as it may be shown."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        target = SimpleNamespace(server="sql-a")
        self.connection = SimpleNamespace(row=lambda *_args, **_more: None, target=target)

    def change(self, statement: str, *, shown: str | None = None, **_more: Any) -> None:
        self.sent.append(shown or statement)


def sent_for_the_page() -> set[str]:
    session: Any = Recorder()
    sid = re.search(r'^prs_app_login_sid: "(\w+)"', SETTINGS, re.MULTILINE)
    assert sid
    words = login_run._settings({"default_database": DATABASE, "check_expiration": False})
    logins.create_login(session, APPLICATION, password="x", sid=sid[1], settings=words)
    logins.create_user(session, DATABASE, user=APPLICATION, login=APPLICATION, schema=None)
    logins.add_to_role(session, DATABASE, user=APPLICATION, role="db_owner")
    certificates.provide_identity(session, OTHER)
    for login in (OTHER, SERVICE):
        endpoint.grant_connect(session, "Mirroring", login)
    logins.create_login(session, SERVICE, password=None, sid=None, settings=[])
    return set(session.sent) | sent_by_the_script("prs_recovery")


def sent_by_the_script(login: str) -> set[str]:
    """What create_sql_admin_login.ps1 puts together on the server."""
    script = (ROOT / "roles/sql_server/files/create_sql_admin_login.ps1").read_text(encoding="utf-8")
    rest = re.search(r"\+ N''', (CHECK_\w+ = \w+, CHECK_\w+ = \w+);'", script)
    role = re.search(r"N'(ALTER SERVER ROLE \w+ ADD MEMBER )' \+ QUOTENAME", script)
    assert rest and role
    return {f"CREATE LOGIN [{login}] WITH PASSWORD = {SHOWN}, {rest[1]}", f"{role[1]}[{login}]"}


def test_the_page_says_what_the_product_does():
    assert {statement.rstrip(";").replace("N'...'", SHOWN) for statement in STATEMENTS} == sent_for_the_page()


@pytest.fixture(scope="module")
def judge() -> judge_tsql.Judge:
    if judge_tsql.available():
        pytest.skip(judge_tsql.available())
    return judge_tsql.Judge()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_sql_server_would_take_it(judge: judge_tsql.Judge, statement: str):
    assert judge.errors(statement) == []


@pytest.mark.parametrize("command", ICACLS)
def test_a_command_names_what_the_inventory_names(command: str):
    """Folders of the inventory's shares, accounts of the inventory, the servers, and no right that nobody needs."""
    folder, inherited, grant, *rights = command.split()
    assert (inherited, grant) == ("/inheritance:r", "/grant")
    assert f"\\{folder.rpartition(chr(92))[2]}\n" in SETTINGS
    for right in rights:
        account, how = re.fullmatch(r"'(.+):\(OI\)\(CI\)(F|M|RX)'", right).groups()  # type: ignore[union-attr]
        assert (how == "F") == (account == "*S-1-5-32-544")
        is_server = re.fullmatch(r"EXAMPLE\\SQL-[AB]\$", account)
        assert how == "F" or is_server or f"user: {account}\n" in SETTINGS, account


def test_every_account_of_the_security_page_has_its_commands():
    security = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    accounts = re.findall(r"^\| `(\w+)` \|", security, re.MULTILINE)
    assert len(accounts) == 5
    assert [account for account in accounts if f"`{account}`" not in PAGE] == []
