from __future__ import annotations

import pytest


class Ended(Exception):
    """In the place of the exit by which exit_json and fail_json do not come back."""


class Module:
    """In the place of an AnsibleModule: writes down what is shown, in its order, until it ends."""

    def __init__(self, **params):
        self.params = params
        self.check_mode = False
        self.no_log_values = frozenset()
        self._name = "prs.recovery.sql_backup"
        self.shown = []

    def warn(self, text):
        self.shown.append(("warning", text))

    def fail_json(self, **result):
        self._end("failed", result)

    def exit_json(self, **result):
        self._end("ok", result)

    def _end(self, how, result):
        self.shown.append((how, result.get("msg", "")))
        self.result = result
        raise Ended


@pytest.fixture
def fake_module():
    return Module


@pytest.fixture
def ended():
    return Ended
