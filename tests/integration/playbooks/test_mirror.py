"""A second site protects the first: from nothing, again, after an interruption, and after a rebuild."""

from __future__ import annotations

import pytest
from mirrored import DATABASE, MIRRORED, User, ask, logins, protection, role, running_sites, said, stopping_after
from playbook_lab import MARKERS, Estate, table_rows

IN_STEP = {
    "sql-a": ("PRINCIPAL", "SYNCHRONIZED", "FULL", "TCP://sql-b.prslab.test:5022", "TCP://witness.prslab.test:5022"),
    "sql-b": ("MIRROR", "SYNCHRONIZED", "FULL", "TCP://sql-a.prslab.test:5022", "TCP://witness.prslab.test:5022"),
}


def test_from_nothing_and_a_second_run_changes_nothing(shared_mirrored: Estate):
    first = (shared_mirrored.lab.state_dir / "mirrored.txt").read_text(encoding="utf-8")
    assert (
        "server: prs-sql   database (initial catalog): PasswordResetServer   failover partner: prs-sql-partner" in first
    )
    assert (
        "server: sql-a.prslab.test,1433   database (initial catalog): PasswordResetServer   failover partner: "
        "sql-b.prslab.test,1433"
    ) in first
    assert "NOW take a full backup (backup_prs), which log backups continue" in first
    assert protection(shared_mirrored) == IN_STEP
    assert logins(shared_mirrored, "sql-a") == logins(shared_mirrored, "sql-b")
    assert running_sites(shared_mirrored) == ["web-a"]
    [(_sid, password_hash, *_rest)] = logins(shared_mirrored, "sql-a")
    assert password_hash.hex().lower() not in first.lower() and "Master-Key-Passw0rd" not in first
    again = shared_mirrored.play("mirror_prs", *MIRRORED)
    assert (again.code, again.changed) == (0, 0), again.output
    assert "NOW take a full backup" not in again.output


def endpoint_certificates(estate: Estate) -> dict[str, str]:
    """The certificate that each instance shows to the others, and of those for mirroring there is no further one of its
    own.
    """
    question = (
        "SELECT c.name FROM sys.database_mirroring_endpoints e JOIN sys.certificates c ON c.certificate_id = "
        "e.certificate_id"
    )
    return {host: ask(estate, host, question)[0][0] for host in IN_STEP | {"witness": ()}}


def known_certificates(estate: Estate) -> dict[str, set[str]]:
    """Of whom each instance knows a certificate for mirroring, by thumbprint."""
    return {
        host: {
            mark
            for (mark,) in ask(estate, host, "SELECT thumbprint FROM sys.certificates WHERE name LIKE '%_mirroring%'")
        }
        for host in IN_STEP | {"witness": ()}
    }


@pytest.mark.nightly
def test_certificates_that_end_soon_are_foreseen_and_replaced_while_somebody_works(shared_mirrored: Estate):
    """All of them end in ten years; who asks for eleven years gets successors."""
    backed_up = shared_mirrored.play(
        "backup_prs", *MIRRORED
    )  # without it verify_prs fails: log backups continue no other
    assert backed_up.code == 0, backed_up.output
    before, marks = endpoint_certificates(shared_mirrored), known_certificates(shared_mirrored)
    warned = shared_mirrored.play("verify_prs", *MIRRORED, "-e", "verify_certificate_days=4000")
    foreseen = {
        where
        for state, what, where, found in table_rows(warned)
        if (state, what) == ("WARN", "mirroring certificate") and "expires in" in found
    }
    assert (warned.code, foreseen) == (0, set(before)), warned.output
    user = User(shared_mirrored, name=shared_mirrored.lab.state_dir / "nowhere", web="web-a")
    with user.working():
        renewed = shared_mirrored.play("mirror_prs", *MIRRORED, "-e", "mirror_certificate_days=4000")
    assert renewed.code == 0, renewed.output
    after = endpoint_certificates(shared_mirrored)
    assert all(name.startswith(f"{before[host]}_20") for host, name in after.items()), after
    now = known_certificates(shared_mirrored)
    assert (
        now["sql-a"] == now["sql-b"] == now["witness"] and len(now["sql-a"]) == 3 and not now["sql-a"] & marks["sql-a"]
    )
    assert protection(shared_mirrored) == IN_STEP
    shown = shared_mirrored.labels()
    assert [row for row in shown if row in set(user.rows)] == user.rows and user.refused == []
    again = shared_mirrored.play("mirror_prs", *MIRRORED)
    assert (again.code, again.changed) == (0, 0), again.output


def test_an_inventory_that_asks_for_no_mirror_gets_none(shared_mirrored: Estate, one_message):
    one_message(shared_mirrored.play("mirror_prs", "-e", "prs_ha=none"), "Set prs_ha: mirror")


