"""verify_prs notices broken protection: one estate for all of these tests; what they break they heal."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playbook_lab import ROOT, Estate, Run, table_rows

SHARE = r"\\files.prslab.test\backup"
BLOCKED = "This script contains malicious content and has been blocked by your antivirus software."
QUICK = ("-e", "verify_attempts=1")

Heal = Callable[[], None]


@pytest.fixture(scope="module")
def guarded(shared_estate: Estate) -> Estate:
    """The protected estate; every test leaves it as it was."""
    return shared_estate


def shared_files(estate: Estate) -> Path:
    return estate.lab.state_dir / "hosts" / "files" / "drives" / "D" / "Shares" / "backup"


def test_a_protected_estate_says_so_and_nothing_was_changed(guarded: Estate, tmp_path: Path):
    before = guarded.lab.digest()
    run = guarded.play("verify_prs", "--check")
    assert run.code == 0, run.output
    assert "PROTECTED, " in run.output and run.changed == 0
    states = {(what, where): state for state, what, where, _found in table_rows(run)}
    assert {what for what, _where in states} >= {
        "page",
        "server",
        "database",
        "login",
        "site certificate",
        "SQL Server certificate",
        "certificate file",
        "free space",
        "media",
        "recovery point",
        "backup chain",
        "recovery set",
        "keys",
        "copies",
        "rights",
        "drill",
    }
    assert "FAIL" not in states.values()
    assert guarded.lab.digest() == before


def test_a_backup_in_check_mode_writes_nothing(guarded: Estate):
    before = guarded.lab.digest()
    run = guarded.play("backup_prs", "--check")
    assert run.code == 0, run.output
    assert guarded.lab.digest() == before


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["2.16", "2.21"])
def test_other_versions_of_ansible_core_verify_as_well(guarded: Estate, version: str):
    ansible = ROOT / "build" / f"venv-{version}" / "bin" / "ansible-playbook"
    if not ansible.exists():
        pytest.skip(f"no ansible-core {version} here: make venv-{version}")
    run = guarded.play("verify_prs", *QUICK, ansible=str(ansible))
    assert run.code == 0 and "PROTECTED, " in run.output, run.output


def test_the_result_is_handed_on_as_files(guarded: Estate, tmp_path: Path):
    where = json.dumps(
        {"prs_report_folder": str(tmp_path), "prs_report_share": SHARE, "prs_accept_shared_readers": False}
    )
    run = guarded.play("verify_prs", "--limit", "web-a", "-e", where, *QUICK)
    assert "sql-a: server: was not looked at: --limit leaves it out" in run.failures, run.output
    told = json.loads((tmp_path / "protection.json").read_text())
    assert told["protected"] is False and {row["what"] for row in told["rows"]} >= {"page", "keys"}
    [rights] = [row for row in told["rows"] if row["what"] == "rights"]
    assert (
        rights["state"] == "fail"
        and rights["value"].startswith(r"PRSLAB\svc-backup, ")
        and "1 more read keys and database, which is not" in rights["value"]
    )
    assert "prs_protected 0\n" in (tmp_path / "protection.prom").read_text()
    copies = [shared_files(guarded) / name for name in ("protection.json", "protection.prom")]
    assert json.loads(copies[0].read_text()) == {**told, "checked_at": json.loads(copies[0].read_text())["checked_at"]}
    for copy in copies:
        copy.unlink()


def _take(estate: Estate, folder: str, pattern: str) -> Heal:
    """The files are gone until they are healed."""
    files, elsewhere = sorted((shared_files(estate) / folder).glob(pattern)), estate.lab.state_dir / "taken"
    assert files
    elsewhere.mkdir(exist_ok=True)
    for file in files:
        file.rename(elsewhere / file.name)

    def heal() -> None:
        for file in files:
            (elsewhere / file.name).rename(file)

    return heal


def _backups_gone(estate: Estate) -> Heal:
    return _take(estate, "database", "*")


def _archive_gone(estate: Estate) -> Heal:
    return _take(estate, "application", "*.zip")


def _sets_gone(estate: Estate) -> Heal:
    return _take(estate, "sets", "*.json")


def _flip(folder: str, pattern: str) -> Callable[[Estate], Heal]:
    def break_it(estate: Estate) -> Heal:
        file = max((shared_files(estate) / folder).glob(pattern), key=lambda file: file.name)
        content = file.read_bytes()
        estate.lab.damage(rf"{SHARE}\{folder}\{file.name}")
        return lambda: file.write_bytes(content) and None

    return break_it


def _other_key(estate: Estate) -> Heal:
    file = estate.lab.state_dir / "hosts/web-a/drives/C/inetpub/wwwroot/PasswordResetServer/encryption.config"
    content = file.read_bytes()
    file.write_bytes(content + b"\r\n")
    return lambda: file.write_bytes(content) and None


def _share_gone(estate: Estate) -> Heal:
    estate.lab.fault("share-gone", host="files", share="backup")
    return lambda: estate.lab.unfault("share-gone", host="files", share="backup")


def _server_rights(estate: Estate) -> Heal:
    estate.lab.fault("share-rights", host="files", share="backup", account=r"PRSLAB\SQL-A$")
    return lambda: estate.lab.unfault("share-rights", host="files", share="backup", account=r"PRSLAB\SQL-A$")


def _no_media(estate: Estate) -> Heal:
    estate.lab.fault("share-gone", host="files", share="media")
    return lambda: estate.lab.unfault("share-gone", host="files", share="media")


def _no_certificate(estate: Estate) -> Heal:
    file = Path(estate.lab.description.host("sql-b").pfx)
    elsewhere = file.rename(estate.lab.state_dir / file.name)
    return lambda: elsewhere.rename(file) and None


def _full(estate: Estate) -> Heal:
    estate.lab.fault("disk-size", host="web-a", drive="C", size="1 GB")
    return lambda: estate.lab.unfault("disk-size", host="web-a", drive="C")


def _other_site_off(estate: Estate) -> Heal:
    estate.lab.kill("web-b")
    return lambda: estate.lab.start("web-b")


def _iis_stopped(estate: Estate) -> Heal:
    estate.task("web-a", "ansible.windows.win_service", name="W3SVC", state="stopped")
    return lambda: estate.task("web-a", "ansible.windows.win_service", name="W3SVC", state="started")


def _cim_denied(estate: Estate) -> Heal:
    fault = {"host": "sql-b", "script": "inspect_protection"}
    estate.lab.fault("script", **fault, text="Access denied ")
    return lambda: estate.lab.unfault("script", **fault)


def _scripts_blocked(estate: Estate) -> Heal:
    fault = {"host": "sql-b", "script": "inspect_protection"}
    estate.lab.fault("script", **fault, text=BLOCKED)
    return lambda: estate.lab.unfault("script", **fault)


def _iis_denied(estate: Estate) -> Heal:
    pool = {"name": "PasswordResetServer"}
    estate.task("web-a", "microsoft.iis.web_app_pool", **pool, state="stopped")
    estate.lab.fault("iis-denied", host="web-a")

    def heal() -> None:
        estate.lab.unfault("iis-denied", host="web-a")
        estate.task("web-a", "microsoft.iis.web_app_pool", **pool, state="started")

    return heal


def _everyone(estate: Estate) -> Heal:
    rule = {"path": r"D:\Shares\backup\application", "user": "S-1-1-0", "rights": "Read", "type": "allow"}
    estate.task("files", "ansible.windows.win_acl", state="present", **rule)
    return lambda: estate.task("files", "ansible.windows.win_acl", state="absent", **rule)


def _record(state: str, **more: object) -> Callable[[Estate], Heal]:
    def break_it(estate: Estate) -> Heal:
        folder = shared_files(estate) / "drills"
        folder.mkdir(exist_ok=True)
        file = folder / "one.json"
        file.write_text(
            json.dumps({"format": "prs.recovery drill 1", "state": state, "begun_at": "2026-01-01T00:00:00Z", **more})
        )
        return file.unlink

    return break_it


def _nothing(_estate: Estate) -> Heal:
    return lambda: None


WEB, SQL = ("--limit", "web-a"), ("--limit", "sql-a")
NO_OBJECTIVE = ("-e", "prs_recovery_point_objective=0")


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A protection that is broken, how a run is told to look at it alone, and the row that must say it."""

    by: Callable[[Estate], Heal] = _nothing
    alone: tuple[str, ...]
    what: str
    where: str
    said: str

    def noticed(self, run: Run) -> None:
        found = [row for row in table_rows(run) if row[:2] == ("FAIL", self.what) and self.where in row[2]]
        assert found and any(self.said in row[3] for row in found), run.output
        assert run.code != 0
        assert f"NOT PROTECTED: {len([row for row in table_rows(run) if row[0] == 'FAIL'])} check" in run.failures, (
            run.output
        )


