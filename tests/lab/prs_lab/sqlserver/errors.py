"""Errors as SQL Server raises them: a number, a text, a severity, a state."""

from __future__ import annotations

from collections.abc import Iterator

from .wire.items import Error

__all__ = ["Cancelled", "ConnectionKilled", "SqlError", "SyntaxFault", "Unmodelled"]


class Cancelled(Exception):
    """The running statement was given up: attention, KILL, or the client is gone."""


class ConnectionKilled(Cancelled):
    """The whole session was ended by another one (KILL, ROLLBACK IMMEDIATE)."""


class SqlError(Exception):
    """One error; `follow` are the ones reported after it (3201 is followed by 3013).

    `fatal`: severity 20 and above end the connection. `batch`: the rest of the batch is not run.
    """

    def __init__(
        self,
        number: int,
        text: str,
        *,
        state: int = 1,
        severity: int = 16,
        line: int = 0,
        follow: tuple[SqlError, ...] = (),
        batch: bool = False,
    ) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text
        self.state = state
        self.severity = severity
        self.line = line
        self.follow = follow
        self.batch = batch

    @property
    def fatal(self) -> bool:
        return self.severity >= 20

    def items(self, line: int = 0) -> Iterator[Error]:
        """The Error items, first the error itself, then those that follow."""
        for error in (self, *self.follow):
            yield Error(error.number, error.text, error.state, error.severity, error.line or line)


class SyntaxFault(SqlError):
    """The text is no T-SQL: nothing of the batch is run."""

    def __init__(self, number: int, text: str, *, line: int = 1, state: int = 1) -> None:
        super().__init__(number, text, state=state, severity=15, line=line, batch=True)


class Unmodelled(SqlError):
    """Something that may well be right on a real server, and that this twin does not know: always listed, never
    guessed.
    """

    def __init__(self, what: str, *, line: int = 0) -> None:
        super().__init__(50999, f"Lab: not modelled: {what}", line=line, batch=True)
        self.what = what
