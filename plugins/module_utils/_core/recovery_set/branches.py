# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The branches of a database: which of its copies is the living one, and which recovery sets belong to it.

A restore puts a database on a recovery fork of its own, so that its backups can be told from those of the database
that it was restored from. Each restore is written down as a branch, in a small file beside the sets. Sets of a database
that was replaced are then known as such, also those that it goes on to make when a lost site comes back.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import RecoveryError
from ..times import parse_stored_time, to_stamp, to_text
from .recovery_set import RecoverySet

__all__ = ["ENDING", "Branch", "Lineage", "branch_file_name", "lines_of_branch", "parse_branch"]

FORMAT = "prs.recovery branch 1"
ENDING = ".branch"


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A database that goes on from here.

    fork: its recovery fork, a GUID in lower case. began_at: aware. parent: the fork that it left, "" where that is not
    known; left_lsn: the last LSN that both have, and left_at (aware) the moment; None where nothing tells. label: of
    the set that it was restored from, or of the first one that was seen of it. ended: forks that do not go on.
    decided: a person said that this one goes on, whatever sets of others were made until then.
    """

    fork: str
    began_at: dt.datetime
    site: str = ""
    server: str = ""
    parent: str = ""
    left_lsn: int | None = None
    left_at: dt.datetime | None = None
    label: str = ""
    restored: bool = True
    decided: bool = False
    ended: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: times as text in UTC, the rest as it is."""
        return {
            "fork": self.fork,
            "began_at": to_text(self.began_at),
            "site": self.site,
            "server": self.server,
            "parent": self.parent,
            "left_lsn": self.left_lsn,
            "left_at": to_text(self.left_at) if self.left_at else None,
            "label": self.label,
            "restored": self.restored,
            "decided": self.decided,
            "ended": list(self.ended),
        }

    @property
    def sentence(self) -> str:
        """Whose it is, as a message names it."""
        where = " on ".join(filter(None, (f"of {self.site}" if self.site else "", self.server))) or f"on {self.fork}"
        since = to_text(self.began_at)
        how = f"restored from {self.label or 'a backup'}, {since}" if self.restored else f"recovery set {self.label}"
        return f"the one {where} ({how})"


def branch_file_name(branch: Branch) -> str:
    """Names sort by time."""
    return f"{to_stamp(branch.began_at)}-{branch.fork[:8]}{ENDING}"


def lines_of_branch(branch: Branch) -> list[str]:
    """The text of its file."""
    return json.dumps({"format": FORMAT, **branch.to_dict()}, indent=1, sort_keys=True).split("\n")


