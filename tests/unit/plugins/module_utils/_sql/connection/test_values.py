from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.values import plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        ("x", "x"),
        (1.5, 1.5),
        (b"\x6f\x1a", "0x6F1A"),
        (bytearray(b"\x01"), "0x01"),
        (b"", "0x"),
        (decimal.Decimal("36000000014400001"), 36000000014400001),
        (decimal.Decimal("9999999999999999999999999"), 9999999999999999999999999),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID("6f1a5c2f-9c1e-4a4e-a1b6-d2f1b8c0a7e3"), "6F1A5C2F-9C1E-4A4E-A1B6-D2F1B8C0A7E3"),
        (dt.datetime(2026, 3, 1, 14, 30, 5, 123000), "2026-03-01T14:30:05.123000"),
        (dt.date(2026, 3, 1), "2026-03-01"),
    ],
)
def test_values(value, expected):
    result = plain(value)
    assert result == expected and type(result) is type(expected)
    assert json.loads(json.dumps(result)) == expected
