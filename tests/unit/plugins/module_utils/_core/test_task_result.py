"""The reason of a failed task, whichever module ran and whether it was a loop."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.task_result import failure_message

GENERAL = "Task failed: Module failed."


def record(message: str) -> dict:
    return {"output": f"{message} at line 1", "exception": {"message": message, "type": "RuntimeException"}}


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"failed": True, "error": [record("first"), record("second")], "result": {}}, "first"),
        ({"failed": True, "error": [record("first")], "msg": GENERAL}, "first"),
        ({"failed": True, "error": [], "msg": GENERAL}, GENERAL),
        ({"failed": True, "error": "a text of another module", "msg": GENERAL}, GENERAL),
        ({"failed": True, "error": ["a text"], "msg": GENERAL}, GENERAL),
        ({"failed": True, "error": [{"exception": None}], "msg": GENERAL}, GENERAL),
        ({"unreachable": True, "msg": "gone"}, "gone"),
        ({"failed": True, "msg": "loop", "results": [{"error": [record("warned")]}, {"failed": True, "error": [record("x")]}]}, "x"),
        ({"failed": True}, "it failed without a word"),
        ({"failed": False, "failed_when_result": False, "result": {}, "error": [record("first")]}, "first"),
    ],
)  # fmt: skip
def test_failure_message(result, reason):
    assert failure_message(result) == reason


@pytest.mark.parametrize(
    ("result", "said"),
    [({}, ""), ({"result": {}, "failed": False}, ""), ({"failed": True, "msg": "x"}, "x"), ({"unreachable": True, "msg": "gone"}, "gone"),
     ({"failed": False, "failed_when_result": False, "result": {}, "error": [record("x")]}, "x"),
     ({"failed": False, "failed_when_result": False, "result": {"a": 1}, "error": [record("warned")]}, "")],
)  # fmt: skip
def test_of_a_result_that_succeeded_it_says_what_it_is_told_to(result, said):
    assert failure_message(result, succeeded="") == said
