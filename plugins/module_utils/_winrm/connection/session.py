# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with a Windows host: one WinRM shell and one PowerShell process in it, however many verbs are called."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..._core.errors import RecoveryError
from .conversation import Conversation, Ended, Received, Request, Silent, VerbFailed
from .errors import WindowsFault, connection_error, ended_error, refused_by_all, silent_error, windows_fault
from .options import WinrmConnection, needs_user
from .protocol import make_protocol
from .pywinrm_dep import LOGIN_PROBLEMS, requests, require_pywinrm, require_transport, winrm
from .runner import COMMAND_LINE
from .ticket import Ticket, TicketedTransport

__all__ = ["Session"]

UTF_8 = 65001
IDLE = "PT900S"
"""After this time the host ends a session whose controller went away; what still runs in it keeps it from being idle.
"""

SEND_ATTEMPTS, SEND_PAUSE = 3, 5.0
"""How often input is handed to a host that is busy, and the seconds in between."""
ERROR_BUSY = 170

ANOTHER_TRANSPORT_MAY_HELP = {"dependency_missing", "windows_login_refused"}
"""Codes of problems that belong to a transport, and not to the way to the host."""

RECONNECT_WITHIN, RECONNECT_EVERY = 60.0, 5.0
"""Seconds: how long a host that was lost is waited for, and the pause between two attempts."""


class WinrmPipe:
    """The bytes of one process on the host, over pywinrm."""

    def __init__(self, protocol: Any, shell: str, command: str) -> None:
        self._protocol = protocol
        self._shell = shell
        self._command = command

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
            return

    def receive(self) -> Received:
        try:
            stdout, stderr, _code, ended = self._protocol.get_command_output_raw(self._shell, self._command)
        except winrm.exceptions.WinRMOperationTimeoutError:
            return Received()
        return Received(stdout=stdout, stderr=stderr, ended=ended)


def _give_up(fault: WindowsFault) -> None:
    raise fault


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class _Ahead:
    """A verb that travels with the next one. mend: puts right what Windows refused, or raises it; drop: hears that it
    never ran, as one before it was refused.
    """

    request: Request
    doing: str
    mend: Callable[[WindowsFault], None]
    drop: Callable[[], None]


