"""Quantities in sentences."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.text import age, bytes_text, counted


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (61, "1 min 1 s"), (3600, "1 h"), (93600, "1 d 2 h"), (86400 * 3 + 59, "3 d"), (-5, "0 s")],
)
def test_ages(seconds, said):
    assert age(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 bytes"), (1, "1 byte"), (59, "59 bytes"), (1023, "1023 bytes"), (1 << 20, "1.0 MB"), (3 << 40, "3.0 TB")],
)
def test_sizes(number, said):
    assert bytes_text(number) == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((1, "minute"), "1 minute"),
        ((2, "minute"), "2 minutes"),
        ((0, "file"), "0 files"),
        ((3, "entry", "entries"), "3 entries"),
    ],
)
def test_counts(arguments, said):
    assert counted(*arguments) == said
