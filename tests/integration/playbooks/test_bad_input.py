"""Whatever is wrong, a playbook stops before damage with one message that names the host, the thing and what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playbook_lab import Estate

BLOCKED = "This script contains malicious content and has been blocked by your antivirus software"
BACKUP = r"\\files.prslab.test\backup"
MEDIA = r"\\files.prslab.test\media"


@pytest.fixture(scope="module")
def wreck(protected_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The estate without site A. Every test leaves it as it found it, which is what these tests are about."""
    state = tmp_path_factory.mktemp("wreck") / "lab"
    shutil.copytree(protected_state, state, ignore=shutil.ignore_patterns("record.jsonl"))
    estate = Estate(state)
    estate.up()
    estate.lose_site_a()
    yield estate
    estate.lab.down()
    shutil.rmtree(state)


@contextmanager
def fault(estate: Estate, name: str, **arguments: object) -> Iterator[None]:
    estate.lab.fault(name, **arguments)
    yield
    estate.lab.unfault(name, **arguments)


@contextmanager
def web_a_off(estate: Estate) -> Iterator[None]:
    estate.lab.kill("web-a")
    yield
    estate.lab.start("web-a")


@contextmanager
def zip_without_its_end(estate: Estate) -> Iterator[None]:
    """The same damage twice undoes itself."""
    file = rf"{MEDIA}\PasswordResetServer.zip"
    size = estate.lab.damage(file, offset=0, length=0)
    estate.lab.damage(file, offset=size - 22, length=22)
    yield
    estate.lab.damage(file, offset=size - 22, length=22)


@contextmanager
def nothing(_estate: Estate) -> Iterator[None]:
    yield


def no_rights(estate: Estate):
    return fault(estate, "share-rights", host="files", share="backup", account=r"PRSLAB\svc-backup")


def no_rights_for_sql_server(estate: Estate):
    return fault(estate, "share-rights", host="files", share="backup", account=r"PRSLAB\SQL-A$")


def no_share(estate: Estate):
    return fault(estate, "share-gone", host="files", share="backup")


def cim_denied(estate: Estate):
    return fault(estate, "script", host="web-a", script="inspect_server", text="Access denied ")


def scripts_blocked(estate: Estate):
    return fault(estate, "script", host="web-a", script="inspect_server", text=BLOCKED)


def full_system_drive(estate: Estate):
    return fault(estate, "disk-size", host="web-a", drive="C", size="1 GB")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--limit", "web-b"), ("Nothing was done", "web-b", "web-a"), id="limited to the other site"),
        pytest.param(
            ("--limit", "files"), ("Nothing was done", "files", "sql-a"), id="limited to no server of the application"
        ),
        pytest.param(
            ("-e", "prs_active_site=site_c"),
            ("prs_active_site is site_c", "has no group of that name", "Set it to the group of the site that serves"),
            id="site that is no group",
        ),
        pytest.param(
            ("-e", "prs_active_site=prs_web"),
            ("prs_web has 2 hosts of the group prs_web", "0 of the group prs_sql", "exactly one of each"),
            id="half a site",
        ),
        pytest.param(
            ("-e", "ansible_host=127.0.0.9", "-e", "ansible_port=5986"),
            ("Nothing was done", "web-a and web-b of the group prs_web are one server, 127.0.0.9:5986;", "Correct the"),
            id="server twice",
        ),
        pytest.param(("-e", "prs_share_path="), ("does not say prs_share_path",), id="variable empty"),
        pytest.param(
            ("-e", "prs_share_user={{ vault_forgotten }}"),
            ("does not say prs_share_user",),
            id="variable of the vault forgotten",
        ),
        pytest.param(
            ("-e", "prs_backup_kin=log"),
            ("Nothing was done", "prs_backup_kin is no variable", "Was prs_backup_kind"),
            id="variable misspelt",
        ),
        pytest.param(
            ("-e", "prs_backup_kind=diferential"),
            ("Nothing was done", "prs_backup_kind is 'diferential'", "full, differential, log"),
            id="value misspelt",
        ),
        pytest.param(
            ("-e", "prs_end_other_branches=ja"),
            ("Nothing was done", "prs_end_other_branches is 'ja'", "one of true and false"),
            id="yes that is none",
        ),
        pytest.param(
            ("-e", json.dumps({"prs_backup_keys_path": rf"{BACKUP}\keys"})),
            (f"{BACKUP}\\keys lies in {BACKUP}", "Name another place"),
            id="keys beside the backups",
        ),
        pytest.param(("-e", "prs_ha=availability_group"), ("not built yet: use mirror",), id="availability group"),
        pytest.param(
            ("-e", "prs_ha=mirrored"),
            ("prs_ha is 'mirrored'", "one of mirror, standby, availability_group and none"),
            id="no such high availability",
        ),
    ],
)
def test_what_could_not_work_ends_at_once_and_not_as_a_success(protected_state: Path, one_message, arguments, said):
    """Nothing is connected to, so the lab need not run."""
    one_message(Estate(protected_state).play("backup_prs", *arguments), *said, alone=True)


