"""Which host spent how long in which phase."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.record import TaskState
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.timeline import phases_of, spans_of
from sample_run import event

PROVISION = "Provision web and database servers at the same time"


def test_tasks_of_one_phase_and_host_make_one_span():
    (span,) = spans_of([event(at=0), event(at=5, state=TaskState.CHANGED, seconds=3), event(at=2)])
    assert (span.seconds, span.tasks, span.changed, span.state) == (8, 3, 1, TaskState.CHANGED)


def test_a_play_that_comes_again_is_another_phase():
    spans = spans_of([event(play="Use the lease"), event(play="Use the lease", play_number=2, at=60)])
    assert [span.seconds for span in spans] == [1, 1]


def test_what_was_skipped_takes_no_time():
    assert spans_of([event(state=TaskState.SKIPPED)]) == []


def test_a_failure_marks_its_span_whatever_came_after_it():
    (span,) = spans_of([event(state=TaskState.FAILED), event(at=1, state=TaskState.CHANGED)])
    assert span.state is TaskState.FAILED


def test_provisioning_is_told_by_what_is_set_up():
    roles = ["prs.recovery.iis", "prs.recovery.certificate", "prs.recovery.prs_app"]
    events = [event(play=PROVISION, role=role) for role in roles]
    assert phases_of([*events, event(play="Verify", role="prs.recovery.iis", play_number=2)]) == [
        "Provision: set up IIS",
        "Provision: set up IIS",
        "Provision: set up the application",
        "Verify",
    ]
