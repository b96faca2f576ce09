# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole page, what matters most first: how it ended, what is left for a person, what was lost."""

from __future__ import annotations

from collections.abc import Sequence

from ...text import age
from ...times import to_text
from ..record import Check, Failure, Outcome, RunReport
from .elements import Html, join, tag
from .estate import estate_section, mark, roads_section, section
from .style import STYLE
from .timeline import timeline_section

__all__ = ["page"]

_TITLES = {
    "rebuild_prs": "Rebuild",
    "restore_prs": "Restore",
    "failover_prs": "Failover",
    "drill_prs": "Restore drill",
    "verify_prs": "Verification",
    "backup_prs": "Backup",
    "mirror_prs": "Mirroring",
    "provision_prs": "Provisioning",
}
_CHECKS = {"ok": ("good", "ok"), "warn": ("warn", "warning"), "fail": ("bad", "failed")}


def page(report: RunReport, *, json_name: str) -> str:
    """HTML that needs nothing else. json_name: the file with the same as data, beside it."""
    done = "What would be done" if report.check_mode else "What was done"
    sections = [
        ("failures", "What failed", _failures(report)),
        ("left", "Left for a person", _sentences("left", "Left for a person", report.left_to_do, "attention")),
        ("warnings", "Warnings", _sentences("warnings", "Warnings", report.warnings, "attention")),
        ("found", "What was found", estate_section(report)),
        ("roads", "Roads", roads_section(report)),
        ("done", done, _sentences("done", done, report.done)),
        ("checks", "Checks", _checks(report)),
        ("timeline", "Timeline", timeline_section(report)),
        ("planned", "Plan", _sentences("planned", "The plan before it began", report.planned)),
        ("versions", "Versions", _versions(report)),
    ]
    shown = [(name, title, element) for name, title, element in sections if element]
    links = [tag("a", title, href=f"#{name}") for name, title, _element in shown]
    body = tag(
        "main",
        _head(report, [*links, tag("a", "The same as JSON", href=_relative(json_name))]),
        _figures(report),
        *(element for _name, _title, element in shown),
        tag("footer", f"Written by prs.recovery at {_time(to_text(report.ended))}."),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", _title(report)),
        tag("style", Html(STYLE)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _relative(name: str) -> str:
    """A colon would be taken for the end of a scheme."""
    return f"./{name}".replace("%", "%25").replace("#", "%23").replace("?", "%3F")


def _title(report: RunReport) -> str:
    kind = _TITLES.get(report.playbook, report.playbook)
    return f"{kind} of {report.site}" if report.site else kind


def _verdict(report: RunReport) -> str:
    if report.outcome is Outcome.FAILED:
        return "failed"
    return "would work" if report.check_mode else "succeeded"


def _head(report: RunReport, links: list[Html]) -> Html:
    look = "good" if report.outcome is Outcome.SUCCEEDED else "bad"
    check = mark("", "check run: nothing was touched") if report.check_mode else None
    return tag(
        "header",
        tag("h1", _title(report), " ", mark(look, _verdict(report)), " ", check),
        tag("p", f"{_time(to_text(report.begun))}, {report.playbook}, by {report.by}", class_="by"),
        tag("nav", *links),
        class_=f"card head {report.outcome.value}",
    )


def _figures(report: RunReport) -> Html:
    road = report.road
    undecided = report.outcome is Outcome.FAILED and not report.recovery_point  # it failed before anything was restored
    lost = "Would be lost" if report.check_mode or undecided else "Lost"
    figures = [
        ("It took", age(report.seconds)),
        ("Road", road.name if road else ""),
        ("Recovery point", _time(report.recovery_point) if report.recovery_point else ""),
        (lost, report.loss),
        ("Checks", _counts(report)),
    ]
    boxes = [
        tag("div", tag("div", title, class_="name"), tag("div", text, class_="value"), class_="figure")
        for title, text in figures
        if text
    ]
    return tag("div", *boxes, class_="figures")


def _time(text: str) -> str:
    """2026-03-01 14:30:00 UTC"""
    return text.replace("T", " ").removesuffix("Z").removesuffix("+00:00") + " UTC"


def _counts(report: RunReport) -> str:
    states = [check.state for check in report.checks]
    counts = [f"{states.count(state)} {word}" for state, (_look, word) in _CHECKS.items() if state in states]
    return ", ".join(counts)


# ---- lists
def _sentences(name: str, title: str, sentences: Sequence[str], look: str = "") -> Html | None:
    items = [tag("li", sentence) for sentence in sentences]
    return section(name, title, tag("ul", *items), look=look) if items else None


def _failures(report: RunReport) -> Html | None:
    if not report.failures:
        return None
    return section("failures", "What failed", *(_failure(failure) for failure in report.failures), look="alert")


def _failure(failure: Failure) -> Html:
    return join(
        tag("p", f"{failure.host}, {failure.phase}: {failure.task}", class_="where"),
        tag("p", failure.message, class_="message"),
    )


# ---- tables
def _checks(report: RunReport) -> Html | None:
    if not report.checks:
        return None
    head = tag("thead", tag("tr", *(tag("th", text) for text in ("", "What", "Where", "Found"))))
    return section("checks", "Checks", tag("table", head, tag("tbody", *(_check(check) for check in report.checks))))


def _check(check: Check) -> Html:
    look, word = _CHECKS.get(check.state, ("", check.state))
    advice = tag("div", check.next, class_="under") if check.next and check.state != "ok" else None
    cells = (mark(look, word), check.what, check.where, (check.value, advice))
    return tag("tr", *(tag("td", cell) for cell in cells))


def _versions(report: RunReport) -> Html | None:
    rows = [tag("tr", tag("td", name), tag("td", version)) for name, version in report.versions.items()]
    return section("versions", "Versions", tag("table", tag("tbody", *rows))) if rows else None
