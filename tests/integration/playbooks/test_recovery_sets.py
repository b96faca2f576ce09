"""Recovery sets: taken while the application is in use, as a rhythm, with half of it failing, and brought back at the
other site.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from mirrored import DATABASE, ask
from playbook_lab import MARKERS, Estate, make_shares, share_on_witness, table_rows

APPLICATION = Path("C", "inetpub", "wwwroot", "PasswordResetServer")
OWN = ("web.config",)
"""What a rebuild sets anew after the files are back."""


@pytest.fixture
def estate(protected_state: Path, tmp_path: Path) -> Iterator[Estate]:
    """A copy at the addresses of the first one, which its certificates bear: elsewhere a browser would refuse the page,
    and no set be healthy.
    """
    state = tmp_path / "lab"
    shutil.copytree(protected_state, state, ignore=shutil.ignore_patterns("record.jsonl"))
    copy = Estate(state)
    address = copy.lab.description.in_group("prs_web")[0].address
    copy.lab.up(network=f"{address.rpartition('.')[0]}.0")
    yield copy
    copy.lab.down()
    shutil.rmtree(state)


def drives(estate: Estate, host: str) -> Path:
    """What lies on a host's drives, past Windows: as another program on that host would see it."""
    return estate.lab.state_dir / "hosts" / host / "drives"


def sets(estate: Estate) -> dict[str, dict[str, Any]]:
    """The manifests on the share, by label."""
    folder = drives(estate, "files") / "D" / "Shares" / "backup" / "sets"
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Busy:
    """Somebody who works with the application: a row and a file again and again, each written whole."""

    def __init__(self, estate: Estate) -> None:
        self.rows: list[str] = []
        self.contents: set[str] = set()
        self._estate = estate
        self._file = drives(estate, "web-a") / APPLICATION / "App_Data" / "live.txt"
        self._file.parent.mkdir(exist_ok=True)
        self._stop = threading.Event()
        self._begun = threading.Semaphore(0)
        self._problems: list[BaseException] = []

    @contextmanager
    def working(self) -> Iterator[None]:
        """From the first writes of both until after the end."""
        workers = [threading.Thread(target=self._run, args=(work,), daemon=True) for work in (self._row, self._content)]
        for worker in workers:
            worker.start()
        assert all(self._begun.acquire(timeout=120) for _ in workers), self._problems
        try:
            yield
        finally:
            self._stop.set()
            for worker in workers:
                worker.join()
        assert not self._problems

    def _run(self, work: Any) -> None:
        try:
            work(0)
            self._begun.release()
            number = 0
            while not self._stop.wait(0.05):
                number += 1
                work(number)
        except BaseException as problem:
            self._problems.append(problem)

    def _row(self, number: int) -> None:
        self._estate.lab.mark([f"live {number}"])
        self.rows.append(f"live {number}")

    def _content(self, number: int) -> None:
        text = f"{number}\n" * 1000
        self.contents.add(hashlib.sha256(text.encode()).hexdigest())
        draft = self._estate.lab.state_dir / "draft.txt"
        draft.write_text(text, encoding="utf-8", newline="")
        os.replace(draft, self._file)


@pytest.mark.nightly
def test_a_set_taken_while_rows_and_files_are_written_comes_back_on_fresh_servers(estate: Estate):
    """Encrypted, so that the servers that come after must bring back the certificate first, from another place than the
    backups.
    """
    password = "Key-Passw0rd of nobody"
    encrypted = (
        "-e",
        json.dumps(
            {
                "prs_backup_encryption_certificate": "PRS backup",
                "prs_backup_keys_path": share_on_witness(estate, "keys"),
                "prs_backup_encryption_password": password,
                "prs_backup_password_hashes": True,
            }
        ),
    )
    busy = Busy(estate)
    with busy.working():
        before = list(busy.rows)
        run = estate.play("backup_prs", *encrypted)
        assert run.code == 0, run.output
    assert "keys and the database together" not in run.output
    [made] = [one for label, one in sets(estate).items() if label == max(sets(estate))]
    assert made["healthy"], made["problems"]
    assert made["database"]["encryptor_thumbprint"]
    assert made["web"]["version"].startswith("5.3.") and made["web"]["version_of"].endswith("Prs.Web.dll")
    kept = (drives(estate, "witness") / "C" / "keys" / f"{made['label']}.logins.yml").read_text(encoding="utf-8")
    encrypted_hashes = "\n".join(line.strip() for line in kept.splitlines()[1:])
    of_logins = json.loads(VaultLib([("default", VaultSecret(password.encode()))]).decrypt(encrypted_hashes))
    assert of_logins["prs_app"].startswith("0x0200")
    assert not [value for value in of_logins.values() if value in run.output or value in json.dumps(made)]
    folder = drives(estate, "web-a") / APPLICATION
    then = hashes(folder)
    estate.lose_site_a()
    rebuilt = estate.play("rebuild_prs", *encrypted)
    assert rebuilt.code == 0, rebuilt.output
    assert password not in run.output + rebuilt.output
    rows = estate.labels()  # the page reads them with the keys of the archive
    assert rows == [*MARKERS, *busy.rows][: len(rows)]
    assert rows[: len(MARKERS) + len(before)] == [*MARKERS, *before]
    now = hashes(folder)
    assert now.pop("App_Data/live.txt") in busy.contents
    del then["App_Data/live.txt"]
    assert {name: now.get(name) for name in then if name not in OWN} == {
        name: value for name, value in then.items() if name not in OWN
    }
    assert "RECOVERY POINT: " in rebuilt.output
    assert f"recovery set {made['label']}" in rebuilt.output and f"version {made['web']['version']}" in rebuilt.output
    _a_drill_brings_the_certificate_and_takes_it_away(estate, encrypted)


