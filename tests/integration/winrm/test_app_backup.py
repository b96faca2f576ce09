"""app_backup against a web server's twin: what is written where, what is refused, what an interruption leaves."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import itertools
import json
import ntpath
import os
import zipfile
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.session import Session
from prs_lab.windows.scripts import verb_archives

from .windows_twins import APPLICATION, CONTENT, LOCAL, NIGHT, ON_SHARE, REMOTE, SHARE_PASSWORD, Twins

NAME = "PasswordResetServer_20260301T020000Z.zip"


def check_archive(archive: bytes, manifest: bytes, content: dict[str, bytes]) -> None:
    """By another reader than ours: Python's own."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        found = {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}
    inside = found.pop(".prs-recovery/manifest.jsonl").decode().splitlines()
    assert found == content
    head, *files = [json.loads(line) for line in manifest.decode().splitlines()]
    assert head["archive"] == {"name": NAME, "size": len(archive), "sha256": hashlib.sha256(archive).hexdigest()}
    assert {file["name"]: file["sha256"] for file in files} == {
        name: hashlib.sha256(data).hexdigest() for name, data in content.items()
    }
    assert [json.loads(line)["sha256"] for line in inside[1:]] == [file["sha256"] for file in files]


@pytest.mark.parametrize("destination, share", [(LOCAL, {}), (REMOTE, ON_SHARE)])
def test_archive_holds_every_file_and_is_read_back(twins: Twins, destination: str, share: dict[str, str]) -> None:
    twins.files.make_dir(f"{APPLICATION}\\logs")
    result = twins.backup(destination=destination, **share)

    host, folder = (twins.web, LOCAL) if destination == LOCAL else (twins.share_host, "E:\\backup\\web")
    stored = twins.tree(folder, host)
    assert sorted(stored) == [NAME, f"{NAME}.manifest.jsonl"]
    check_archive(stored[NAME], stored[f"{NAME}.manifest.jsonl"], CONTENT)
    assert result["changed"] and result["warnings"] == []
    assert result["archive"] == {
        "path": f"{destination}\\{NAME}",
        "manifest": f"{destination}\\{NAME}.manifest.jsonl",
        "sha256": hashlib.sha256(stored[NAME]).hexdigest(),
        "bytes": len(stored[NAME]),
        "files": len(CONTENT),
        "content_bytes": sum(map(len, CONTENT.values())),
        "created": "2026-03-01T02:00:00Z",
        "labels": {},
        "healthy": None,
        "verified": True,
    }


def test_one_shell_serves_a_whole_backup_and_shows_no_secret(twins: Twins) -> None:
    twins.backup(destination=REMOTE, retention={"last": 1}, **ON_SHARE)
    entries = list(twins.web.record.entries())
    assert {entry["name"] for entry in entries if entry["kind"] == "script"} >= {
        "connect",
        "pack",
        "entries",
        "hash_files",
        "write_lines",
    }
    texts = "".join(entry["text"] for entry in entries if entry["kind"] in ("script", "command"))
    assert SHARE_PASSWORD not in texts and SHARE_PASSWORD not in json.dumps(entries, ensure_ascii=False)


def test_check_mode_says_the_same_and_writes_nothing(twins: Twins) -> None:
    before = twins.tree("C:\\"), twins.names("D:\\")
    planned = twins.backup(check_mode=True, show_diff=True)
    assert (twins.tree("C:\\"), twins.names("D:\\")) == before
    assert planned["changed"] and not planned["archive"]["verified"]
    assert planned["diff"]["before"] == "" and "bin/Prs.Web.dll (10242 bytes)\n" in planned["diff"]["after"]
    done = twins.backup()
    for key in ("path", "files", "content_bytes", "created"):
        assert planned["archive"][key] == done["archive"][key]


def test_exclude_and_keep(twins: Twins) -> None:
    twins.write(f"{APPLICATION}\\logs\\today.log", b"busy")
    for night in range(4):
        result = twins.backup(exclude=["*.log", "bin/de"], retention={"last": 2}, now=NIGHT + dt.timedelta(days=night))
    assert result["excluded"] == ["bin/de", "bin/de/Prs.Web.resources.dll", "logs/today.log"]
    assert result["archive"]["files"] == len(CONTENT) - 1
    assert result["removed"] == [f"{LOCAL}\\PasswordResetServer_20260302T020000Z.zip"]
    stems = {name.split(".")[0] for name in twins.names(LOCAL)}
    assert stems == {"PasswordResetServer_20260303T020000Z", "PasswordResetServer_20260304T020000Z"}
    assert len(twins.names(LOCAL)) == 4


