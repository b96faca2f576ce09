"""What the control node has of what the playbooks need."""

from __future__ import annotations

import importlib

from ansible_collections.prs.recovery.plugins.module_utils._control_node import driver_problem, missing_files


def test_the_reason_why_the_driver_cannot_be_loaded(monkeypatch):
    def without_library(name: str):
        raise ImportError(f"{name}: libodbc.so.2: cannot open shared object file")

    monkeypatch.setattr(importlib, "import_module", without_library)
    assert driver_problem() == "pyodbc: libodbc.so.2: cannot open shared object file"


def test_the_driver_of_these_tests_can_be_loaded():
    assert driver_problem() == ""


def test_files_that_are_not_there(tmp_path):
    present, absent = tmp_path / "ca.pem", str(tmp_path / "none.pem")
    present.touch()
    assert missing_files([str(present), absent, "", "legacy_requests", absent]) == [absent]
