"""EXEC of system procedures: sp_executesql, locks, configuration, files, and what drivers ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import SqlError, Unmodelled
from ..parse import ir_language as ir
from ..parse.expressions import type_name
from ..parse.ir import Variable
from ..parse.stream import TokenStream
from ..query.values import to_storage
from ..types import SqlType, sql_type
from ..wire.items import Item, ReturnStatus, ReturnValue
from .batch import Batch
from .registry import PROCEDURES, procedure

__all__ = ["Arguments", "declarations", "execute_procedure", "run_procedure"]


@dataclass
class Arguments:
    """Of a procedure: by position and by name (lower case, "@" included), as stored values."""

    positional: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    types: dict[str, SqlType] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def take(self, *names: str, defaults: dict[str, Any] | None = None) -> list[Any]:
        """The values of the formal parameters `names`, in order. Raises 201, 8144, 8145."""
        if len(self.positional) > len(names):
            raise SqlError(8144, "Procedure or function has too many arguments specified.", state=2)
        unknown = set(self.named) - {f"@{name}" for name in names}
        if unknown:
            raise SqlError(8145, f"{sorted(unknown)[0]} is not a parameter for procedure.")
        values = []
        for place, name in enumerate(names):
            if place < len(self.positional):
                values.append(self.positional[place])
            elif f"@{name}" in self.named:
                values.append(self.named[f"@{name}"])
            elif defaults is not None and name in defaults:
                values.append(defaults[name])
            else:
                raise SqlError(
                    201, f"Procedure or function expects parameter '@{name}', which was not supplied.", state=4
                )
        return values


def execute_procedure(batch: Batch, statement: ir.ExecuteProcedure) -> Iterator[Item]:
    """EXEC in a batch: OUTPUT arguments and the status go back into variables."""
    name = ".".join(
        str(batch.variable(part)) if isinstance(part, Variable) else str(part) for part in statement.procedure
    )
    arguments = Arguments()
    targets: dict[str, str] = {}
    for place, argument in enumerate(statement.arguments):
        key = argument.name.lower() or f"#{place}"
        value = argument.value
        if isinstance(value, Variable):
            arguments.types[key] = batch.types.get(str(value).lower(), SqlType("nvarchar", 4000))
            if argument.output:
                targets[key] = str(value)
            value = batch.variable(value)
        value = to_storage(value)
        if argument.name:
            arguments.named[key] = value
        else:
            arguments.positional.append(value)
    arguments.outputs = list(targets)
    for item in run_procedure(batch, name, arguments):
        if isinstance(item, ReturnStatus):
            if statement.status is not None:
                batch.assign(str(statement.status), item.value)
        elif isinstance(item, ReturnValue):
            target = targets.get(item.name.lower()) or targets.get(f"#{item.ordinal}")
            if target:
                batch.assign(target, item.value)
        else:
            yield item


def run_procedure(batch: Batch, name: str, arguments: Arguments) -> Iterator[Item]:
    """A procedure by name: its items, OUTPUT values and status. Raises 2812 (listed as unmodelled unless the name is
    clearly a user's own).
    """
    short = name.replace("[", "").replace("]", "").split(".")[-1].lower()
    found = PROCEDURES.get(short)
    if found is None:
        if re.match(r"(sp|xp|fn)_", short):
            batch.instance.unmodelled(f"procedure {name}", name)
        raise SqlError(2812, f"Could not find stored procedure '{name}'.", state=62)
    yield from found(batch, arguments)


def declarations(text: str | None) -> dict[str, SqlType]:
    """ "@a int, @b nvarchar(10) OUTPUT" -> types by name in lower case."""
    found: dict[str, SqlType] = {}
    if not text or not text.strip():
        return found
    stream = TokenStream(text)
    while True:
        name = str(stream.variable()).lower()
        stream.accept("AS")
        found[name] = sql_type(type_name(stream))
        stream.accept("OUTPUT", "OUT")
        stream.accept("READONLY")
        if not stream.accept(","):
            break
    if not stream.at_end:
        stream.fail()
    return found


@procedure("sp_executesql")
def _executesql(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """Statement, declarations, then the values; OUTPUT ones come back."""
    positional = list(arguments.positional)
    text = positional.pop(0) if positional else arguments.named.get("@stmt", arguments.named.get("@statement"))
    declared = positional.pop(0) if positional else arguments.named.get("@params")
    if text is None:
        raise SqlError(214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.", state=2)
    types = declarations(declared)
    values: dict[str, Any] = dict.fromkeys(types)
    skipped = len(arguments.positional) - len(positional)
    places: dict[str, str] = {}
    for place, (name, value) in enumerate(zip(types, positional, strict=False)):
        values[name] = value
        places[name] = f"#{place + skipped}"
    for name, value in arguments.named.items():
        if name in ("@stmt", "@statement", "@params"):
            continue
        if name not in types:
            raise SqlError(8145, f"{name} is not a parameter for procedure sp_executesql.")
        values[name], places[name] = value, name
    missing = [name for name in types if name not in places]
    if missing:
        raise SqlError(
            8178,
            f"The parameterized query '{text[:100]}' expects the parameter '{missing[0]}', which was not supplied.",
        )
    inner = batch.nested(text, types=types)
    for name in types:
        inner.assign(name, values[name])
    yield from inner.text(text)
    for name, key in places.items():
        if key in arguments.outputs:
            ordinal = int(key[1:]) if key.startswith("#") else 0
            yield ReturnValue(
                name if not key.startswith("#") else "", str(types[name]), inner.values.get(name), ordinal
            )
    yield ReturnStatus(inner.return_value)


@procedure("sp_reset_connection")
def _reset(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    batch.session.reset(keep_transaction=False)
    yield ReturnStatus(0)


@procedure("sp_rename", "sp_addlinkedserver", "sp_addumpdevice")
def _known_but_not_modelled(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    raise Unmodelled("this system procedure")
    yield
