# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one file of a database says, read without a server: data file, log file, or neither, and what is wrong with it.

Some pages are read, not the whole file, unless its pages are to be checked. Nothing raises: what cannot be read is said
as a problem, and the rest is told all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ..binary.page_checksums import PAGE
from ..binary.range_reader import RangeReader, Read
from ..binary.values import Damaged
from .boot_page import BOOT_PAGE, BootPage, read_boot_page
from .file_header import FileHeader, boot_copy, read_file_header
from .log_file import Log, LogCheck, check_log, is_log_start, read_log
from .page import (
    BOOT,
    FILE_HEADER,
    PFS,
    TYPES,
    PageState,
    file_of,
    number_of,
    page_state,
    restored,
    type_of,
)
from .page_check import PageCheck, check_pages
from .system_rows import Pages, SystemRows
from .system_tables import ListedFile, SystemTables, Table

__all__ = ["DatabaseFile", "Fault", "FileKind", "inspect_file"]

_HEAD = 16 * PAGE

_PROBES = tuple(16 << power for power in range(24))
"""Pages that are asked who they are where the beginning of a file is lost."""


class FileKind(str, Enum):
    DATA, LOG, UNKNOWN = "data", "log", "unknown"


class Fault(str, Enum):
    """What is wrong with a file, as far as it decides about what can be done with it."""

    NOT_SQL_SERVER = "not_sql_server"
    CUT_OFF = "cut_off"
    TOO_LONG = "too_long"
    HEADER = "file_header"
    BOOT_PAGE = "boot_page"
    LOG_CHAIN = "log_chain"
    LOG_BLOCKS = "log_blocks"
    SYSTEM_TABLES = "system_tables"
    PAGES = "damaged_pages"
    IN_USE = "copied_in_use"
    HELD = "held"
    UNREADABLE = "unreadable"


@dataclass(kw_only=True)
class DatabaseFile:
    """size in bytes. modified: when it was written last, UTC (ISO 8601), '' where nobody told.

    is_primary: the first data file, which holds boot page and system tables.

    boot: of the file itself, or the copy that every log holds. files, tables: of the system tables, None where they
    were not read. faults: each with a sentence for a person.
    """

    size: int
    modified: str = ""
    kind: FileKind = FileKind.UNKNOWN
    is_primary: bool = False
    header: FileHeader | None = None
    boot: BootPage | None = None
    log: Log | None = None
    log_check: LogCheck | None = None
    files: list[ListedFile] | None = None
    tables: list[Table] | None = None
    page_check: PageCheck | None = None
    faults: list[tuple[Fault, str]] = field(default_factory=list)

    def add(self, fault: Fault, sentence: str) -> None:
        self.faults.append((fault, sentence))

    def has(self, *faults: Fault) -> bool:
        return any(fault in faults for fault, _sentence in self.faults)


def inspect_file(read: Read, size: int, *, pages: bool = False) -> DatabaseFile:
    """read(offset, length) -> bytes. pages: read the whole file and judge every page or log block."""
    file, reader = DatabaseFile(size=size), RangeReader(read, size)
    if size < PAGE:
        file.add(Fault.NOT_SQL_SERVER, "is shorter than one page" if size else "is empty")
        return file
    first = reader.get(0, PAGE, ahead=_HEAD)
    if not _recognise(file, reader, first):
        _without_beginning(file, reader, first, pages=pages)
        return file
    if size % PAGE:
        file.add(Fault.TOO_LONG, f"ends with {size % PAGE} bytes that are no whole page")
    _read_header(file, first)
    if file.kind is FileKind.LOG:
        _read_log(file, reader, restored(first))
    else:
        _read_boot_page(file, reader)
        _read_system_tables(file, reader)
    if pages:
        _check(file, reader)
    return file


def _recognise(file: DatabaseFile, reader: RangeReader, first: bytes) -> bool:
    """Whether this is a data or log file, by page 0 or, where that is damaged, by what follows it."""
    second = reader.get(PAGE, PAGE)
    is_log = is_log_start(second)
    has_boot_page = reader.get(BOOT_PAGE * PAGE, 2) == bytes((1, BOOT))
    has_pfs = len(second) == PAGE and second[0] == 1 and type_of(second) == PFS and number_of(second) == 1
    file.kind = FileKind.LOG if is_log else FileKind.DATA
    file.is_primary = has_boot_page and not is_log
    return is_log or has_boot_page or has_pfs or first[:2] == bytes((1, FILE_HEADER))


