"""What the role sql_server need not do."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.sql_server import certificate_in_place


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
