"""Remote procedure calls: prepared statements, and any other procedure by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import SqlError
from ..query.values import from_storage, to_storage
from ..types import SqlType
from ..wire.decode import Call, Parameter
from ..wire.items import Item, ReturnStatus, ReturnValue
from .batch import Batch
from .procedures import Arguments, declarations, run_procedure

if TYPE_CHECKING:
    from ..session import Session

__all__ = ["remote_call"]


def remote_call(session: Session, call: Call) -> Iterator[Item]:
    """One call of an RPC request."""
    name = call.procedure.replace("[", "").replace("]", "").split(".")[-1].lower()
    parameters = call.parameters
    if name == "sp_executesql":
        yield from _run(
            session, _text(parameters[0]), _typed(_text(parameters[1]) if len(parameters) > 1 else "", parameters[2:])
        )
    elif name in ("sp_prepexec", "sp_prepare"):
        declared, text = _text(parameters[1]), _text(parameters[2])
        number = len(session.prepared) + 1
        while number in session.prepared:
            number += 1
        session.prepared[number] = (declared, text)
        if name == "sp_prepexec":
            yield from _run(session, text, _typed(declared, parameters[3:]))
        yield ReturnStatus(0)
        yield ReturnValue(parameters[0].name, "int", number)
    elif name == "sp_execute":
        number = parameters[0].value
        if number not in session.prepared:
            raise SqlError(8179, f"Could not find prepared statement with handle {number}.", state=2)
        declared, text = session.prepared[number]
        yield from _run(session, text, _typed(declared, parameters[1:]))
    elif name == "sp_unprepare":
        session.prepared.pop(parameters[0].value, None)
        yield ReturnStatus(0)
    else:
        yield from _procedure(session, call)


def _text(parameter: Parameter) -> str:
    return "" if parameter.value is None else str(parameter.value)


def _typed(declared: str, parameters: tuple[Parameter, ...]) -> list[tuple[str, SqlType, Any, bool]]:
    """(name, type, stored value, output) of what a prepared statement gets."""
    known = declarations(declared)
    names = list(known)
    found = []
    for place, parameter in enumerate(parameters):
        name = parameter.name.lower() or (names[place] if place < len(names) else f"@p{place + 1}")
        if name not in known:
            raise SqlError(8144, "Procedure or function has too many arguments specified.", state=2)
        found.append((name, known[name], to_storage(parameter.value), parameter.output))
    given = {name for name, *_ in found}
    for name in names:
        if name not in given:
            raise SqlError(8178, f"The parameterized query expects the parameter '{name}', which was not supplied.")
    return found


def _run(session: Session, text: str, parameters: list[tuple[str, SqlType, Any, bool]]) -> Iterator[Item]:
    batch = Batch(session, types={name: kind for name, kind, _, _ in parameters})
    for name, _, value, _ in parameters:
        batch.assign(name, value)
    yield from batch.text(text)
    yield ReturnStatus(batch.return_value)
    for place, (name, kind, _, output) in enumerate(parameters):
        if output:
            yield ReturnValue(name, str(kind), from_storage(batch.values.get(name), kind), place)


def _procedure(session: Session, call: Call) -> Iterator[Item]:
    batch = Batch(session)
    arguments = Arguments()
    kinds = {}
    for place, parameter in enumerate(call.parameters):
        key = parameter.name.lower()
        value = to_storage(parameter.value)
        if key:
            arguments.named[key] = value
        else:
            arguments.positional.append(value)
        arguments.types[key or f"#{place}"] = kinds[key or f"#{place}"] = parameter.type
        if parameter.output:
            arguments.outputs.append(key or f"#{place}")
    session.instance.recorded_call(session, call)
    for item in run_procedure(batch, call.procedure, arguments):
        if isinstance(item, ReturnValue):
            kind = kinds.get(item.name.lower()) or kinds.get(f"#{item.ordinal}") or SqlType("nvarchar", 4000)
            yield ReturnValue(item.name, str(kind), from_storage(item.value, kind), item.ordinal)
        else:
            yield item
