"""backup_file_info over WinRM: the same report as of the control node, of a host's folders and of a share."""

from __future__ import annotations

import dataclasses
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._backup_files.run import control_node_report, windows_report
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from backup_file_builder import BackupSet, DatabaseFile, build, chain, numbered_guid, page
from prs_lab.windows.security import Descriptor

from .windows_twins import LONG_AGO, NO_SHARE, ON_SHARE, Twins
from .wire import Wire

FAMILY = numbered_guid(0xFA)
FOLDER, SHARE = "D:\\backup", "\\\\files\\backup\\sql"
DEFAULTS: dict[str, Any] = {
    "folders": [], "files": [], "check": "headers", "database": None, "family_guid": None, "recovery_fork": None, "target": "latest",
    "restore_as": None, "relocate": None, "time_zone": None, "recovery_point_objective": None, "prometheus": False,
    "remote_src": False, "tables": None, "last_change": False,
}  # fmt: skip
NOISE = bytes(byte for byte in random.Random(5).randbytes(12_000) for _time in range(6))
MANY_FILES = [DatabaseFile(logical_name=f"f{n}", file_id=n + 3, unique_id=numbered_guid(n)) for n in range(60)]


def kinds() -> dict[str, bytes]:
    """One of each kind, longer than what is fetched at first, and what is none."""
    full, first, second, third = chain(3, pages=page(1) * 4, log=NOISE)
    later = dataclasses.replace(first, files=(*full.files, *MANY_FILES))
    return {
        "full_1": build([full], stripes=2, stripe=1),
        "full_2": build([full], stripes=2, stripe=2),
        "log1.trn": build([later], media=numbered_guid(1)),
        "log2.trn": build([second], media=numbered_guid(2), packed=True),
        "deep/logs.trn": build(
            [third, *chain(39, family=numbered_guid(0xFB), guid=numbered_guid(0xA2))], media=numbered_guid(3)
        ),
        "deep/packed.trn": build(
            chain(5, family=numbered_guid(0xFC), guid=numbered_guid(0xA3), log=NOISE),
            packed=True,
            media=numbered_guid(4),
        ),
        "cut": build([BackupSet(guid=numbered_guid(7), log=NOISE)])[:40_000],
        "appended": build(chain(3, family=numbered_guid(0xFD), guid=numbered_guid(0xA4), log=NOISE * 2))[:-9_000],
        "text": b"hello",
        "empty": b"",
    }


def put(twins: Twins, folder: str, content: dict[str, bytes], *, share: bool = False) -> None:
    host = twins.share_host if share else twins.web
    for name, data in content.items():
        path = f"{folder}\\{name}".replace("/", "\\")
        twins.write(path, data, host)
        os.utime(twins.system(host).real_path(path), (LONG_AGO, LONG_AGO))


def ask(twins: Twins, **params: Any) -> dict[str, Any]:
    with twins.session() as files:
        return windows_report(files, {**DEFAULTS, **NO_SHARE, **params}, progress=Progress(), warnings=files.warnings)


def on_control_node(folder: Path, content: dict[str, bytes], **params: Any) -> dict[str, Any]:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (LONG_AGO, LONG_AGO))
    return control_node_report({**DEFAULTS, "folders": [str(folder)], **params}, progress=Progress(), warnings=[])


def comparable(value: Any, folder: str) -> Any:
    """Without the folder, the time that has passed, and the order of files."""
    if isinstance(value, dict):
        return {
            key: comparable(inner, folder) for key, inner in value.items() if key not in ("age_seconds", "loss_seconds")
        }
    if isinstance(value, list):
        found = [comparable(inner, folder) for inner in value]
        return (
            sorted(found, key=lambda item: item["path"])
            if found and isinstance(found[0], dict) and "path" in found[0]
            else found
        )
    return value.replace(folder, "X").replace("\\", "/") if isinstance(value, str) else value


def test_the_report_is_that_of_the_control_node(twins: Twins, tmp_path: Path) -> None:
    content = kinds()
    put(twins, FOLDER, content)
    local = on_control_node(tmp_path / "backup", content)
    remote = ask(twins, folders=[FOLDER])
    assert len(local["databases"]) == 4 and local["refusal"]["code"] == "ambiguous"
    for part in ("databases", "sets", "files", "media", "unreadable"):
        assert comparable(remote[part], FOLDER) == comparable(local[part], str(tmp_path / "backup")), part
    local = on_control_node(tmp_path / "backup", content, family_guid=FAMILY)
    remote = ask(twins, folders=[FOLDER], family_guid=FAMILY)
    assert len(local["plan"]["steps"]) == 5
    for part in ("databases", "plan"):
        assert comparable(remote[part], FOLDER) == comparable(local[part], str(tmp_path / "backup")), part


