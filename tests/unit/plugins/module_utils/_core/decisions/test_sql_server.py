"""What the role sql_server need not do."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.sql_server import (
    certificate_in_place,
    lacks_a_restart,
)


@pytest.mark.parametrize(
    ("seen", "thumbprint"),
    [
        ({"thumbprint": "AB", "readers": ["NT SERVICE\\MSSQLSERVER"]}, "AB"),
        ({"thumbprint": "AB", "readers": ["CORP\\sql$"]}, ""),
        ({"thumbprint": "AB", "readers": []}, ""),
        ({}, ""),
    ],
)
def test_a_certificate_whose_key_the_service_reads_is_not_imported_again(seen, thumbprint):
    assert certificate_in_place({"seen": seen, "account": "NT SERVICE\\MSSQLSERVER"}) == thumbprint


@pytest.mark.parametrize(
    ("code", "lacks"),
    [("certificate_untrusted", True), ("sql_unreachable", False), ("sql_login_refused", False), ("", False)],
)
def test_only_another_certificate_than_the_registrys_is_a_reason_to_restart_once_more(code, lacks):
    assert lacks_a_restart({"failed": True, "error_code": code}) is lacks
