# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the report of a run goes, and where those of earlier ones are."""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Mapping
from typing import Any

from ..run_report.journal import FOLDER, RECOVERIES
from ..times import to_stamp
from ..windows_paths import join

__all__ = ["file", "journals", "journals_beside_backups"]


def file(facts: Mapping[str, Any]) -> str:
    """The page's path, '' where nobody wants one. facts: path: prs_report_path, a folder or an .html file, or '';
    playbook: its name; now: seconds.
    """
    if not facts["path"] or facts["path"].endswith(".html"):
        return facts["path"]
    moment = dt.datetime.fromtimestamp(float(facts["now"]), dt.timezone.utc)
    return f"{facts['path'].rstrip('/')}/{to_stamp(moment)}-{facts['playbook']}.html"


def journals(facts: Mapping[str, Any]) -> list[str]:
    """Patterns of the journals beside the reports, none where nobody wants reports. facts: path: as C(file) wants it;
    wanted: whether anybody reads them.
    """
    path = facts["path"]
    folder = posixpath.dirname(path) if path.endswith(".html") else path
    return [posixpath.join(folder, FOLDER, form) for form in RECOVERIES] if path and facts["wanted"] else []


def journals_beside_backups(facts: Mapping[str, Any]) -> list[str]:
    """Patterns of the same journals in a folder of Windows. facts: folder."""
    return [join(facts["folder"], form) for form in RECOVERIES]
