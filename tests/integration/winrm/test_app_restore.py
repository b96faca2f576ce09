"""app_restore against a web server's twin: what comes back, what is left alone, what is refused, and that the folder is
never half.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import zipfile

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_manifest import (
    Manifest,
    ManifestFile,
)
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application import folder_swap, previous_folder
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application import restore as application_restore
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host import application_pool
from ansible_collections.prs.recovery.plugins.module_utils._winrm.host.files import WindowsFiles
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Descriptor, Rights

from .windows_twins import APPLICATION, CONTENT, LOCAL, LONG_AGO, NIGHT, ON_SHARE, POOL, REMOTE, Twins, damage
from .wire import Wire

NAME = "PasswordResetServer_20260301T020000Z.zip"
DLL = f"{APPLICATION}\\bin\\Prs.Web.dll"
DPAPI_BLOB = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb") + bytes(60)
OTHER_KEY = b"<encryptionSettings>another key</encryptionSettings>"
SITES = "C:\\inetpub\\wwwroot"


@pytest.fixture
def archived(twins: Twins) -> Twins:
    twins.backup()
    return twins


def nothing_beside(twins: Twins) -> bool:
    return [name for name in twins.names(SITES) if "PasswordResetServer" in name] == ["PasswordResetServer"]


@pytest.mark.parametrize(("damaged", "envelopes"), [(False, 14), (True, 32)])
def test_how_often_a_restore_asks(archived: Twins, wire: Wire, damaged: bool, envelopes: int) -> None:
    """Of a site's rebuild, where nothing is lost and where the folder is: two for each question or step, four for the
    session.
    """
    archived.install_iis()
    if damaged:
        archived.files.remove(DLL)
    before = wire.envelopes
    result = archived.restore(source=f"{LOCAL}\\{NAME}", application_pool=POOL)
    assert result["restored"] == damaged and result["warnings"] == []
    assert wire.envelopes - before <= envelopes, "lower the costs again, or raise the limit and say why"


@pytest.mark.parametrize("destination, share", [(LOCAL, {}), (REMOTE, ON_SHARE)])
def test_a_missing_folder_comes_back(twins: Twins, destination: str, share: dict[str, str]) -> None:
    twins.files.make_dir(f"{APPLICATION}\\logs")
    twins.backup(destination=destination, **share)
    twins.files.remove_tree(APPLICATION)

    planned = twins.restore(source=destination, check_mode=True, **share)
    assert planned["changed"] and planned["restored"] and planned["folder"]["state"] == "missing"
    assert not twins.files.exists(APPLICATION)

    result = twins.restore(source=destination, **share)
    assert {**result, "warnings": planned["warnings"]} == planned and result["warnings"] == []
    assert result["archive"] == {
        "path": f"{destination}\\{NAME}", "created": "2026-03-01T02:00:00Z", "host": "WEB", "files": len(CONTENT), "bytes": sum(map(len, CONTENT.values())),
        "labels": {}, "healthy": None, "proven_by": "manifest",
    }  # fmt: skip
    assert twins.tree() == CONTENT and twins.files.is_dir(f"{APPLICATION}\\logs")
    assert nothing_beside(twins)

    again = twins.restore(source=destination, **share)
    assert not again["changed"] and not again["restored"] and again["folder"]["state"] == "identical"


def changed(name: str, data: bytes | None) -> dict[str, bytes | None]:
    return {name: data}


STATES = [
    # what was done to the folder, replace, state, restored
    ({}, "always", "identical", False),
    (changed("bin/Prs.Web.dll", None), "damaged", "damaged", True),
    (changed("bin/Prs.Web.dll", None), "never", "damaged", False),
    (changed("bin/Prs.Web.dll", damage(CONTENT["bin/Prs.Web.dll"], 99)), "damaged", "damaged", True),
    (changed("bin/Prs.Web.dll", CONTENT["bin/Prs.Web.dll"][:99]), "damaged", "damaged", True),
    (changed("BIN/PRS.WEB.DLL", CONTENT["bin/Prs.Web.dll"]), "damaged", "identical", False),
    (changed("logs/today.log", b"grown since"), "damaged", "whole", False),
    (changed("logs/today.log", b"grown since"), "always", "whole", True),
    (changed("web.config", b"<configuration>edited</configuration>"), "damaged", "whole", False),
    (changed("web.config", b""), "damaged", "damaged", True),
    (changed("web.config", b"<configuration!>\r\n"), "damaged", "whole", False),
    (changed("web.config", None), "damaged", "damaged", True),
    (changed("database.config", b"<other server/>"), "damaged", "whole", False),
    (changed("encryption.config", b""), "damaged", "damaged", True),
    (changed("encryption.config", damage(CONTENT["encryption.config"], 0)), "damaged", "damaged", True),
    (changed("encryption.config", CONTENT["encryption.config"][:25]), "damaged", "damaged", True),
    (changed("encryption.config", OTHER_KEY), "never", "foreign", False),
    (changed("encryption.config", OTHER_KEY), "always", "foreign", True),
]


@pytest.mark.parametrize("different, replace, state, restored", STATES)
def test_what_is_replaced(
    archived: Twins, different: dict[str, bytes | None], replace: str, state: str, restored: bool
) -> None:
    for name, data in different.items():
        path = f"{APPLICATION}\\{name}".replace("/", "\\")
        archived.files.remove(path) if data is None else archived.write(path, data)
    before = archived.tree()
    planned = archived.restore(replace=replace, check_mode=True, show_diff=True)
    assert archived.tree() == before
    result = archived.restore(replace=replace, show_diff=True)
    assert (result["folder"]["state"], result["restored"], result["changed"]) == (state, restored, restored)
    assert result == planned
    assert archived.tree() == (CONTENT if restored else before)
    assert (result["diff"]["before"] != result["diff"]["after"]) == restored
    if restored and state == "foreign":  # whose keys they are nobody knows, and their database is lost without them
        assert archived.tree(result["kept_old"]) == before and result["kept_old"] in result["warnings"][0]
    else:
        assert nothing_beside(archived) and result["kept_old"] is None
    assert not archived.restore(replace=replace)["changed"]


def test_another_installation_is_refused(archived: Twins) -> None:
    archived.write(f"{APPLICATION}\\encryption.config", OTHER_KEY)
    with pytest.raises(
        RecoveryError,
        match=r"belongs to another installation, or is .*: encryption\.config is another key.*Nothing was "
        r"changed.*always",
    ):
        archived.restore()


def test_a_fresh_unfinished_installation_is_no_other_one(archived: Twins) -> None:
    """Unzipped by the role, its wizard never run: no database.config yet."""
    archived.files.remove(f"{APPLICATION}\\database.config")
    archived.write(f"{APPLICATION}\\encryption.config", OTHER_KEY)
    assert archived.restore()["restored"]
    assert archived.tree() == CONTENT


DATABASE_CONFIGS = [
    ("archive", b"mine", CONTENT["database.config"]),
    ("keep", b"mine", b"mine"),
    ("keep", None, CONTENT["database.config"]),
    ("remove", b"mine", None),
]


@pytest.mark.parametrize("choice, before, after", DATABASE_CONFIGS)
def test_whose_database_config(archived: Twins, choice: str, before: bytes | None, after: bytes | None) -> None:
    archived.files.remove(f"{APPLICATION}\\database.config")
    if before is not None:
        archived.write(f"{APPLICATION}\\database.config", before)
    archived.files.remove(DLL)
    assert archived.restore(database_config=choice)["restored"]
    expected = {name: data for name, data in CONTENT.items() if name != "database.config"}
    assert archived.tree() == (expected if after is None else {**expected, "database.config": after})
    assert not archived.restore(database_config=choice)["changed"]


def test_the_newest_whole_archive_is_taken(archived: Twins) -> None:
    archived.write(f"{APPLICATION}\\Default.aspx", b"second")
    archived.backup(now=NIGHT + dt.timedelta(days=1))
    archived.write(f"{APPLICATION}\\Default.aspx", b"third")
    archived.backup(now=NIGHT + dt.timedelta(days=2))
    newest = f"{LOCAL}\\PasswordResetServer_20260303T020000Z.zip"
    data = archived.files.read(newest)
    archived.write(newest, damage(data, len(data) // 2))
    archived.write(f"{LOCAL}\\PasswordResetServer_20260304T020000Z.zip", b"no manifest beside it")
    archived.files.remove_tree(APPLICATION)

    result = archived.restore()
    assert archived.tree()["Default.aspx"] == b"second"
    assert result["archive"]["path"].endswith("20260302T020000Z.zip")
    assert [(entry["path"][-20:], entry["reason"]) for entry in result["rejected"]] == [
        ("20260304T020000Z.zip", "has no manifest beside it: the run that wrote it did not end"),
        ("20260303T020000Z.zip", "is damaged: its SHA-256 is not the one in its manifest"),
    ]


def test_one_archive_is_given(archived: Twins) -> None:
    archived.write(f"{APPLICATION}\\Default.aspx", b"second")
    archived.backup(now=NIGHT + dt.timedelta(days=1))
    result = archived.restore(source=f"{LOCAL}\\{NAME}", replace="always")
    assert result["restored"] and archived.tree() == CONTENT


def test_an_archive_that_was_carried_away_proves_itself(archived: Twins) -> None:
    archived.write("D:\\usb\\taken along.zip", archived.files.read(f"{LOCAL}\\{NAME}"))
    archived.files.remove_tree(APPLICATION)
    assert archived.restore(source="D:\\usb\\taken along.zip")["restored"]
    assert archived.tree() == CONTENT


NO_ARCHIVE = [
    ({"source": "D:\\nothing"}, r"There is no whole archive of .* in D:\\nothing"),
    ({"source": "D:\\nothing\\some.zip"}, r"There is no archive D:\\nothing\\some\.zip"),
    ({"path": "C:\\inetpub\\wwwroot\\Other"}, r"There is no whole archive of .*Other in .*Check source"),
    ({"source": "\\\\files\\backup\\web"}, r"Windows error 5\).*share_user"),
]


@pytest.mark.parametrize("different, message", NO_ARCHIVE)
def test_no_archive(archived: Twins, different: dict[str, str], message: str) -> None:
    with pytest.raises(RecoveryError, match=message):
        archived.restore(**different)
    assert archived.tree() == CONTENT


# The pool


@pytest.fixture
def serving(archived: Twins) -> Twins:
    """The pool runs, with a worker process that keeps the folder open."""
    archived.install_iis()
    iis = archived.web.iis
    pool = iis.pool(POOL)
    iis._use_folder(iis._worker(pool), pool, APPLICATION)
    archived.files.remove(DLL)
    return archived


@pytest.mark.parametrize("start", [False, True])
def test_the_pool_is_stopped_and_its_worker_waited_for(serving: Twins, start: bool) -> None:
    serving.web.iis.linger_seconds = 1.2
    result = serving.restore(application_pool=POOL, start_pool=start)
    assert serving.tree() == CONTENT and nothing_beside(serving)
    assert result["pool_running"] is start
    assert serving.web.iis.pool(POOL).state == ("Started" if start else "Stopped")


def test_start_pool_is_a_state_of_its_own(serving: Twins) -> None:
    serving.restore(application_pool=POOL)
    started = serving.restore(application_pool=POOL, start_pool=True)
    assert started["changed"] and not started["restored"] and started["pool_running"]
    assert not serving.restore(application_pool=POOL, start_pool=True)["changed"]


def test_iis_refuses_for_a_moment(serving: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot accept control messages while an earlier change is under way."""
    monkeypatch.setattr(application_pool, "_ASK_AGAIN_EVERY", 0.01)
    serving.web.iis.busy_times = 3
    assert serving.restore(application_pool=POOL, start_pool=True)["pool_running"]
    assert serving.web.iis.busy_times == 0 and serving.tree() == CONTENT