class Session:
    """Use it in a `with` statement: entering connects, leaving ends the process and the shell on the host.

    Everything raises RecoveryError, a verb that Windows refused its subclass WindowsFault.
    """

    def __init__(self, connection: WinrmConnection) -> None:
        self.connection = connection
        self.host = connection.host
        self._protocol: Any = None
        self._transport = connection.transports[0]
        self._ticket: Ticket | None = None
        self._shell: str | None = None
        self._command: str | None = None
        self._conversation: Conversation | None = None
        self._lost: RecoveryError | None = None
        self._ahead: list[_Ahead] = []

    def __enter__(self) -> Session:
        """Try the transports in their order, as Ansible does, until the host takes one."""
        require_pywinrm()
        refusals: list[RecoveryError] = []
        for transport in self.connection.transports:
            self._transport = transport
            try:
                self._connect()
                return self
            except RecoveryError as problem:
                if problem.code not in ANOTHER_TRANSPORT_MAY_HELP:
                    raise
                refusals.append(problem)
        raise refused_by_all(refusals, transports=self.connection.transports)

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def computer(self) -> str:
        """The host's own name, as it said when the session began."""
        return self._about.get("computer", self.host) if self._conversation else self.host

    @property
    def is_lost(self) -> bool:
        """Whether it answers no more, or would answer to an earlier question that was broken off; reconnect makes
        another.
        """
        return self._lost is not None or (self._conversation is not None and self._conversation.owes_an_answer)

    @property
    def began(self) -> dt.datetime:
        """When the session began, aware, by the host's own clock: what lies there is as old as that says, whatever
        machine asks.
        """
        return dt.datetime.strptime(self._about["now"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.timezone.utc)

    def ahead(
        self,
        script: str,
        *,
        doing: str,
        items: Iterable[Any] = (),
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        mend: Callable[[WindowsFault], None] | None = None,
        drop: Callable[[], None] | None = None,
        **parameters: Any,
    ) -> None:
        """Ask for a verb that prepares the next one, with which it travels: nobody waits for it alone. The next one is
        not run where this fails, and not before mend returned; without a next one this is not run at all. drop: called
        where it is not run, as one that goes ahead of it was refused.

        A refusal is raised by the next call, as a RecoveryError that is no WindowsFault: nobody is to take it for what
        Windows said of that call, such as that a file is not there.
        """
        request = Request(script, parameters, [*items], on_progress)
        self._ahead.append(_Ahead(request=request, doing=doing, mend=mend or _give_up, drop=drop or _nothing))

    def call(
        self,
        script: str,
        *,
        doing: str,
        items: Iterable[Any] = (),
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        **parameters: Any,
    ) -> list[Any]:
        """Run a verb (the SCRIPT of a file in verbs/) and return its items. doing: the beginning of an error's sentence
        ("Reading C:\\x").
        """
        request = Request(script, parameters, [*items], on_progress)
        while True:
            before, self._ahead = self._ahead, []
            try:
                return self._answer_to(request, before=before, doing=doing)
            except VerbFailed as fault:
                self._ahead = self._mended(fault, before=before, doing=doing)

    def _answer_to(self, request: Request, *, before: Sequence[_Ahead], doing: str) -> list[Any]:
        """What a request put out. Raises VerbFailed where Windows refused it, or one that goes ahead of it."""
        conversation = self._usable()
        try:
            return conversation.call(
                request.script,
                parameters=request.parameters,
                items=request.items,
                on_progress=request.on_progress,
                before=[ahead.request for ahead in before],
            )
        except Ended as ended:
            self._lost = ended_error(ended.said, host=self.host, doing=doing if conversation.about else "Starting")
        except Silent as silent:
            self._lost = silent_error(silent.seconds, host=self.host, doing=doing if conversation.about else "Starting")
        except _PROBLEMS as problem:
            self._lost = connection_error(problem, connection=self.connection, transport=self._transport, doing=doing)
        except RecoveryError as problem:  # no other ticket when the one that there was had ended
            self._lost = problem
        raise self._lost

    def _mended(self, fault: VerbFailed, *, before: Sequence[_Ahead], doing: str) -> list[_Ahead]:
        """Put right what went ahead of a call and was refused; what is left of it. Raises WindowsFault where the call
        itself was refused, and what mend raises.
        """
        if not self._usable().about:
            raise windows_fault(fault, host=self.host, doing="Starting PowerShell") from None
        if fault.position == len(before):
            raise windows_fault(fault, host=self.host, doing=doing) from None
        refused, left = before[fault.position], [*before[fault.position + 1 :]]
        try:
            refused.mend(windows_fault(fault, host=self.host, doing=refused.doing))
        except BaseException as problem:
            for ahead in left:
                ahead.drop()
            if isinstance(problem, WindowsFault):
                raise problem.reworded() from None
            raise
        return left

    def _usable(self) -> Conversation:
        if self._lost:
            raise self._lost
        if self._conversation is None:
            raise RuntimeError("a session is used in a with statement")
        return self._conversation

    @property
    def _about(self) -> dict[str, Any]:
        conversation = self._usable()
        if not conversation.about:
            self.call("", doing="Starting PowerShell")
        return conversation.about

    def reconnect(self) -> None:
        """Open another session in place of one that was lost: what that one still answers must not be taken for the
        answer to the next question. Raises RecoveryError when the host does not come back in time.
        """
        deadline = time.monotonic() + RECONNECT_WITHIN
        lost = self._lost
        while True:
            self._close()
            self._lost = None
            try:
                self.__enter__()
                self.call("", doing="Starting PowerShell")
            except RecoveryError as problem:
                self._lost = lost or problem
                if time.monotonic() > deadline:
                    raise
                time.sleep(RECONNECT_EVERY)
            else:
                return

    def _connect(self) -> None:
        """Open the shell by one transport. Raises RecoveryError. Whatever ends it, nothing is left behind."""
        try:
            self._open()
        except _PROBLEMS as problem:
            self._close()
            raise connection_error(problem, connection=self.connection, transport=self._transport) from None
        except BaseException:
            self._close()
            raise

    def _open(self) -> None:
        connection = self.connection
        if not connection.user and needs_user([self._transport], certificate=connection.cert_pem):
            raise RecoveryError(
                f"{self._transport} needs an account, and none is given",
                code="windows_login_refused",
                advice="Give winrm_user (ansible_user of the host), or leave this transport out",
            )
        require_transport(self._transport)
        self._protocol = make_protocol(connection, self._transport)
        if self._transport == "kerberos" and connection.manages_tickets:
            self._ticket = Ticket(connection)
            self._protocol.transport = TicketedTransport(self._protocol.transport, self._ticket)
        self._shell = self._protocol.open_shell(codepage=UTF_8, noprofile=True, idle_timeout=IDLE)
        self._command = self._protocol.run_command(
            self._shell, COMMAND_LINE, console_mode_stdin=False, skip_cmd_shell=False
        )
        self._conversation = Conversation(WinrmPipe(self._protocol, self._shell, self._command))

    def _close(self) -> None:
        """End the process and the shell, as far as the host still answers: a problem here would hide the one that led
        here.
        """
        self._conversation = None
        self._ahead = []
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


_PROBLEMS: tuple[type[Exception], ...] = (
    ()
    if winrm is None
    else (
        winrm.exceptions.WinRMError,
        winrm.exceptions.WinRMTransportError,
        winrm.exceptions.WinRMOperationTimeoutError,  # a shell that does not open
        requests.exceptions.RequestException,
        *LOGIN_PROBLEMS,
    )
)
