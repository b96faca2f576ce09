"""Whether an archive is worth having without the files that could not be read."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application.read_problems import judge_packed
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import PackedFile

GONE = PackedFile(name="logs/old.log", fault="The system cannot find the file", number=2)
LOCKED = PackedFile(name="logs/new.log", fault="The file is in use", number=32)
DLL = PackedFile(name="bin/Prs.DLL", fault="The file is in use", number=32)
KEY = PackedFile(name="encryption.config", fault="Access is denied", number=5)
BUSY = PackedFile(name="logs/busy.log", size=3, changed=True)
FINE = PackedFile(name="web.config", size=3)
PLACE = {"path": "C:\\PRS", "host": "web"}


@pytest.mark.parametrize(
    ("packed", "unreadable", "unread", "changed"),
    [
        ([FINE], "fail", [], ()),
        ([FINE, GONE], "fail", [("logs/old.log", "was gone before it could be read")], ()),
        ([FINE, LOCKED], "report", [("logs/new.log", "could not be read: The file is in use")], ()),
        (
            [LOCKED, GONE],
            "report",
            [
                ("logs/old.log", "was gone before it could be read"),
                ("logs/new.log", "could not be read: The file is in use"),
            ],
            (),
        ),
        ([BUSY, FINE], "fail", [], ("logs/busy.log",)),
    ],
)
def test_an_archive_may_miss_what_vanished_and_what_the_user_can_do_without(
    packed: list[PackedFile], unreadable: str, unread: list[tuple[str, str]], changed: tuple[str, ...]
) -> None:
    result = judge_packed(packed, **PLACE, unreadable=unreadable, protected={})
    assert [(refusal.name, refusal.reason) for refusal in result.unread] == unread
    assert result.changed == changed


@pytest.mark.parametrize(
    ("packed", "unreadable", "protected", "fatal", "advice"),
    [
        ([FINE, LOCKED], "fail", {}, ["logs/new.log"], "unreadable=report"),
        ([LOCKED, DLL], "report", {}, ["bin/Prs.DLL"], "can be named in exclude"),
        ([LOCKED, DLL], "fail", {}, ["logs/new.log", "bin/Prs.DLL"], "unreadable=report"),
        ([KEY], "report", {"encryption.config": "efs"}, ["encryption.config"], "plain_copies"),
        ([KEY], "report", {"encryption.config": "dpapi"}, ["encryption.config"], "can be named in exclude"),
    ],
)
def test_an_archive_without_what_it_needs_is_none(
    packed: list[PackedFile], unreadable: str, protected: dict[str, str], fatal: list[str], advice: str
) -> None:
    """What every application of ASP.NET needs is never left out, so no advice says that it may be."""
    with pytest.raises(RecoveryError) as raised:
        judge_packed(packed, **PLACE, unreadable=unreadable, protected=protected)
    assert raised.value.details["unreadable"] == fatal
    assert advice in raised.value.advice
    assert ("unreadable=report" in raised.value.advice) == (advice == "unreadable=report")
    assert f"C:\\PRS\\{fatal[0]} on web cannot be read" in str(raised.value)
    assert ("(and 1 more files)" in str(raised.value)) == (len(fatal) == 2)
