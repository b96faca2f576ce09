"""T-SQL without its passwords, still T-SQL: what is recorded."""

from __future__ import annotations

import re

from .errors import SyntaxFault
from .parse.tokens import Token, tokenize

__all__ = ["masked"]

_SECRET_WORDS = ("PASSWORD", "OLD_PASSWORD", "SECRET", "MEDIAPASSWORD")
_ROUGH = re.compile(r"((?:PASSWORD|SECRET)\s*=\s*)(N?'(?:[^']|'')*'?|0x[0-9a-f]*)", re.IGNORECASE)


def masked(text: str) -> str:
    """Every literal after PASSWORD = (or SECRET =) replaced by '***', hashes by 0x00; also inside T-SQL that is itself
    a string literal.
    """
    if not re.search("password|secret|pwdcompare|pwdencrypt|sp_addlogin|sp_password", text, re.IGNORECASE):
        return text
    try:
        tokens = tokenize(text)
    except SyntaxFault:
        return _ROUGH.sub(r"\1'***'", text)
    out, place = [], 0
    for number, token in enumerate(tokens):
        new = _replacement(tokens, number, token)
        if new is not None:
            out += [text[place : token.start], new]
            place = token.end
    return "".join(out) + text[place:]


def _replacement(tokens: list[Token], number: int, token: Token) -> str | None:
    before = tokens[number - 1].upper if number else ""
    second = tokens[number - 2].upper if number > 1 else ""
    if token.kind in ("string", "binary"):
        secret = (before == "=" and second in _SECRET_WORDS) or (
            before == "(" and second in ("PWDCOMPARE", "PWDENCRYPT")
        )
        named = (
            before == "="
            and number > 1
            and tokens[number - 2].text.lower() in ("@passwd", "@new", "@old", "@password", "@sapwd")
        )
        if secret or named:
            return "0x00" if token.kind == "binary" else "N'***'" if token.text[0] in "nN" else "'***'"
    if token.kind == "string" and re.search(r"password|secret", token.value, re.IGNORECASE) and "=" in token.value:
        inner = masked(token.value)
        if inner != token.value:
            return token.text[: token.text.index("'")] + "'" + inner.replace("'", "''") + "'"
    return None
