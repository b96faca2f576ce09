from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.backup import pending_deliveries as unfinished
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError

REPORT = {"server": "sql01", "database": "PRS", "family_guid": "", "files": ["\\\\files\\backup\\PRS_1.trn"]}
NOTE = SimpleNamespace(written=["D:\\Stage\\PRS_1.trn"], report=REPORT)
IN_USE = (
    "Cannot open backup device 'D:\\Stage\\PRS_1.trn'. Operating system error 32(The process cannot access the file)."
)
DENIED = "Cannot open backup device 'D:\\Stage\\PRS_1.trn'. Operating system error 5(Access is denied.)."
ABSENT = (
    "Cannot open backup device 'D:\\Stage\\PRS_1.trn'. Operating system error 2(The system cannot find the "
    "file specified.)."
)
TOO_SHORT = 'Read on "D:\\Stage\\PRS_1.trn" failed: Operating system error 38(Reached the end of the file.).'


@pytest.mark.parametrize(("number", "text", "cleaned"), [
    (3201, IN_USE, False), (3201, DENIED, False), (3201, ABSENT, True), (3203, TOO_SHORT, True), (3241, "The media family is incorrectly formed.", True),
])  # fmt: skip
def test_only_what_never_was_whole_is_removed(monkeypatch, number, text, cleaned):
    def query(_statement):
        raise SqlError("", text=text, number=number, sqlstate="42000")

    session = SimpleNamespace(
        connection=SimpleNamespace(query=query),
        progress=Progress(),
        warnings=[],
        check_mode=False,
    )
    monkeypatch.setattr(unfinished, "clock", lambda _connection: (None, None))
    gone = []
    delivery = SimpleNamespace(pending=lambda _folder: [NOTE], discard=gone.append)
    assert (
        unfinished.finish_pending(
            session, delivery, "D:\\Stage", report=REPORT, written=["D:\\Stage\\PRS_2.trn"], verify=True
        )
        == []
    )
    assert (gone == [NOTE], "next run tries again" in str(session.warnings)) == (cleaned, not cleaned)
