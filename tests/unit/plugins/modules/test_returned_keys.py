"""Names of what modules return: those that Ansible reads itself mean something else to it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

MODULES = sorted((Path(__file__).resolve().parents[4] / "plugins" / "modules").glob("*.py"))
OF_ANSIBLE = {
    "skipped",
    "skip_reason",
    "failed",
    "unreachable",
    "warnings",
    "deprecations",
    "exception",
    "invocation",
    "results",
    "ansible_facts",
    "ansible_job_id",
    "finished",
    "started",
    "attempts",
    "retries",
    "rc",
    "stdout",
    "stderr",
    "skip",
    "item",
    "ping",
    "parsed",
}


def returned(path: Path) -> set[str]:
    """The keys that a module's documentation names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    [text] = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.targets[0].id == "RETURN"
    ]
    return set(yaml.safe_load(text))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_result_has_a_key_that_ansible_reads_itself(path: Path):
    """A list under `skipped` makes callbacks show a task that did its work as skipped."""
    assert returned(path) & OF_ANSIBLE == set()
