# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a wreck that was handed over as plain values, strictly: a fact that is missing or misspelt is an error."""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

from ..errors import RecoveryError
from ..times import parse_stored_time
from .cost import Phase
from .estimates import Measured
from .wreck import Wreck

__all__ = ["read_measured", "read_wreck"]

T = TypeVar("T")


def read_wreck(facts: Mapping[str, Any], now: dt.datetime) -> Wreck:
    """facts: as the fields of C(Wreck) but now; times as texts in ISO 8601, UTC. Raises RecoveryError."""
    return _record(Wreck, {**facts, "now": now}, "facts")


def read_measured(journal: Sequence[Mapping[str, Any]]) -> list[Measured]:
    """Phases of earlier runs; those that this release does not know are left out."""
    known = {phase.value for phase in Phase}
    return [Measured(**{**entry, "phase": Phase(entry["phase"])}) for entry in journal if entry["phase"] in known]


def _record(kind: type[T], raw: Any, name: str) -> T:
    if not isinstance(raw, Mapping):
        raise _wrong(name, "has to be a dictionary")
    types_of = typing.get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(raw) - set(known)):
        raise _wrong(f"{name}.{unknown[0]}", "is not known")
    for field in known.values():
        if field.name not in raw and field.default is MISSING and field.default_factory is MISSING:
            raise _wrong(f"{name}.{field.name}", "is missing")
    return kind(**{key: _value(types_of[key], value, f"{name}.{key}") for key, value in raw.items()})


def _value(kind: Any, raw: Any, name: str) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return None if raw is None else _value(typing.get_args(kind)[0], raw, name)
    if typing.get_origin(kind) is Sequence:
        if not isinstance(raw, (list, tuple)):
            raise _wrong(name, "has to be a list")
        of = typing.get_args(kind)[0]
        return tuple(_value(of, item, f"{name}[{number}]") for number, item in enumerate(raw))
    if is_dataclass(kind):
        return _record(kind, raw, name)  # type: ignore[arg-type]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choice(kind, raw, name)
    if kind is dt.datetime:
        return raw if isinstance(raw, dt.datetime) else _time(raw, name)
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        raise _wrong(name, f"has to be of the type {kind.__name__}")
    return raw


def _choice(kind: type[Enum], raw: Any, name: str) -> Enum:
    try:
        return kind(raw)
    except ValueError:
        choices = ", ".join(member.value for member in kind)
        raise _wrong(name, f"is {raw!r}; it is one of {choices}") from None


def _time(raw: Any, name: str) -> dt.datetime:
    try:
        return parse_stored_time(raw)
    except (ValueError, TypeError, AttributeError):
        raise _wrong(name, f"is {raw!r}, which is no time in ISO 8601") from None


def _wrong(name: str, what: str) -> RecoveryError:
    return RecoveryError(
        f"The facts of this estate cannot be judged: {name} {what}",
        advice="The role prs.recovery.preflight gathers them: give them as it does",
        code="option_invalid",
    )
