"""The second name of an entry, in UTF-8: what it is taken from, and that no bytes at all are too odd."""

from __future__ import annotations

import struct
import zlib

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.unicode_path import unicode_path
from hypothesis import given
from hypothesis import strategies as st

NAME = b"\x8enderung.txt"
"""In code page 850."""
RIGHT = b"\x01" + struct.pack("<L", zlib.crc32(NAME)) + "\u00c4nderung.txt".encode()


def field(tag: int, content: bytes, *, size: int | None = None) -> bytes:
    return struct.pack("<HH", tag, len(content) if size is None else size) + content


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        (field(0x7075, RIGHT), "\u00c4nderung.txt"),
        (field(0x5455, b"12345") + field(0x7075, RIGHT) + field(0x7875, b""), "\u00c4nderung.txt"),
        (b"", None),
        (field(0x6375, RIGHT), None),
        (field(0x7075, b"\x02" + RIGHT[1:]), None),
        (field(0x7075, RIGHT.replace(RIGHT[1:5], struct.pack("<L", zlib.crc32(b"_nderung.txt")))), None),
        (field(0x7075, RIGHT, size=len(RIGHT) + 1), None),
        (field(0x7075, RIGHT[:4]), None),
        (field(0x7075, RIGHT[:6]), None),
        (field(0x5455, b"12345", size=60) + field(0x7075, RIGHT), None),
        (field(0x7075, b"\x02" + RIGHT[1:]) + field(0x7075, RIGHT), None),
    ],
)
def test_the_name_that_a_field_tells(extra: bytes, name: str | None) -> None:
    assert unicode_path(NAME, extra) == name


FIELDS = st.lists(st.builds(field, st.sampled_from([0x7075, 0x5455]), st.one_of(st.binary(), st.just(RIGHT))))


@given(FIELDS, st.integers(0, 40))
def test_any_bytes(fields: list[bytes], kept: int) -> None:
    name = unicode_path(NAME, b"".join(fields)[:kept])
    assert name is None or (name == "\u00c4nderung.txt" and kept >= len(RIGHT))
