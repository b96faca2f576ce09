"""The tokens of a batch with a place in them, and the small questions that recognisers ask."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

from ..errors import SyntaxFault
from .ir import Value, Variable
from .tokens import Token, tokenize

__all__ = ["RESERVED", "STARTERS", "TokenStream"]

STARTERS = frozenset(
    """ALTER BACKUP BEGIN BREAK CHECKPOINT CLOSE COMMIT CONTINUE CREATE DBCC DEALLOCATE DECLARE DELETE DENY DROP ELSE END EXEC EXECUTE FETCH
    GOTO GRANT IF INSERT KILL MERGE OPEN PRINT RAISERROR RECONFIGURE RESTORE RETURN REVERT REVOKE ROLLBACK SAVE SELECT SET SHUTDOWN THROW TRUNCATE
    UPDATE USE WAITFOR WHILE WITH""".split()  # noqa: SIM905
)
RESERVED = (STARTERS - {"THROW"}) | frozenset(
    """ADD ALL AND ANY AS ASC AUTHORIZATION BETWEEN BROWSE BULK BY CASCADE CASE CHECK CLUSTERED COALESCE COLLATE COLUMN COMPUTE CONSTRAINT CONTAINS
    CONTAINSTABLE CONVERT CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DEFAULT DESC DISK DISTINCT DISTRIBUTED
    DOUBLE DUMP ERRLVL ESCAPE EXCEPT EXISTS EXIT EXTERNAL FILE FILLFACTOR FOR FOREIGN FREETEXT FREETEXTTABLE FROM FULL FUNCTION GROUP HAVING HOLDLOCK
    IDENTITY IDENTITY_INSERT IDENTITYCOL IN INDEX INNER INTERSECT INTO IS JOIN KEY LEFT LIKE LINENO LOAD NATIONAL NOCHECK NONCLUSTERED NOT NULL NULLIF OF
    OFF OFFSETS ON OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN PRIMARY PROC PROCEDURE PUBLIC READ READTEXT
    REFERENCES REPLICATION RESTRICT RIGHT ROWCOUNT ROWGUIDCOL RULE SCHEMA SECURITYAUDIT SESSION_USER SETUSER SOME STATISTICS SYSTEM_USER TABLE
    TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATETEXT USER VALUES VARYING VIEW WHEN WHERE
    WITHIN WRITETEXT""".split()  # noqa: SIM905
)


class TokenStream:
    """Reads a batch from left to right; whatever does not fit raises the server's own syntax error."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.place = 0
        self.unterminated = -1
        """Where a statement ended without a semicolon, for what must not follow one."""

    # ---- looking
    @property
    def at_end(self) -> bool:
        return self.place >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        """The word or sign `ahead` tokens on in upper case, "" for anything else and at the end."""
        place = self.place + ahead
        return self.tokens[place].upper if place < len(self.tokens) else ""

    def current(self) -> Token:
        """The token here; at the end of the batch a syntax error."""
        if self.at_end:
            last = self.tokens[-1] if self.tokens else None
            raise SyntaxFault(
                102, f"Incorrect syntax near '{last.value if last else ''}'.", line=last.line if last else 1
            )
        return self.tokens[self.place]

    def fail(self) -> NoReturn:
        """102 or 156 at the token here."""
        token = self.current()
        if token.kind == "word" and token.upper in RESERVED:
            raise SyntaxFault(156, f"Incorrect syntax near the keyword '{token.text}'.", line=token.line)
        raise SyntaxFault(
            102,
            f"Incorrect syntax near '{token.value if token.kind in ('string', 'name') else token.text}'.",
            line=token.line,
        )

    def at_statement_end(self) -> bool:
        """Whether what comes next cannot belong to this statement."""
        return self.at_end or self.peek() == ";" or (self.tokens[self.place].kind == "word" and self.peek() in STARTERS)

    # ---- taking
    def accept(self, *words: str) -> str:
        """Take one of these words or signs if it is here; returns it, else ""."""
        word = self.peek()
        if word and word in words:
            self.place += 1
            return word
        return ""

    def accept_all(self, *words: str) -> bool:
        """Take all of these in this order, or nothing."""
        if all(self.peek(ahead) == word for ahead, word in enumerate(words)):
            self.place += len(words)
            return True
        return False

    def expect(self, *words: str) -> str:
        """Take one of these words or signs; anything else is a syntax error."""
        return self.accept(*words) or self.fail()

    def expect_all(self, *words: str) -> None:
        """Take all of these in this order."""
        for word in words:
            self.expect(word)

    def take(self) -> Token:
        """Take whatever is here."""
        token = self.current()
        self.place += 1
        return token

    def expect_end(self) -> None:
        """Nothing more may belong to this statement."""
        if not self.at_statement_end():
            self.fail()

    def name(self) -> str:
        """An identifier."""
        token = self.current()
        if token.kind == "name" or (token.kind == "word" and token.upper not in RESERVED):
            self.place += 1
            if len(token.value) > 128:
                raise SyntaxFault(
                    103,
                    f"The identifier that starts with '{token.value[:124]}' is too long. Maximum length is 128.",
                    line=token.line,
                )
            return token.value
        self.fail()

    def name_or_variable(self) -> Value:
        """An identifier or a variable."""
        return self.variable() if self.current().kind == "variable" else self.name()

    def dotted_name(self) -> tuple[str, ...]:
        """server.database.schema.object: as many parts as there are, an omitted one is ""."""
        parts = [self.name()]
        while self.accept("."):
            parts.append("" if self.peek() == "." else self.name())
        return tuple(parts)

    def variable(self) -> Variable:
        """A variable's name, "@" included."""
        token = self.current()
        if token.kind != "variable":
            self.fail()
        self.place += 1
        return Variable(token.text)

    def string(self) -> str:
        """A string literal."""
        return self._literal("string")

    def string_or_variable(self) -> Value:
        """A string literal or a variable."""
        return self.variable() if self.current().kind == "variable" else self.string()

    def integer_or_variable(self) -> Value:
        """A whole number, also negative, or a variable."""
        if self.current().kind == "variable":
            return self.variable()
        sign = -1 if self.accept("-") else 1
        value = self._literal("number")
        if not isinstance(value, int):
            self.place -= 1
            self.fail()
        return sign * value

    def literal_or_variable(self) -> Value | Decimal | None:
        """Any literal (NULL is None), or a variable."""
        if self.accept("NULL"):
            return None
        token = self.current()
        if token.kind == "variable":
            return self.variable()
        sign = -1 if self.accept("-") else 1
        token = self.current()
        if token.kind == "number":
            self.place += 1
            return sign * token.value
        if sign == 1 and token.kind in ("string", "binary"):
            self.place += 1
            return token.value
        self.fail()

    def _literal(self, kind: str):
        token = self.current()
        if token.kind != kind:
            self.fail()
        self.place += 1
        return token.value

    # ---- skipping
    def source(self, first: int, last: int | None = None) -> str:
        """The text from token `first` up to, not including, token `last` (default: the one here)."""
        last = self.place if last is None else last
        return self.text[self.tokens[first].start : self.tokens[last - 1].end] if last > first else ""

    def parenthesised(self) -> str:
        """Take a balanced ( ... ); returns its text, brackets included."""
        first = self.place
        self.expect("(")
        depth = 1
        while depth:
            sign = self.take().upper
            depth += (sign == "(") - (sign == ")")
        return self.source(first)
