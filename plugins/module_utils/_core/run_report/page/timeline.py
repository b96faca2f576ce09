# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline: a bar for each phase and host."""

from __future__ import annotations

from collections.abc import Sequence

from ...text import age, counted
from ..record import RunReport, Span, TaskState
from .elements import Html, tag
from .estate import section

__all__ = ["timeline_section"]

_SHORT = 0.02
"""Of the whole run: what took less and changed nothing is only counted."""
_KEYS = (("", "changed nothing"), ("changed", "changed something"), ("failed", "failed"))


def timeline_section(report: RunReport) -> Html | None:
    if not report.spans:
        return None
    shown = [span for span in report.spans if _worth_showing(span, report.seconds)]
    short = [span for span in report.spans if span not in shown]
    rest = f"{counted(len(short), 'shorter phase')} that changed nothing, {_length(sum(_seconds(short)))} in all."
    keys = [(tag("span", class_=f"key {look}".strip()), text) for look, text in _KEYS]
    return section(
        "timeline",
        "Timeline",
        _scale(report),
        *(_row(span, report) for span in shown),
        tag("p", *keys, class_="under"),
        tag("p", rest if short else "", class_="under"),
    )


def _seconds(spans: Sequence[Span]) -> list[float]:
    return [span.seconds for span in spans]


def _worth_showing(span: Span, whole: float) -> bool:
    return span.state is not TaskState.OK or span.seconds >= whole * _SHORT


def _scale(report: RunReport) -> Html:
    marks = [tag("span", _length(report.seconds * part / 4)) for part in range(5)]
    return tag(
        "div",
        tag("div", class_="phase"),
        tag("div", *marks, class_="scale"),
        tag("div", class_="long"),
        class_="span scale-row",
    )


def _row(span: Span, report: RunReport) -> Html:
    left = (span.begun - report.begun).total_seconds() / (report.seconds or 1)
    style = f"left:{_percent(left)};width:{_percent(min(span.seconds / (report.seconds or 1), 1 - left))}"
    return tag(
        "div",
        tag("div", span.phase, tag("div", f"{span.host}, {_work(span)}", class_="under"), class_="phase"),
        tag("div", tag("div", class_=f"bar {span.state.value}", style=style), class_="track"),
        tag("div", _length(span.seconds), class_="long"),
        class_="span",
    )


def _work(span: Span) -> str:
    if span.state in (TaskState.FAILED, TaskState.UNREACHABLE):
        return {TaskState.FAILED: "failed", TaskState.UNREACHABLE: "not reached"}[span.state]
    return f"{counted(span.changed, 'change')}" if span.changed else "nothing changed"


def _percent(part: float) -> str:
    return f"{100 * max(0.0, min(1.0, part)):.2f}%"


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else age(seconds)
