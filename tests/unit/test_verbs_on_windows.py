"""tests/tools/verbs_on_windows.py runs where neither Ansible nor the laboratory does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / "tools"
LOAD = """
import sys
import verbs_on_windows
loaded = {name.partition(".")[0] for name in sys.modules}
print(len(verbs_on_windows.VERB_CASES.CASES), sorted(loaded & {"ansible", "winrm", "requests", "prs_lab", "pytest"}))
for case in verbs_on_windows.VERB_CASES.CASES:
    verbs_on_windows.script_of(case.verb)
"""


def test_it_needs_nothing_but_python() -> None:
    done = subprocess.run([sys.executable, "-B", "-c", LOAD], cwd=TOOLS, env={}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    count, foreign = done.stdout.strip().split(" ", 1)
    assert int(count) > 90 and foreign == "[]"
