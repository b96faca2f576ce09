"""What a rebuild costs: seconds, WinRM requests and bytes, PowerShells started, SQL batches. In the lab, two servers.

An unchanged ``rebuild_prs``, one after the loss of both servers, and a log backup; each also with 40 ms more for every
round trip, as over a line between sites. ``compare`` measures an earlier checkout beside this one, in turn. The clock
counts, so it wants a quiet machine; the numbers of requests do not depend on it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "counted"))

from sitecustomize import COUNTERS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DELAYS = {"": "0", "_far": "0.04"}
NUMBERS = ("winrm_requests", "winrm_bytes", "powershells", "sql_batches", "sql_connections")
NETWORKS = {"this": "127.93.0.0", "other": "127.94.0.0"}
LOST = ("web-a", "sql-a")


class Bench:
    """One checkout's lab and playbooks."""

    def __init__(self, root: Path, state: Path, *, network: str, delay: str = "0", durations: str = "") -> None:
        self.root, self.state = root, state
        self.counts = state.with_suffix(".counts")
        self.network = network
        self.environment = {
            **os.environ,
            "PATH": f"{root / 'build/venv/bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{HERE / 'counted'}{os.pathsep}{root / 'tests/lab'}",
            "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(root / "build/collections"),
            "ANSIBLE_HOME": str(state / "ansible"),
            "PRS_BENCH_DELAY": delay,
            "PRS_BENCH_COUNTS": str(self.counts),
            **({"PRS_BENCH_DURATIONS": durations} if durations else {}),
        }

    def call(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} in {self.root}:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")

    def lab(self, *arguments: str) -> None:
        self.call(str(self.root / "build/venv/bin/python"), "-m", "prs_lab", *arguments, "--state", str(self.state))

    def play(self, playbook: str, *arguments: str) -> dict[str, Any]:
        """What a playbook cost: one of the collection by its name, or a file."""
        name = playbook if playbook.endswith(".json") else f"prs.recovery.{playbook}"
        before, begin = self.numbers(), time.monotonic()
        self.call("ansible-playbook", "-i", str(self.state / "inventory"), name, *arguments)
        seconds, after = time.monotonic() - begin, self.numbers()
        return {"seconds": round(seconds, 1), **{name: after[name] - before[name] for name in NUMBERS}}

    def kind_variable(self) -> str:
        """Earlier checkouts call it prs_backup_type."""
        text = (self.root / "playbooks/backup_prs.yml").read_text(encoding="utf-8")
        return "prs_backup_kind" if "prs_backup_kind" in text else "prs_backup_type"

    def numbers(self) -> dict[str, int]:
        return dict(zip(NUMBERS, COUNTERS.unpack(self.counts.read_bytes()[: COUNTERS.size]), strict=True))

    def measure(self) -> dict[str, dict[str, Any]]:
        self.lab("up", "--network", self.network)
        try:
            self.play("provision_prs", "-e", "prs_database_recovery_model=FULL")
            self.lab("wizard")
            self.play("backup_prs")
            unchanged = self.play("rebuild_prs")
            log = self.play("backup_prs", "-e", f"{self.kind_variable()}=log")
            for host in LOST:
                self.lab("wipe", host)
            return {"unchanged": unchanged, "log_backup": log, "total_loss": self.play("rebuild_prs")}
        finally:
            self.lab("down")


def measured(root: Path, name: str) -> dict[str, dict[str, Any]]:
    result = {}
    for suffix, delay in DELAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(root, Path(folder) / "lab", network=NETWORKS[name], delay=delay)
            result |= {f"{key}{suffix}": value for key, value in bench.measure().items()}
    return result


def run() -> dict[str, Any]:
    return {"rebuild": measured(ROOT, "this")}


def compare(other: Path) -> dict[str, Any]:
    """Each figure with the other checkout's, and this one's share of it."""
    here, there = measured(ROOT, "this"), measured(other, "other")
    return {
        "rebuild": {
            key: {
                name: {"this": value, "other": there[key][name], "ratio": round(value / there[key][name], 3)}
                for name, value in values.items()
                if there[key][name]
            }
            for key, values in here.items()
        }
    }


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]).resolve()) if sys.argv[1:] else run(), indent=1))
