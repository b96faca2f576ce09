"""Every playbook as AWX runs it, through the real ansible-runner (`awx_job.py`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from awx_job import Done, Project
from mirrored import protection, running_sites
from playbook_lab import MARKERS, Estate


@pytest.fixture
def project(shared_estate: Estate, tmp_path: Path) -> Project:
    return Project(shared_estate.lab, tmp_path / "awx")


def succeeded(job: Done, project: Project) -> Done:
    """The job went well, and no secret of the estate is in what is left of it."""
    assert job.status == "successful", job.output[-6000:]
    assert job.holding(project.lab.description.secrets.all()) == []
    return job


def on_the_share(estate: Estate, name: str) -> Path:
    (file,) = (estate.lab.state_dir / "hosts/files").rglob(name)
    return file


def backed_up(project: Project, estate: Estate) -> str:
    """The label of a set that a job made. --limit leaves out localhost and the other site."""
    variables = {"prs_backup_kind": "full", "prs_report_path": str(project.folder / "reports")}
    backup = succeeded(project.run("backup_prs", limit="site_a", variables=variables), project)
    made = backup.artifacts["prs_recovery_set"]
    told = json.loads(Path(backup.artifacts["prs_report"]["path"]).with_suffix(".json").read_text(encoding="utf-8"))
    assert (told["playbook"], told["outcome"]) == ("backup_prs", "succeeded")
    assert (made["kind"], made["healthy"], made["not_copied_to"]) == ("full", True, [])
    assert (
        json.loads(on_the_share(estate, f"{made['label']}.json").read_text(encoding="utf-8-sig"))["label"]
        == made["label"]
    )
    return made["label"]


def test_a_backup_outlives_its_container(project: Project, shared_estate: Estate):
    """What it came to is handed on, and lies on the share."""
    backed_up(project, shared_estate)


@pytest.mark.nightly
def test_drill_and_verify(project: Project, shared_estate: Estate):
    label = backed_up(project, shared_estate)
    drill = succeeded(project.run("drill_prs"), project)
    assert drill.artifacts["prs_drill"]["set"] == label

    verify = succeeded(
        project.run("verify_prs", variables={"prs_report_share": project.lab.description.shares["backup"]}), project
    )
    assert verify.artifacts["prs_protected"] is True
    assert (
        json.loads(on_the_share(shared_estate, "protection.json").read_text(encoding="utf-8-sig"))
        == verify.artifacts["prs_protection"]
    )


@pytest.mark.nightly
def test_what_is_healthy_stays_as_it_is(project: Project, shared_estate: Estate):
    answers = {"prs_active_site": "site_a", "prs_allow_data_loss": "false"}
    succeeded(project.run("provision_prs", variables=answers), project)
    for playbook in ("restore_prs", "rebuild_prs"):
        restored = succeeded(project.run(playbook, variables=answers), project).artifacts["prs_restored"]
        assert (restored["database"], restored["application"]) == (False, False)
    assert shared_estate.labels() == MARKERS


def test_a_job_that_fails_tells_no_secret(project: Project):
    project.credentials["share"]["password"] = "Wrong-{% secret %}-9"
    job = project.run("backup_prs")
    assert job.status == "failed", job.output[-3000:]
    assert "svc-backup" in job.output, job.output[-3000:]
    assert job.holding((*project.lab.description.secrets.all(), "Wrong-")) == []


@pytest.mark.nightly
def test_the_service_moves_and_is_mirrored_by_jobs(mirrored: Estate, tmp_path: Path):
    project = Project(mirrored.lab, tmp_path / "awx")
    project.credentials["master key"] = {"password": "Master-Key-Passw0rd"}
    answers = {"prs_ha": "mirror", "prs_active_site": "site_b", "prs_allow_data_loss": "false"}
    before = mirrored.lab.digest()
    succeeded(project.run("failover_prs", check=True, variables=answers), project)
    assert mirrored.lab.digest() == before
    succeeded(project.run("failover_prs", variables=answers), project)
    assert running_sites(mirrored) == ["web-b"] and protection(mirrored)["sql-b"][:2] == ("PRINCIPAL", "SYNCHRONIZED")
    held = succeeded(project.run("mirror_prs", variables=answers), project)
    assert "Master-Key-Passw0rd" not in held.output
    assert protection(mirrored)["sql-b"][:2] == ("PRINCIPAL", "SYNCHRONIZED")


@pytest.mark.nightly
def test_a_wreck_is_rebuilt_by_a_job(estate: Estate, tmp_path: Path):
    project = Project(estate.lab, tmp_path / "awx")
    estate.lose_site_a()
    wrecked = estate.lab.digest()
    succeeded(project.run("rebuild_prs", check=True), project)
    assert estate.lab.digest() == wrecked
    restored = succeeded(project.run("rebuild_prs"), project).artifacts["prs_restored"]
    assert (restored["database"], restored["application"]) == (True, True)
    assert restored["set"]
    assert estate.labels() == MARKERS
