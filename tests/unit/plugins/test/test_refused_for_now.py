"""Which failures are worth another try."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.test.refused_for_now import refused_for_now

BUSY = "Der Dienst kann zurzeit keine Steuermeldungen annehmen. (Ausnahme von HRESULT: 0x80070425)"


@pytest.mark.parametrize(
    ("result", "passes"),
    [
        ({"failed": True, "msg": BUSY}, True),
        ({"failed": True, "error": [{"exception": {"message": BUSY}}]}, True),
        ({"failed": True, "msg": "One or more items failed", "results": [{"failed": True, "msg": BUSY}]}, True),
        ({"failed": True, "msg": "Cannot find the pool"}, False),
        ({"failed": False, "msg": BUSY}, False),
        ({"changed": True}, False),
    ],
)
def test_what_passes(result, passes):
    assert refused_for_now(result) is passes
