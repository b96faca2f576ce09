"""Metrics as Prometheus' text format, read back by a parser of the tests' own."""

from __future__ import annotations

import math
import re

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.prometheus import Metric, lines
from hypothesis import given
from hypothesis import strategies as st

SAMPLE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? '
    r"(?P<value>\S+)",
    re.ASCII,
)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"', re.ASCII)
UNESCAPED = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}


def read_back(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Sample -> value, as a collector sees them. Lines end at line feeds alone."""
    samples = {}
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("#"):
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        labels = frozenset(
            (name, re.sub(r'\\[\\n"]', lambda escape: UNESCAPED[escape.group()], value))
            for name, value in LABEL.findall(found["labels"] or "")
        )
        samples[found["name"], labels] = float(found["value"])
    return samples


def test_each_metric_has_its_help_and_type_once_and_ends_with_a_line_feed() -> None:
    age = Metric(
        "prs_age_seconds",
        "How old.\nC:\\ it is",
        [({"server": "A", "database": "D"}, 90), ({"server": "B", "database": "D"}, 0.5)],
    )
    assert lines([age, Metric("prs_runs_total", "Runs", [({}, True)], "counter")]) == (
        "# HELP prs_age_seconds How old.\\nC:\\\\ it is\n"
        "# TYPE prs_age_seconds gauge\n"
        'prs_age_seconds{database="D",server="A"} 90\n'
        'prs_age_seconds{database="D",server="B"} 0.5\n'
        "# HELP prs_runs_total Runs\n"
        "# TYPE prs_runs_total counter\n"
        "prs_runs_total 1\n"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert lines([Metric("a", "A", [({}, None)]), Metric("b", "B", [({"x": "1"}, None), ({"x": "2"}, False)])]) == (
        '# HELP b B\n# TYPE b gauge\nb{x="2"} 0\n'
    )
    assert lines([]) == ""


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (-3, "-3"),
        (True, "1"),
        (False, "0"),
        (1.5, "1.5"),
        (1770000000, "1770000000"),
        (10**25, str(10**25)),
        (1e300, "1e+300"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers(value: float, written: str) -> None:
    assert lines([Metric("a", "A", [({}, value)])]).splitlines()[-1] == f"a {written}"


@pytest.mark.parametrize(
    "metrics",
    [
        [Metric("", "", [])],
        [Metric("1st", "", [])],
        [Metric("with-hyphen", "", [])],
        [Metric("größe", "", [])],
        [Metric("a", "", [], "histogram")],
        [Metric("a", "", [({"__name__": "x"}, 1)])],
        [Metric("a", "", [({"a b": "x"}, 1)])],
        [Metric("a", "", [({'a="1"} 2\n': "x"}, 1)])],
        [Metric("a", "", [({"x": "1"}, 1), ({"x": "1"}, 2)])],
        [Metric("a", "", []), Metric("a", "", [])],
    ],
)
def test_what_a_collector_refuses_is_not_written(metrics: list[Metric]) -> None:
    with pytest.raises(ValueError, match=r"no metric|no label|twice"):
        lines(metrics)


@given(st.lists(st.tuples(st.text(), st.text(), st.floats(allow_nan=False)), unique_by=lambda sample: sample[:2]))
def test_any_text_comes_back_from_a_label(samples: list[tuple[str, str, float]]) -> None:
    metric = Metric(
        "prs_any",
        "Any\ntext\\",
        [({"server": server, "database": database}, value) for server, database, value in samples],
    )
    if samples:
        expected = {
            ("prs_any", frozenset([("server", server), ("database", database)])): value
            for server, database, value in samples
        }
        assert read_back(lines([metric])) == expected
