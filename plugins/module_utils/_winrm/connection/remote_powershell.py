# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One PowerShell in a WinRM shell of a host, over pywinrm: what makes it, and the bytes that go there and come back."""

from __future__ import annotations

import time

from ..._core.errors import RecoveryError
from .conversation import Received
from .kept_sessions import KeptShell
from .options import WinrmConnection, needs_user
from .protocol import make_protocol
from .pywinrm_dep import require_transport, winrm
from .runner import COMMAND_LINE
from .ticket import Ticket, TicketedTransport

__all__ = ["RemotePowerShell"]

UTF_8 = 65001
IDLE = "PT900S"
"""After this time without a message the host ends a session, of which nobody may know any more."""

SEND_ATTEMPTS, SEND_PAUSE = 3, 5.0
"""How often input is handed to a host that is busy, and the seconds in between."""
ERROR_BUSY = 170


class RemotePowerShell:
    """The process, and the shell around it, by one transport.

    It is opened, or resumed where a task before left it, and in the end closed, or left for the next. Raises
    RecoveryError, and what pywinrm and requests raise.
    """

    def __init__(self, connection: WinrmConnection, transport: str) -> None:
        if not connection.user and needs_user([transport], certificate=connection.cert_pem):
            raise RecoveryError(
                f"{transport} needs an account, and none is given",
                code="windows_login_refused",
                advice="Give winrm_user (ansible_user of the host), or leave this transport out",
            )
        require_transport(transport)
        self.transport = transport
        self.may_be_gone = False
        """Whether another task left it and the host has taken no input since: nothing that was asked of it has run."""
        self._tasks = 0
        self._shell: str | None = None
        self._command: str | None = None
        self._ticket: Ticket | None = None
        self._protocol = make_protocol(connection, transport)
        if transport == "kerberos" and connection.manages_tickets:
            self._ticket = Ticket(connection)
            self._protocol.transport = TicketedTransport(self._protocol.transport, self._ticket)

    @property
    def name(self) -> KeptShell:
        """How whoever goes on with it after this task finds it."""
        names = {"shell": self._shell or "", "command": self._command or ""}
        return KeptShell(transport=self.transport, **names, tasks=self._tasks + 1)

    def open(self) -> None:
        """Have the host start it."""
        self._shell = self._protocol.open_shell(codepage=UTF_8, noprofile=True, idle_timeout=IDLE)
        self._command = self._protocol.run_command(
            self._shell, COMMAND_LINE, console_mode_stdin=False, skip_cmd_shell=False
        )

    def resume(self, kept: KeptShell) -> None:
        """Go on with one that was left. Where messages are sealed, this logs in; whether the host still has it, the
        first input tells.
        """
        self._protocol.transport.build_session()
        self._shell, self._command, self._tasks = kept.shell, kept.command, kept.tasks
        self.may_be_gone = True

    def send(self, data: bytes) -> None:
        """A host under load answers that it took too long, and has read the input even so; while it still reads, it is
        busy (Ansible's own connection goes on in the same way).
        """
        for attempt in range(1, SEND_ATTEMPTS + 1):
            try:
                self._protocol.send_command_input(self._shell, self._command, data)
            except winrm.exceptions.WinRMOperationTimeoutError:
                time.sleep(SEND_PAUSE)
            except winrm.exceptions.WSManFaultError as fault:
                if fault.wsman_fault_code != ERROR_BUSY or attempt == SEND_ATTEMPTS:
                    raise
                time.sleep(SEND_PAUSE)
                continue
            self.may_be_gone = False
            return

    def receive(self) -> Received:
        try:
            stdout, stderr, _code, ended = self._protocol.get_command_output_raw(self._shell, self._command)
        except winrm.exceptions.WinRMOperationTimeoutError:
            return Received()
        return Received(stdout=stdout, stderr=stderr, ended=ended)

    def leave(self) -> None:
        """Let it be: what is closed then is this end of it."""
        self._command = self._shell = None

    def close(self) -> None:
        """End the process and the shell, as far as the host still answers: a problem here would hide the one that led
        here.
        """
        try:
            if self._command is not None:
                self._protocol.cleanup_command(self._shell, self._command)
            if self._shell is not None:
                self._protocol.close_shell(self._shell)
        except Exception:
            pass
        finally:
            self._command = self._shell = None
            if self._ticket is not None:
                self._ticket.remove()
                self._ticket = None
