"""A name that a server only takes for another one: SQL Server compares without blanks at the end, and as its collation
does.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.databases import read_database
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.logins import read_login


class Answering:
    """Whatever is asked, the row of Größe is found, as `=` finds it."""

    target = SimpleNamespace(server="SQL")

    def query_each(
        self, first: tuple[Any, ...], *others: tuple[Any, ...], doing: str = ""
    ) -> list[list[dict[str, Any]]]:
        return [[self.row(first[0])], *([] for _other in others)]

    def row(self, statement: str) -> dict[str, Any]:
        assert "sys.databases" in statement or "server_principals" in statement
        return {column: "Größe" if column == "name" else None for column in (
                "name", "database_id", "state_desc", "recovery_model_desc", "collation_name", "owner", "compatibility_level", "page_verify_option_desc",
                "user_access_desc", "is_read_only", "is_in_standby", "create_date", "source_database_id", "family_guid", "database_guid",
                "recovery_fork_guid", "first_recovery_fork_guid", "fork_point_lsn", "sid", "type_desc", "is_disabled", "default_database_name", "default_language_name", "is_policy_checked",
                "is_expiration_checked", "mirroring_guid",
            )}  # fmt: skip


@pytest.mark.parametrize("read", [read_database, read_login])
@pytest.mark.parametrize("name", ["Größe ", "Groesse", "Grösse", "Große", "\uff47röße"])
def test_what_is_only_taken_for_it_is_not_it(read: Any, name: str):
    with pytest.raises(RecoveryError, match="for 'Größe', which has another name"):
        read(Answering(), name)


@pytest.mark.parametrize("read", [read_database, read_login])
@pytest.mark.parametrize("name", ["Größe", "GRÖßE", "größe"])
def test_case_is_the_servers(read: Any, name: str):
    assert read(Answering(), name)["name"] == "Größe"