def _a_drill_brings_the_certificate_and_takes_it_away(estate: Estate, encrypted: tuple[str, str]) -> None:
    """On a server that does not have it, nor a master key, as one elsewhere than the one that took the backups; also
    when the drill fails.
    """
    login = {
        "login_user": "prs_recovery",
        "login_password": "{{ prs_sql_admin_password }}",
        "ca_file": "{{ prs_ca_file }}",
        "certificate_name": "{{ prs_fqdn }}",
    }
    keys = (
        "SELECT name FROM master.sys.symmetric_keys UNION SELECT name FROM master.sys.certificates WHERE name "
        "NOT LIKE '##%' ORDER BY name"
    )
    estate.task(
        "sql-a", "prs.recovery.sql_certificate", name="PRS backup", state="absent", drop_master_key=True, **login
    )
    before = ask(estate, "sql-a", keys)
    assert "##MS_DatabaseMasterKey##" not in str(before)
    estate.lab.fault(
        "sql", host="sql-a", action="error", pattern="^DBCC CHECKDB", times=0, text="Lab: it was asked to fail."
    )
    drilled = estate.play("drill_prs", *encrypted)
    assert "asked to fail" in drilled.failures and "Not cleared away" not in drilled.failures, drilled.output
    assert ask(estate, "sql-a", keys) == before


@pytest.mark.nightly
def test_the_copy_at_the_other_site_survives_the_loss_of_the_first(estate: Estate):
    """A full, a differential and a log backup, each copied; then servers and share of site A are gone."""
    vault = share_on_witness(estate, "vault")
    estate.task(
        "sql-a",
        "prs.recovery.sql_database",
        name="PasswordResetServer",
        recovery_model="FULL",
        login_user="prs_recovery",
        login_password="{{ prs_sql_admin_password }}",
        ca_file="{{ prs_ca_file }}",
        certificate_name="{{ prs_fqdn }}",
    )
    copies = json.dumps({"prs_backup_copies": [{"site": "site_b", "path": vault, "retention": {"last": 5}}]})
    for kind in ("full", "differential", "log"):
        estate.lab.mark([kind])
        run = estate.play("backup_prs", "-e", copies, "-e", f"prs_backup_kind={kind}")
        assert run.code == 0, run.output
        assert f"Copied to {vault} and compared there".replace("\\", "\\\\") in run.output, run.output
    last = sets(estate)[max(sets(estate))]
    assert [link["kind"] for link in last["database"]["chain"]] == ["full", "differential", "log"]
    estate.lab.mark(["after the last backup"])
    estate.lose_site_a()
    estate.lab.fault("share-gone", host="files", share="backup")
    run = estate.play("rebuild_prs", "-e", "prs_active_site=site_b", "-e", json.dumps({"prs_share_path": vault}))
    assert run.code == 0, run.output
    # Whoever takes site A for the one that serves is told that site B's application does.
    verified = estate.play("verify_prs", "--limit", "web-a,web-b", "-e", "verify_attempts=1")
    assert ("FAIL", "second application", "web-b") in [row[:3] for row in table_rows(verified)], verified.output
    page = estate.lab.page(host="web-b")
    assert [row["label"] for row in page.rows] == [*MARKERS, "full", "differential", "log"]
    assert f"recovery set {last['label']}" in run.output


