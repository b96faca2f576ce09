"""Few combinations of many traits, in which every two values of two traits meet once at least: a covering array."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

__all__ = ["covering_array", "pairs_of"]

Pair = frozenset[tuple[str, Hashable]]


def pairs_of(row: Mapping[str, Any]) -> set[Pair]:
    """All pairs of (trait, value) in a combination."""
    return {frozenset(pair) for pair in combinations(row.items(), 2)}


def covering_array(traits: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Combinations, each with a value (hashable) for every trait, the same ones every time.

    Each begins with a pair that none had so far, and takes for every other trait the value that brings most new pairs.
    """
    values = [[(trait, value) for value in traits[trait]] for trait in traits]
    every = [frozenset(pair) for left, right in combinations(values, 2) for pair in product(left, right)]
    todo = set(every)
    rows = []
    while todo:
        row: dict[str, Any] = dict(next(pair for pair in every if pair in todo))
        for trait in traits:
            if trait not in row:
                row[trait] = max(
                    traits[trait], key=lambda value, trait=trait, row=row: len(pairs_of({**row, trait: value}) & todo)
                )
        todo -= pairs_of(row)
        rows.append({trait: row[trait] for trait in traits})
    return rows