AT_ONCE = {  # none of these hides another, so one run sees them all
    "IIS stopped": Broken(
        by=_iis_stopped,
        alone=WEB,
        what="page",
        where="https://",
        said="refuses the connection: nothing listens there; on web-a IIS does not run",
    ),
    "backup too old": Broken(alone=(*SQL, *NO_OBJECTIVE), what="recovery point", where=SHARE, said="old"),
    "a bit of a backup flipped": Broken(
        by=_flip("database", "*.bak"), alone=WEB, what="recovery set", where=SHARE, said="is damaged"
    ),
    "keys do not fit": Broken(
        by=_other_key, alone=WEB, what="keys", where=SHARE, said="another one than the application's"
    ),
    "no media at the other site": Broken(
        by=_no_media, alone=("--limit", "sql-a,sql-b"), what="media", where="sql-b", said="setup.exe cannot be read"
    ),
    "the other site's certificate gone": Broken(
        by=_no_certificate,
        alone=("--limit", "sql-a,sql-b"),
        what="certificate file",
        where="sql-b",
        said="not on the control node",
    ),
    "the other site's server off": Broken(
        by=_other_site_off,
        alone=("--limit", "sql-a,web-b"),
        what="server",
        where="web-b",
        said="was not looked at: Connection to",
    ),
    "drive full": Broken(by=_full, alone=WEB, what="free space", where="web-a C:", said="free"),
    "everybody reads the keys": Broken(by=_everyone, alone=WEB, what="rights", where=SHARE, said="Everyone may read"),
    "drill failed": Broken(
        by=_record("failed", problem="CHECKDB found 3 errors"),
        alone=WEB,
        what="drill",
        where="site_a",
        said="CHECKDB found 3 errors",
    ),
}
ALONE = {
    "no backup of the database": Broken(
        by=_backups_gone, alone=SQL, what="recovery point", where=SHARE, said="there is no backup"
    ),
    "SQL Server has no rights on the backups": Broken(
        by=_server_rights, alone=SQL, what="recovery point", where=SHARE, said="SQL Server did not read"
    ),
    "no recovery set": Broken(
        by=_sets_gone, alone=WEB, what="recovery set", where=SHARE, said="There is no recovery set"
    ),
    "archive of the set missing": Broken(by=_archive_gone, alone=WEB, what="recovery set", where=SHARE, said=".zip"),
    "a bit of the archive flipped": Broken(
        by=_flip("application", "*.zip"), alone=WEB, what="recovery set", where=SHARE, said="is damaged"
    ),
    "share gone": Broken(by=_share_gone, alone=WEB, what="recovery set", where=SHARE, said=SHARE),
    "share account refused": Broken(
        alone=(*WEB, "-e", "prs_share_password=wrong"), what="recovery set", where=SHARE, said="password"
    ),
    "certificate not trusted": Broken(
        alone=(*WEB, "-e", "prs_ca_file=/etc/ssl/certs/ca-certificates.crt"),
        what="page",
        where="https://",
        said="does not trust",
    ),
    "a server whose CIM is denied": Broken(
        by=_cim_denied,
        alone=("--limit", "sql-a,sql-b"),
        what="server",
        where="sql-b",
        said="was not looked at: Access denied",
    ),
    "a server that blocks scripts": Broken(
        by=_scripts_blocked,
        alone=("--limit", "sql-a,sql-b"),
        what="server",
        where="sql-b",
        said=f"was not looked at: {BLOCKED.rstrip('.')}",
    ),
    "IIS' configuration denied": Broken(
        by=_iis_denied,
        alone=WEB,
        what="page",
        where="https://",
        said="on web-a IIS cannot be asked: Cannot read configuration file",
    ),
    "drill too long ago": Broken(
        by=_record("passed"), alone=(*WEB, "-e", "prs_drill_days=7"), what="drill", where="site_a", said="ago"
    ),
}


