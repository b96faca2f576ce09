"""What PowerShell and .NET make of what a script is given and asks for: lists of texts, patterns, archives, dates."""

from __future__ import annotations

import ntpath
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cryptography import x509

from ..certificates import dns_names
from ..errors import WinError
from ..filesystem import FileView, Stat
from ..models import ScriptCall
from .verb_files import open_archive
from .verbs import DotNetError

__all__ = [
    "DAMAGED",
    "archive_names",
    "certificate_names",
    "failure",
    "matching_files",
    "read_archive",
    "texts_of",
    "written_date",
]

DAMAGED = 13
"""ERROR_INVALID_DATA, by which the scripts tell of a damaged archive."""
_INVARIANT = ".ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)"
_NO_FILE, _NO_FOLDER, _ACCESS_DENIED, _NO_ARGUMENT = 2, 3, 5, 87


def texts_of(call: ScriptCall, name: str) -> list[str]:
    """A parameter [string[]]: a text alone is a list of one, null an empty text."""
    given = call.parameter(name)
    if given is None:
        return []
    return [str(value if value is not None else "") for value in (given if isinstance(given, list) else [given])]


def written_date(call: ScriptCall, moment: datetime) -> str:
    """A moment in the words of the script: by the calendar of the host's culture, unless it names the invariant one."""
    years = 0 if _INVARIANT in call.text else call.host.character.speech.year_offset
    return f"{moment.year + years:04}{moment:-%m-%dT%H:%M:%SZ}"


def certificate_names(call: ScriptCall, certificate: x509.Certificate) -> list[str]:
    """DnsNameList is read out of a text that is in the language of Windows; who takes it must not."""
    if "DnsNameList" in call.text and call.host.character.speech.error:
        return []
    return dns_names(certificate)


def failure(error: WinError) -> dict[str, Any]:
    """What Add-Failure of the scripts makes of it."""
    damaged = isinstance(error, DotNetError) and error.kind == "InvalidDataException"
    return {"error": DAMAGED if damaged else error.number, "message": error.dotnet}


def matching_files(
    files: FileView, pattern: str, *, recurse: bool, unreadable: list[str] | None = None
) -> Iterator[tuple[str, Stat]]:
    """As Directory.GetFiles: * and ? alone stand for others, and a folder that is not there is error 3. unreadable: gets
    the folders below it that may not be read.
    """
    folder, name = ntpath.split(pattern)
    if not folder:
        raise WinError(_NO_ARGUMENT)
    form = re.compile(re.escape(name).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
    try:
        names = files.list(folder)
    except WinError as error:
        raise WinError(_NO_FOLDER if error.number == _NO_FILE else error.number, folder) from None
    below = (
        _readable_below(files, folder, [] if unreadable is None else unreadable)
        if recurse
        else ((path, files.stat(path)) for path in (ntpath.join(folder, entry) for entry in names))
    )
    for path, stat in below:
        if not stat.is_dir and form.fullmatch(ntpath.basename(path)):
            yield path, stat


def _readable_below(files: FileView, folder: str, unreadable: list[str]) -> Iterator[tuple[str, Stat]]:
    """Everything below a folder; one below it that may not be read stops no other."""
    for name in files.list(folder):
        path = ntpath.join(folder, name)
        stat = files.stat(path)
        yield path, stat
        if stat.is_dir:
            try:
                yield from _readable_below(files, path, unreadable)
            except WinError as error:
                if error.number != _ACCESS_DENIED:
                    raise
                unreadable.append(path)


def archive_names(files: FileView, path: str) -> list[str]:
    with files.open(path) as stream, open_archive(stream) as archive:
        return [entry.filename for entry in archive.infolist()]


def read_archive(files: FileView, path: str) -> Iterator[tuple[str, zipfile.ZipFile, zipfile.ZipInfo]]:
    """(name, archive, entry) of an archive that is open meanwhile."""
    with files.open(path) as stream, open_archive(stream) as archive:
        for entry in archive.infolist():
            yield entry.filename, archive, entry
