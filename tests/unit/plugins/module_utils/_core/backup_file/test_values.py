"""Numbers, times, LSNs, GUIDs and texts."""

from __future__ import annotations

from datetime import datetime

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.values import (
    guid,
    lsn,
    moment,
    text,
    xor_words,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("0000000000", None),
        ("1faa42e6ef", datetime(2026, 9, 1, 14, 27, 47)),
    ],
)
def test_a_time(stored: str, expected: datetime | None):
    assert moment(bytes.fromhex(stored), 0) == expected


@pytest.mark.parametrize(
    "stored", ["1fa802e6c6", "ffffffffff", "1faa42e6ff"], ids=["month 0", "year 16383", "second 63"]
)
def test_an_impossible_time(stored: str):
    with pytest.raises(Damaged, match="none that there is"):
        moment(bytes.fromhex(stored), 0)


def test_an_lsn_is_shown_in_decimal_parts():
    assert lsn(bytes.fromhex("25000000c80100000100"), 0) == 37_0000000456_00001
    assert lsn(bytes(10), 0) is None


def test_a_guid():
    assert guid(bytes(range(16)), 0) == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert guid(bytes(16), 0) is None
    with pytest.raises(Damaged):
        guid(bytes(10), 0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0\0\0\0", ""),
        (b"\x04\0\x04\0" + "Ж!".encode("utf-16-le"), "Ж!"),
        (b"\x06\0\x04\0" + "ab\0".encode("utf-16-le"), "ab"),
        (b"\x04\0\x04\0" + "\U0001f600".encode("utf-16-le"), "\U0001f600"),
    ],
)
def test_a_text(data: bytes, expected: str):
    assert text(data, 0) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x04\0\x06\0abcd", "outside"),
        (b"\x04\0\x04\0\x00\xd8a\0", "no UTF-16"),
        (b"\x03\0\x04\0abc", "no UTF-16"),
    ],
    ids=["outside of its block", "half of a pair", "half of a character"],
)
def test_a_text_that_cannot_be_one_is_not_guessed(data: bytes, reason: str):
    with pytest.raises(Damaged, match=reason):
        text(data, 0)


@given(st.lists(st.integers(0, 0xFFFF), max_size=32))
def test_words_are_xored(words: list[int]):
    total = 0
    for word in words:
        total ^= word
    assert xor_words(b"".join(word.to_bytes(2, "little") for word in words)) == total
