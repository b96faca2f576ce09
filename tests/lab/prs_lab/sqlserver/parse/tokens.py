"""T-SQL text to tokens, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..errors import SyntaxFault

__all__ = ["Token", "tokenize"]

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\r\n]*)
     |(?P<comment>/\*)
     |(?P<string>[nN]?'(?:[^']|'')*')
     |(?P<open_string>[nN]?')
     |(?P<bracketed>\[(?:[^\]]|\]\])*\])
     |(?P<open_bracket>\[)
     |(?P<quoted>"(?:[^"]|"")*")
     |(?P<open_quote>")
     |(?P<binary>0[xX][0-9a-fA-F]*)
     |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
     |(?P<variable>@@?[\w@$\#]+)
     |(?P<word>[^\W\d][\w@$\#]*|\#\#?[\w@$\#]+)
     |(?P<sign><>|<=|>=|!=|!<|!>|\+=|-=|\*=|/=|%=|&=|\|=|\^=|::|[-+*/%=<>().,;:&|^~!{}\\$?])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """kind: string, name (quoted), word, number, binary, variable, sign. `upper` is "" unless it is a word or a sign."""

    kind: str
    text: str
    upper: str
    value: Any
    start: int
    end: int
    line: int


def tokenize(text: str) -> list[Token]:
    """All tokens of a batch without blanks and comments. Raises SyntaxFault 102, 103, 105, 113."""
    tokens: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SyntaxFault(102, f"Incorrect syntax near '{text[position]}'.", line=line)
        kind, end = str(match.lastgroup), match.end()
        if kind == "comment":
            end = _end_of_comment(text, end, line)
        elif kind in ("open_string", "open_bracket", "open_quote"):
            raise SyntaxFault(
                105, f"Unclosed quotation mark after the character string '{text[end : end + 128]}'.", line=line
            )
        elif kind != "space":
            tokens.append(_token(kind, match.group(), position, end, line))
        line += text.count("\n", position, end)
        position = end
    return tokens


def _end_of_comment(text: str, position: int, line: int) -> int:
    depth = 1
    while depth:
        opening, closing = text.find("/*", position), text.find("*/", position)
        if closing < 0:
            raise SyntaxFault(113, "Missing end comment mark '*/'.", line=line)
        if 0 <= opening < closing:
            depth, position = depth + 1, opening + 2
        else:
            depth, position = depth - 1, closing + 2
    return position


def _token(kind: str, text: str, start: int, end: int, line: int) -> Token:
    value: Any = text
    if kind == "string":
        value = text[text.index("'") + 1 : -1].replace("''", "'")
    elif kind == "bracketed":
        kind, value = "name", text[1:-1].replace("]]", "]")
    elif kind == "quoted":
        kind, value = "name", text[1:-1].replace('""', '"')
    elif kind == "number":
        value = int(text) if text.isdigit() else float(text) if "e" in text.lower() else Decimal(text)
    elif kind == "binary":
        digits = text[2:]
        value = bytes.fromhex(digits if len(digits) % 2 == 0 else "0" + digits)
    if kind == "name":
        if not value:
            raise SyntaxFault(
                1038,
                "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a "
                "name. "
                "For other statements, look for empty alias names.",
                line=line,
            )
        if len(value) > 128:
            raise SyntaxFault(
                103, f"The identifier that starts with '{value[:124]}' is too long. Maximum length is 128.", line=line
            )
    return Token(kind, text, text.upper() if kind in ("word", "sign") else "", value, start, end, line)