@pytest.mark.nightly
def test_no_set_is_made_where_only_the_other_place_knows_that_the_database_was_restored(estate: Estate, one_message):
    """As after a rebuild at the other site from the copies there, when this one returns with its servers and share."""
    vault = share_on_witness(estate, "records")
    copies = ("-e", json.dumps({"prs_backup_copies": [{"site": "site_b", "path": vault}]}))
    run = estate.play("backup_prs", *copies)
    assert run.code == 0, run.output
    before = sets(estate)
    of_database = before[max(before)]["database"]
    account = {
        "share_user": r"PRSLAB\svc-backup",
        "share_password": estate.lab.description.secrets.accounts["svc-backup"],
    }
    estate.task(
        "web-a",
        "prs.recovery.recovery_branch",
        path=vault,
        fork="b0b0b0b0-0000-0000-0000-000000000000",
        parent=of_database["last_fork"],
        left_lsn=of_database["last_lsn"],
        site="site_b",
        server="sql-b",
        label=max(before),
        **account,
    )
    for _night in range(2):
        nightly = estate.play("backup_prs", *copies)
        one_message(nightly, "lives more than once", "of site_b on sql-b", "prs_end_other_branches")
        assert sets(estate) == before


@pytest.mark.nightly
def test_half_a_backup_is_no_set_and_the_next_one_goes_on_from_it(estate: Estate, one_message):
    before = sets(estate)
    estate.lab.kill("web-a")
    message = one_message(
        estate.play("backup_prs"), "NO SET WAS WRITTEN", "web-a", "is whole and stays", "run backup_prs again"
    )
    assert "sql-a:" not in message
    assert sets(estate) == before
    estate.lab.start("web-a")
    run = estate.play("backup_prs", "-e", "prs_backup_kind=differential")
    assert run.code == 0, run.output
    after = sets(estate)
    [made] = [after[label] for label in after if label not in before]
    assert made["healthy"], made["problems"]
    [full, differential] = made["database"]["chain"]
    assert full["set_guid"] not in [one["database"]["set_guid"] for one in before.values()]
    assert differential["differential_base_guid"] == full["set_guid"]
    # A log backup that has no base becomes a full one, and its set knows what a restored database needs beside it.
    ask(estate, "sql-a", f"ALTER DATABASE [{DATABASE}] SET RECOVERY SIMPLE; SELECT 1")
    ask(estate, "sql-a", f"ALTER DATABASE [{DATABASE}] SET RECOVERY FULL; SELECT 1")
    run = estate.play("backup_prs", "-e", "prs_backup_kind=log")
    assert run.code == 0, run.output
    made = sets(estate)[max(sets(estate))]
    assert made["database"]["kind"] == "full"
    assert "prs_app" in [login["name"] for login in made["logins"]]


@pytest.mark.nightly
def test_a_chosen_set_brings_back_the_database_and_leaves_the_application_alone(estate: Estate, one_message):
    """One yes for each of the two; and a newer set, taken while the site was stopped, is passed over unless it is
    named.
    """
    [good] = sets(estate)
    estate.lab.mark(["later"])
    estate.task("web-a", "microsoft.iis.website", name="PasswordResetServer", state="stopped")
    one_message(estate.play("backup_prs"), "was written, and is not healthy", "prs_backup_accept_unhealthy")
    backed_up = estate.play("backup_prs", "-e", "prs_backup_accept_unhealthy=true")
    assert backed_up.code == 0, backed_up.output
    assert "the set is not healthy" in backed_up.output
    assert not sets(estate)[max(sets(estate))]["healthy"]
    estate.task("web-a", "microsoft.iis.website", name="PasswordResetServer", state="started")
    extra = drives(estate, "web-a") / APPLICATION / "own.txt"
    extra.write_text("of this server", encoding="utf-8")
    fips = r"HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy"
    estate.task("web-a", "ansible.windows.win_regedit", path=fips, name="Enabled", data=1, type="dword")
    run = estate.play("restore_prs", "-e", "prs_allow_database_loss=true")
    assert run.code == 0, run.output
    assert (
        f"recovery set {good}" in run.output
        and "newer, but not taken because the application did not work" in run.output
    )
    assert estate.labels() == MARKERS
    assert extra.exists()
    assert "TO DO: Windows on web-a is in FIPS mode" in run.output


