"""Records of a page, at their edges."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.page import PAGE, read_record


@pytest.mark.parametrize(
    ("columns", "variable"),
    [([], ()), ([b"abc"], (b"abc",)), ([b"abc", b""], (b"abc", b"")), ([b"", b"de"], (b"", b"de"))],
)
def test_columns_of_variable_length(columns: list[bytes], variable: tuple[bytes, ...]) -> None:
    """A record may say that it has some, and then that there are none."""
    offset, fixed = 96, b"fix!"
    head = bytes([0x30, 0]) + struct.pack("<H", 4 + len(fixed)) + fixed + struct.pack("<HB", 1, 0)
    begin = len(head) + 2 + 2 * len(columns)
    ends = [begin + sum(map(len, columns[: number + 1])) for number in range(len(columns))]
    record = head + struct.pack(f"<H{len(ends)}H", len(columns), *ends) + b"".join(columns)
    found = read_record((b"\0" * offset + record).ljust(PAGE, b"\0"), offset)
    assert (found.fixed, found.variable) == (fixed, variable)
