# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the tasks of a run to its report: what each module's result says of roads, loss, work and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..recovery_plan.cost import Estimate
from ..recovery_plan.sentences import duration_text
from ..task_result import failure_message
from ..text import age
from .estate import servers_found
from .measures import measures_of
from .record import Check, Event, Failure, Outcome, Road, Run, RunReport, TaskState
from .timeline import phases_of, spans_of

__all__ = ["report_of"]

Facts = Mapping[str, Any]

_LOSES = "WHAT WILL BE LOST: "
_LEFT = "TO DO: "
_WARNING = ("NOTE: ", "WARNING: ", "WARNING")
_LOSS_KINDS = {"none": "nothing", "unknown": "nobody knows how much", "everything": "everything"}


def report_of(run: Run, events: Sequence[Event]) -> RunReport:
    failures = list(_failures(events, run))
    plan = _plan(events)
    said = _said(events, plan)
    point, loss = _loss(events, plan)
    spans = spans_of(events)
    return RunReport(
        playbook=run.playbook,
        check_mode=run.check_mode,
        outcome=Outcome.FAILED if run.failed_hosts else Outcome.SUCCEEDED,
        begun=run.begun,
        ended=run.ended,
        by=run.by,
        site=next((server.site for server in run.servers if server.active), ""),
        servers=servers_found(run.servers, events),
        roads=[_road(road, plan) for road in plan.get("roads", ())],
        steps=[f"{step['host']}: {step['sentence']}" for step in plan.get("steps", ())],
        planned=_planned(events),
        loss=loss,
        recovery_point=point,
        spans=spans,
        measures=[] if run.check_mode else measures_of(spans, plan.get("steps", ())),
        failures=failures,
        done=[sentence for sentence in said if not sentence.startswith((_LEFT, *_WARNING))],
        left_to_do=[sentence.removeprefix(_LEFT) for sentence in said if sentence.startswith(_LEFT)],
        warnings=[*_warnings(said, events), *_rescued(events, run)],
        checks=_checks(events),
        versions={**run.versions, **dict(_versions(events))},
    )


def _module(event: Event) -> str:
    return event.action.rpartition(".")[2]


