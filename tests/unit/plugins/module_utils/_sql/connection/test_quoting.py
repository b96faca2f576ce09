from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.quoting import (
    compose,
    quote_identifier,
    quote_text,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("PRS", "[PRS]"),
        ("a]b", "[a]]b]"),
        ("]", "[]]]"),
        ("a'b", "[a'b]"),
        ('a"b', '[a"b]'),
        ("x; DROP DATABASE y --", "[x; DROP DATABASE y --]"),
        ("ünï 😀", "[ünï 😀]"),
        ("x" * 128, f"[{'x' * 128}]"),
    ],
)
def test_identifiers(name, quoted):
    assert quote_identifier(name) == quoted


@pytest.mark.parametrize(
    ("name", "part"), [("", "empty"), ("  ", "empty"), ("a\x00b", "NUL"), ("x" * 129, "129"), ("😀" * 65, "130")]
)
def test_names_that_no_server_accepts_are_refused(name, part):
    with pytest.raises(RecoveryError, match=part):
        quote_identifier(name, what="database")


@pytest.mark.parametrize(
    ("text", "quoted"), [("D:\\x", "N'D:\\x'"), ("it's", "N'it''s'"), ("''", "N''''''"), ("", "N''")]
)
def test_texts(text, quoted):
    assert quote_text(text) == quoted


def test_a_nul_in_a_text_is_refused():
    with pytest.raises(RecoveryError, match="NUL"):
        quote_text("a\x00b")


def test_compose_quotes_whatever_it_puts_in():
    assert (
        compose("ALTER USER {user} WITH LOGIN = {login}", user="a]b", login="c d")
        == "ALTER USER [a]]b] WITH LOGIN = [c d]"
    )
    assert compose("USE {database}", database="{x}") == "USE [{x}]"


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_nothing_gets_out_of_its_quotes(value):
    """Read back as T-SQL reads it, with doubled brackets and quotes, every text is itself again."""
    text = quote_text(value)
    assert text[2:-1].replace("''", "") == value.replace("'", "")
    assert text[2:-1].replace("''", "'") == value
    if value.strip():
        assert quote_identifier(value)[1:-1].replace("]]", "]") == value
        assert quote_identifier(value)[1:-1].count("]") % 2 == 0
