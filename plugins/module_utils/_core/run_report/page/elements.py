# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of HTML. Whatever is no element is text, and escaped: nothing that a server said can become markup."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["Html", "join", "tag"]

_EMPTY = {"meta", "br"}


class Html(str):
    """Markup, which is not escaped again. Only this module makes it of something else."""

    __slots__ = ()


def tag(element: str, /, *children: Any, **attributes: Any) -> Html:
    """One element. children: elements or texts; None and '' are left out. attributes: class_ and for_ without their
    underscore, data_x as data-x.
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value not in (None, "")
    )
    start = f"<{element}{given}>"
    return Html(start if element in _EMPTY else f"{start}{join(*children)}</{element}>")


def join(*children: Any) -> Html:
    """Elements and texts, one after the other."""
    return Html("".join(_text(child) for child in children if child is not None))


def _text(child: Any) -> str:
    if isinstance(child, Html):
        return child
    if isinstance(child, (list, tuple)):
        return join(*child)
    return escape(str(child))