def test_a_site_that_serves_is_not_stopped_by_an_inventory_that_is_out_of_date(shared_mirrored: Estate, one_message):
    run = shared_mirrored.play("mirror_prs", *MIRRORED, "-e", "prs_active_site=site_b")
    one_message(
        run,
        "The application runs on web-a, and not on web-b",
        "Nothing was touched",
        "failover_prs -e prs_active_site=site_b",
        alone=True,
    )
    assert running_sites(shared_mirrored) == ["web-a"]


@pytest.mark.nightly
def test_a_lost_web_server_is_rebuilt_and_what_is_mirrored_stays(shared_mirrored: Estate):
    rows = shared_mirrored.labels()
    shared_mirrored.lab.mark(["after the backup"])
    shared_mirrored.lab.wipe("web-a")
    run = shared_mirrored.play("rebuild_prs", *MIRRORED)
    assert run.code == 0, run.output
    assert shared_mirrored.labels() == [*rows, "after the backup"]
    assert protection(shared_mirrored) == IN_STEP


@pytest.mark.nightly
def test_of_two_databases_the_other_site_s_gives_way_only_with_a_yes(mirrored: Estate, one_message):
    """Mirroring was ended, and both databases were worked with since."""
    ask(mirrored, "sql-a", f"ALTER DATABASE [{DATABASE}] SET PARTNER OFF; SELECT 1")
    ask(mirrored, "sql-b", f"RESTORE DATABASE [{DATABASE}] WITH RECOVERY; SELECT 1")
    mirrored.task("web-b", "microsoft.iis.web_app_pool", name="PasswordResetServer", state="started")
    mirrored.lab.mark(["at site A"])
    before = mirrored.lab.digest()
    for playbook, mode in (("mirror_prs", ()), ("mirror_prs", ("--check",)), ("rebuild_prs", ())):
        one_message(
            mirrored.play(playbook, *MIRRORED, *mode),
            "ONLINE on both sql-a and sql-b",
            "prs_allow_data_loss=true",
            alone=True,
        )
    answers = (*MIRRORED, "-e", "prs_allow_data_loss=true")
    said(
        mirrored.play("mirror_prs", *answers, "--check"),
        "the application on web-b runs and will be STOPPED",
        "on sql-b will be REPLACED",
    )
    assert mirrored.lab.digest() == before
    run = mirrored.play("mirror_prs", *answers)
    assert run.code == 0, run.output
    assert protection(mirrored) == IN_STEP and running_sites(mirrored) == ["web-a"]
    assert mirrored.labels() == [*MARKERS, "at site A"]
    (kept,) = (mirrored.lab.state_dir / "hosts/files").rglob(f"replaced/{DATABASE}_of_*.bak")
    again = mirrored.play("mirror_prs", *answers)
    assert (again.code, again.changed) == (0, 0), again.output
    ask(
        mirrored,
        "sql-b",
        rf"RESTORE VERIFYONLY FROM DISK = N'\\files.prslab.test\backup\replaced\{kept.name}'; SELECT 1",
    )


@pytest.mark.nightly
def test_a_yes_restores_a_mirrored_database_and_mirrors_it_anew(mirrored: Estate, one_message):
    mirrored.lab.mark(["after the backup"])
    answers = (*MIRRORED, "-e", "prs_allow_data_loss=true")
    before = mirrored.lab.digest()
    said(mirrored.play("restore_prs", *answers, "--check"), "sql-a: END the mirroring of the database before that")
    assert mirrored.lab.digest() == before and protection(mirrored) == IN_STEP
    run = mirrored.play("restore_prs", *answers)
    assert run.code == 0, run.output
    assert mirrored.labels() == MARKERS
    assert protection(mirrored) == IN_STEP
    ask(mirrored, "sql-a", f"ALTER DATABASE [{DATABASE}] SET PARTNER FAILOVER; SELECT 1")
    one_message(mirrored.play("restore_prs", *answers), "the mirror of a mirroring session", "failover_prs")


@pytest.mark.nightly
def test_check_mode_on_an_empty_site_writes_nothing(estate: Estate):
    before = estate.lab.digest()
    said(
        estate.play("mirror_prs", *MIRRORED, "--check", "--diff"),
        "sql-b: would set up mirroring",
        "sql-a: would mirror PasswordResetServer to sql-b",
    )
    assert estate.lab.digest() == before


@pytest.mark.nightly
def test_what_drifted_is_set_right_and_a_changed_password_follows(mirrored: Estate):
    ask_and_commit = "ALTER LOGIN [prs_app] WITH PASSWORD = N'Other-Passw0rd', DEFAULT_LANGUAGE = British; SELECT 1"
    ask(mirrored, "sql-a", ask_and_commit)
    ask(mirrored, "sql-a", f"ALTER DATABASE [{DATABASE}] SET WITNESS OFF; SELECT 1")
    ask(
        mirrored,
        "sql-b",
        "ALTER ENDPOINT [Mirroring] FOR DATABASE_MIRRORING (ENCRYPTION = SUPPORTED ALGORITHM AES, ROLE = ALL); "
        "SELECT 1",
    )
    assert logins(mirrored, "sql-a") != logins(mirrored, "sql-b")
    run = mirrored.play("mirror_prs", *MIRRORED)
    assert run.code == 0, run.output
    assert protection(mirrored) == IN_STEP
    assert logins(mirrored, "sql-a") == logins(mirrored, "sql-b")


