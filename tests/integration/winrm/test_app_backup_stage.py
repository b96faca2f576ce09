"""A share that cannot be reached, or where the account has no rights: the archive is made all the same, waits, and is
brought over later.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

from .windows_twins import APPLICATION, CONTENT, NIGHT, ON_SHARE, REMOTE, Twins

STAGE = "D:\\stage"
STAGED = {"destination": REMOTE, "stage_path": STAGE, **ON_SHARE}
THERE = "E:\\backup\\web"


def night(number: int) -> dt.datetime:
    return NIGHT + dt.timedelta(days=number)


def archives(twins: Twins, folder: str = STAGE) -> list[str]:
    names = twins.names(folder, twins.share_host if folder == THERE else None)
    found = [name.removesuffix(".manifest.jsonl") for name in names if name.endswith(".manifest.jsonl")]
    assert sorted(names) == sorted([*found, *(f"{name}.manifest.jsonl" for name in found)])
    return found


def proven(twins: Twins) -> None:
    """What is on the share brings the folder back."""
    twins.files.remove_tree(APPLICATION)
    twins.restore(source=REMOTE, **ON_SHARE)
    assert twins.tree() == CONTENT


def test_the_archive_arrives_and_nothing_stays_behind(twins: Twins) -> None:
    planned = twins.backup(check_mode=True, **STAGED)
    assert twins.names(STAGE) == [] and twins.names(THERE, twins.share_host) == []
    done = twins.backup(**STAGED)
    assert (
        done["archive"]["path"] == planned["archive"]["path"] == f"{REMOTE}\\PasswordResetServer_20260301T020000Z.zip"
    )
    assert done["archive"]["verified"] and archives(twins) == [] and len(archives(twins, THERE)) == 1
    assert any("there it has the same SHA-256" in line for line in done["log"]["lines"])
    proven(twins)


def no_share(twins: Twins) -> Any:
    share = twins.share_host.shares.find("backup")
    twins.share_host.shares.remove("backup")
    return lambda: twins.share_host.shares.add(share)


def no_rights(twins: Twins) -> Any:
    share = twins.share_host.shares.find("backup")
    access, share.access = share.access, []

    def give_back() -> None:
        share.access = access

    return give_back


OUTAGES = [
    (no_share, 67, ON_SHARE),
    (no_rights, 5, ON_SHARE),
    (lambda twins: lambda: None, 5, {"share_user": None, "share_password": None}),
]


@pytest.mark.parametrize(
    "outage, number, account", OUTAGES, ids=["no share", "no rights", "no account for the second hop"]
)
def test_an_archive_waits_and_the_next_run_brings_it_over(
    twins: Twins, outage: Any, number: int, account: dict[str, Any]
) -> None:
    end = outage(twins)
    with pytest.raises(
        RecoveryError,
        match=r"It waits in D:\\stage\\PasswordResetServer_20260301T020000Z\.zip, and the next run brings it over",
    ) as caught:
        twins.backup(**{**STAGED, **account})
    assert caught.value.details["windows_error"] == number
    assert caught.value.details["staged"] == f"{STAGE}\\PasswordResetServer_20260301T020000Z.zip"
    assert twins.files.exists(caught.value.details["log"]["path"])
    assert archives(twins) == ["PasswordResetServer_20260301T020000Z.zip"]
    end()
    twins.backup(now=night(1), **STAGED)
    assert archives(twins) == []
    assert archives(twins, THERE) == [
        "PasswordResetServer_20260301T020000Z.zip",
        "PasswordResetServer_20260302T020000Z.zip",
    ]
    proven(twins)


def test_a_share_that_stays_away_does_not_fill_the_drive(twins: Twins) -> None:
    no_share(twins)
    for number in range(5):
        with pytest.raises(RecoveryError, match="It waits in"):
            twins.backup(now=night(number), **STAGED)
    assert [name[20:28] for name in archives(twins)] == ["20260303", "20260304", "20260305"]


def test_a_copy_that_is_damaged_on_its_way_is_removed(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = twins.files.__class__.copy

    def and_damage(view: Any, source: str, target: str) -> None:
        copy(view, source, target)
        if target.startswith("\\\\"):
            view.write(target, view.read(target)[:-1] + b"x")

    monkeypatch.setattr(twins.files.__class__, "copy", and_damage)
    with pytest.raises(RecoveryError, match=r"is another file than what was copied.*The copy was removed.*It waits in"):
        twins.backup(**STAGED)
    assert twins.names(THERE, twins.share_host) == [] and len(archives(twins)) == 1
    monkeypatch.undo()
    twins.backup(now=night(1), **STAGED)
    assert len(archives(twins, THERE)) == 2


def test_an_archive_that_had_arrived_is_not_brought_again(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller died after the manifest was written there, before the stage was cleared."""
    twins.backup(destination=STAGE)
    for name in twins.names(STAGE):
        twins.write(f"{THERE}\\{name}", twins.files.read(f"{STAGE}\\{name}"), twins.share_host)
    twins.backup(now=night(1), **STAGED)
    assert archives(twins) == [] and len(archives(twins, THERE)) == 2
    assert twins.scripts().count("copy_file") == 1


def test_nothing_changed_leaves_nothing_in_the_stage(twins: Twins) -> None:
    twins.backup(**STAGED)
    again = twins.backup(now=night(1), skip_unchanged=True, **STAGED)
    assert not again["changed"] and archives(twins) == [] and len(archives(twins, THERE)) == 1


WRONG = [
    ({"stage_path": "\\\\files\\backup\\stage"}, r"stage_path .* is on a share"),
    ({"stage_path": f"{APPLICATION}\\stage"}, r"stage_path .* lies in the folder"),
    ({"stage_path": "stage"}, r"stage_path is 'stage', which is no full path"),
]


@pytest.mark.parametrize("different, message", WRONG)
def test_a_stage_that_is_none(twins: Twins, different: dict[str, str], message: str) -> None:
    with pytest.raises(RecoveryError, match=message):
        twins.backup(**{**STAGED, **different})
    assert twins.names("D:\\") == []