def test_iis_refuses_for_good(serving: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_pool, "_ASK_AGAIN_EVERY", 0.01)
    monkeypatch.setattr(application_pool, "_ASK_AGAIN_FOR", 0.05)
    serving.web.iis.busy_times = 10_000
    with pytest.raises(RecoveryError, match=r"cannot accept control messages.*Windows error 1061.*is as it was before"):
        serving.restore(application_pool=POOL, start_pool=True)
    assert serving.tree() == {name: data for name, data in CONTENT.items() if name != "bin/Prs.Web.dll"}


def test_a_worker_that_never_ends_changes_nothing(serving: Twins) -> None:
    serving.web.iis.linger_seconds = 60
    with pytest.raises(
        RecoveryError,
        match=r"pool PasswordResetServer on .* 1 seconds went by before its worker.*w3wp\.exe \(\d+\).*is as it was "
        r"before",
    ):
        serving.restore(application_pool=POOL, pool_timeout=1)
    assert serving.tree() == {name: data for name, data in CONTENT.items() if name != "bin/Prs.Web.dll"}
    assert serving.web.iis.pool(POOL).state == "Started"
    assert nothing_beside(serving)


def test_a_pool_that_iis_does_not_know_is_no_obstacle(archived: Twins) -> None:
    archived.files.remove(DLL)
    assert archived.restore(application_pool=POOL, start_pool=True)["pool_running"] is None


