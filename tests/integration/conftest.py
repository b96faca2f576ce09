"""What all integration tests have in common."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

SCRIPT_CASE = re.compile(r"::test_(?:contract\[(twin|pwsh|winpwsh)-|(twin|pwsh|winpwsh)\[)(\w+) ")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What modules keep on the control node is none of the developer's."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cases of each PowerShell script ran, by who answered."""
    counted: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            found = SCRIPT_CASE.search(report.nodeid)
            if found and (report.when == "call" or outcome == "skipped"):
                shell = f"{found[1] or found[2]} {outcome}"
                counted.setdefault(shell, Counter())[found[3]] += 1
    for shell, cases in sorted(counted.items()):
        scripts = ", ".join(f"{name} {count}" for name, count in sorted(cases.items()))
        terminalreporter.write_line(f"PowerShell cases, {shell}: {cases.total()} ({scripts})")
