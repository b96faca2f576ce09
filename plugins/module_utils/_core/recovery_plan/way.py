# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way: how one part, the database or the application, comes back. A road is a way for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .cost import NOTHING, Loss, Phase
from .wreck import Reach, Server, SurvivingFiles

__all__ = ["APPLICATION_LOSS", "DATABASE_LOSS", "Way", "WayName", "Work", "server_obstacle"]

DATABASE_LOSS, APPLICATION_LOSS = "prs_allow_database_loss", "prs_allow_application_loss"
"""The variables by which somebody says yes."""


class WayName(str, Enum):
    KEEP, START, OPEN, MOVE, ATTACH = "keep", "start", "open", "move", "attach"
    FINISH, RESTORE, CREATE = "finish", "restore", "create"


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is done on a host. sentence: of the plan; size: bytes that are moved."""

    phase: Phase
    host: str
    sentence: str
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Way:
    """obstacle: why it cannot be gone, and what to do about that; '' where it can. needs: variables by which somebody
    has to say yes, each with the reason.

    Of the database alone: source, its kind, and whether it lies elsewhere, at which place; loss; keys: fingerprint of
    those that it needs, '' unknown; files: those that are attached.
    """

    name: WayName
    source: str = ""
    kind: str = ""
    elsewhere: bool = False
    place: str = ""
    loss: Loss = NOTHING
    work: tuple[Work, ...] = ()
    obstacle: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    keys: str = ""
    files: SurvivingFiles | None = None


def server_obstacle(server: Server) -> str:
    """Why nothing can be done on a server. One that refuses may be whole: it is never taken for lost."""
    reason = f" ({server.problem})" if server.problem else ""
    if server.reach is Reach.REFUSES:
        return (
            f"{server.host} answers, but refuses{reason}. It is not lost, and what it holds may be whole: put that "
            "right and run again"
        )
    if server.reach is Reach.SILENT:
        return f"{server.host} does not answer{reason}. Switch it on, or prepare a new server under its name"
    return ""
