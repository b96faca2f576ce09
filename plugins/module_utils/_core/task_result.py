# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task of Ansible returned: why it failed, in one sentence, and whether that passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["failure_message", "refused_for_now"]

PASSING = ("0x80070425",)
"""Numbers of refusals that pass: a service cannot accept control messages, while an earlier one is under way."""
NO_REASON = "it failed without a word"


def failure_message(result: Mapping[str, Any], succeeded: str | None = None) -> str:
    """The reason of a failed or unreachable result; of a loop that of the first item that failed. succeeded: what to
    say of a result that is neither.

    A script of ansible.windows.win_powershell that throws has no msg of its own (what Ansible fills in then says
    nothing): its reasons are the records in C(error).
    """
    if succeeded is not None and not _failed(result):
        return succeeded
    return next(_all_reasons(result), NO_REASON)


def refused_for_now(result: Mapping[str, Any]) -> bool:
    """Whether a task failed because of something that passes by itself. Windows says it in the language of the system,
    with a number that is the same everywhere.
    """
    return _failed(result) and any(number in reason for reason in _all_reasons(result) for number in PASSING)


def _all_reasons(result: Mapping[str, Any]) -> Iterator[str]:
    """Those of the items that failed, then its own."""
    items = [item for item in result.get("results") or () if isinstance(item, Mapping) and _failed(item)]
    for item in (*items, result):
        yield from _reasons(item)


def _failed(item: Mapping[str, Any]) -> bool:
    return bool(item.get("failed") or item.get("unreachable") or _is_script_that_failed(item))


def _is_script_that_failed(item: Mapping[str, Any]) -> bool:
    """One whose task is told never to fail (C(failed_when: false)), which makes C(failed) false: the scripts of the
    roles set a result as the last thing that they do.
    """
    return "failed_when_result" in item and item.get("result") == {} and bool(item.get("error"))


def _reasons(result: Mapping[str, Any]) -> Iterator[str]:
    records = result.get("error")
    for record in records if isinstance(records, list) else ():
        exception = record.get("exception") if isinstance(record, Mapping) else None
        if isinstance(exception, Mapping) and exception.get("message"):
            yield str(exception["message"])
    if result.get("msg"):
        yield str(result["msg"])
