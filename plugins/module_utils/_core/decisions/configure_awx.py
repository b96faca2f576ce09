# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX is told, where it is more than what the role's variables say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["name_is_taken", "schedules", "would_make"]

Facts = Mapping[str, Any]


def schedules(facts: Facts) -> list[dict[str, Any]]:
    """Each schedule with the options of ``awx.awx.schedule``: name, state, unified_job_template, and unless it is to be
    absent rrule, extra_data and enabled; key is what the inventory calls it.

    facts: schedules: configure_awx_schedules; prefix; time_zone; startable: names in AWX by template; surveys: the
    questions by template; usual: the schedules that there are without configure_awx_schedules.

    AWX wants an answer to each required question in the schedule itself, although the survey has a default
    (``_accept_or_ignore_variables`` in AWX 24's models/mixins.py), so the defaults are given.

    One that is to be absent is looked for at what it starts: the module would take the schedule of another
    organization, if it is the only one of that name. Where nobody says what it starts, that is everything startable.
    """
    return [schedule for entry in facts["schedules"] for schedule in _schedules(entry, facts)]


def _schedules(entry: Mapping[str, Any], facts: Facts) -> Iterator[dict[str, Any]]:
    named = {"key": entry["name"], "name": f"{facts['prefix']} {entry['name']}", "state": entry.get("state", "present")}
    if named["state"] != "absent":
        yield {**named, **_schedule(entry, facts)}
        return
    usual = {schedule["name"]: schedule["template"] for schedule in facts["usual"]}
    template = entry.get("template", usual.get(entry["name"]))
    for started in [template] if template else facts["startable"]:
        yield {**named, "unified_job_template": facts["startable"][started]}


def _schedule(entry: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    return {
        "unified_job_template": facts["startable"][entry["template"]],
        "rrule": f"DTSTART;TZID={entry.get('time_zone', facts['time_zone'])}:{entry['start']} RRULE:{entry['rule']}",
        "extra_data": {**_defaults(facts["surveys"].get(entry["template"], [])), **entry.get("variables", {})},
        "enabled": entry.get("enabled", True),
    }


def _defaults(questions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        question["variable"]: question["default"]
        for question in questions
        if question["required"] and "default" in question
    }


def name_is_taken(result: Mapping[str, Any]) -> bool:
    """Whether AWX refused this execution environment because another organization has one of that name, which this
    account may not change, and need not even see. result: what ``awx.awx.execution_environment`` returned.
    """
    message = str(result.get("msg", ""))
    refused = result.get("response", {}).get("json", {})
    return (
        "organization" in refused
        or "already exists" in message
        or ("permission to PATCH to " in message and "/execution_environments/" in message)
    )


def would_make(facts: Facts) -> list[str]:
    """What a check run found missing, each as its kind and name; empty in a run that makes it.

    facts: check: whether it is a check run; results: by kind of object what its module returned, of a loop or of one;
    not yet asked: empty. A module of ``awx.awx`` in check mode tells the id of what is there, and none of what is not.
    """
    if not facts["check"]:
        return []
    return [
        f"{kind} {_name(result)}".strip()
        for kind, returned in facts["results"].items()
        for result in returned.get("results", [returned])
        if result.get("changed") and "id" not in result
    ]


def _name(result: Mapping[str, Any]) -> str:
    item = result.get("item") or {}
    return str(item.get("name") or item.get("key") or "")
