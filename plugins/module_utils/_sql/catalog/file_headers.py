# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers of backups that the host of the server reads from the files, many in one call, instead of the server.

What cannot be read so (encrypted backups, damaged files) the server is asked for as ever.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from contextlib import closing

from ..._core.backup.catalog import FileReading
from ..._core.backup_file.reading import file_reading
from ..._winrm.backup_files.examine import examine_windows_files, find_windows_files
from ..connection.session import Session
from ..instance.windows_host import Windows
from .headers import read_files

__all__ = ["read_file_headers"]


def read_file_headers(session: Session, *, folders: Iterable[str], files: Iterable[str]) -> list[FileReading]:
    """What each file says about itself. The lists of files in the sets are left to the server, which alone knows
    certificates of encrypted databases. Raises RecoveryError where a folder cannot be looked into.
    """
    folders, files = list(folders), list(files)
    with closing(Windows(session)) as windows:
        host = windows.files(*folders, *files)
        paths = find_windows_files(host, folders, files)
        readings = [
            file_reading(examined)
            for examined in examine_windows_files(host, paths, content=False, progress=session.progress)
        ]
    asked = [reading.path for reading in readings if reading.problem or reading.set_problems]
    answers = {reading.path: reading for reading in read_files(session.connection, asked, progress=session.progress)}
    return [answers.get(reading.path) or dataclasses.replace(reading, files={}) for reading in readings]
