# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that sql_restore would follow with these files, on a server of which nothing is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from .._core.backup.catalog import BackupCatalog
from .._core.restore.plan import Plan, Refusal, ServerFacts, Target
from .._core.restore.planner import Request, plan_restore

__all__ = ["PlanRequest", "plan_report"]

ENCRYPTION_UNKNOWN = (
    "backup files do not say whether the database in them is encrypted (TDE): if it was, the server needs its "
    "certificate with the private key"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRequest:
    """restore_as: name that the database gets; empty: the one that it has. data_dir, log_dir: empty: where it was."""

    target: Target
    database: str = ""
    family_guid: str = ""
    recovery_fork: str = ""
    restore_as: str = ""
    data_dir: str = ""
    log_dir: str = ""
    zone: tzinfo | None = None


def plan_report(catalog: BackupCatalog, request: PlanRequest, *, now: datetime) -> dict[str, Any]:
    """plan: as sql_restore returns it, statements included; or refusal: why there is none. The other is None."""
    from .._sql.restore import statements  # only who asks for a plan pays for it

    plan = _plan(catalog, request, name=request.restore_as or request.database, now=now)
    if isinstance(plan, Refusal):
        return {"plan": None, "refusal": plan.to_dict()}
    name = request.restore_as or plan.database
    placed = _plan(catalog, request, name=name, now=now)  # the files are named after the database
    if isinstance(placed, Refusal):
        return {"plan": None, "refusal": placed.to_dict()}
    report = statements.plan_report(placed, database=name, replace=False)
    return {"plan": {**report, "notes": [*report["notes"], ENCRYPTION_UNKNOWN]}, "refusal": None}


def _plan(catalog: BackupCatalog, request: PlanRequest, *, name: str, now: datetime) -> Plan | Refusal:
    wanted = Request(
        database=name,
        target=request.target,
        source_database=request.database,
        family_guid=request.family_guid,
        recovery_fork=request.recovery_fork,
        zone=request.zone,
    )
    return plan_restore(
        catalog, wanted, now=now, server=ServerFacts(data_dir=request.data_dir, log_dir=request.log_dir)
    )
