from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance.backup_encryption import check_encryption

ASKED = {"certificate": "backup", "algorithm": "aes_256"}
KNOWN = {
    "name": "Backup", "thumbprint": "0xABCD", "pvt_key_encryption_type": "MK", "key_backed_up_at": "2026-01-01T10:00:00",
    "expires": "2030-01-01T00:00:00", "expired": 0,
}  # fmt: skip


def checked(*, edition="Standard Edition (64-bit)", known=KNOWN, family=()):
    """known: the certificate that is read by its name. family: names of certificates, with the day on which they end."""
    rows = [
        {"name": name, "thumbprint": "0x01", "expiry_date": day, "pvt_key_encryption_type": "MK"}
        for name, day in family
    ]
    session = Session(params={}, check_mode=True, progress=Progress())
    session.connection = SimpleNamespace(
        target=SimpleNamespace(server="sql01"),
        row=lambda _statement, name, doing: known and {**known, "name": name if family else known["name"]},
        query=lambda _statement, doing: rows,
    )
    return check_encryption(session, {"edition": edition}, ASKED), session.warnings


def test_a_certificate_whose_key_is_safe():
    told, warnings = checked()
    assert told == {
        "certificate": "Backup",
        "algorithm": "aes_256",
        "thumbprint": "ABCD",
        "key_backed_up_at": "2026-01-01T10:00:00",
    }
    assert warnings == []


def test_a_key_that_was_never_backed_up_is_warned_of():
    told, (warning,) = checked(known={**KNOWN, "key_backed_up_at": None})
    assert told["key_backed_up_at"] is None
    assert (
        "private key of the certificate Backup was never backed up from sql01" in warning
        and "BACKUP CERTIFICATE" in warning
    )


def test_an_expired_certificate_is_refused_before_sql_server_does():
    with pytest.raises(RecoveryError, match=r"has expired \(2030-01-01T00:00:00\).*3096.*renew_before") as refused:
        checked(known={**KNOWN, "expired": 1})
    assert refused.value.code == "wrong_state"


def test_the_newest_successor_of_a_certificate_is_used():
    family = [("backup", "2026-01-01"), ("Backup_20360101", "2036-01-01"), ("Backup_20310101", "2031-01-01")]
    told, _warnings = checked(family=[*family, ("backup of another", "2040-01-01")])
    assert told["certificate"] == "Backup_20360101"


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ({"edition": "Express Edition (64-bit)"}, "cannot encrypt backups"),
        ({"edition": "Web Edition (64-bit)"}, "cannot encrypt backups"),
        ({"known": None}, "There is no certificate backup in master of sql01"),
        ({"known": {**KNOWN, "pvt_key_encryption_type": "NA"}}, "has no private key"),
    ],
)
def test_what_is_refused(case, part):
    with pytest.raises(RecoveryError, match=part):
        checked(**case)
