"""The message of a task that failed, of its item where it is a loop."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.filter.failure_message import failure_message

LOOP = "One or more items failed"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"failed": True, "msg": "no room"}, "no room"),
        (
            {
                "failed": True,
                "msg": LOOP,
                "results": [{"changed": True}, {"failed": True, "msg": "no room"}, {"failed": True, "msg": "later"}],
            },
            "no room",
        ),
        ({"failed": True, "msg": LOOP, "results": [{"unreachable": True, "msg": "gone"}]}, "gone"),
        ({"failed": True, "msg": LOOP, "results": [{"failed": True}]}, LOOP),
        ({"failed": True, "msg": "a module's own results", "results": ["text"]}, "a module's own results"),
        ({"failed": True}, "it failed without a word"),
    ],
)
def test_what_failed(result, said):
    assert failure_message(result) == said