def _results(event: Event) -> Iterator[Facts]:
    """Of a loop those of its items."""
    items = event.result.get("results")
    yield from ((item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else (event.result,))


# ---- the roads
def _plan(events: Iterable[Event]) -> Facts:
    plans = (event.result for event in events if _module(event) == "recovery_plan" and "roads" in event.result)
    return next(plans, {})


def _road(road: Facts, plan: Facts) -> Road:
    chosen = (road["name"], road["source"]) == (plan["road"], plan["source"])
    lost = f"at most {age(road['loss_seconds'] or 0)}" if road["loss_kind"] == "time" else ""
    return Road(
        name=road["name"],
        source=road["source"],
        loss=lost or _LOSS_KINDS.get(road["loss_kind"], ""),
        duration=duration_text(Estimate(seconds=road["seconds"], runs=road["measured_runs"])),
        obstacle=road["obstacle"],
        needs=[f"-e {name}=true: {reason}" for name, reason in road["needs"].items()],
        chosen=chosen,
    )


def _planned(events: Iterable[Event]) -> list[str]:
    plans = ((event.result.get("ansible_facts") or {}).get("preflight_plan") or () for event in events)
    return list(dict.fromkeys(str(sentence) for plan in plans for sentence in plan))


def _loss(events: Sequence[Event], plan: Facts) -> tuple[str, str]:
    """The recovery point and what is lost. What was restored says it better than what was planned."""
    point = loss = ""
    for event in events:
        for result in _results(event):
            if event.role.endswith("preflight"):
                continue
            restored = _restored_point(result) if _module(event) == "sql_restore" else _handed_on(result)
            point, loss = restored[0] or point, restored[1] or loss
    sentences = [str(sentence) for sentence in plan.get("sentences", ())]
    planned = next((text.removeprefix(_LOSES) for text in sentences if text.startswith(_LOSES)), "")
    return point, loss or planned


def _restored_point(result: Facts) -> tuple[str, str]:
    if not result.get("changed"):
        return "", ""
    plan = result.get("plan") or {}
    seconds = plan.get("loss_seconds")
    lost = "" if seconds is None else f"what was written in the last {age(seconds)}"
    return (plan.get("recovery_point") or {}).get("time") or "", lost


def _handed_on(result: Facts) -> tuple[str, str]:
    """What roles hand on by set_stats: a failover, a drill, a backup."""
    data = (result.get("ansible_stats") or {}).get("data") or {}
    drill, moved, made = (data.get(name) or {} for name in ("prs_drill", "prs_failover", "prs_recovery_set"))
    if drill.get("rpo_seconds") is not None:
        return drill.get("recovery_point", ""), f"had it been a disaster: {age(float(drill['rpo_seconds']))} of work"
    if moved:
        return "", (moved.get("may_be_lost") or {}).get("reason") or "nothing of the database"
    return made.get("recovery_point", ""), ""


# ---- what was said
def _said(events: Iterable[Event], plan: Facts) -> list[str]:
    """What tasks told a person, each sentence once, without the plan, which has a place of its own."""
    sentences: dict[str, None] = {}
    for event in events:
        if _module(event) == "debug" and not event.role.endswith("preflight"):
            for result in _results(event):
                message = result.get("msg", "")
                lines = message if isinstance(message, (list, tuple)) else [message]
                sentences.update(dict.fromkeys(str(line) for line in lines if line))
    return [sentence for sentence in sentences if sentence != "WARNING" and sentence not in plan.get("sentences", ())]


def _warnings(said: Iterable[str], events: Iterable[Event]) -> list[str]:
    sentences = [sentence for sentence in said if sentence.startswith(_WARNING)]
    by_modules = [
        f"{event.host}: {warning}" for event in events for warning in _list(event.result.get("warnings")) if warning
    ]
    return list(dict.fromkeys([*sentences, *by_modules]))


def _list(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, (list, tuple)) else []


# ---- what went wrong
def _failures(events: Sequence[Event], run: Run) -> Iterator[Failure]:
    for event, phase in zip(events, phases_of(events), strict=True):
        if event.host in run.failed_hosts and event.state in (TaskState.FAILED, TaskState.UNREACHABLE):
            yield Failure(host=event.host, phase=phase, task=event.task, message=_message(event))


def _rescued(events: Iterable[Event], run: Run) -> Iterator[str]:
    """What failed, and did not stop the run."""
    for event in events:
        if event.host not in run.failed_hosts and event.state is TaskState.FAILED:
            yield f"{event.host}: {event.task}: {_message(event)}"


def _message(event: Event) -> str:
    if "censored" in event.result:
        return "what it said is hidden, since the task handles secrets"
    return failure_message({"failed": True, **event.result})


# ---- the rest
def _checks(events: Iterable[Event]) -> list[Check]:
    """Of the last table that was drawn."""
    tables = [event.result["rows"] for event in events if _module(event) == "protection_report" and _rows(event)]
    return [
        Check(what=row["what"], where=row["where"], state=row["state"], value=row["value"], next=row["next"])
        for row in (tables[-1] if tables else ())
    ]


def _rows(event: Event) -> bool:
    return isinstance(event.result.get("rows"), list)


def _versions(events: Iterable[Event]) -> Iterator[tuple[str, str]]:
    for event in events:
        for result in _results(event):
            server = result.get("server")
            if _module(event) == "sql_info" and isinstance(server, Mapping):
                yield f"SQL Server on {event.host}", str(server.get("version", ""))
            for windows in _of_scripts(result) if _module(event) == "windows_script" else ():
                if windows.get("caption"):
                    yield f"Windows on {event.host}", f"{windows['caption']} ({windows.get('version', '')})"


def _of_scripts(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a script left, or each of several."""
    answer = result.get("result")
    if isinstance(answer, Mapping):
        yield answer
        several = (entry.get("result") for entry in answer.values() if isinstance(entry, Mapping))
        yield from (entry for entry in several if isinstance(entry, Mapping))
