"""What is said of a failure whose result is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries.failures import reasons


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"failed": True, "msg": "Access is denied", "password_hashes": {"sa": "0x02"}}, ["Access is denied"]),
        ({"failed": True}, ["no reason was given"]),
        ({"failed": True, "msg": ""}, ["no reason was given"]),
        (
            {"msg": "The task includes an option with an undefined variable"},
            ["The task includes an option with an undefined variable"],
        ),
        (
            {
                "failed": True,
                "msg": "One or more items failed",
                "results": [
                    {"failed": True, "msg": "15025"},
                    {"changed": True, "msg": "made"},
                    {"failed": True, "msg": "15025"},
                    {"failed": True, "msg": "15118"},
                ],
            },
            ["15025", "15118"],
        ),
    ],
    ids=["a module", "without a word", "an empty word", "before it ran", "a loop"],
)
def test_reasons(result: dict[str, Any], said: list[str]):
    assert reasons(result) == said
