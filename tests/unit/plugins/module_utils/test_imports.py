"""What a module imports it compiles anew in every run: plain SQL must not pay for Windows, nor for what an option alone
needs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
SPARED = (
    "_winrm.connection.session", "_winrm.host.files", "_sql.instance.windows_host", "_sql.backup.delivery", "_sql.backup.windows_side",
    "_sql.backup.pruning", "_sql.backup.pending_deliveries", "_core.backup.retention", "_core.recovery_set.lease",
)  # fmt: skip


@pytest.mark.parametrize("module", ["sql_backup", "sql_restore"])
def test_what_options_alone_need_is_not_imported(module):
    script = f"import sys, ansible_collections.prs.recovery.plugins.modules.{module}; print(*sys.modules)"
    path = str(ROOT / "build" / "collections")
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert [name for name in loaded if name.endswith(SPARED) or name.split(".")[0] in ("winrm", "requests")] == []
