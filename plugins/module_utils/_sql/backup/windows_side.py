# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows does for sql_backup: leases, deliveries, manifests beside backups, and folders that only it reads.

Imported by runs that ask it of Windows alone: Python compiles all that a module imports anew in every run.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from ..._core.backup.manifest import PendingDelivery
from ..._core.errors import RecoveryError, sentences
from ..._core.windows_paths import parent
from ..connection.session import Session
from ..instance.windows_host import Windows
from .delivered_folder import DeliveredFolder
from .delivery import Delivery
from .options import BackupOptions
from .pending_deliveries import finish_pending
from .plan import BackupPlan

__all__ = ["WindowsSide"]


class WindowsSide:
    """The Windows of the server, for one run. Close it."""

    def __init__(self, session: Session, options: BackupOptions) -> None:
        self.host = Windows(session)
        self._session = session
        self._options = options
        self._delivery = Delivery(session, self.host, overwrite=options.overwrite)

    def reaches(self, folder: str) -> bool:
        return self.host.reaches(folder)

    def close(self) -> None:
        self.host.close()

    def is_lease_seen(self, folder: str, database: str, *, now: dt.datetime) -> bool:
        """Whether it could be seen that nobody else works on a database. Raises RecoveryError where somebody does; a
        lease that cannot be looked at is no reason to go without a backup.
        """
        try:
            self.host.refuse_foreign_lease(folder, database, now=now)
        except RecoveryError as problem:
            if "lease" in problem.details:
                raise
            self._session.warnings.append(
                f"Whether somebody else works on {database} could not be seen in {folder}: {problem}"
            )
            return False
        return True

    def remove_probe(self, folder: str) -> None:
        """The folder by which SQL Server showed that it may write. That it stays is no reason to fail."""
        try:
            self.host.files(parent(folder)).remove(folder)
        except RecoveryError as problem:
            self._session.warnings.append(f"The empty folder {folder} could not be removed: {problem}")

    def begin(self, plan: BackupPlan, report: dict[str, Any]) -> None:
        """Before SQL Server writes what is to be delivered: nothing is in its way, and a note says that it comes."""
        self._delivery.refuse_existing(plan.delivered_files)
        self._delivery.record(_pending(plan, report))

    def forget_manifest(self, plan: BackupPlan) -> None:
        """The file may be there already, and will not be what its manifest says."""
        self._delivery.remove_manifest(plan.written[0])

    def deliver(self, plan: BackupPlan, report: dict[str, Any]) -> list[dict[str, Any]]:
        """Copies and manifests; adds to the report. Returns the reports of what interrupted runs had left, finished
        now. In check mode nothing is delivered.
        """
        session = self._session
        try:
            finished = finish_pending(
                session,
                self._delivery,
                parent(plan.written[0]),
                report=report,
                written=plan.written,
                verify=self._options.verify,
            )
            if not session.check_mode:
                self._delivery.deliver(report, plan.written, copied=bool(plan.copy_files) and not plan.mirror)
                self._delivery.complete(_pending(plan, report))
            return finished
        except RecoveryError as problem:
            if session.check_mode:
                raise
            raise RecoveryError(
                f"The backup is complete in {', '.join(plan.written)}, but it was not delivered yet: {problem.message}",
                advice=sentences(problem.advice, "The next run delivers what is left"),
                code="incomplete",
                **{"backup": report, **problem.details},
            ) from None

    def write_manifest(self, plan: BackupPlan, report: dict[str, Any]) -> None:
        """The manifest of a backup that needs no delivery. Unless it was asked for, its lack is a warning."""
        try:
            self._delivery.deliver(report, plan.written, copied=False)
        except RecoveryError as problem:
            message = (
                f"The backup is complete in {', '.join(plan.written)}, but no manifest lies beside it: "
                f"{problem.message}"
            )
            if self._options.manifest_beside == "true":
                raise RecoveryError(
                    message, advice=problem.advice, code="incomplete", **{"backup": report, **problem.details}
                ) from None
            self._session.warnings.append(sentences(message, problem.advice, "'manifest_beside: false' does without"))

    def delivered_folder(self, folder: str) -> DeliveredFolder:
        """A folder whose backups Windows brought there, so that SQL Server need have no rights on it."""
        return DeliveredFolder(self._session, folder, windows=self.host)


def _pending(plan: BackupPlan, report: dict[str, Any]) -> PendingDelivery:
    return PendingDelivery(report=report, written=plan.written)