# The swap


def test_a_file_that_stays_open_brings_everything_back(archived: Twins) -> None:
    archived.install_iis()
    archived.files.remove(DLL)
    before = archived.tree()
    archived.files.hold(f"{APPLICATION}\\Default.aspx", "virus scanner")
    with pytest.raises(RecoveryError, match=r"Renaming .* failed on .*is as it was before"):
        archived.restore(application_pool=POOL)
    archived.files.release(f"{APPLICATION}\\Default.aspx", "virus scanner")
    assert archived.tree() == before and nothing_beside(archived)
    assert archived.web.iis.pool(POOL).state == "Started"
    assert archived.restore(application_pool=POOL)["restored"]


def test_damage_after_the_swap_brings_the_old_folder_back(archived: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    archived.files.remove(DLL)
    before = archived.tree()

    swapped = folder_swap.FolderSwap.swap

    def swap_and_damage(swap: folder_swap.FolderSwap, **how: bool) -> None:
        swapped(swap, **how)
        archived.write(f"{APPLICATION}\\Default.aspx", b"garbage")

    monkeypatch.setattr(folder_swap.FolderSwap, "swap", swap_and_damage)
    with pytest.raises(RecoveryError, match=r"are not what the manifest says: Default\.aspx.*is as it was before"):
        archived.restore()
    assert archived.tree() == before and nothing_beside(archived)


def test_the_old_folder_is_kept_when_asked(archived: Twins) -> None:
    archived.files.remove(DLL)
    before = archived.tree()
    result = archived.restore(keep_old=True)
    assert result["kept_old"] == f"{APPLICATION}.20260301T020000Z"
    assert archived.tree(result["kept_old"]) == before and archived.tree() == CONTENT


@pytest.mark.parametrize("then_damaged", [False, True])
@pytest.mark.parametrize(
    ("key", "keep_old", "kept"),
    [
        (None, True, True),
        (OTHER_KEY, False, True),
        (DPAPI_BLOB, False, True),
        (b"ruined", False, False),
        (None, False, False),
    ],
)
def test_what_an_interrupted_run_left_is_kept_where_it_is_one_to_keep(
    archived: Twins, monkeypatch: pytest.MonkeyPatch, key: bytes | None, keep_old: bool, kept: bool, then_damaged: bool
) -> None:
    """The next run does not know any more what it was replaced for; its keys tell."""
    archived.files.remove(DLL)
    if key is not None:
        archived.write(f"{APPLICATION}\\encryption.config", key)
    before = archived.tree()

    def interrupted(previous: previous_folder.PreviousFolder, **how: bool) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(previous_folder.PreviousFolder, "keep_or_remove", interrupted)
        archived.restore(keep_old=keep_old, replace="always")
    if then_damaged:
        archived.files.remove(DLL)
    planned = archived.restore(keep_old=keep_old, check_mode=True)
    result = archived.restore(keep_old=keep_old)
    assert result["repaired"] != then_damaged or kept
    assert result["restored"] == then_damaged and archived.tree() == CONTENT and result == planned
    beside = sorted(set(archived.names(SITES)) - {"PasswordResetServer", "wwwroot"})
    trees = [archived.tree(f"{SITES}\\{name}") for name in beside if name.startswith("PasswordResetServer.")]
    assert (before in trees) == kept and len(trees) == kept + (keep_old and then_damaged)
    assert bool(result["warnings"]) == (key in (OTHER_KEY, DPAPI_BLOB))


def test_an_old_folder_that_cannot_be_renamed_is_kept_by_the_next_run(
    archived: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restored folder is in place all the same, and its pool runs."""
    archived.write(f"{APPLICATION}\\encryption.config", OTHER_KEY)
    before, old = archived.tree(), f"{APPLICATION}.prs-old"
    archived.install_iis()

    def denied(files: WindowsFiles, source: str, target: str) -> None:
        raise RecoveryError(f"Renaming {source} failed: it is in use", code="windows_error")

    with monkeypatch.context() as patched:
        patched.setattr(WindowsFiles, "rename", denied)
        result = archived.restore(replace="always", application_pool=POOL, start_pool=True)
    assert result["restored"] and result["pool_running"] and result["kept_old"] == old and archived.tree(old) == before
    assert "could not be renamed" in result["warnings"][1]
    again = archived.restore(replace="always", application_pool=POOL, start_pool=True)
    assert archived.tree(again["kept_old"]) == before and archived.tree() == CONTENT


def test_rights_are_inherited_anew_and_own_ones_carried_over(archived: Twins) -> None:
    drives = archived.web.drives
    mine = Ace(sid="S-1-5-82-1-2-3", mask=Rights.MODIFY, inheritance=CONTAINER | OBJECT)
    drives.set_descriptor(APPLICATION, Descriptor(entries=[mine]))
    archived.files.remove(DLL)
    inherited = [ace for ace in drives.entries(APPLICATION, folder=True) if ace.inherited]
    archived.restore()
    assert drives.descriptor(APPLICATION).entries == [mine] and not drives.descriptor(APPLICATION).protected
    assert [ace for ace in drives.entries(APPLICATION, folder=True) if ace.inherited] == inherited
    assert mine.sid in {ace.sid for ace in drives.entries(DLL, folder=False)}


@pytest.mark.parametrize("held", [False, True], ids=["by renaming", "by children"])
def test_rights_within_the_folder_are_carried_over(archived: Twins, held: bool) -> None:
    """The pool may write to App_Data, and the keys are for fewer than may read the rest."""
    drives = archived.web.drives
    writes = Ace(sid="S-1-5-82-1-2-3", mask=Rights.MODIFY, inheritance=CONTAINER | OBJECT)
    reads = Ace(sid="S-1-5-82-1-2-3", mask=Rights.READ_EXECUTE)
    admins = Ace(sid="S-1-5-32-544", mask=Rights.FULL)
    drives.set_descriptor(f"{APPLICATION}\\App_Data", Descriptor(entries=[writes]))
    drives.set_descriptor(f"{APPLICATION}\\encryption.config", Descriptor(entries=[reads, admins], protected=True))
    drives.set_descriptor(f"{APPLICATION}\\bin\\de", Descriptor(entries=[writes]))
    archived.files.remove(DLL)
    if held:
        archived.files.hold(APPLICATION, "IIS")
    archived.restore()
    assert drives.descriptor(f"{APPLICATION}\\App_Data").entries == [writes]
    key = drives.descriptor(f"{APPLICATION}\\encryption.config")
    assert key.protected and key.entries == [reads, admins]
    assert drives.descriptor(f"{APPLICATION}\\bin\\de").entries == [writes]
    assert writes.sid not in {ace.sid for ace in drives.entries(DLL, folder=False)}


def test_what_is_unpacked_is_nobodys_business_meanwhile(archived: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def look(swap: folder_swap.FolderSwap, *, like_live: bool) -> None:
        seen.append(
            {ace.sid for ace in archived.web.drives.entries(f"{APPLICATION}.prs-new\\encryption.config", folder=False)}
        )
        raise RecoveryError("stop here", code="windows_error")

    monkeypatch.setattr(folder_swap.FolderSwap, "prepare_rights", look)
    archived.files.remove(DLL)
    with pytest.raises(RecoveryError, match="stop here"):
        archived.restore()
    assert seen == [{"S-1-5-18", "S-1-5-32-544"}]


def test_no_room_to_unpack(archived: Twins) -> None:
    archived.files.remove(DLL)
    archived.web.drives.volumes["C"].capacity = 1 << 20
    archived.web.drives.volumes["C"].changed()
    with pytest.raises(RecoveryError, match=r"has 0 MB free, and 64 MB are needed.*Nothing was changed"):
        archived.restore()


def test_a_disk_that_fills_up_meanwhile(archived: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_restore, "ROOM", -(1 << 30))
    archived.files.remove(DLL)
    before = archived.tree()
    archived.web.drives.volumes["C"].capacity = 8_000
    archived.web.drives.volumes["C"].changed()
    with pytest.raises(RecoveryError, match=r"Windows error 112"):
        archived.restore()
    assert archived.tree() == before and nothing_beside(archived)


def test_the_manifest_can_be_made_by_hand(twins: Twins) -> None:
    """The format is what the documentation says, not what our writer happens to do."""
    data = io.BytesIO()
    manifest = Manifest(
        path="X:\\elsewhere", host="OLD", created="2020-01-01T00:00:00Z", planned=1,
        files=(ManifestFile(name="a.txt", size=1, sha256="ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),),
    )  # fmt: skip
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.txt", b"a")
        archive.writestr(".prs-recovery/manifest.jsonl", "\r\n".join(manifest.lines()))
    assert json.loads(manifest.head())["files"] == 1
    twins.write("D:\\x.zip", data.getvalue())
    assert twins.restore(path="C:\\new", source="D:\\x.zip")["archive"]["host"] == "OLD"
    assert twins.tree("C:\\new") == {"a.txt": b"a"}


def test_a_settings_file_that_nobody_edited_is_damaged(archived: Twins) -> None:
    """Other content under the very time that the archive knows: a disk did that, no person."""
    path = f"{APPLICATION}\\web.config"
    archived.write(path, damage(CONTENT["web.config"], 5))
    os.utime(archived.files.real_path(path), (LONG_AGO, LONG_AGO))
    folder = archived.restore()["folder"]
    assert (folder["state"], folder["damage"], folder["own"], folder["extra"]) == ("damaged", ["web.config"], [], [])