@pytest.mark.nightly
def test_keys_and_database_under_different_rights(estate: Estate):
    """No account reads both, so nothing has to be encrypted: the backup, the table and the drill each take the one that
    may.

    The keys come from an unprotected copy, as where EFS binds the application's own to the server; and its logs are
    left out.
    """
    folder, copy = drives(estate, "web-a") / APPLICATION, drives(estate, "web-a") / "C" / "plain.config"
    copy.write_bytes((folder / "encryption.config").read_bytes() + b"\r\n")
    (folder / "own.log").write_text("of this server", encoding="utf-8")
    shares = make_shares(
        estate,
        {
            "keys": [r"PRSLAB\svc-backup"],
            "data": [r"PRSLAB\svc-prs", r"PRSLAB\SQL-A$"],
            "vault": [r"PRSLAB\svc-backup"],
        },
    )
    copy_of_all = make_shares(estate, {"copy": [r"PRSLAB\svc-backup"]}, host="witness")["copy"]
    apart = (
        "-e",
        json.dumps(
            {
                "prs_backup_copies": [{"site": "site_b", "path": copy_of_all}],
                "prs_backup_copies_user": r"PRSLAB\svc-backup",
                "prs_backup_copies_password": estate.lab.description.secrets.accounts["svc-backup"],
                "prs_backup_application_path": shares["keys"],
                "prs_backup_database_path": shares["data"],
                "prs_backup_database_user": r"PRSLAB\svc-prs",
                "prs_backup_database_password": estate.lab.description.secrets.accounts["svc-prs"],
                "prs_backup_keys_path": shares["vault"],
                "prs_backup_plain_copies": {"encryption.config": r"C:\plain.config"},
                "prs_backup_exclude": ["*.log"],
            }
        ),
    )
    backed_up = estate.play("backup_prs", *apart)
    assert backed_up.code == 0, backed_up.output
    assert "keys and the database together" not in backed_up.output
    [archive] = (drives(estate, "files") / "C" / "Shares" / "keys").glob("*.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("encryption.config") == copy.read_bytes() and "own.log" not in opened.namelist()
    verified = estate.play("verify_prs", *apart)
    assert verified.code == 0, verified.output
    assert "nobody else reads both" in verified.output and "| kept keys " in verified.output
    found = [
        line.split("|")[0].strip()
        for line in verified.output.splitlines()
        if "| recovery set " in line and copy_of_all in line
    ]
    assert found == ["ok"], verified.output  # read with the account that wrote it, which an entry need not repeat
    drilled = estate.play("drill_prs", *apart)
    assert drilled.code == 0, drilled.output
    said = backed_up.output + verified.output + drilled.output
    assert not [secret for secret in estate.lab.description.secrets.all() if secret in said]


@pytest.mark.nightly
def test_a_service_account_without_rights_on_the_share_is_staged_for_in_each_playbook(estate: Estate):
    """What a backup is given for it, the restore of the disaster and the drill are given, too."""
    no_rights = {"host": "files", "share": "backup", "account": r"PRSLAB\SQL-A$"}
    estate.lab.fault("share-rights", **no_rights)
    staged = ("-e", json.dumps({"prs_backup_stage_path": r"D:\Stage"}))
    for playbook in ("backup_prs", "drill_prs"):
        run = estate.play(playbook, *staged)
        assert run.code == 0, run.output
    newest = max(sets(estate))
    for host in ("web-a", "sql-a"):
        estate.lab.wipe(host)
    run = estate.play("rebuild_prs", *staged)
    assert run.code == 0, run.output
    assert f"recovery set {newest}" in run.output and estate.labels() == MARKERS
    run = estate.play("restore_prs", "-e", "prs_allow_data_loss=true", *staged)
    assert run.code == 0, run.output
    stage = drives(estate, "sql-a") / "D" / "Stage"
    assert not stage.exists() or not list(stage.rglob("*.bak")), "what was staged is removed"


@pytest.mark.nightly
def test_damage_that_shows_in_the_restore_leads_to_the_set_before(estate: Estate, one_message):
    """The file of the newest set has its size and its header, and cannot be read to its end."""
    [good] = sets(estate)
    estate.lab.mark(["later"])
    backed_up = estate.play("backup_prs")
    assert backed_up.code == 0, backed_up.output
    newest = max(
        (drives(estate, "files") / "D" / "Shares" / "backup" / "database").glob("*.bak"), key=lambda file: file.name
    )
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0xFF
    newest.write_bytes(content)
    estate.lab.wipe("sql-a")
    one_message(estate.play("rebuild_prs"), "no usable full backup", f"run again with -e prs_restore_set={good}")
    run = estate.play("rebuild_prs", "-e", f"prs_restore_set={good}")
    assert run.code == 0, run.output
    assert estate.labels() == MARKERS
