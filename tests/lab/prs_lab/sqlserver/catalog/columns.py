"""Lists of columns as text."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["split_columns"]


def split_columns(text: str) -> Iterator[tuple[str, str]]:
    """ "a int, b numeric(25,0) not null" -> ("a", "int"), ("b", "numeric(25,0) not null"); `name, name2: type` is not a
    form.
    """
    depth, current = 0, ""
    for letter in text + ",":
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            name, _, rest = " ".join(current.split()).partition(" ")
            yield name, rest
            current = ""
        else:
            current += letter
