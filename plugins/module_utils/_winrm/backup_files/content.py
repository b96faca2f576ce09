# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of backup files, judged by the Windows host that reads them: nothing of it comes over WinRM."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..._core.backup_file.deep_check import MOST_FLAWS, DeepCheck, closed_marks, judge_marks, parts
from ..._core.backup_file.flaws import flaw_of_answer
from ..._core.backup_file.reading import ExaminedFile
from ..._core.times import parse_stored_time
from ..._progress import Progress
from ..connection.conversation import VerbFailed
from ..connection.errors import WindowsFault, windows_fault
from ..host.files import WindowsFiles
from ..verbs import check_content

__all__ = ["judge_content"]


def judge_content(
    files: WindowsFiles, examined: Iterable[ExaminedFile], *, progress: Progress
) -> Iterator[tuple[ExaminedFile, WindowsFault | None]]:
    """Those of the files that are backups, each with its check; or with the reason why the host could not read it."""
    backups = {item.path: item for item in examined if item.file is not None}
    answers = files.call(
        check_content.SCRIPT,
        doing="Checking backup files",
        items=[_wanted(item) for item in backups.values()],
        on_progress=_shown(progress, total=sum(item.size for item in backups.values())),
        MostFlaws=MOST_FLAWS,
    )
    for answer in answers:
        item = backups[answer["path"]]
        if "error" in answer:
            fault = VerbFailed(**answer["error"])
            yield item, windows_fault(fault, host=files.host, doing=f"Reading {item.path}")
            continue
        modified = parse_stored_time(answer["modified"]).timestamp()
        item.changing = item.changing or (answer["size"], modified) != (item.size, item.modified)
        item.deep = DeepCheck(
            size=answer["size"],
            judged=answer["judged"],
            frames=answer["frames"],
            pages=answer["pages"],
            pages_unjudged=answer["unjudged"],
            flaws=[flaw_of_answer(flaw) for flaw in answer["flaws"]],
        )
        if item.file is not None:
            judge_marks(item.deep, item.file, map(base64.b64decode, answer["marks"]))
        yield item, None


def _wanted(item: ExaminedFile) -> dict[str, Any]:
    if item.file is None:
        raise AssertionError(f"{item.path} has no content to check")
    return {
        "path": item.path,
        "packed": item.file.packed,
        "parts": parts(item.file, item.size),
        "marks": closed_marks(item.file),
        "mark": item.file.media.filemark,
    }


def _shown(progress: Progress, *, total: int) -> Callable[[dict[str, Any]], None]:
    since = time.monotonic()

    def show(so_far: dict[str, Any]) -> None:
        progress.percent("checking backup files", min(99, 100 * so_far["bytes"] // max(1, total)), since=since)

    return show
