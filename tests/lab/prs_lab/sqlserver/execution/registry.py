"""Which function runs which kind of statement, and which procedure is which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..parse.ir import Statement
from ..wire.items import Item

if TYPE_CHECKING:
    from .batch import Batch
    from .procedures import Arguments

__all__ = ["EXECUTORS", "PROCEDURES", "executes", "procedure"]

Executor = Callable[["Batch", Any], Iterator[Item]]
Procedure = Callable[["Batch", "Arguments"], Iterator[Item]]
EXECUTORS: dict[type[Statement], Executor] = {}
PROCEDURES: dict[str, Procedure] = {}


def executes(*kinds: type[Statement]) -> Callable[[Executor], Executor]:
    """Registers the function that runs these statements. Variables in them are replaced by their values before."""

    def register(run: Executor) -> Executor:
        for kind in kinds:
            EXECUTORS[kind] = run
        return run

    return register


def procedure(*names: str) -> Callable[[Procedure], Procedure]:
    """Registers a system procedure under its names, in lower case, without schema."""

    def register(run: Procedure) -> Procedure:
        for name in names:
            PROCEDURES[name] = run
        return run

    return register