def parse_branch(text: str, *, where: str) -> Branch:
    """where: how a message names the file. Raises RecoveryError when it is none: without it a dead database's sets
    might pass for the living one's.
    """
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise ValueError
        left_lsn = values["left_lsn"]
        return Branch(
            fork=_text(values["fork"]),
            began_at=parse_stored_time(values["began_at"]),
            site=_text(values["site"]),
            server=_text(values["server"]),
            parent=_text(values["parent"]),
            left_lsn=left_lsn if left_lsn is None else int(left_lsn),
            left_at=parse_stored_time(values["left_at"]) if values["left_at"] else None,
            label=_text(values["label"]),
            restored=values["restored"] is True,
            decided=values["decided"] is True,
            ended=tuple(map(_text, values["ended"])),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise RecoveryError(
            f"{where} does not tell when the database was restored, or is damaged",
            code="damaged",
            advice="Bring it back from the copy of the sets at another place. If there is none, remove it: a set is "
            "then only known to be of the living database by the site and server in its manifest",
        ) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


class Lineage:
    """All branches that are known of a database, and what follows from them. Without any, every set is as good as
    another.
    """

    def __init__(self, branches: Iterable[Branch] = ()) -> None:
        self.branches = sorted(set(branches), key=lambda branch: (branch.began_at, branch.fork))
        self.living: dict[str, Branch] = {}
        """By fork."""
        self.ended_by: dict[str, Branch] = {}
        """What replaced a fork's database, by fork."""
        seen: set[str] = set()
        for branch in self.branches:
            left = set() if branch.fork in seen else {branch.parent}  # one that is heard of again leaves nothing anew
            seen.add(branch.fork)
            for fork in {*left, *branch.ended} - {"", branch.fork}:
                self.living.pop(fork, None)
                self.ended_by.setdefault(fork, branch)
            self.ended_by.pop(branch.fork, None)
            self.living[branch.fork] = branch

    def replaced_by(self, recovery_set: RecoverySet) -> Branch | None:
        """The restore that replaced the database of a set; None for one of the living database or of its past, and
        where nothing tells.
        """
        fork = _fork(recovery_set)
        if fork in self.living or self._is_past(recovery_set):
            return None
        return self.ended_by.get(fork)

    def after(self, recovery_set: RecoverySet, *, just_taken: bool = False, end_others: bool = False) -> Lineage:
        """What is known once a set is known, too: one that a replaced database made after it was replaced shows that it
        lives still.

        just_taken: it was, whatever the clocks of two sites say. end_others: a person says that this database goes on,
        and no other.
        """
        if not self.branches:
            return self
        fork = _fork(recovery_set)
        others = tuple(other for other in self.living if other != fork)
        if end_others:
            return Lineage([*self.branches, self._branch_of(recovery_set, others, decided=True)])
        if fork in self.living:
            return self
        if self._is_past(recovery_set) or (not just_taken and recovery_set.taken_at <= self._known_until(fork)):
            return self
        return Lineage([*self.branches, self._branch_of(recovery_set, None)])

    def refuse_rivals(self) -> None:
        """Raises RecoveryError while more than one database lives: whichever is taken, what the others hold is lost."""
        if len(self.living) < 2:
            return
        rivals = list(self.living.values())
        raise RecoveryError(
            f"The database lives more than once: {', and '.join(branch.sentence for branch in rivals)}; each has what "
            "the others lack, so that none is backed up, copied or chosen over the others",
            code="two_branches",
            advice="Find out which of them the users work with, set prs_active_site to its site, and stop the "
            "application at the other one. Then, to go on with that one and give up what the other one got: "
            "backup_prs with -e prs_end_other_branches=true, or rebuild_prs with -e prs_restore_set=LABEL, a set of it",
            branches=[branch.to_dict() for branch in rivals],
        )

    def _branch_of(self, recovery_set: RecoverySet, ended: tuple[str, ...] | None, *, decided: bool = False) -> Branch:
        """ended: None where nobody says what does not go on."""
        fork, database = _fork(recovery_set), recovery_set.values["database"]
        site = recovery_set.values.get("site") or ""
        earlier = next((branch for branch in reversed(self.branches) if branch.fork == fork), None)
        parent = earlier.parent if earlier else _parent(recovery_set)
        if ended is None and (earlier or fork in self.ended_by):
            ended = ()
        elif ended is None:  # a database that nobody told of; it replaced its parent, else whatever was there
            ended = tuple(
                other for other, branch in self.living.items() if not parent or (site and branch.site == site)
            )
        return Branch(
            fork=fork,
            # By two clocks: it is told in the order in which it became known.
            began_at=max(recovery_set.taken_at, self.branches[-1].began_at + dt.timedelta(seconds=1)),
            site=site,
            server=database.get("server") or "",
            parent=parent,
            left_lsn=earlier.left_lsn if earlier else database.get("fork_point_lsn"),
            left_at=earlier.left_at if earlier else None,
            label=recovery_set.label,
            restored=False,
            decided=decided,
            ended=ended,
        )

    def _known_until(self, fork: str) -> dt.datetime:
        """Until when a set of that fork tells nothing new."""
        ended = self.ended_by.get(fork) or self.branches[-1]
        return max(branch.began_at for branch in self.branches if branch == ended or branch.decided)

    def _is_past(self, recovery_set: RecoverySet) -> bool:
        """Whether the data of a set are in a living database as well."""
        return any(self._leads_to(branch, recovery_set) for branch in self.living.values())

    def _leads_to(self, branch: Branch, recovery_set: RecoverySet) -> bool:
        fork = _fork(recovery_set)
        for _step in self.branches:  # each goes back by one branch, so that files which contradict one another end too
            if branch.parent == fork:
                return _is_before(branch, recovery_set)
            earlier = [
                known for known in self.branches if known.fork == branch.parent and known.began_at <= branch.began_at
            ]
            if not branch.parent or not earlier:
                return False
            branch = earlier[-1]
        return False


def _is_before(branch: Branch, recovery_set: RecoverySet) -> bool:
    """Whether a set of the parent is from before the branch left it."""
    if branch.left_lsn is not None:
        return recovery_set.values["database"]["last_lsn"] <= branch.left_lsn
    return recovery_set.recovery_point <= (branch.left_at or branch.began_at)


def _fork(recovery_set: RecoverySet) -> str:
    return (recovery_set.values["database"].get("last_fork") or "").lower()


def _parent(recovery_set: RecoverySet) -> str:
    """As SQL Server tells it of the database, or a log backup that comes from there."""
    database = recovery_set.values["database"]
    known = [database.get("parent_fork"), database.get("first_fork")]
    return next((fork.lower() for fork in known if fork and fork.lower() != _fork(recovery_set)), "")
