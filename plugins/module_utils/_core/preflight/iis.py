# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the application of a web server runs, and that somebody can tell: what does not answer is not stopped."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import SKIPPED, HostFacts

__all__ = ["CHECKS", "runs_pool", "runs_site", "unseen"]

_ACCOUNT = "Connect with an account that is a local administrator (ansible_user)"
_RUNNING, _STARTED, _UNTOLD = "Running", "Started", "Unknown"


def unseen(facts: HostFacts) -> str:
    """Why nobody can tell whether the site and the pool of the application run; '' where one can, or nobody asked."""
    if facts.iis.state == SKIPPED:
        return "nobody looked"
    if not facts.iis.ok:
        return facts.iis.problem
    seen = facts.iis.value
    if seen.error:
        return seen.message
    untold = runs_site(facts) and seen.asked_state == _UNTOLD
    return "Windows does not tell the state of its pool" if untold else ""


def runs_pool(facts: HostFacts) -> bool:
    return facts.iis.value.asked_state == _STARTED


def runs_site(facts: HostFacts) -> bool:
    seen = facts.iis.value
    return seen.installed and seen.service == _RUNNING and seen.site == _STARTED


def unreadable_application(facts: HostFacts) -> Iterator[str]:
    for path in facts.paths:
        if path.path == facts.settings.web_config and path.is_hidden:
            yield (
                f"nobody can tell whether the application is there: {path.path} cannot be looked at: "
                f"{_plain(path.message)}. {_ACCOUNT}, and give it rights on the folder."
            )


def unreadable_iis(facts: HostFacts) -> Iterator[str]:
    if facts.web and facts.iis.state != SKIPPED and (reason := unseen(facts)):
        yield (
            f"nobody can tell whether the application runs: IIS cannot be asked: {_plain(reason)}. {_ACCOUNT}, or mend "
            "IIS' configuration as it says."
        )


def _plain(message: str) -> str:
    return " ".join(message.split()).rstrip(".")


CHECKS = (unreadable_application, unreadable_iis)
