"""How long the work of a plan took."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.cost import Phase
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.measures import PLANNED, PLAYS, measures_of
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.progress import STEPS_OF_PLAYS
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.record import Measure, TaskState
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.timeline import spans_of
from sample_run import event

PLAYBOOKS = Path(__file__).resolve().parents[6] / "playbooks"
PROVISION = "Provision web and database servers at the same time"


def step(phase: Phase, host: str, size: int = 0) -> dict:
    return {"phase": phase.value, "host": host, "size": size}


def changed(play: str, host: str, seconds: int, **given) -> object:
    return event(play=play, host=host, seconds=seconds, **{"state": TaskState.CHANGED, **given})


def test_what_the_plan_installs_is_measured():
    spans = spans_of(
        [
            changed(PROVISION, "sql-a", 45, role="prs.recovery.sql_server"),
            changed(PROVISION, "web-a", 10, role="prs.recovery.iis"),
            changed(PROVISION, "web-a", 20, role="prs.recovery.prs_app"),
        ]
    )
    steps = [step(Phase.INSTALL_SQL_SERVER, "sql-a"), step(Phase.INSTALL_IIS, "web-a")]
    assert measures_of(spans, steps) == [
        Measure(phase="install SQL Server", host="sql-a", seconds=45, size=0),
        Measure(phase="set up IIS and the application", host="web-a", seconds=30, size=0),
    ]
    assert measures_of(spans, []) == []  # it was only mended


def test_what_was_restored_is_measured_with_its_size():
    spans = spans_of([changed("Restore the database", "sql-a", 14), changed("Restore the application", "web-a", 5)])
    assert measures_of(spans, [step(Phase.RESTORE_DATABASE, "sql-a", 2048)]) == [
        Measure(phase="restore the database", host="sql-a", seconds=14, size=2048),
        Measure(phase="bring back the application", host="web-a", seconds=5, size=0),
    ]


def test_what_did_nothing_or_failed_is_no_measure():
    failing = {"state": TaskState.FAILED, "at": 20}
    spans = spans_of(
        [
            event(play="Restore the application", play_number=2),
            changed("Restore the database", "sql-a", 14),
            changed("Restore the database", "sql-a", 1, **failing),
            changed(PROVISION, "sql-a", 45, role="sql_server", **failing),
        ]
    )
    assert measures_of(spans, [step(Phase.INSTALL_SQL_SERVER, "sql-a")]) == []


def test_the_plays_have_these_titles():
    for playbook in ("rebuild_prs", "restore_prs"):
        plays = {play["name"] for play in yaml.safe_load((PLAYBOOKS / f"{playbook}.yml").read_text())}
        assert set(PLAYS) <= plays
    assert set(STEPS_OF_PLAYS) <= {*PLAYS, *PLANNED[Phase.VERIFY]}
    rebuild = {play["name"] for play in yaml.safe_load((PLAYBOOKS / "rebuild_prs.yml").read_text())}
    assert PROVISION in rebuild
    verify = {play["name"] for play in yaml.safe_load((PLAYBOOKS / "shared/verify.yml").read_text())}
    assert set(PLANNED[Phase.VERIFY]) == verify
