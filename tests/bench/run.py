"""Run every benchmark in this folder and write what they measured to build/bench.json.

A benchmark is a module ``bench_*.py`` with a function ``run()`` that returns ``{key: value}``. Keys that were not
measured this time keep their last value. Names given as arguments choose: ``tests/bench/run.py planner``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULT = HERE.parents[1] / "build" / "bench.json"


def main(wanted: list[str]) -> None:
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for path in sorted(HERE.glob("bench_*.py")):
        if wanted and path.stem.removeprefix("bench_") not in wanted:
            continue
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise SystemExit(f"{path} cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        measured = module.run()
        print(json.dumps(measured))
        result.update(measured)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
