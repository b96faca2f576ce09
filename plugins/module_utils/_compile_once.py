# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this collection's files load faster where Python itself would compile them anew in every process.

That is the zip in which ansible hands a module over, which zipimport even compiles twice, the first time to tell a
file's name; and a collection in a folder of another user, or a container that forbids Python to keep what it compiled.
The finder here keeps it on the control node, in a folder of the user who runs ansible, as Python does for installed
packages: for each file the last version, which counts only for the very same source and Python. The folder may be
deleted at any time; where it cannot be made or is not that user's own, everything works without it.

Modules call C(compile_once) before they import the others, for the case that they came in a zip.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import MAGIC_NUMBER, source_hash
from pkgutil import get_importer
from types import CodeType, ModuleType
from zipimport import ZipImportError, zipimporter

__all__ = ["compile_files_once", "compile_once"]

OURS = __name__.rpartition(".")[0] + "."
OUR_PLUGINS = OURS.removesuffix("module_utils.")


class CodeCache:
    """Compiled files by the names of their modules."""

    def __init__(self) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self._folder = os.path.join(home, "prs.recovery", sys.implementation.cache_tag or "python")
        self._usable = os.path.isabs(self._folder) and _is_ours(self._folder)

    def code(self, name: str, source: bytes) -> CodeType:
        """The code of a module, from the cache or compiled now. name: without what all have in common."""
        key = MAGIC_NUMBER + source_hash(source)
        path = os.path.join(self._folder, f"{name}.pyc")
        if self._usable:
            with suppress(OSError, ValueError, EOFError, TypeError):
                with open(path, "rb", opener=_without_links) as file:
                    kept = file.read()
                if kept.startswith(key):
                    return marshal.loads(kept[len(key) :])
        code = compile(source, f"{OURS.replace('.', '/')}{name.replace('.', '/')}.py", "exec", dont_inherit=True)
        if self._usable:
            self._keep(path, key + marshal.dumps(code))
        return code

    def _keep(self, path: str, data: bytes) -> None:
        """Whole or not at all, as other processes do the same at the same moment."""
        partial = f"{path}.{os.getpid()}"
        try:
            with open(partial, "xb") as file:
                file.write(data)
            os.replace(partial, path)
        except OSError:
            self._usable = False
            with suppress(OSError):
                os.unlink(partial)


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _is_ours(folder: str) -> bool:
    """Whether the folder, made where it is missing, belongs to this user and nobody else may write there."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        result = os.lstat(folder)
    except OSError:
        return False
    private = not result.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(result.st_mode) and result.st_uid == os.getuid() and private


class Loader:
    """Runs a file of the zip. What it does not do itself, such as the source for a traceback, the zip's own loader
    does.
    """

    def __init__(self, archive: zipimporter, path: str, cache: CodeCache) -> None:
        self._archive, self._path, self._cache = archive, path, cache

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        source = self._archive.get_data(self._path)
        if not source:  # the file of a package
            return
        exec(self._cache.code(module.__name__.removeprefix(OURS), source), module.__dict__)

    def __getattr__(self, name: str) -> object:
        return getattr(self._archive, name)


class Finder:
    """Finds the files of this collection in the zip that this one came in."""

    def __init__(self) -> None:
        self._cache = CodeCache()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith(OURS):
            return None
        for place in path or ():
            archive = get_importer(place)
            if isinstance(archive, zipimporter):
                try:
                    is_package = archive.is_package(name)
                except ZipImportError:
                    continue
                file = os.path.join(place, name.rpartition(".")[2])
                source = os.path.join(file, "__init__.py") if is_package else f"{file}.py"
                spec = ModuleSpec(name, Loader(archive, source, self._cache), is_package=is_package)
                if is_package:
                    spec.submodule_search_locations = [file]
                return spec
        return None


class FileLoader(SourceFileLoader):
    """Runs an installed file, for which it neither asks nor needs Python's own folders of compiled files."""

    def __init__(self, cache: CodeCache, name: str, path: str) -> None:
        super().__init__(name, path)
        self._cache = cache

    def get_code(self, fullname: str) -> CodeType:
        return self._cache.code(fullname.removeprefix(OURS), self.get_data(self.path))


class InstalledFinder:
    """Finds the modules of this collection and their utilities where they are installed."""

    def __init__(self) -> None:
        self._cache = CodeCache()
        self._folders: dict[str, FileFinder] = {}

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith(OUR_PLUGINS):
            return None
        for place in path or ():
            folder = self._folders.get(place) or FileFinder(place, (partial(FileLoader, self._cache), [".py"]))
            self._folders[place] = folder
            spec = folder.find_spec(name)
            if spec is not None and spec.loader is not None:  # else a folder without a file of its own
                return spec
        return None


def compile_files_once() -> None:
    """From now on, for installed files, in a process that runs one module."""
    sys.meta_path.insert(0, InstalledFinder())


def compile_once() -> None:
    """From now on, in a zip. Elsewhere Python compiles once by itself, and keeps the result."""
    if isinstance(__loader__, zipimporter):
        sys.meta_path.insert(0, Finder())
