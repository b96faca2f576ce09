"""The command behind `make bench`: which benchmarks it runs, what it writes, and two checkouts side by side."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"
ROOT = BENCH.parents[1]
TIMED = "def run():\n    return {'timed': {'10': {'seconds': 2}}}\n"
COMPARED = TIMED + "def compare(folder):\n    return {'timed': {'against': folder.name}}\n"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # typing's NamedTuple looks its module up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "timed", "alone"),
    [
        ([], {"10": {"seconds": 2}}, 1),
        (["some"], {"10": {"seconds": 2}}, "kept"),
        (["against", "old"], {"against": "old"}, "kept"),
        (["some", "against", "old"], {"against": "old"}, "kept"),
    ],
)
def test_which_benchmarks_are_run(
    arguments: list[str], timed: object, alone: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "bench_some.py").write_text(COMPARED)
    (tmp_path / "bench_alone.py").write_text("def run():\n    return {'alone': 1}\n")
    result = tmp_path / "bench.json"
    result.write_text('{"alone": "kept"}')
    run = load("run")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "RESULT", result)
    run.main(arguments)
    assert json.loads(result.read_text()) == {"timed": timed, "alone": alone}


def test_two_checkouts_are_measured_side_by_side(monkeypatch: pytest.MonkeyPatch):
    """This one against itself: each figure has both times and their ratio."""
    bench = load("bench_planner")
    monkeypatch.setattr(bench, "PLANS", {"1000": (1000, 10)})
    monkeypatch.setattr(bench, "HEADERS", 500)
    monkeypatch.setattr(bench, "TURNS", 1)
    measured = bench.compare(ROOT)
    assert set(measured) == {"planner", "planner_read"}
    for figure in (measured["planner"]["1000"], measured["planner_read"]["500"]):
        assert figure["ratio"] == pytest.approx(figure["seconds"] / figure["against"], rel=0.2)


def test_a_fleet_beside_another_checkouts(monkeypatch: pytest.MonkeyPatch):
    """The largest, and nothing that depends on the clock."""
    bench = load("bench_fleet")
    spent = {
        ROOT: {"seconds": 1, "cpu_seconds_per_server": 0.5, "memory_mb": 300},
        Path("old"): {"seconds": 2, "cpu_seconds_per_server": 2.0, "memory_mb": 400},
    }
    monkeypatch.setattr(bench, "measure", lambda root, *sizes: {str(size): spent[root] for size in sizes})
    assert bench.compare(Path("old")) == {
        "fleet_compared": {
            "100": {
                "cpu_seconds_per_server": {"this": 0.5, "other": 2.0, "ratio": 0.25},
                "memory_mb": {"this": 300, "other": 400, "ratio": 0.75},
            }
        }
    }
