from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.windows_host import Windows


def test_warnings_of_windows_outlive_a_connection_that_cannot_be_closed():
    """What closes the session fails where the connection is lost: then the warnings matter most."""
    session = SimpleNamespace(warnings=[])
    windows = Windows(session)
    windows._files = SimpleNamespace(warnings=["a leftover stays"])

    def fail():
        raise RecoveryError("The connection was lost", code="windows_error")

    windows._open.callback(fail)
    with pytest.raises(RecoveryError):
        windows.close()
    assert session.warnings == ["a leftover stays"]
