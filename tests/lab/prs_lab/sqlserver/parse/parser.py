"""From the text of a batch to its statements."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from .backup import backup, restore
from .definition import alter, create, drop, permission
from .ir import Statement
from .language import execute, recognisers
from .queries import query
from .stream import RESERVED, TokenStream

__all__ = ["parse"]

Recogniser = Callable[[TokenStream], Statement]


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> tuple[Statement, ...]:
    """All statements of a batch. Raises errors.SyntaxFault: then nothing of the batch may run."""
    stream = TokenStream(text)
    statements: list[Statement] = []
    while not stream.at_end:
        if not stream.accept(";"):
            statements.append(statement(stream))
    return tuple(statements)


def statement(stream: TokenStream) -> Statement:
    """The one statement that starts here."""
    first, token = stream.place, stream.current()
    recogniser = _RECOGNISERS.get(token.upper)
    if recogniser is not None:
        stream.place += 1
        found = recogniser(stream)
    elif first == 0 and (token.kind == "name" or (token.kind == "word" and token.upper not in RESERVED)):
        found = execute(stream)  # the first statement of a batch may be a procedure's bare name
    else:
        stream.fail()
    found = dataclasses.replace(found, text=stream.source(first), line=token.line)
    if not stream.accept(";"):
        stream.unterminated = stream.place
    return found


_RECOGNISERS: dict[str, Recogniser] = {
    "BACKUP": backup,
    "RESTORE": restore,
    "CREATE": create,
    "ALTER": alter,
    "DROP": drop,
    **{word: functools.partial(permission, verb=word.lower()) for word in ("GRANT", "DENY", "REVOKE")},
    **{word: functools.partial(query, verb=word) for word in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE")},
    "(": functools.partial(query, verb="SELECT"),
    **recognisers(statement),
}
