"""What Ansible imports in each worker that uses a filter of the collection: all filters, and all that they import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = "ansible_collections.prs.recovery.plugins"
FILTERS = [
    path.stem for path in sorted((Path(__file__).parents[4] / "plugins" / "filter").glob("*.py")) if path.stem[0] != "_"
]


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_imports_the_core_only_when_it_is_used(name: str):
    """They are compiled anew in each worker, as Ansible's loader of collections keeps no bytecode."""
    code = (
        f"import sys, {PLUGINS}.filter.{name}; "
        f"print(*sorted(module for module in sys.modules if module.startswith('{PLUGINS}.module_utils._core.')))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment_of_collections()
    )
    assert set(run.stdout.split()) <= {f"{PLUGINS}.module_utils._core.task_result"}


def environment_of_collections() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
