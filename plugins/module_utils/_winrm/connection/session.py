# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with a Windows host: one WinRM shell and one PowerShell process in it, however many verbs are called, and
however many tasks of a run call them where somebody keeps it in between.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..._core.errors import RecoveryError
from .conversation import Conversation, Ended, Request, Silent, VerbFailed
from .errors import (
    WindowsFault,
    connection_error,
    ended_error,
    never_connected,
    refused_by_all,
    silent_error,
    windows_fault,
)
from .kept_sessions import KeptShell, keep, take
from .options import WinrmConnection
from .pywinrm_dep import LOGIN_PROBLEMS, requests, require_pywinrm, winrm
from .remote_powershell import RemotePowerShell

__all__ = ["Session", "end_session"]

ANOTHER_TRANSPORT_MAY_HELP = {"dependency_missing", "windows_login_refused"}
"""Codes of problems that belong to a transport, and not to the way to the host."""

MOST_TASKS = 25
"""How many tasks have one PowerShell: its memory grows by some MB with each script that a task runs."""

RECONNECT_WITHIN, RECONNECT_EVERY = 60.0, 5.0
"""Seconds: how long a host that was lost is waited for, and the pause between two attempts."""


def _give_up(fault: WindowsFault) -> None:
    raise fault


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class _Ahead:
    """A verb that travels with the next one. mend: puts right what Windows refused, or raises it; drop: hears that it
    never ran, as one before it was refused; wanted: whether it is to be asked for still, after one before it was.
    """

    request: Request
    doing: str
    mend: Callable[[WindowsFault], None]
    drop: Callable[[], None]
    wanted: Callable[[], bool]


class Session:
    """Use it in a `with` statement: entering connects, leaving ends the process and the shell on the host, or hands
    them on to the next task.

    Everything raises RecoveryError, a verb that Windows refused its subclass WindowsFault.
    """

    def __init__(self, connection: WinrmConnection) -> None:
        self.connection = connection
        self.host = connection.host
        self._powershell: RemotePowerShell | None = None
        self._conversation: Conversation | None = None
        self._lost: RecoveryError | None = None
        self._ahead: list[_Ahead] = []

    def __enter__(self) -> Session:
        require_pywinrm()
        if not self._resume():
            self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        can_go_on = self._conversation is not None and self._conversation.can_go_on and not self.is_lost
        if self._powershell and can_go_on:
            name = self._powershell.name
            if name.tasks < MOST_TASKS and keep(self.connection, name):
                self._powershell.leave()
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
        wanted: Callable[[], bool] = lambda: True,
        **parameters: Any,
    ) -> None:
        """Ask for a verb that prepares the next one, with which it travels: nobody waits for it alone. The next one is
        not run where this fails, and not before mend returned; without a next one this is not run at all. drop: called
        where it is not run, as one that goes ahead of it was refused. wanted: asked where one ahead of it was refused
        and mended; what is not wanted any more is left out.

        A refusal is raised by the next call, as a RecoveryError that is no WindowsFault: nobody is to take it for what
        Windows said of that call, such as that a file is not there.
        """
        request = Request(script, parameters, [*items], on_progress)
        self._ahead.append(
            _Ahead(request=request, doing=doing, mend=mend or _give_up, drop=drop or _nothing, wanted=wanted)
        )

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
            if self._is_gone(problem):
                self._open_another()
                return self._answer_to(request, before=before, doing=doing)
            transport = self._powershell.transport if self._powershell else ""
            self._lost = connection_error(problem, connection=self.connection, transport=transport, doing=doing)
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
        return [ahead for ahead in left if ahead.wanted()]

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
                self._open()
                self.call("", doing="Starting PowerShell")
            except RecoveryError as problem:
                self._lost = lost or problem
                if time.monotonic() > deadline:
                    raise
                time.sleep(RECONNECT_EVERY)
            else:
                return

    def _resume(self) -> bool:
        """Go on with what another task left. False where nobody did, and where the host lets the account in no more by
        that transport: another may do.
        """
        kept = take(self.connection)
        if not kept:
            return False
        try:
            self._connect(kept.transport, kept)
        except RecoveryError as problem:
            if problem.code not in ANOTHER_TRANSPORT_MAY_HELP:
                raise
            return False
        return True

    def _is_gone(self, problem: Exception) -> bool:
        """Whether the host says that it has not got any more what another task left there, or was not even reached.
        Nothing was run.
        """
        may_be_gone = self._powershell is not None and self._powershell.may_be_gone
        return may_be_gone and (isinstance(problem, _REFUSALS) or never_connected(problem))

    def _open_another(self) -> None:
        """In place of one that is gone: the host is not asked to end that."""
        if self._powershell:
            self._powershell.leave()
        self._close()
        try:
            self._open()
        except RecoveryError as problem:
            self._lost = problem
            raise

    def _open(self) -> None:
        """Try the transports in their order, as Ansible does, until the host takes one."""
        refusals: list[RecoveryError] = []
        for transport in self.connection.transports:
            try:
                self._connect(transport)
            except RecoveryError as problem:
                if problem.code not in ANOTHER_TRANSPORT_MAY_HELP:
                    raise
                refusals.append(problem)
            else:
                return
        raise refused_by_all(refusals, transports=self.connection.transports)

    def _connect(self, transport: str, kept: KeptShell | None = None) -> None:
        """By one transport. Raises RecoveryError. Whatever ends it, nothing is left behind."""
        try:
            self._powershell = RemotePowerShell(self.connection, transport)
            if kept:
                self._powershell.resume(kept)
            else:
                self._powershell.open()
        except _PROBLEMS as problem:
            self._close()
            raise connection_error(problem, connection=self.connection, transport=transport) from None
        except BaseException:
            self._close()
            raise
        self._conversation = Conversation(self._powershell, is_running=kept is not None)

    def _close(self) -> None:
        """End the process and the shell, unless somebody else is to go on with them."""
        self._conversation = None
        self._ahead = []
        if self._powershell:
            self._powershell.close()
            self._powershell = None


def end_session(connection: WinrmConnection, kept: KeptShell) -> None:
    """End what nobody goes on with. Raises RecoveryError, and what pywinrm and requests raise."""
    powershell = RemotePowerShell(connection, kept.transport)
    powershell.resume(kept)
    powershell.close()


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
_REFUSALS: tuple[type[Exception], ...] = (
    () if winrm is None else (winrm.exceptions.WinRMError, winrm.exceptions.WinRMTransportError)
)
"""What says that a host answered, and did not take what it was sent."""
