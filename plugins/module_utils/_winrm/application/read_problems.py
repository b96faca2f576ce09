# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an archive is worth having without the files that could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..._core.application.archive_contents import is_essential
from ..._core.application.archive_entries import Refusal
from ..._core.errors import RecoveryError, code_of_windows_error
from ..host.files import PackedFile

__all__ = ["ReadProblems", "judge_packed", "require_essential", "require_seen"]


@dataclass(frozen=True, kw_only=True)
class ReadProblems:
    """unread: files that are not in the archive, each with why. changed: names of files that changed while they were
    read.
    """

    unread: tuple[Refusal, ...] = ()
    changed: tuple[str, ...] = ()


def require_essential(refused: Sequence[Refusal], *, path: str, host: str) -> None:
    """Raises RecoveryError when a file that the archive needs cannot be in it, whatever unreadable says: an application
    without its code is no backup.

    path, host: of the application's folder.
    """
    _require_none(
        [refusal for refusal in refused if is_essential(refusal.name)],
        "files",
        path=path,
        host=host,
        way_out="Put the file itself there",
        code="wrong_state",
    )


def require_seen(unseen: Sequence[Refusal], *, path: str, host: str) -> None:
    """Raises RecoveryError for folders that nobody could look into, whatever unreadable says: what the application
    cannot do without may be in them.
    """
    way_out = "Give the account of WinRM the right to read it"
    _require_none(unseen, "folders", path=path, host=host, way_out=way_out, code="access_denied")


def _require_none(refused: Sequence[Refusal], what: str, *, path: str, host: str, way_out: str, code: str) -> None:
    """Raises RecoveryError for the first of them. what: they are, in the plural; way_out: beside excluding it."""
    if refused:
        more = f" (and {len(refused) - 1} more {what})" if len(refused) > 1 else ""
        raise RecoveryError(
            f"{path}\\{refused[0].name} on {host} cannot be archived{more}: it {refused[0].reason}",
            advice=f"Nothing was archived. {way_out}, or name it in exclude if the application does not need it",
            code=code,
            unreadable=[refusal.name for refusal in refused],
        )


def judge_packed(
    packed: Sequence[PackedFile], *, path: str, host: str, unreadable: str, protected: Mapping[str, str]
) -> ReadProblems:
    """Raises RecoveryError when a file that cannot be read is one that the archive needs, or any is and unreadable is
    fail. A file that was gone before it could be read is never a reason.

    path, host: of the application's folder. protected: what protects files, by name (efs, dpapi, rsa).
    """
    gone = [Refusal(file.name, "was gone before it could be read") for file in packed if file.vanished]
    locked = [file for file in packed if file.fault and not file.vanished]
    fatal = [file for file in locked if unreadable == "fail" or is_essential(file.name)]
    if fatal:
        more = f" (and {len(fatal) - 1} more files)" if len(fatal) > 1 else ""
        raise RecoveryError(
            f"{path}\\{fatal[0].name} on {host} cannot be read{more}: {fatal[0].fault}",
            code=code_of_windows_error(fatal[0].number, otherwise="windows_error"),
            advice=_advice(fatal[0].name, protected_by=protected.get(fatal[0].name, "")),
            unreadable=[file.name for file in fatal],
        )
    return ReadProblems(
        unread=(*gone, *(Refusal(file.name, f"could not be read: {file.fault}") for file in locked)),
        changed=tuple(file.name for file in packed if file.changed),
    )


def _advice(name: str, *, protected_by: str) -> str:
    if protected_by == "efs":
        return (
            "Nothing was archived. EFS lets only the account read it that encrypted it: put an unprotected copy "
            "where only administrators may read, and name it in plain_copies"
        )
    also = "" if is_essential(name) else ", or all such be left out by unreadable=report"
    return f"Nothing was archived. A file that is not needed for a restore can be named in exclude{also}"