def _without_beginning(file: DatabaseFile, reader: RangeReader, first: bytes, *, pages: bool) -> None:
    """Neither page 0 nor what follows it is SQL Server's: do later pages name themselves?"""
    owners = set()
    for number in _PROBES:
        page = reader.get(number * PAGE, PAGE)
        if len(page) == PAGE and page[0] == 1 and type_of(page) in TYPES and number_of(page) == number:
            owners.add(file_of(page))
    if not owners:
        file.kind = FileKind.UNKNOWN
        zeros = page_state(first) is PageState.ZERO
        file.add(Fault.NOT_SQL_SERVER, "begins with zeros" if zeros else "is no file of SQL Server")
        return
    file.add(Fault.HEADER, f"has lost its beginning; later pages belong to file {', '.join(map(str, sorted(owners)))}")
    if pages:
        file.page_check = check_pages(reader, min(owners))


def _read_header(file: DatabaseFile, first: bytes) -> None:
    try:
        file.header = header = read_file_header(restored(first))
    except Damaged as problem:
        file.add(Fault.HEADER, f"has a damaged file header: {problem}")
        return
    if file.kind is FileKind.DATA and header.is_log:
        file.kind = FileKind.LOG
    state = page_state(first)
    if state in (PageState.BAD_CHECKSUM, PageState.TORN):
        file.add(Fault.HEADER, f"has a damaged file header: its page is {state.value}")
    if number_of(first) or file_of(first) != header.file_id:
        says = f"{file_of(first)}:{number_of(first)}"
        file.add(Fault.HEADER, f"begins with a page that says it is {says}, in file {header.file_id}")
    if header.pages * PAGE > file.size:
        file.add(Fault.CUT_OFF, f"is cut off: {file.size // PAGE} of {header.pages} pages are there")
    elif header.pages * PAGE < file.size:
        file.add(Fault.TOO_LONG, f"is longer than it should be: {file.size // PAGE} pages instead of {header.pages}")


def _read_boot_page(file: DatabaseFile, reader: RangeReader) -> None:
    page = reader.get(BOOT_PAGE * PAGE, PAGE)
    if not file.is_primary:
        if file.header and file.header.file_id == 1:
            file.is_primary = True
            file.add(Fault.BOOT_PAGE, "has no boot page")
        return
    try:
        state = page_state(page)
        if state in (PageState.BAD_CHECKSUM, PageState.TORN):
            file.add(Fault.BOOT_PAGE, f"has a damaged boot page: it is {state.value}")
        file.boot = read_boot_page(restored(page))
    except Damaged as problem:
        file.add(Fault.BOOT_PAGE, f"has a damaged boot page: {problem}")


def _read_log(file: DatabaseFile, reader: RangeReader, first: bytes) -> None:
    if file.header:
        try:
            file.boot = read_boot_page(boot_copy(first))
        except Damaged as problem:
            file.add(Fault.BOOT_PAGE, f"has a damaged copy of the boot page: {problem}")
    try:
        file.log = read_log(reader, file.boot.checkpoint if file.boot else None)
    except Damaged as problem:
        file.add(Fault.LOG_CHAIN, f"has a damaged log: {problem}")
        return
    if file.log.end != file.size:
        file.add(Fault.LOG_CHAIN, f"has a damaged log: its chain of parts ends at {file.log.end} of {file.size} bytes")


def _read_system_tables(file: DatabaseFile, reader: RangeReader) -> None:
    if not file.boot:
        return
    try:
        tables = SystemTables(SystemRows(Pages({1: reader}), file.boot.system_tables))
        file.files, file.tables = tables.files(), tables.tables()
    except (Damaged, IndexError) as problem:
        file.add(Fault.SYSTEM_TABLES, f"has system tables that cannot be read: {problem}{_doubt(file.boot, reader)}")


def _doubt(boot: BootPage, reader: RangeReader) -> str:
    """A page that is as it was written and makes no sense is no damage. Of an encrypted database there is no sample."""
    page = reader.get(boot.system_tables[1] * PAGE, PAGE)
    if page_state(page) is not PageState.OK or number_of(page) != boot.system_tables[1]:
        return ""
    return (
        ". Their first page is as SQL Server wrote it, so the database may be encrypted (TDE): it is attached only "
        "where its certificate is"
    )


def _check(file: DatabaseFile, reader: RangeReader) -> None:
    if file.kind is FileKind.LOG:
        file.log_check = check_log(reader)
        if file.log_check.bad:
            file.add(Fault.LOG_BLOCKS, f"has damaged log blocks: {', '.join(file.log_check.bad[:5])}")
        return
    clean = not file.boot or file.boot.clean
    file.page_check = check = check_pages(reader, file.header.file_id if file.header else 0, clean=clean)
    if check.damages:
        names = ", ".join(f"{page.file_id}:{page.number}" for page in check.damaged[:5])
        file.add(Fault.PAGES, f"has damaged pages in use: {check.damages} ({names})")
    if file.boot and file.boot.clean and check.newest > (file.boot.checkpoint or (0, 0, 0)):
        file.add(
            Fault.IN_USE,
            f"was copied while the database was in use: page {check.newest_page} is newer than the last checkpoint",
        )
