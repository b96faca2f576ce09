from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql import module as sql

OPTIONS = dict.fromkeys(sql.sql_connection_argument_spec())


@pytest.mark.parametrize(
    ("raised", "end", "code"),
    [
        (RecoveryError("The disk is full", code="no_space"), ("failed", "The disk is full."), "no_space"),
        (KeyError("x"), ("failed", "prs.recovery.sql_backup met a fault of its own: KeyError: 'x'"), "internal_error"),
        (None, ("ok", ""), None),
    ],
)
def test_what_was_noted_is_shown_however_the_run_ends(monkeypatch, fake_module, ended, raised, end, code):
    monkeypatch.setattr(sql, "connect", lambda _target: SimpleNamespace(close=lambda: None))

    def act(session):
        session.warnings.append("a leftover stays")
        if raised:
            raise raised
        return {}

    module = fake_module(**{**OPTIONS, "login_host": "sql01"})
    with pytest.raises(ended):
        sql.run(module, act)
    assert module.shown == [("warning", "a leftover stays"), end]
    assert module.result.get("error_code") == code
