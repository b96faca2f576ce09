"""From the items of a statement to the tokens of an answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from . import tds
from .encode import column_metadata, return_value, row_encoder
from .items import Cols, Done, Drop, Environment, Error, Flush, Info, Item, ReturnStatus, ReturnValue, Row, Rows
from .tds import DoneStatus, Token

__all__ = ["Answer", "Dropped"]

_PIECE = 32_000
_PATIENCE = 0.2
"""Seconds after which messages are sent although the packet is not full."""


class Dropped(Exception):
    """The connection is to end here; args: "rst" or "fin"."""


class Answer:
    """Writes one answer. A DONE is held back until it is known whether anything follows it: that sets its MORE bit.

    `send(payload, last)` takes whole pieces; `in_transaction()` is asked at every DONE.
    """

    def __init__(self, *, server: str, send: Callable[[bytes, bool], None], in_transaction: Callable[[], bool]) -> None:
        self._server = server
        self._send = send
        self._in_transaction = in_transaction
        self._out = bytearray()
        self._sent = time.monotonic()

    def batch(self, items: Iterator[Item]) -> None:
        """The answer to a batch or to a transaction request: ends the message."""
        self._statement_tokens(items, Token.DONE)
        self.flush(last=True)

    def procedure(self, items: Iterator[Item], *, last: bool) -> None:
        """The answer to one call of an RPC request."""
        status, values, failed = self._statement_tokens(items, Token.DONE_IN_PROCEDURE)
        self._out += tds.return_status(status)
        for value in values:
            self._out += return_value(value.ordinal, value.name, value.type, value.value)
        flags = DoneStatus.FINAL if last else DoneStatus.MORE
        self._out += tds.done(Token.DONE_PROCEDURE, self._flags(flags | (DoneStatus.ERROR if failed else 0)), 0xE0)
        if last:
            self.flush(last=True)

    def raw(self, token: bytes) -> None:
        """Append a token made elsewhere."""
        self._out += token

    def message(self, item: Info | Error) -> None:
        """Append a message."""
        self._out += tds.message(
            item.number, item.state, item.severity, item.text, self._server, item.procedure, item.line
        )

    def discard(self) -> None:
        """Forget what was not sent yet (the client gave the request up)."""
        self._out.clear()

    def flush(self, *, last: bool = False) -> None:
        """Send what there is."""
        if self._out or last:
            self._send(bytes(self._out), last)
            self._out.clear()
        self._sent = time.monotonic()

    def _flags(self, status: int) -> int:
        return status | (DoneStatus.IN_TRANSACTION if self._in_transaction() else 0)

    def _statement_tokens(self, items: Iterator[Item], token: Token) -> tuple[int, list[ReturnValue], bool]:
        """-> (return status, output values, whether the last statement failed)."""
        held: tuple[int, int, int] | None = None
        encode, rows, failed, any_failed = None, 0, False, False
        status, values = 0, []
        for item in items:
            if isinstance(item, Row):
                self._out += encode(item.values)
                rows += 1
            elif isinstance(item, Rows):
                for values_of_row in item.rows:
                    self._out += encode(values_of_row)
                    if len(self._out) > _PIECE:
                        self.flush()
                rows += len(item.rows)
            elif isinstance(item, ReturnStatus):
                status = item.value
            elif isinstance(item, ReturnValue):
                values.append(item)
            else:
                if held is not None:
                    self._done(token, held, DoneStatus.MORE)
                    held = None
                if isinstance(item, Cols):
                    self._out += column_metadata(item.columns)
                    encode, rows = row_encoder(item.columns), 0
                elif isinstance(item, Done):
                    held = self._held(item, encode is not None, rows, failed)
                    encode, failed = None, False
                elif isinstance(item, Info | Error):
                    self.message(item)
                    failed = failed or isinstance(item, Error)
                    any_failed = any_failed or isinstance(item, Error)
                elif isinstance(item, Environment):
                    self._out += tds.environment(item.kind, item.new, item.old)
                elif isinstance(item, Drop):
                    self.flush()
                    raise Dropped(item.how)
                elif isinstance(item, Flush):
                    self.flush()
            if len(self._out) > _PIECE or (self._out and time.monotonic() - self._sent > _PATIENCE):
                self.flush()
        if token == Token.DONE:
            if failed or held is None:
                if held is not None:
                    self._done(token, held, DoneStatus.MORE)
                held = (DoneStatus.ERROR if failed else DoneStatus.FINAL, 0xFD, 0)
            self._done(token, held, DoneStatus.FINAL)
        elif held is not None:
            self._done(token, held, DoneStatus.MORE)
        return status, values, any_failed

    def _done(self, token: Token, held: tuple[int, int, int], more: DoneStatus) -> None:
        status, command, count = held
        self._out += tds.done(token, self._flags(status | more), command, count)

    @staticmethod
    def _held(item: Done, had_columns: bool, rows: int, failed: bool) -> tuple[int, int, int]:
        count = item.count if item.count is not None else rows if had_columns else None
        status = (DoneStatus.COUNT if count is not None else DoneStatus.FINAL) | (
            DoneStatus.ERROR if failed else DoneStatus.FINAL
        )
        return status, item.command or (0xC1 if had_columns else 0), count or 0
