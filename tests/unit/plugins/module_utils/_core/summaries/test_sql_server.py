"""What SQL Server's setup said."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries.sql_server import setup_failed


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"rc": 5, "stdout": "out", "stderr": "err", "msg": ""}, " with exit code 5. out err"),
        ({"msg": "no such file", "stdout": None}, ". no such file"),
        ({"rc": 1, "stdout": "x" * 1500, "module_stderr": "end"}, f" with exit code 1. {'x' * 996} end"),
    ],
)
def test_setup_failed(result, said):
    [sentence] = setup_failed({"host": "sql-a", "result": result})
    where = r"%ProgramFiles%\Microsoft SQL Server\*\Setup Bootstrap\Log on the server."
    assert sentence == f"sql-a: SQL Server's setup failed{said} Read Summary.txt below {where}"
