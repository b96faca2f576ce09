"""How close a rebuild of two lost servers comes to what it has to wait for: SQL Server's setup, IIS' features, the restore.

In the lab these take their time, a twentieth of a real server's. The longest way is the database server's, setup and
restore; IIS goes on beside them. What the run takes on top does not grow with them, so ``makespan_ratio`` sets it beside
the real minutes; ``makespan_ratio_scaled`` beside those of the lab. The clock counts, so it wants a quiet machine.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_rebuild import LOST, ROOT, Bench

MINUTES = {"setup": 12, "features": 4, "restore": 6}
SCALE = 20
NETWORK = "127.97.0.0"


def run() -> dict[str, Any]:
    durations = {name: minutes * 60 / SCALE for name, minutes in MINUTES.items()}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(ROOT, Path(folder) / "lab", network=NETWORK, durations=json.dumps(durations))
        bench.lab("up", "--network", NETWORK)
        try:
            bench.play("provision_prs")
            bench.lab("wizard")
            bench.play("backup_prs")
            for host in LOST:
                bench.lab("wipe", host)
            seconds = bench.play("rebuild_prs")["seconds"]
        finally:
            bench.lab("down")
    longest = durations["setup"] + durations["restore"]
    on_top = seconds - longest
    return {
        "makespan_seconds": round(seconds, 1),
        "makespan_on_top_seconds": round(on_top, 1),
        "makespan_ratio_scaled": round(seconds / longest, 3),
        "makespan_ratio": round(1 + on_top / (longest * SCALE), 3),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
