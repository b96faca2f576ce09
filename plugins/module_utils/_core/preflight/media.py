# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of what is installed from: the shares, SQL Server's setup, the package of Password Reset Server."""

from __future__ import annotations

from collections.abc import Iterator

from .facts import FAILED, HostFacts, PathFacts
from .share_error import advice_about

__all__ = ["CHECKS"]


def shares_not_inspected(facts: HostFacts) -> Iterator[str]:
    if facts.shares.state == FAILED:
        yield f"the shares cannot be looked at as {facts.settings.share_user}: {facts.shares.problem}"


def media_problems(facts: HostFacts) -> Iterator[str]:
    """One sentence for each path that is not what it should be; the application's own web.config may be absent."""
    for path in facts.paths:
        if path.path == facts.settings.sql_updates:
            yield from unreadable_updates(path, facts)
        elif path.path != facts.settings.web_config:
            yield from damaged_package(path, facts)
            yield from unreadable(path, facts)
            yield from wrong_package(path)


def damaged_package(path: PathFacts, facts: HostFacts) -> Iterator[str]:
    if _is_damaged_package(path, facts):
        yield (
            f"{path.path} is not the package of Password Reset Server: it is damaged or no ZIP ({path.message}). Put "
            "the right ZIP there."
        )


def unreadable(path: PathFacts, facts: HostFacts) -> Iterator[str]:
    if path.error and not _is_damaged_package(path, facts):
        reason = advice_about(path.error, facts) or f"{path.message} ({path.error})"
        yield f"{path.path} cannot be read as {facts.settings.share_user}: {reason}"


def unreadable_updates(path: PathFacts, facts: HostFacts) -> Iterator[str]:
    """Setup would install without them, or end."""
    if path.error:
        reason = advice_about(path.error, facts) or f"{path.message} ({path.error})"
        yield (
            f"the updates of SQL Server in {path.path} (prs_sql_updates) cannot be read as "
            f"{facts.settings.share_user}: {reason}"
        )


def wrong_package(path: PathFacts) -> Iterator[str]:
    if path.missing and not path.error:
        yield (
            f"{path.path} is not the package of Password Reset Server: it lacks {', '.join(path.missing)}. Put the "
            "right ZIP there."
        )


def _is_damaged_package(path: PathFacts, facts: HostFacts) -> bool:
    """It can be opened as a file, and not as a ZIP."""
    is_package = path.path == facts.settings.package and path.exists
    return bool(is_package and path.error and not advice_about(path.error, facts))


CHECKS = (shares_not_inspected, media_problems)
