"""Every fault of the lab's list in every phase of a rebuild after a total loss: it ends right, or stops clearly, and once the fault
is over the next run ends right. The table goes to build/faults.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playbook_lab import MARKERS, ROOT, Estate, Run
from prs_lab.estate.fault_list import KNOWN

PHASES = {
    "look": "Plan",
    "provision": "Provision web and database servers at the same time",
    "database": "Restore the database",
    "application": "Restore the application",
    "verify": "Verify",
}
"""Each with the title of the play before which the fault happens."""
FAULTS: dict[str, dict[str, Any]] = {
    "worker-lingers": {"host": "web-a", "seconds": 3},
    "slow-site": {"host": "web-a", "seconds": 2},
    "slow-winrm": {"host": "sql-a", "seconds": 0.2},
    "drop-winrm": {"host": "sql-a", "after": 2},
    "winrm-stopped": {"host": "sql-a"},
    "share-gone": {"host": "files", "share": "backup"},
    "share-rights": {"host": "files", "share": "backup", "account": "PRSLAB\\svc-backup"},
    "disk-size": {"host": "sql-a", "drive": "D", "size": "1 KB"},
    "password-expired": {"account": "svc-backup"},
    "restart-pending": {"host": "sql-a"},
    "clock": {"host": "sql-a", "seconds": 7200},
    "sql": {"host": "sql-a", "action": "error", "pattern": "^RESTORE DATABASE", "number": 3013},
    "module": {"host": "web-a", "pattern": "win_acl|win_file|website", "text": "Lab: denied"},
    "script": {"host": "sql-a", "script": "inspect_paths", "text": "CIM is denied"},
    "iis-denied": {"host": "web-a"},
    "iis-busy": {"host": "web-a"},
    "held": {"host": "web-a", "path": "C:\\inetpub\\wwwroot"},
    "mirror-lag": {"host": "sql-a"},
}
TABLE = ROOT / "build" / "faults.md"
RIGHT, STOPPED, IMPOSSIBLE = "right", "stopped, then right", "not possible there"
HALF = "an installation of SQL Server MSSQLSERVER began and did not finish"
BY_HAND = "stopped, then right when half an installation was removed by hand"


def test_the_list_is_the_labs():
    assert FAULTS.keys() == KNOWN.keys()


@pytest.fixture(scope="module")
def table() -> Iterator[dict[tuple[str, str], str]]:
    """What became of each, by fault and phase; written when all of them have ended."""
    cells: dict[tuple[str, str], str] = {}
    yield cells
    lines = [
        "# Faults in the phases of a rebuild",
        "",
        f"| fault | {' | '.join(PHASES)} |",
        f"|---|{'---|' * len(PHASES)}",
    ]
    for fault in FAULTS:
        row = [cells.get((fault, phase), "") for phase in PHASES]
        if any(row):
            lines.append(f"| {fault} | {' | '.join(row)} |")
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def with_fault(estate: Estate, fault: str, phase: str) -> Run:
    environment = {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callbacks")),
        "ANSIBLE_CALLBACKS_ENABLED": "fault_at",
        "FAULT": fault,
        "FAULT_ARGUMENTS": json.dumps(FAULTS[fault]),
        "FAULT_AT_PLAY": PHASES[phase],
        "FAULT_LAB": str(estate.lab.state_dir),
    }
    return estate.play("rebuild_prs", environment=environment)


@pytest.mark.nightly
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_rebuild_meets_a_fault(estate: Estate, table: dict[tuple[str, str], str], fault: str, phase: str):
    estate.lose_site_a()
    run = with_fault(estate, fault, phase)
    made = re.findall(r"^FAULT (MADE|NOT POSSIBLE)", run.output, re.MULTILINE)
    assert len(made) == 1, run.output[-3000:]
    table[fault, phase], stopped = "WRONG", STOPPED
    if run.code != 0:
        assert made == ["MADE"], run.output[-3000:]
        message = _clear_message(run)
        estate.lab.unfault(fault, **FAULTS[fault])
        again = estate.play("rebuild_prs")
        if HALF in again.output:  # setup itself asks for that, whoever runs it
            estate.lab.wipe(FAULTS[fault]["host"])
            stopped, again = BY_HAND, estate.play("rebuild_prs")
        assert again.code == 0, (message, again.output[-5000:])
    assert estate.labels() == MARKERS
    table[fault, phase] = IMPOSSIBLE if made != ["MADE"] else stopped if run.code else RIGHT


def _clear_message(run: Run) -> str:
    """Names a host, and is no trace of a program."""
    unreachable = re.findall(r"^fatal: \[[^\]]+\]: UNREACHABLE", run.output, re.MULTILINE)
    assert run.messages or unreachable, run.output[-5000:]
    assert "Traceback" not in run.output, run.output[-5000:]
    return run.failures or unreachable[0]