def test_retention_touches_nothing_else(twins: Twins) -> None:
    others = {
        "product backup.zip": b"PK",
        "PasswordResetServer_manual.zip": b"x",
        "Other_20260101T000000Z.zip": b"y",
        "notes.txt": b"z",
    }
    twins.install(others, LOCAL)
    twins.backup(retention={"last": 1})
    twins.backup(retention={"last": 1}, now=NIGHT + dt.timedelta(days=1))
    assert set(others) < set(twins.names(LOCAL))
    assert len(twins.names(LOCAL)) == len(others) + 2


def test_skip_unchanged(twins: Twins) -> None:
    first = twins.backup(skip_unchanged=True)
    second = twins.backup(skip_unchanged=True, now=NIGHT + dt.timedelta(days=1))
    assert first["changed"] and not second["changed"]
    assert second["archive"]["path"] == first["archive"]["path"] and second["archive"]["files"] == len(CONTENT)
    twins.write(f"{APPLICATION}\\web.config", b"<configuration>1</configuration>")
    assert twins.backup(skip_unchanged=True, now=NIGHT + dt.timedelta(days=2))["changed"]


def test_two_backups_in_one_second_are_two_archives(twins: Twins) -> None:
    assert [twins.backup()["archive"]["path"] for _ in range(2)] == [
        f"{LOCAL}\\{NAME}",
        f"{LOCAL}\\{NAME.replace('.zip', '-2.zip')}",
    ]


def test_what_an_interrupted_run_left_is_cleared_away(twins: Twins) -> None:
    unfinished = {"PasswordResetServer_20260201T020000Z.zip": b"long ago", NAME: b"a moment ago"}
    before = NAME.replace("0301T", "0227T")
    twins.install(
        {
            f"{NAME}.WEB.partial": b"half",
            f"{before}.partial": b"half",
            f"{before}.manifest.jsonl.partial": b"{",
            **unfinished,
        },
        LOCAL,
    )
    later = "PasswordResetServer_20260301T030000Z.zip"
    result = twins.backup(now=NIGHT + dt.timedelta(hours=1))
    assert result["removed"] == [f"{LOCAL}\\PasswordResetServer_20260201T020000Z.zip"]
    assert twins.names(LOCAL) == [NAME, later, f"{later}.manifest.jsonl"]