def damaged_kinds() -> dict[str, bytes]:
    """Those and, of a whole one of each, one with a bit that is not what was written, in what no header tells."""
    pages = b"".join(page(number, content=NOISE[number : number + 5000]) for number in range(200))
    plain, packed = (build([BackupSet(guid=numbered_guid(8), pages=pages)], packed=kind) for kind in (False, True))
    flipped = [bytearray(plain), bytearray(packed)]
    for data in flipped:
        data[len(data) // 2] ^= 8
    return {
        **kinds(),
        "plain": plain,
        "plain_damaged": bytes(flipped[0]),
        "packed": packed,
        "packed_damaged": bytes(flipped[1]),
    }


def test_content_is_judged_where_it_lies(twins: Twins, wire: Wire, tmp_path: Path) -> None:
    """As the control node judges it, and without hauling it over."""
    content = damaged_kinds()
    put(twins, FOLDER, content)
    local = on_control_node(tmp_path / "backup", content, check="pages")
    ask(twins, folders=[FOLDER])
    headers = wire.bytes
    remote = ask(twins, folders=[FOLDER], check="pages")
    assert wire.bytes < 2 * headers + 60_000  # the script and its answers
    for part in ("checked", "databases", "sets", "files"):
        assert comparable(remote[part], FOLDER) == comparable(local[part], str(tmp_path / "backup")), part
    states = {file["path"].removeprefix(f"{FOLDER}\\"): file["state"] for file in remote["files"]}
    assert (states["plain"], states["plain_damaged"]) == ("whole", "damaged")
    assert (states["packed"], states["packed_damaged"]) == ("whole", "damaged")
    assert remote["checked"]["damaged_files"] == 4 and 0.5 < remote["checked"]["share"] < 1


def test_a_share_is_read_as_the_account_that_may(twins: Twins) -> None:
    put(twins, "E:\\backup\\sql", kinds(), share=True)
    with pytest.raises(RecoveryError):
        ask(twins, folders=[SHARE])
    result = ask(twins, folders=[SHARE], family_guid=FAMILY, **ON_SHARE)
    assert len(result["plan"]["steps"]) == 5
    assert result["plan"]["steps"][0]["devices"] == [f"{SHARE}\\full_1", f"{SHARE}\\full_2"]


def test_a_file_that_is_open_elsewhere_stops_no_other(twins: Twins) -> None:
    put(twins, FOLDER, {"one": build(), "other": build([BackupSet(guid=numbered_guid(2))])})
    twins.files.hold(f"{FOLDER}\\other", "sqlservr")
    result = ask(twins, folders=[FOLDER], files=["D:\\gone.bak"])
    twins.files.release(f"{FOLDER}\\other", "sqlservr")
    assert {file["path"]: file["state"] for file in result["files"]} == {
        f"{FOLDER}\\one": "whole", f"{FOLDER}\\other": "being_written", "D:\\gone.bak": "unreadable",
    }  # fmt: skip


def test_a_folder_that_may_not_be_read_stops_no_other(twins: Twins) -> None:
    """A filer has its snapshots in one, which nobody may look into."""
    put(twins, FOLDER, {"a.bak": build([chain(1)[0]]), "~snapshot\\hourly.0\\a.bak": b"old"})
    twins.web.drives.set_descriptor(f"{FOLDER}\\~snapshot", Descriptor(entries=[], protected=True))
    with twins.session() as files:
        params = {**DEFAULTS, **NO_SHARE, "folders": [FOLDER]}
        result = windows_report(files, params, progress=Progress(), warnings=files.warnings)
        [warning] = files.warnings
    assert [file["path"] for file in result["files"]] == [f"{FOLDER}\\a.bak"]
    assert warning.startswith(f"{FOLDER}\\~snapshot on ") and "cannot be looked into" in warning


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"folders": ["backup"]}, "folders"),
        ({"folders": ["D:\\nowhere"]}, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_refused(twins: Twins, params: dict[str, Any], message: str) -> None:
    with pytest.raises(RecoveryError, match=message):
        ask(twins, **params)


@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=pytest.mark.nightly)])
def test_many_files_in_few_round_trips(twins: Twins, wire: Wire, count: int) -> None:
    """Logs of a minute each: in at most 20 envelopes, whatever their number."""
    sets = chain(count - 1, log=NOISE[:20_000])
    put(
        twins,
        FOLDER,
        {f"log{number:04}.trn": build([made], media=numbered_guid(number + 1)) for number, made in enumerate(sets)},
    )
    before, begin = wire.envelopes, time.monotonic()
    result = ask(twins, folders=[FOLDER])
    envelopes, seconds = wire.envelopes - before, time.monotonic() - begin
    print(f"\n{len(sets)} files: {envelopes} envelopes, {wire.bytes / 1e6:.1f} MB, {seconds:.1f} s")
    assert len(result["plan"]["steps"]) == len(sets) + 1
    assert envelopes <= 20
