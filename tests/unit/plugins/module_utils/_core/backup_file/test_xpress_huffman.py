"""The two examples that Microsoft publishes, and everything that a simple packer of the same format makes."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.errors import Damaged
from ansible_collections.prs.recovery.plugins.module_utils._core.backup_file.xpress_huffman import unpack
from backup_file_builder import xpress_huffman
from hypothesis import given, settings
from hypothesis import strategies as st


def table(**lengths: int) -> bytes:
    """The lengths of the codes; s97=5: symbol 97 has a code of five bits."""
    nibbles = [lengths.get(f"s{symbol}", 0) for symbol in range(512)]
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


ALPHABET = table(
    **{f"s{symbol}": 5 for symbol in range(97, 119)}, **{f"s{symbol}": 4 for symbol in (119, 120, 121, 122, 256)}
)
ABC = table(s97=3, s98=3, s99=2, s256=2, s287=2)


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (ALPHABET + bytes.fromhex("d8523ed794115be9195ff9d67cdf8d0400000000"), b"abcdefghijklmnopqrstuvwxyz"),
        (ABC + bytes.fromhex("a8dc0000ff2601"), b"abc" * 100),
    ],
    ids=["alphabet", "a match longer than one byte tells"],
)
def test_the_published_examples(packed: bytes, expected: bytes):
    assert unpack(packed, len(expected)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"a" * 17,
        b"a" * 18,
        b"a" * 273,
        b"a" * 274,
        b"a" * 70_000,
        bytes(65536),
        b"0123456789" * 13_000,
        bytes(range(256)) * 300,
    ],
    ids=["one byte of length", "the same", "three bytes", "the same", "two chunks", "zeros", "130,000", "76,800"],
)
def test_lengths_and_chunks(data: bytes):
    assert unpack(xpress_huffman(data), len(data)) == data


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([bytes(50), b"abcabc", b"x" * 400])), max_size=40))
def test_what_was_packed_comes_back(pieces: list[bytes]):
    data = b"".join(pieces)
    assert unpack(xpress_huffman(data), len(data)) == data


def test_no_more_is_unpacked_than_is_asked_for():
    packed = xpress_huffman(bytes(range(256)) * 200)
    assert len(unpack(packed, 100)) in range(100, 400)


@pytest.mark.parametrize(
    ("packed", "size", "reason"),
    [
        (b"", 1, "end too early"),
        (bytes(100), 1, "end too early"),
        (bytes(300), 1, "impossible table"),
        (b"\x11" * 300, 1, "impossible table"),
        (b"\x99" * 256, 1, "end too early"),
        (xpress_huffman(bytes(range(256)))[:400], 256, "end too early"),
        (ABC + b"\x00\x40" + bytes(30), 300, "outside"),
    ],
    ids=["nothing", "no table", "no codes", "too many codes", "no data", "cut off", "a match before the start"],
)
def test_impossible_data_are_refused(packed: bytes, size: int, reason: str):
    with pytest.raises(Damaged, match=reason):
        unpack(packed, size)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 200_000))
def test_garbage_ends_soon(data: bytes, size: int):
    for packed in (data, b"\x99" * 256 + data):
        try:
            assert len(unpack(packed, size)) <= size + 65536
        except Damaged:
            pass
