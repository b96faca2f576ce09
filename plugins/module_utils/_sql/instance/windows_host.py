# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows of the database server, for what SQL Server itself cannot do with files: hash, copy, write a text, remove
anything.

Imported by runs alone that ask for something of it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing

from ..._core.errors import RecoveryError
from ..._core.windows_paths import share_root
from ..._winrm.connection.options import WinrmConnection
from ..._winrm.connection.session import Session as WinrmSession
from ..._winrm.host.files import WindowsFiles
from ..._winrm.recovery_set.lease_file import LeaseFile
from ..connection.session import Session

__all__ = ["Windows", "respect_leases"]

IDLE = 600.0
"""Seconds after which a session that was not used is opened anew: the host ends one that it hears nothing of for 15
minutes.
"""


class Windows:
    """One WinRM session, opened when it is needed first, and what it reaches. Close it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._open = ExitStack()
        self._files: WindowsFiles | None = None
        self._used = 0.0

    def reaches(self, folder: str) -> bool:
        """Whether the account of WinRM may hope to get there: it cannot take its own identity on to another server."""
        return share_root(folder) is None or bool(self._account(folder)[0]) or self._takes_its_identity_along

    @property
    def _takes_its_identity_along(self) -> bool:
        """CredSSP brings the password, Kerberos a ticket where it was asked to."""
        params = self._session.params
        delegated = "kerberos" in params["winrm_transport"] and params["winrm_kerberos_delegation"]
        return delegated or "credssp" in params["winrm_transport"]

    def files(self, *folders: str) -> WindowsFiles:
        """The files of the host, with the shares that these folders are on connected. Raises RecoveryError.

        Ask each time anew, and keep the answer for no longer than until the next time: the session may be another one
        then.
        """
        if self._files is not None and time.monotonic() - self._used > IDLE:
            self.close()
        if self._files is None:
            connection = WinrmConnection.from_params(self._session.params)
            winrm = self._open.enter_context(WinrmSession(connection))
            self._files = WindowsFiles(winrm, check_mode=self._session.check_mode, progress=self._session.progress)
        for folder in folders:
            user, password = self._account(folder)
            self._open.enter_context(self._files.share(folder, user=user, password=password))
        self._used = time.monotonic()
        return self._files

    def close(self) -> None:
        """End the session, if there is one."""
        files, self._files = self._files, None
        if files is not None:  # before anything is closed, which fails where the connection is lost
            self._session.warnings += files.warnings
        self._open.close()

    def refuse_foreign_lease(self, folder: str, database: str, *, now: dt.datetime) -> None:
        """Raises RecoveryError while somebody else holds the lease of the database in a folder. now: aware."""
        owner = self._session.params["lease_owner"] or ""
        LeaseFile(self.files(folder), folder, database=database, owner=owner, now=now).refuse_foreign()

    def _account(self, folder: str) -> tuple[str | None, str | None]:
        """Who is to use the share that a folder is on."""
        params = self._session.params
        copy_to, root = params.get("copy_to"), share_root(folder)
        if params.get("copy_share_user") and copy_to and root and root.lower() == (share_root(copy_to) or "").lower():
            return params["copy_share_user"], params["copy_share_password"]
        return params["share_user"], params["share_password"]


def respect_leases(session: Session, folders: Iterable[str], *, database: str, now: dt.datetime) -> None:
    """Raises RecoveryError while somebody else holds the lease of the database in one of the folders, as far as they
    can be looked at.
    """
    with closing(Windows(session)) as windows:
        for folder in filter(windows.reaches, folders):
            try:
                windows.refuse_foreign_lease(folder, database, now=now)
            except RecoveryError as problem:
                if "lease" in problem.details:
                    raise
                session.warnings.append(
                    f"Whether somebody else works on {database} could not be seen in {folder}: {problem}"
                )