@pytest.mark.nightly
def test_a_standby_that_waits_for_its_wizard_is_no_second_application(estate: Estate):
    """Its site and pool run, and there is no database.config: whoever comes there meets the setup wizard."""
    site = {"name": "PasswordResetServer", "state": "started"}
    folder = r"C:\inetpub\wwwroot\PasswordResetServer"
    estate.task("web-b", "ansible.windows.win_feature", name=["Web-Server"], state="present")
    estate.task("web-b", "ansible.windows.win_file", path=folder, state="directory")
    estate.task("web-b", "microsoft.iis.web_app_pool", **site)
    estate.task("web-b", "microsoft.iis.website", **site, application_pool=site["name"], physical_path=folder)

    run = estate.play("verify_prs", "--limit", "web-a,web-b", *QUICK)
    assert ("ok", "second application", "web-b", "waits for its setup wizard") in table_rows(run), run.output

    config = estate.lab.state_dir / "hosts/web-b/drives/C/inetpub/wwwroot/PasswordResetServer/database.config"
    config.write_text("<connectionString/>")
    run = estate.play("verify_prs", "--limit", "web-a,web-b", *QUICK)
    assert ("FAIL", "second application", "web-b") in [row[:3] for row in table_rows(run)], run.output

    estate.lab.fault("iis-denied", host="web-b")
    run = estate.play("verify_prs", "--limit", "web-a,web-b", *QUICK)
    [said] = [row[3] for row in table_rows(run) if row[:3] == ("FAIL", "second application", "web-b")]
    assert said.startswith("nobody can tell whether it runs here too: IIS cannot be asked"), run.output


