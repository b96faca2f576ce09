"""The extended procedures that look at files, drives and the registry with the service account's rights."""

from __future__ import annotations

from collections.abc import Iterator

from ...windows.errors import WinError
from ..errors import SqlError, Unmodelled
from ..storage.media import is_backup
from ..wire.items import Done, Item, ReturnStatus, ReturnValue
from .batch import Batch
from .procedures import Arguments
from .registry import procedure

__all__: list[str] = []


def _only_for_sysadmin(batch: Batch, procedure_name: str) -> None:
    """Raises SqlError 229 for everybody else."""
    if not batch.session.is_sysadmin():
        raise SqlError(
            229,
            f"The EXECUTE permission was denied on the object '{procedure_name}', database 'mssqlsystemresource', "
            "schema 'sys'.",
            severity=14,
            state=5,
        )


@procedure("xp_dirtree")
def _dirtree(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """Folder, depth (0: all), files too. Of a folder that cannot be read it shows nothing, and says nothing."""
    folder, depth, with_files = (
        (*arguments.positional, 0, 0, 0)[:3] if len(arguments.positional) < 3 else arguments.positional[:3]
    )
    depth, with_files = int(depth or 0), bool(with_files)
    columns = [("subdirectory", "nvarchar(512)"), ("depth", "int")] + ([("file", "int")] if with_files else [])
    rows: list[tuple[object, ...]] = []
    _walk(batch, str(folder).rstrip("\\"), 1, depth, with_files, rows)
    yield from batch.result(columns, rows)
    yield ReturnStatus(0)


def _walk(batch: Batch, folder: str, level: int, depth: int, with_files: bool, rows: list[tuple[object, ...]]) -> None:
    files = batch.instance.files()
    try:
        names = files.list(folder + "\\")
    except WinError:
        return
    for name in sorted(names, key=str.lower):
        path = f"{folder}\\{name}"
        is_folder = files.is_dir(path)
        if is_folder or with_files:
            rows.append((name, level, int(not is_folder)) if with_files else (name, level))
        if is_folder and (depth == 0 or level < depth):
            _walk(batch, path, level + 1, depth, with_files, rows)


@procedure("xp_subdirs")
def _subdirs(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """The folders in a folder. What FindFirstFile says of one that cannot be listed comes as error 22006."""
    folder, files = str(arguments.positional[0]).rstrip("\\"), batch.instance.files()
    try:
        names = files.list(folder + "\\")
    except WinError as failure:
        number, text = (3, WinError(3).text) if failure.number == 2 else (failure.number, failure.text)
        raise SqlError(
            22006,
            f"xp_subdirs could not access '{folder}\\*.*': FindFirstFile() returned error {number}, '{text}'",
            severity=16,
        ) from failure
    folders = [(name,) for name in sorted(names, key=str.lower) if files.is_dir(f"{folder}\\{name}")]
    yield from batch.result([("subdirectory", "nvarchar(255)")], folders)
    yield ReturnStatus(0)


@procedure("xp_fileexist")
def _fileexist(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    path = str(arguments.positional[0] if arguments.positional else "")
    files = batch.instance.files()
    parent = path.rstrip("\\").rpartition("\\")[0] + "\\"
    found = tuple(
        _safely(test, where) for test, where in ((files.is_file, path), (files.is_dir, path), (files.is_dir, parent))
    )
    if "#1" in arguments.outputs:
        yield ReturnValue("", "int", int(found[0]), 1)
    else:
        yield from batch.result(
            [("File Exists", "bit"), ("File is a Directory", "bit"), ("Parent Directory Exists", "bit")], [found]
        )
    yield ReturnStatus(0)


def _safely(test: object, path: str) -> bool:
    try:
        return bool(test(path))  # type: ignore[operator]
    except WinError:
        return False


@procedure("xp_create_subdir")
def _create_subdir(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    _only_for_sysadmin(batch, "xp_create_subdir")
    path = str(arguments.positional[0])
    try:
        if not batch.instance.files().is_dir(path):
            batch.instance.files().make_dir(path)
    except WinError as error:
        raise SqlError(
            22048, f"xp_create_subdir() returned error {error.number}, '{error.text}'", severity=16
        ) from error
    yield Done()
    yield ReturnStatus(0)


@procedure("xp_delete_file")
def _delete_file(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """Kind 0 and one file by its path. It looks whether that is a backup, and leaves anything else in silence."""
    _only_for_sysadmin(batch, "xp_delete_file")
    if len(arguments.positional) != 2 or arguments.named or int(arguments.positional[0]) != 0:
        raise Unmodelled("xp_delete_file of anything else than one backup file")
    path, files = str(arguments.positional[1]), batch.instance.files()
    try:
        if is_backup(files.read(path)):
            files.remove(path)
    except WinError as error:
        raise SqlError(22049, f"xp_delete_file() returned error {error.number}, '{error.text}'", severity=16) from error
    yield Done()
    yield ReturnStatus(0)


@procedure("xp_fixeddrives")
def _fixeddrives(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    files, rows = batch.instance.files(), []
    for letter in "CDEFGHIJKLMNOPQRSTUVWXYZ":
        try:
            rows.append((letter, files.free_bytes(f"{letter}:\\") >> 20))
        except WinError:
            continue
    yield from batch.result([("drive", "char(1)"), ("MB free", "int")], rows)
    yield ReturnStatus(0)


@procedure("xp_instance_regread", "xp_regread")
def _regread(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """The values of the instance's own key that setup writes; others are read from the host's registry as they stand."""
    _only_for_sysadmin(batch, "xp_instance_regread")
    _, key, name = (str(value) for value in arguments.positional[:3])
    settings = batch.instance.settings
    known = {
        "backupdirectory": settings.backup_dir, "defaultdata": settings.data_dir, "defaultlog": settings.log_dir,
        "loginmode": 2 if settings.mixed_mode else 1,
    }  # fmt: skip
    value = known.get(name.lower()) if key.lower().rstrip("\\").endswith("mssqlserver") else None
    if value is None:
        raise SqlError(22001, "RegQueryValueEx() returned error 2, 'The system cannot find the file specified.'")
    if "#3" in arguments.outputs:
        yield ReturnValue("", "nvarchar(4000)", value, 3)
    else:
        yield from batch.result(
            [("Value", "nvarchar(512)"), ("Data", "int" if isinstance(value, int) else "nvarchar(512)")],
            [(name, value)],
        )
    yield ReturnStatus(0)
