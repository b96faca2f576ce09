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


@pytest.mark.parametrize(
    ("transports", "delegation", "share_user", "reaches"),
    [
        (["ntlm"], False, None, False),
        (["ntlm"], False, "svc-backup", True),
        (["credssp"], False, None, True),
        (["kerberos"], False, None, False),
        (["kerberos", "ntlm"], True, None, True),
        (["ntlm"], True, None, False),  # NTLM has nothing that could be delegated
    ],
)
def test_which_sessions_may_hope_to_reach_a_share(transports, delegation, share_user, reaches):
    params = {
        "winrm_transport": transports,
        "winrm_kerberos_delegation": delegation,
        "share_user": share_user,
        "share_password": None,
    }
    windows = Windows(SimpleNamespace(params=params))
    assert windows.reaches("\\\\files\\backup") is reaches
    assert windows.reaches("D:\\backup")
