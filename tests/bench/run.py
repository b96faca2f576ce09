"""Run every benchmark in this folder and write what they measured to build/bench.json.

    run.py [NAME...] [against FOLDER]      or: make bench [AGAINST=FOLDER]

A benchmark is a module ``bench_*.py`` with a function ``run()`` that returns ``{key: value}``. Keys that were not
measured this time keep their last value. Names given as arguments choose: ``tests/bench/run.py planner``.

``against FOLDER`` names another checkout, an earlier build with a ``build`` of its own (``make setup`` there); then only
the benchmarks that have a function ``compare(folder)`` are run: it measures both checkouts in turn, and each figure
gets the other's and their ratio.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULT = HERE.parents[1] / "build" / "bench.json"


def main(arguments: list[str]) -> None:
    *wanted, other = arguments if "against" in arguments[-2:-1] else [*arguments, ""]
    wanted = wanted[:-1] if other else wanted
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for path in sorted(HERE.glob("bench_*.py")):
        if wanted and path.stem.removeprefix("bench_") not in wanted:
            continue
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise SystemExit(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module  # where a dataclass looks its module up
        spec.loader.exec_module(module)
        if other and not hasattr(module, "compare"):
            continue
        measured = module.compare(Path(other).resolve()) if other else module.run()
        print(json.dumps(measured), flush=True)
        result.update(measured)  # written now: a fault of the next one takes nothing along
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
