# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found and how it comes back: the estate as boxes, the roads as a table."""

from __future__ import annotations

from collections.abc import Iterable

from ..record import Road, RunReport, Server, ServerState
from .elements import Html, join, tag

__all__ = ["estate_section", "mark", "roads_section", "section"]

_LOOKS = {
    ServerState.WORKING: ("good", "works"),
    ServerState.DAMAGED: ("bad", "damaged"),
    ServerState.SILENT: ("bad", "does not answer"),
    ServerState.REFUSES: ("warn", "refuses"),
    ServerState.UNKNOWN: ("", "not looked at"),
}


def section(name: str, title: str, *children: Html, look: str = "") -> Html:
    return tag("section", tag("h2", title), *children, class_=f"card {look}".strip(), id=name)


def mark(look: str, text: str) -> Html:
    """look: good, warn, bad, or '' where it is neither."""
    return tag("span", text, class_=f"mark {look}".strip())


# ---- the estate
def estate_section(report: RunReport) -> Html | None:
    if not report.servers:
        return None
    sites = dict.fromkeys(server.site for server in report.servers)
    boxes = [_site(site, [server for server in report.servers if server.site == site]) for site in sites]
    return section("found", "What was found", tag("div", *boxes, class_="sites"))


def _site(name: str, servers: Iterable[Server]) -> Html:
    members = list(servers)
    active = any(server.active for server in members)
    title = tag("h3", tag("span", name or "no site"), mark("", "the active site") if active else None)
    return tag("div", title, *(_server(server) for server in members), class_="site active" if active else "site")


def _server(server: Server) -> Html:
    look, word = _LOOKS[server.state]
    return tag(
        "div",
        tag("div", tag("span", server.host), mark(look, word), class_="name"),
        tag("div", ", ".join(server.parts), class_="parts"),
        *(tag("div", note, class_="notes") for note in server.notes),
        class_=f"server {look}".strip(),
    )


# ---- the roads
def roads_section(report: RunReport) -> Html | None:
    if not report.roads:
        return None
    taken = not report.check_mode and any(span.changed for span in report.spans)
    head = tag("thead", tag("tr", *(tag("th", text) for text in ("Road", "Loses", "Takes", ""))))
    body = tag("tbody", *(_road(road, taken=taken) for road in report.roads))
    steps = tag("ol", *(tag("li", step) for step in report.steps)) if report.steps else tag("p", "Nothing to do.")
    named = join(tag("h3", "Its steps"), steps) if report.road else None
    return section("roads", "Roads back, the one that loses least first", tag("table", head, body), named or Html())


def _road(road: Road, *, taken: bool) -> Html:
    name = tag("td", tag("code", road.name), tag("div", road.source, class_="under") if road.source else None)
    if road.obstacle:
        closed = tag("td", f"Cannot be gone: {road.obstacle}", colspan=3)
        return tag("tr", name, closed, class_="closed")
    needs = [tag("div", tag("code", need), class_="under") for need in road.needs]
    state = mark("good", "taken" if taken else "the best one") if road.chosen else None
    return tag(
        "tr",
        name,
        tag("td", road.loss, data_name="Loses"),
        tag("td", road.duration, data_name="Takes"),
        tag("td", state, mark("warn", "needs a yes") if needs else None, *needs),
        class_="chosen" if road.chosen else "",
    )