@pytest.mark.parametrize(
    ("wrong", "playbook", "arguments", "said"),
    [
        pytest.param(
            web_a_off, "rebuild_prs", (), ("web-a: cannot be reached", "switch the server on"), id="unreachable"
        ),
        pytest.param(
            cim_denied,
            "rebuild_prs",
            (),
            ("web-a: cannot be looked at: Access denied", "must be a local administrator"),
            id="CIM denied",
        ),
        pytest.param(
            scripts_blocked,
            "rebuild_prs",
            (),
            (f"web-a: cannot be looked at: {BLOCKED}", "neither a policy nor a virus scanner may stop scripts"),
            id="scripts blocked",
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "ansible_password=wrong"),
            ("web-a: Windows does not accept the account", "sql-a: Windows does not", "ansible_password"),
            id="wrong password",
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_share_password=wrong"),
            (
                f"{MEDIA}\\sql\\setup.exe cannot be read as PRSLAB\\svc-backup",
                "sql-a",
                "user name or password is wrong",
                "prs_share_password",
            ),
            id="wrong password of the shares",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_sql_certificate_password=wrong"),
            ("sql-a: the certificate", "sql-a.pfx", "Is its password right?"),
            id="wrong password of a certificate",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            zip_without_its_end,
            "provision_prs",
            (),
            ("web-a", "PasswordResetServer.zip", "is damaged or no ZIP", "right ZIP"),
            id="no ZIP",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "provision_prs",
            ("-e", "prs_app_media=NotPasswordResetServer.zip"),
            ("web-a", "NotPasswordResetServer.zip is not the package", "it lacks web.config", "right ZIP"),
            id="not the ZIP of PRS",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            no_rights,
            "rebuild_prs",
            (),
            ("web-a", BACKUP, "svc-backup", "has no rights there"),
            id="share without rights",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            no_rights_for_sql_server,
            "rebuild_prs",
            (),
            ("sql-a", BACKUP, "SQL-A$", "right to read"),
            id="share without rights for SQL Server",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            no_share,
            "rebuild_prs",
            (),
            ("web-a", "sql-a", BACKUP, "no share of that name"),
            id="share gone",
            marks=pytest.mark.nightly,
        ),
        pytest.param(full_system_drive, "rebuild_prs", (), ("web-a", "GB free on C:", "make room"), id="disk full"),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", json.dumps({"prs_backup_database_path": rf"{BACKUP}\nowhere"})),
            ("sql-a", "nowhere"),
            id="no backup found",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", json.dumps({"prs_share_path": rf"{BACKUP}\first-day"})),
            ("A new installation, which has no backup yet, is made by provision_prs",),
            id="nothing was ever backed up",
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_sql_build=14.0.1000.169"),
            ("newest backup was made by SQL Server 15.", "14.0.1000.169", "newer media"),
            id="backup newer than the media",
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_sql_certificate_pfx=/nowhere.pfx"),
            ("/nowhere.pfx", "correct the path"),
            id="no certificate",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_sql_admin_password=CHANGE-ME", "-e", "prs_app_certificate_password=CHANGE-ME"),
            (
                "control node",
                "prs_sql_admin_password is still CHANGE-ME. Set vault_prs_sql_admin_password",
                "vault_prs_certificate_password",
            ),
            id="placeholder left",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_ca_file=/nowhere/ca.pem", "-e", "ansible_winrm_ca_trust_path=/nowhere/ca.pem"),
            ("1 problem found", "control node: there is no file /nowhere/ca.pem", "prs_ca_file"),
            id="no authorities",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_restore_set=20010101T000000Z"),
            ("no recovery set '20010101T000000Z'", "There are 2"),
            id="no such set",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            nothing,
            "rebuild_prs",
            ("-e", "prs_restore_until=2001-01-01T00:00:00Z"),
            ("1 problem found", "no recovery set from before 2001-01-01", "The oldest is 20"),
            id="moment too early",
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_a_rebuild_stops_before_damage(wreck: Estate, one_message, wrong, playbook, arguments, said):
    untouched = wreck.lab.digest()
    with wrong(wreck):
        before = wreck.lab.digest()
        run = wreck.play(playbook, *arguments)
        assert wreck.lab.digest() == before
    one_message(run, *said, alone=True)
    assert wreck.lab.digest() == untouched, "what this test made wrong is not right again"


def test_every_problem_of_every_host_is_in_one_message(wreck: Estate, one_message):
    """Whatever is wrong is listed at once, of a host that cannot be reached as well; otherwise one is repaired after
    the other, at 3 a.m.
    """
    with ExitStack() as faults:
        for wrong in (web_a_off, no_rights_for_sql_server):
            faults.enter_context(wrong(wreck))
        faults.enter_context(fault(wreck, "disk-size", host="sql-a", drive="C", size="1 GB"))
        run = wreck.play(
            "rebuild_prs", "-e", "prs_app_login_password=CHANGE-ME", "-e", "prs_sql_certificate_password=wrong"
        )
    message = one_message(
        run,
        "5 problems found. Nothing was touched",
        "web-a: cannot be reached",
        "sql-a: has",
        "SQL-A$",
        "sql-a: the certificate",
        "control node: the secret prs_app_login_password",
        alone=True,
    )
    assert len([line for line in message.splitlines() if line.startswith("- ")]) == 5, message


@pytest.mark.parametrize("pool", ["started", "stopped"])
def test_an_application_that_nobody_may_look_at_is_neither_stopped_nor_lost(estate: Estate, one_message, pool: str):
    """The configuration of IIS is denied: whether the pool runs or not, no road is gone by a guess."""
    estate.task("web-a", "microsoft.iis.web_app_pool", name="PasswordResetServer", state=pool)
    estate.lab.fault("iis-denied", host="web-a")
    before = estate.lab.digest()
    for arguments in (("--check",), ()):
        run = estate.play("rebuild_prs", *arguments)
        said = "web-a: nobody can tell whether the application runs: IIS cannot be asked: Cannot read configuration"
        one_message(run, said, "local administrator (ansible_user)", "Nothing was touched", alone=True)
        assert "the application on web-a could not be looked at" in run.output
    assert estate.lab.digest() == before

    run = estate.play("verify_prs", "--limit", "web-a", "-e", "verify_attempts=1")
    assert "on web-a IIS cannot be asked: Cannot read configuration file" in run.failures, run.output

    estate.lab.unfault("iis-denied", host="web-a")
    told = estate.play("rebuild_prs", "--check")
    assert told.code == 0 and f"-> {'nothing' if pool == 'started' else 'start'}: loses nothing" in told.output


def test_a_server_with_another_collation_is_refused(estate: Estate, one_message):
    before = estate.lab.digest()
    run = estate.play("provision_prs", "-e", "prs_sql_collation=Latin1_General_CI_AS")
    one_message(run, "sql-a", "SQL_Latin1_General_CP1_CI_AS", "Latin1_General_CI_AS", alone=True)
    assert estate.lab.digest() == before


def test_too_little_room_for_the_database_stops_before_the_restore(estate: Estate, one_message):
    estate.lose_site_a()
    estate.lab.fault("disk-size", host="sql-a", drive="D", size="320 KB")
    one_message(estate.play("rebuild_prs"), "sql-a", "D:")
    assert "PasswordResetServer" not in str(estate.lab.state("sql-a")["sql-a"]["sql_instances"])