@pytest.mark.nightly
def test_another_site_that_is_lost_is_named_and_a_rebuild_goes_on_without_it(mirrored: Estate, one_message):
    mirrored.lab.kill("sql-b")
    one_message(mirrored.play("mirror_prs", *MIRRORED), "sql-b cannot be reached by WinRM", "Nothing was touched")
    run = mirrored.play("rebuild_prs", *MIRRORED)
    said(run, "WARNING: sql-b cannot be reached by WinRM. PasswordResetServer is NOT protected by a mirror now")
    assert mirrored.labels() == MARKERS


@pytest.mark.nightly
def test_a_rebuild_makes_the_lost_server_a_mirror_again(mirrored: Estate):
    """The principal's site is lost, the witness lets the other one take over, and empty servers come in the place of
    the lost ones.
    """
    mirrored.lab.kill("sql-a")
    failed_over = mirrored.play("failover_prs", *MIRRORED, "-e", "prs_active_site=site_b")
    assert failed_over.code == 0, failed_over.output
    mirrored.lab.mark(["at site B"], host="web-b")
    mirrored.lab.wipe("sql-a")
    mirrored.lab.wipe("web-a")
    run = mirrored.play("rebuild_prs", *MIRRORED, "-e", "prs_active_site=site_b")
    assert run.code == 0, run.output
    assert {host: facts[:2] for host, facts in protection(mirrored).items()} == {
        "sql-a": ("MIRROR", "SYNCHRONIZED"),
        "sql-b": ("PRINCIPAL", "SYNCHRONIZED"),
    }
    assert running_sites(mirrored) == ["web-b"]
    back = mirrored.play("failover_prs", *MIRRORED, "-e", "prs_active_site=site_a")
    assert back.code == 0, back.output
    assert mirrored.labels() == [*MARKERS, "at site B"]


@pytest.mark.nightly
def test_a_backup_is_not_restored_while_the_mirror_holds_more(mirrored: Estate, one_message):
    mirrored.lab.mark(["after the backup"])
    mirrored.lab.wipe("sql-a")
    one_message(
        mirrored.play("rebuild_prs", *MIRRORED),
        "sql-b holds PasswordResetServer still",
        "failover_prs -e prs_active_site=site_b",
    )
    run = mirrored.play("rebuild_prs", *MIRRORED, "-e", "prs_allow_database_loss=true")
    assert run.code == 0, run.output
    assert mirrored.labels() == MARKERS


@pytest.mark.nightly
def test_interrupted_after_any_of_its_changes_the_next_run_ends_the_same(mirrored: Estate, figure):
    """The role, on servers that are there already. A task is killed between its statements in the tests of the modules."""
    ended: list[str] = []
    for changes in range(1, 40):
        _forget_mirroring(mirrored)
        run = role(mirrored, "mirror", environment=stopping_after(changes))
        if run.code == 0:
            break
        assert run.code == 77, run.output
        ended.append(run.output.rpartition("STOPPED BEFORE: ")[2].splitlines()[0])
        again = role(mirrored, "mirror")
        assert again.code == 0, (ended[-1], again.output)
        assert protection(mirrored) == IN_STEP, ended[-1]
        assert logins(mirrored, "sql-a") == logins(mirrored, "sql-b"), ended[-1]
        third = role(mirrored, "mirror")
        assert (third.code, third.changed) == (0, 0), (ended[-1], third.output)
    assert len(ended) >= 5, ended  # its certificate, those of the others, endpoint, mirror, logins
    figure(f"the role mirror was interrupted at {len(ended)} places and went on: before {', '.join(ended)}")


def _forget_mirroring(estate: Estate) -> None:
    """As if mirror_prs had never come to the role mirror."""
    ask(estate, "sql-a", f"ALTER DATABASE [{DATABASE}] SET PARTNER OFF; SELECT 1")
    ask(estate, "sql-b", f"DROP DATABASE [{DATABASE}]; DROP LOGIN [prs_app]; SELECT 1")
    for host in ("sql-a", "sql-b", "witness"):
        ask(estate, host, "DROP ENDPOINT [Mirroring]; SELECT 1")
        names = [
            name for (name,) in ask(estate, host, "SELECT name FROM sys.certificates WHERE name LIKE '%_mirroring'")
        ]
        ask(estate, host, "".join(f"DROP CERTIFICATE [{name}]; " for name in names) + "SELECT 1")
