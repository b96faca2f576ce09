# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares that a session of a Windows host has connected, each under an account of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from ..._core.errors import RecoveryError
from ..._core.windows_paths import server_of, share_root
from ..._progress import Progress
from ..connection.conversation import Secret
from ..connection.errors import WindowsFault
from ..connection.session import Session
from ..verbs import connect, disconnect

__all__ = ["ShareConnections"]

_OTHER_ACCOUNT = 1219
_WRONG_PASSWORD = 86
_WITHOUT_NUMBER = 1208
"""In the place of 0, which would pass for no error at all: ERROR_EXTENDED_ERROR."""
_NO_SERVER = {51, 53, 59, 64, 121, 1231}
"""Numbers that are the server's and not the share's."""


@dataclass(frozen=True, kw_only=True)
class _Connection:
    """A share that this session has connected; account: name and password."""

    name: str
    account: tuple[str, str | None]


class ShareConnections:
    """warn: tells somebody what did not go well and stops nothing."""

    def __init__(self, session: Session, *, progress: Progress, warn: Callable[[str], None]) -> None:
        self._session = session
        self._progress = progress
        self._warn = warn
        self._open: dict[str, _Connection] = {}
        self._in_use: set[str] = set()
        self._numbered = 0
        self._silent: dict[str, dict[str, Any]] = {}
        """Servers that did not answer, and what Windows said of it."""

    def forget(self) -> None:
        """In a new session nothing is connected."""
        self._open.clear()

    @contextmanager
    def use_each(
        self, paths: Iterable[str], *, user: str | None, password: str | None, refused: dict[str, dict[str, Any]]
    ) -> Iterator[None]:
        """All shares of these paths, as C(use) does one. refused: gets by its root each that Windows refuses, with its
        number and message; what is asked for next runs even so. It is asked for with this dictionary, so that it tells
        of them there too.
        """
        with ExitStack() as stack:
            for root in dict.fromkeys(filter(None, map(share_root, paths))):
                stack.enter_context(self.use(root, user=user, password=password, refused=refused))
            yield

    @contextmanager
    def use(
        self,
        path: str,
        *,
        user: str | None,
        password: str | None,
        refused: dict[str, dict[str, Any]] | None = None,
    ) -> Iterator[None]:
        """A path of a share under an account of its own, if one is given. refused: as for C(use_each); by default what
        is asked for next does not run where Windows refuses it.

        It stays connected for what this session asks next, however this ended: until somebody else uses it, or the
        session ends, whose logon's connections are nobody else's.
        """
        root = share_root(path)
        place = root.lower() if root else ""
        if not place or place in self._in_use:
            yield
            return
        self._give_up_others(server_of(place), (user, password))
        if not user:
            yield
            return
        if place not in self._open:
            self._connect(root, user, password, refused)
        self._in_use.add(place)
        try:
            yield
        finally:
            self._in_use.discard(place)

    def _give_up_others(self, server: str, account: tuple[str | None, str | None]) -> None:
        """Disconnect what nobody uses there under another account: Windows knows a server under one. What cannot be
        disconnected, as files on it are open, is told when the other one is refused.
        """
        for place, connection in [*self._open.items()]:
            if server_of(place) != server or place in self._in_use or connection.account == account:
                continue
            del self._open[place]
            try:
                self._session.call(disconnect.SCRIPT, doing=f"Disconnecting from {place}", Name=connection.name)
            except WindowsFault as problem:
                self._warn(str(problem))

    def _connect(self, root: str, user: str, password: str | None, refused: dict[str, dict[str, Any]] | None) -> None:
        """Ahead of what is asked for next, which does not run where this is refused and nobody is to be told of it."""
        server = server_of(root)
        if not password:
            self._refuse_without_password(root, user, refused)
            return
        self._numbered += 1
        name = f"PrsRecovery{self._numbered}"
        doing = f"Connecting to {root} as {user}"
        account = {"Name": name, "Root": root, "User": user, "Password": Secret(password)}

        def is_not_open() -> None:
            self._open.pop(root.lower(), None)

        def again_where_another_is_known(fault: WindowsFault) -> None:
            """1219, the server being connected under another account, is put right where this session can."""
            try:
                self._only_as(fault, root, doing=doing, account=account)
            except RecoveryError as problem:
                is_not_open()
                if refused is None or not isinstance(problem, WindowsFault):
                    raise
                refused[root] = {"number": problem.number or _WITHOUT_NUMBER, "message": problem.said}
                if problem.number in _NO_SERVER:
                    self._silent[server] = refused[root]

        def server_may_answer() -> bool:
            """Another share of it had to wait for nothing a minute long, perhaps."""
            if refused is None or server not in self._silent:
                return True
            is_not_open()
            refused[root] = self._silent[server]
            return False

        if not server_may_answer():
            return
        self._session.ahead(
            connect.SCRIPT,
            doing=doing,
            mend=again_where_another_is_known,
            drop=is_not_open,
            wanted=server_may_answer,
            **account,
        )
        self._open[root.lower()] = _Connection(name=name, account=(user, password))

    @staticmethod
    def _refuse_without_password(root: str, user: str, refused: dict[str, dict[str, Any]] | None) -> None:
        """Windows is not asked: without a password it would take the session's own account."""
        if refused is None:
            raise RecoveryError(
                f"{root} is to be connected as {user}, and no password is given",
                code="option_invalid",
                advice="Give share_password as well",
            )
        refused[root] = {"number": _WRONG_PASSWORD, "message": f"No password is given for {user}"}

    def _only_as(self, fault: WindowsFault, root: str, *, doing: str, account: dict[str, str]) -> None:
        """Raises RecoveryError."""
        if fault.number != _OTHER_ACCOUNT:
            raise fault
        server = server_of(root)
        self._progress.line(f"{server} is connected under another account: disconnecting that")
        self._session.call(disconnect.SCRIPT, doing=f"Disconnecting from {server}", Name=account["Name"], Server=server)
        for place in [place for place in self._open if server_of(place) == server.lower() and place != root.lower()]:
            del self._open[place]
        self._session.call(connect.SCRIPT, doing=doing, **account)
