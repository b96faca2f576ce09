# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only place where a name or a text becomes part of a T-SQL statement.

Queries bind their values. BACKUP, RESTORE, CREATE, ALTER and DROP take no parameters: their names and texts are quoted
here.
"""

from __future__ import annotations

from ..._core.errors import RecoveryError

__all__ = ["LONGEST_NAME", "compose", "quote_identifier", "quote_text", "refuse_alike"]

LONGEST_NAME = 128
"""Characters (UTF-16 units) of a sysname."""


def quote_identifier(name: str, *, what: str = "name") -> str:
    """[name], for the place of an identifier. Raises RecoveryError for what no server accepts as one."""
    if not name or not name.strip():
        raise RecoveryError(f"An empty {what} is no name that SQL Server accepts", code="option_invalid")
    if "\x00" in name:
        raise RecoveryError(
            f"The {what} {name!r} holds a NUL character, which SQL Server does not accept", code="option_invalid"
        )
    if _units(name) > LONGEST_NAME:
        raise RecoveryError(
            f"The {what} '{name}' has {_units(name)} characters; SQL Server takes at most {LONGEST_NAME}",
            code="option_invalid",
        )
    return f"[{name.replace(']', ']]')}]"


def quote_text(value: str, *, what: str = "text") -> str:
    """N'value', for the place of a string literal."""
    if "\x00" in value:
        raise RecoveryError(
            f"The {what} {value!r} holds a NUL character, which SQL Server does not accept", code="option_invalid"
        )
    return "N'" + value.replace("'", "''") + "'"


def compose(template: str, **names: str) -> str:
    """A statement with each {name} of the template replaced by the quoted identifier."""
    return template.format_map({field: quote_identifier(name, what=field) for field, name in names.items()})


def refuse_alike(existing: str, asked: str, *, what: str, server: str) -> None:
    """Raises RecoveryError where a server answered for another name than it was asked for: it leaves out blanks at the
    end, and its collation may take more for the same than case.
    """
    if existing.lower() != asked.lower():
        raise RecoveryError(
            f"SQL Server on {server} takes the {what} '{asked}' for '{existing}', which has another name",
            code="option_invalid",
            advice="Write the name as it is there",
        )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