def test_two_web_servers_archive_into_one_place_at_once(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """One between any two steps of the other: what that one is writing, and has open in no program at this moment,
    stays.
    """
    other = twins.another_web_server()
    for name, data in CONTENT.items():
        twins.write(f"{APPLICATION}\\{name}", data, other)
    call, steps = Session.call, itertools.count(1)
    archived: list[dict[str, Any]] = []

    def interleaved(session: Session, script: str, **given: Any) -> Any:
        answer = call(session, script, **given)
        if any(name.endswith(".WEB.partial") for name in twins.names("E:\\backup\\web", twins.share_host)):
            with monkeypatch.context() as alone:
                alone.setattr(Session, "call", call)
                archived.append(
                    twins.backup(
                        host=other, destination=REMOTE, now=NIGHT + dt.timedelta(seconds=next(steps)), **ON_SHARE
                    )
                )
        return answer

    monkeypatch.setattr(Session, "call", interleaved)
    archived.append(twins.backup(destination=REMOTE, **ON_SHARE))
    assert next(steps) > 3
    names = twins.names("E:\\backup\\web", twins.share_host)
    assert sorted(names) == sorted(
        f"{ntpath.basename(one['archive']['path'])}{end}" for one in archived for end in ("", ".manifest.jsonl")
    )


def test_a_locked_file_is_tried_again_and_then_stops_the_backup(twins: Twins) -> None:
    twins.files.hold(f"{APPLICATION}\\bin\\Prs.Web.dll", "virus scanner")
    with pytest.raises(
        RecoveryError,
        match=r"Prs\.Web\.dll on .* cannot be read.*used by another process.*Nothing was archived.*exclude",
    ):
        twins.backup()
    assert twins.scripts().count("pack") == 1
    assert twins.names(LOCAL) == []
    assert twins.backup(exclude=["Prs.Web.dll"])["archive"]["files"] == len(CONTENT) - 1


@pytest.mark.parametrize("pauses, archived", [(1, True), (2, True), (3, False)])
def test_a_lock_that_goes_away_after_some_pauses(
    twins: Twins, monkeypatch: pytest.MonkeyPatch, pauses: int, archived: bool
) -> None:
    """Tried again after all other files, twice, and only that file."""
    path = f"{APPLICATION}\\bin\\Prs.Web.dll"
    twins.files.hold(path, "virus scanner")
    waited: list[float] = []

    def release(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == pauses:
            twins.files.release(path, "virus scanner")

    monkeypatch.setattr(verb_archives, "pause", release)
    if archived:
        assert twins.backup()["archive"]["files"] == len(CONTENT)
    else:
        with pytest.raises(RecoveryError, match=r"Prs\.Web\.dll on .* cannot be read"):
            twins.backup()
    assert waited == [2.0] * min(pauses, 2)
    assert twins.scripts().count("pack") == 1


def test_a_full_disk_leaves_no_archive(twins: Twins) -> None:
    twins.write(f"{APPLICATION}\\large.dat", os.urandom(100_000))
    twins.web.drives.volumes["D"].capacity = 50_000
    twins.web.drives.volumes["D"].changed()
    with pytest.raises(
        RecoveryError, match=r"not enough space on the disk \(Windows error 112\)\. The disk is full: free space"
    ):
        twins.backup()
    assert twins.names(LOCAL) == []


def test_an_archive_that_is_not_what_was_read_is_removed(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that damages what it writes, seen by reading the copy where it lies."""
    write = verb_archives._pack_file
    monkeypatch.setattr(verb_archives, "_pack_file", lambda *given: {**write(*given), "sha256": "0" * 64})
    with pytest.raises(
        RecoveryError, match=r"does not hold what was read from .*Its disk or the way to it damages data"
    ):
        twins.backup()
    assert twins.names(LOCAL) == []


SHARE_PROBLEMS = [
    ({"destination": "\\\\nowhere\\backup"}, r"Windows error 53\).*TCP port 445"),
    ({"destination": "\\\\files\\nothing"}, r"Windows error 67\).*no share of that name"),
    (
        {"share_password": "wrong"},
        r"Connecting to \\\\files\\backup as PRSLAB\\svc-backup failed.*Windows error 1326\).*refuses the account",
    ),
    ({"share_user": "PRSLAB\\svc-reader"}, r"Windows error 5\).*share_user"),
    ({"share_user": None, "share_password": None}, r"Windows error 5\).*give share_user and share_password"),
]


@pytest.mark.parametrize("different, message", SHARE_PROBLEMS)
def test_a_share_that_refuses_says_why(twins: Twins, different: dict[str, str], message: str) -> None:
    with pytest.raises(RecoveryError, match=message) as caught:
        twins.backup(**{"destination": REMOTE, **ON_SHARE, **different})
    assert SHARE_PASSWORD not in str(caught.value)
    assert twins.names("E:\\backup", twins.share_host) == []


BAD_OPTIONS = [
    ({"path": "C:\\inetpub\\nothing"}, r"There is no folder C:\\inetpub\\nothing"),
    ({"path": f"{APPLICATION}\\web.config"}, r"There is no folder .*web\.config"),
    ({"path": "inetpub"}, r"path is 'inetpub', which is no full path"),
    ({"destination": f"{APPLICATION}\\backup"}, r"lies in the folder"),
    ({"exclude": ["*"]}, r"holds no file to archive"),
]


@pytest.mark.parametrize("different, message", BAD_OPTIONS)
def test_bad_options_stop_before_anything_is_written(twins: Twins, different: dict[str, str], message: str) -> None:
    with pytest.raises(RecoveryError, match=message):
        twins.backup(**different)
    assert twins.names(LOCAL) == []
