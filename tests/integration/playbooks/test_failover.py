"""The service moves to the other site: as planned and back while somebody works, because a site is lost, and after an
interruption.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from mirrored import DATABASE, MIRRORED, User, ask, at_home, hook, protection, role, running_sites, said, stopping_after
from playbook_lab import MARKERS, Estate

SITE_B = ("-e", "prs_active_site=site_b")
TO_B = (*MIRRORED, *SITE_B)
TO_A = (*MIRRORED, "-e", "prs_active_site=site_a")


def roles(estate: Estate) -> dict[str, tuple[str, ...]]:
    return {host: facts[:2] for host, facts in protection(estate).items()}


def at(calls: list[dict[str, Any]], *, host: str, state: str) -> dt.datetime:
    """When the pool of a host was first brought into a state."""
    return next(
        dt.datetime.fromisoformat(call["time"])
        for call in calls
        if call["module"] == "microsoft.iis.web_app_pool"
        and call["host"].lower() == host
        and call["arguments"]["state"] == state
        and call["changed"]
        and not call["failed"]
    )


def test_there_and_back_while_somebody_works(shared_mirrored: Estate, figure):
    """Through the page, at whichever site the public name leads to; no row that was taken is lost."""
    tasks, name = hook(shared_mirrored)
    user = User(shared_mirrored, name=name, web="web-a")
    longest = {}
    # The old worker ends what it has begun, and both IIS refuse a moment long what they accept a moment later.
    shared_mirrored.lab.fault("worker-lingers", host="web-a", seconds=6)
    shared_mirrored.lab.fault("iis-busy", host="web-a", times=1)
    shared_mirrored.lab.fault("iis-busy", host="web-b", times=1)
    began = len(shared_mirrored.lab.record("module"))
    with user.working():
        for site, arguments, web in (("site_b", TO_B, "web-b"), ("site_a", TO_A, "web-a")):
            before = len(user.gaps)
            run = shared_mirrored.play("failover_prs", *arguments, "-e", f"prs_failover_hook={tasks}")
            said(run, f"Set prs_active_site: {site} in the inventory")
            assert name.read_text(encoding="utf-8").split()[1:] == [site, web]
            assert running_sites(shared_mirrored) == [web]
            longest[site] = max(user.gaps[before:])
            shared_mirrored.lab.unfault("worker-lingers", host="web-a")
    calls = shared_mirrored.lab.record("module")[began:]
    stopped = at(calls, host="web-a", state="stopped")
    assert at(calls, host="web-b", state="started") - stopped > dt.timedelta(seconds=6), "two applications ran at once"
    figure(
        "longest interruption of a planned failover through the page: "
        + ", ".join(f"to {site} {gap:.1f} s" for site, gap in longest.items())
    )
    shown = shared_mirrored.labels()
    assert shown[: len(MARKERS)] == MARKERS
    assert [
        row for row in shown if row in set(user.rows)
    ] == user.rows  # beside them, rows whose answer was lost on its way
    assert roles(shared_mirrored) == {"sql-a": ("PRINCIPAL", "SYNCHRONIZED"), "sql-b": ("MIRROR", "SYNCHRONIZED")}


def test_the_principal_dies_and_the_page_goes_on_by_itself(shared_mirrored: Estate, figure):
    """The witness lets the mirror take over, and the application follows its failover partner: nobody runs anything."""
    user = User(shared_mirrored, name=shared_mirrored.lab.state_dir / "nowhere", web="web-a")
    before = shared_mirrored.labels()
    with user.working():
        user.wait_for(5)
        shared_mirrored.lab.kill("sql-a")
        user.wait_for(5)
    figure(f"longest interruption through the page when the principal dies: {max(user.gaps):.1f} s")
    try:
        shown = shared_mirrored.labels()
        assert shown[: len(before)] == before
        assert [row for row in shown if row in set(user.rows)] == user.rows
        assert set(shown) <= {*before, *user.rows, *user.refused}
    finally:
        shared_mirrored.lab.start("sql-a")
    assert roles(shared_mirrored) == {"sql-a": ("MIRROR", "SYNCHRONIZED"), "sql-b": ("PRINCIPAL", "SYNCHRONIZED")}
    ask(shared_mirrored, "sql-b", f"ALTER DATABASE [{DATABASE}] SET PARTNER FAILOVER; SELECT 1")
    assert shared_mirrored.labels() == shown


def test_an_old_web_server_that_refuses_the_account_is_no_lost_one(shared_mirrored: Estate, one_message):
    """It serves on, so nothing is moved before somebody says that its application is stopped."""
    before = shared_mirrored.lab.digest()
    known = shared_mirrored.lab.description.secrets.administrator
    variables = shared_mirrored.lab.state_dir / "rotated.json"
    password = "{{ 'rotated meanwhile' if inventory_hostname == 'web-a' else '" + known + "' }}"
    variables.write_text(json.dumps({"ansible_password": password}), encoding="utf-8")
    run = shared_mirrored.play("failover_prs", *TO_B, "-e", f"@{variables}")
    one_message(
        run, "web-a answers, but refuses the account", "Nothing was touched", "prs_old_application_stopped=true"
    )
    assert shared_mirrored.lab.digest() == before
    assert running_sites(shared_mirrored) == ["web-a"]


def test_an_old_web_server_whose_winrm_is_stopped_is_no_lost_one(shared_mirrored: Estate, one_message):
    """It refuses the connection, and serves on."""
    before = shared_mirrored.lab.digest()
    shared_mirrored.lab.fault("winrm-stopped", host="web-a")
    try:
        run = shared_mirrored.play("failover_prs", *TO_B)
    finally:
        shared_mirrored.lab.unfault("winrm-stopped", host="web-a")
    one_message(
        run,
        "web-a answers, but takes no connection for WinRM",
        "Nothing was touched",
        "prs_old_application_stopped=true",
    )
    assert shared_mirrored.lab.digest() == before
    assert running_sites(shared_mirrored) == ["web-a"]


def test_an_iis_that_tells_nothing_of_its_pools_may_run_the_application(shared_mirrored: Estate, one_message):
    """Whoever may use WinRM and is no administrator hears of no pool, though one runs."""
    before = shared_mirrored.lab.digest()
    shared_mirrored.lab.fault(
        "module", host="web-a", pattern="microsoft.iis.web_app_pool_info", text="Access is denied."
    )
    run = shared_mirrored.play("failover_prs", *TO_B)
    one_message(run, "web-a", "Access is denied", "Nothing was touched", "prs_old_application_stopped=true")
    assert shared_mirrored.lab.digest() == before
    assert running_sites(shared_mirrored) == ["web-a"]


@pytest.mark.nightly
def test_a_lost_site_is_left_only_with_a_yes_and_its_principal_comes_back_as_mirror(
    shared_mirrored: Estate, one_message
):
    """Without a witness, so that nobody takes over by himself."""
    shared_mirrored.lab.kill("witness")
    without = (*TO_B, "-e", "prs_mirror_witness=")
    ended = shared_mirrored.play("mirror_prs", *TO_A, "-e", "prs_mirror_witness=")
    assert ended.code == 0, ended.output
    rows = shared_mirrored.labels()
    for host in ("web-a", "sql-a"):
        shared_mirrored.lab.kill(host)
    one_message(shared_mirrored.play("failover_prs", *without), "sql-b", "can only be forced", "allow_data_loss")
    assert shared_mirrored.lab.page(host="web-b").state != "ready"
    forced = shared_mirrored.play("failover_prs", *without, "-e", "prs_allow_data_loss=true")
    said(forced, "WARNING, MAY BE LOST", "the application on web-a could not be stopped")
    assert [row["label"] for row in shared_mirrored.lab.page(host="web-b").rows] == rows
    shared_mirrored.lab.mark(["at site B"], host="web-b")
    for host in ("web-a", "sql-a"):
        shared_mirrored.lab.start(host)
    again = shared_mirrored.play("failover_prs", *without, "-e", "prs_allow_data_loss=true")
    assert again.code == 0, again.output
    assert roles(shared_mirrored) == {"sql-a": ("MIRROR", "SYNCHRONIZED"), "sql-b": ("PRINCIPAL", "SYNCHRONIZED")}
    assert running_sites(shared_mirrored) == ["web-b"]
    assert [row["label"] for row in shared_mirrored.lab.page(host="web-b").rows] == [*rows, "at site B"]


@pytest.mark.nightly
def test_check_mode_says_what_it_would_do_and_writes_nothing(mirrored: Estate):
    before = mirrored.lab.digest()
    said(
        mirrored.play("failover_prs", *TO_B, "--check", "--diff"),
        "Password Reset Server moves to site_b: sql-b will be the principal",
    )
    assert mirrored.lab.digest() == before


@pytest.mark.nightly
def test_a_backup_brings_the_passive_web_server_up_to_date_and_leaves_one_that_runs_alone(mirrored: Estate):
    folder = Path("drives", "C", "inetpub", "wwwroot", "PasswordResetServer")
    hosts = mirrored.lab.state_dir / "hosts"
    (hosts / "web-a" / folder / "own.txt").write_text("of site A", encoding="utf-8")
    backed_up = mirrored.play("backup_prs", *MIRRORED)
    assert backed_up.code == 0, backed_up.output
    assert (hosts / "web-b" / folder / "own.txt").read_text(encoding="utf-8") == "of site A"
    mirrored.task("web-b", "microsoft.iis.web_app_pool", name="PasswordResetServer", state="started")
    (hosts / "web-b" / folder / "own.txt").write_text("of site B", encoding="utf-8")
    said(mirrored.play("backup_prs", *MIRRORED), "it runs, though site_a is the active site")
    assert (hosts / "web-b" / folder / "own.txt").read_text(encoding="utf-8") == "of site B"


@pytest.mark.nightly
def test_a_backup_finds_the_database_where_it_is(mirrored: Estate):
    """The mirror took over by itself, and nobody told the inventory."""
    moved = mirrored.play("failover_prs", *TO_B)
    assert moved.code == 0, moved.output
    mirrored.task("web-b", "microsoft.iis.web_app_pool", name="PasswordResetServer", state="stopped")
    for module, state in (("web_app_pool", "started"), ("website", "started")):
        mirrored.task("web-a", f"microsoft.iis.{module}", name="PasswordResetServer", state=state)
    backed_up = mirrored.play("backup_prs", *TO_A)
    assert backed_up.code == 0, backed_up.output
    assert "the set is not healthy" not in backed_up.output


@pytest.mark.nightly
def test_interrupted_after_any_of_its_changes_the_next_run_ends_the_same(
    mirrored_state: Path, tmp_path: Path, shared_rests: None, figure
):
    ended: list[str] = []
    for changes in range(1, 40):
        folder = tmp_path / f"after-{changes}"
        shutil.copytree(mirrored_state, folder, ignore=shutil.ignore_patterns("record.jsonl"))
        estate = Estate(folder)
        estate.up(network=Estate(mirrored_state).network)
        assert at_home(estate)
        try:
            run = role(estate, "failover", *SITE_B, environment=stopping_after(changes))
            if run.code == 0:
                break
            assert run.code == 77, run.output
            ended.append(run.output.rpartition("STOPPED BEFORE: ")[2].splitlines()[0])
            assert len(running_sites(estate)) <= 1, ended[-1]
            again = role(estate, "failover", *SITE_B)
            assert again.code == 0, (ended[-1], again.output)
            assert roles(estate) == {"sql-a": ("MIRROR", "SYNCHRONIZED"), "sql-b": ("PRINCIPAL", "SYNCHRONIZED")}, (
                ended[-1]
            )
            assert running_sites(estate) == ["web-b"], ended[-1]
            third = role(estate, "failover", *SITE_B)
            assert (third.code, third.changed) == (0, 0), (ended[-1], third.output)
        finally:
            estate.lab.down()
            shutil.rmtree(folder)
    assert len(ended) >= 4, ended
    figure(f"the role failover was interrupted at {len(ended)} places and went on: before {', '.join(ended)}")
