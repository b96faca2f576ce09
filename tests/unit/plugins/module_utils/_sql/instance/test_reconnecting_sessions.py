"""An application that reconnects at once takes the only place of a single-user database: it is ended, as often as it
comes, but not for ever.
"""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import databases


class Server:
    """A session whose statements fail with the numbers of a script, one after the other; session 57 is the
    application's.
    """

    def __init__(self, *numbers: int | None) -> None:
        self.numbers = list(numbers)
        self.sent: list[str] = []
        self.connection = self

    def change(self, statement: str, **_how: object) -> list[object]:
        self.sent.append(statement)
        number = self.numbers.pop(0) if self.numbers else None
        if number:
            raise SqlError("", text="no", number=number, sqlstate="42000")
        return []

    def query(self, _statement: str, *_values: object) -> list[dict[str, int]]:
        return [{"session_id": 57}]


CLOSE = "ALTER DATABASE [PRS] SET SINGLE_USER WITH ROLLBACK IMMEDIATE"
OPEN = "ALTER DATABASE [PRS] SET MULTI_USER"


@pytest.mark.parametrize(
    ("act", "statement"), [(databases.disconnect_sessions, CLOSE), (databases.set_multi_user, OPEN)]
)
def test_whoever_holds_the_only_place_is_ended(act, statement):
    server = Server(5064, None, 5064, 6106)  # 6106: it went by itself
    act(server, "PRS")
    assert server.sent == [statement, "KILL 57", statement, "KILL 57", statement]


@pytest.mark.parametrize("number", [924, 3101, 3702])
def test_who_gets_in_between_is_sent_away_in_one_batch_with_the_statement(number):
    server = Server(number, 5064, None, 1205, None, number, None, None)
    databases.change_alone(server, "PRS", "RESTORE", doing="")
    batch = f"{CLOSE}; IF @@ERROR = 0 RESTORE"
    assert server.sent == ["RESTORE", batch, "KILL 57", batch, "KILL 57", batch, "KILL 57", batch]


@pytest.mark.parametrize("number", [1205, 3201])
def test_other_errors_are_not_tried_again(number):
    with pytest.raises(SqlError):
        databases.change_alone(server := Server(number), "PRS", "RESTORE", doing="")
    assert server.sent == ["RESTORE"]


def test_it_ends():
    with pytest.raises(SqlError):
        databases.change_alone(server := Server(3101, *[3101, None] * 1000), "PRS", "RESTORE", doing="")
    assert sum("RESTORE" in sent for sent in server.sent) == databases.ATTEMPTS + 1
