from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm import module as winrm


class Session:
    host = "web01"

    def __init__(self, _connection):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_problem):
        return None


@pytest.mark.parametrize(
    ("raised", "end", "code"),
    [
        (RecoveryError("The disk is full", code="no_space"), ("failed", "The disk is full."), "no_space"),
        (KeyError("x"), ("failed", "prs.recovery.sql_backup met a fault of its own: KeyError: 'x'"), "internal_error"),
        (None, ("ok", ""), None),
    ],
)
def test_what_was_noted_is_shown_however_the_run_ends(monkeypatch, fake_module, ended, raised, end, code):
    monkeypatch.setattr(winrm, "WinrmConnection", SimpleNamespace(from_params=lambda _params: None))
    monkeypatch.setattr(winrm, "Session", Session)

    def act(files):
        files.warnings.append("a leftover stays")
        if raised:
            raise raised
        return {}

    module = fake_module()
    with pytest.raises(ended):
        winrm.run(module, act)
    assert module.shown == [("warning", "a leftover stays"), end]
    assert module.result.get("error_code") == code
