"""Every two values of two traits meet, in few combinations."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from pairs import covering_array, pairs_of


@pytest.mark.parametrize(
    ("traits", "most"),
    [
        ({"a": [1, 2]} | {"b": "xyz"}, 6),
        ({name: [0, 1] for name in "abcdefg"}, 9),
        ({"a": range(6), "b": range(5), "c": [0, 1]}, 31),
    ],
)
def test_all_pairs_are_there(traits, most):
    rows = covering_array(traits)
    wanted = {
        frozenset(((one, left), (other, right)))
        for one, other in combinations(traits, 2)
        for left, right in product(traits[one], traits[other])
    }
    assert set().union(*map(pairs_of, rows)) == wanted
    assert len(rows) <= most and all(set(row) == set(traits) for row in rows)
    assert rows == covering_array(traits)