@pytest.fixture(scope="module")
def all_at_once(guarded: Estate) -> Run:
    """One look at an estate of which much is broken at the same time."""
    with ExitStack() as healing:
        for broken in AT_ONCE.values():
            healing.callback(broken.by(guarded))
        return guarded.play("verify_prs", *NO_OBJECTIVE, *QUICK)


@pytest.mark.parametrize("broken", AT_ONCE.values(), ids=AT_ONCE)
def test_each_of_many_broken_protections_is_noticed(all_at_once: Run, broken: Broken):
    broken.noticed(all_at_once)


@pytest.mark.nightly
@pytest.mark.parametrize("broken", [pytest.param(broken, id=name) for name, broken in {**AT_ONCE, **ALONE}.items()])
def test_a_broken_protection_is_noticed_when_all_else_is_well(guarded: Estate, broken: Broken):
    heal = broken.by(guarded)
    try:
        run = guarded.play("verify_prs", *broken.alone, *QUICK)
    finally:
        heal()
    broken.noticed(run)


@pytest.mark.nightly
def test_backups_are_told_of_when_the_site_that_made_them_is_gone(estate: Estate):
    """By the other site's web server; the sets are listed by it, too."""
    for host in ("web-a", "sql-a"):
        estate.lab.kill(host)
    waits = ("-e", "ansible_winrm_read_timeout_sec=3", "-e", "ansible_winrm_operation_timeout_sec=2")
    run = estate.play("verify_prs", *QUICK, *waits)
    assert run.code != 0
    rows = {what: (state, found) for state, what, where, found in table_rows(run) if where.startswith("site_a")}
    label = max((shared_files(estate) / "sets").glob("*.json")).stem
    assert rows.get("recovery set", ("",))[0] == "ok" and label in rows["recovery set"][1], run.output
    assert rows["recovery point"][0] in ("ok", "WARN"), run.output

    run = estate.play("sets_prs", *waits)
    assert run.code == 0 and run.changed == 0, run.output
    assert "seen by web-b: 1 recovery set, " in run.output and f"| {label} " in run.output, run.output
