# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kerberos ticket of a session's own, obtained by kinit as Ansible's winrm connection does.

It lies in a credential cache that nobody else uses and that is removed with the session. A session that outlives its
ticket gets another one, and with it a new security context; its shell on the host stays.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..._core.binary.credential_cache import ticket_life
from ..._core.errors import RecoveryError
from ..._progress import ENVIRONMENT
from .options import WinrmConnection

__all__ = ["Ticket", "TicketedTransport"]

KINIT_WITHIN = 60.0
"""Seconds: how long kinit may look for a KDC."""
EARLY = 120.0
"""Seconds before the end of a ticket at which another one is obtained; less for one that lives shortly."""
CACHE_VARIABLE = "KRB5CCNAME"


class Ticket:
    """The ticket of one account. Raises RecoveryError when kinit cannot get one; `remove` it in the end."""

    def __init__(self, connection: WinrmConnection) -> None:
        self._connection = connection
        self._folder = tempfile.mkdtemp(prefix="prs-recovery-ticket-", dir=_folder_of_the_task())
        self._cache = f"FILE:{self._folder}/cache"
        self._renew_at: float | None = None
        self._ends_at: float | None = None
        try:
            self._obtain()
        except BaseException:
            self.remove()
            raise

    def renew_if_needed(self) -> bool:
        """Obtain another ticket shortly before this one ends; returns whether that was so. As long as this one lasts,
        a KDC that does not answer is no error.
        """
        now = time.monotonic()
        if self._renew_at is None or self._ends_at is None or now < self._renew_at:
            return False
        try:
            self._obtain()
        except RecoveryError:
            if now >= self._ends_at:
                raise
            self._renew_at = now + (self._ends_at - now) / 2
            return False
        return True

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The process's credential cache for the time of one message: an instance of SQL Server may be reached with
        another account's meanwhile.
        """
        earlier = os.environ.get(CACHE_VARIABLE)
        os.environ[CACHE_VARIABLE] = self._cache
        try:
            yield
        finally:
            if earlier is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = earlier

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _obtain(self) -> None:
        asked_at = time.monotonic()
        self._run_kinit()
        try:
            life = ticket_life(Path(self._cache.removeprefix("FILE:")).read_bytes())
        except OSError:  # a command of the user's own may keep it elsewhere
            life = None
        if life is None:
            self._renew_at = self._ends_at = None
            return
        self._ends_at = asked_at + life
        self._renew_at = self._ends_at - min(EARLY, life / 3)

    def _run_kinit(self) -> None:
        """The password goes to its standard input: the list of processes shows arguments to everybody. A session of its
        own keeps it from asking at a terminal.
        """
        kerberos, principal = self._connection.kerberos, self._connection.user or ""
        try:
            done = subprocess.run(
                [kerberos.command, *self._arguments(), *([principal] if principal else [])],
                input=f"{self._connection.password}\n".encode(),
                capture_output=True,
                env=self._environment(),
                start_new_session=True,
                timeout=KINIT_WITHIN,
                check=False,
            )
        except OSError as problem:
            raise RecoveryError(
                f"{kerberos.command} cannot be run on the control node: {problem.strerror}",
                code="dependency_missing",
                connection_error=f"Kerberos auth failure when calling {kerberos.command}: {problem.strerror}",
                advice="Install Kerberos' programs (krb5-user on Debian, krb5-workstation on RHEL), or name kinit in "
                "winrm_kinit_cmd (ansible_winrm_kinit_cmd of the host)",
            ) from None
        except subprocess.TimeoutExpired:
            raise self._no_ticket(f"no KDC answered within {KINIT_WITHIN:.0f} seconds") from None
        if done.returncode:
            raise self._no_ticket(done.stderr.decode("utf-8", "replace").strip() or f"it ended with {done.returncode}")

    def _arguments(self) -> list[str]:
        """What Ansible gives: the arguments of the inventory, or what delegation needs."""
        kerberos = self._connection.kerberos
        if kerberos.arguments:
            return [argument for argument in shlex.split(kerberos.arguments) if argument.strip()]
        return ["-f"] if kerberos.delegation else []

    def _environment(self) -> dict[str, str]:
        named = [name for name in self._connection.kerberos.environment if name in os.environ]
        return {
            **{name: os.environ[name] for name in named},
            "PATH": os.environ.get("PATH", os.defpath),
            CACHE_VARIABLE: self._cache,
        }

    def _no_ticket(self, said: str) -> RecoveryError:
        user, password = self._connection.user, self._connection.password
        reason = said.replace(password, "<redacted>") if password else said
        return RecoveryError(
            f"No Kerberos ticket for {user}: {reason}",
            code="windows_login_refused",
            connection_error=f"Kerberos auth failure for principal {user}: {reason}",
            advice="Check ansible_user (user@REALM, the realm in capital letters) and ansible_password of the host, "
            "/etc/krb5.conf and the clock of the control node; 'kinit user@REALM' there has to work. Variables "
            "such as KRB5_CONFIG reach kinit where ansible_winrm_kinit_env_vars names them",
        )


def _folder_of_the_task() -> str | None:
    """The folder that the action plugin removes however this process ends; None where nobody made one."""
    progress = os.environ.get(ENVIRONMENT)
    return os.path.dirname(progress) if progress else None


class TicketedTransport:
    """pywinrm's transport with a ticket: it authenticates anew before a message when the ticket is another one."""

    def __init__(self, transport: Any, ticket: Ticket) -> None:
        self._transport = transport
        self._ticket = ticket

    def send_message(self, message: str | bytes) -> bytes:
        if self._ticket.renew_if_needed():
            # A message is sealed for one context: what comes next begins with the handshake of another.
            self._transport.close_session()
            self._transport.encryption = None
        with self._ticket.in_use():
            return self._transport.send_message(message)

    def build_session(self) -> None:
        """Log in, before the first message."""
        with self._ticket.in_use():
            self._transport.build_session()

    def close_session(self) -> None:
        self._transport.close_session()
