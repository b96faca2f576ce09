# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes this collection's files load faster from the zip in which ansible hands a module over. Modules call it before
they import the others.

Python's zipimport compiles every file twice, the first time to tell its name. The finder here asks for no name: that
saves a third of what a module takes longer than one that does nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pkgutil import get_importer
from zipimport import ZipImportError, zipimporter

__all__ = ["compile_once"]

OURS = __name__.rpartition(".")[0] + "."


class Finder:
    """Finds the files of this collection in the zip that this one came in."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith(OURS):
            return None
        for place in path or ():
            loader = get_importer(place)
            if isinstance(loader, zipimporter):
                try:
                    is_package = loader.is_package(name)
                except ZipImportError:
                    continue
                spec = ModuleSpec(name, loader, is_package=is_package)
                if is_package:
                    spec.submodule_search_locations = [f"{place}/{name.rpartition('.')[2]}"]
                return spec
        return None


def compile_once() -> None:
    """From now on, in a zip. Elsewhere Python compiles once by itself, and keeps the result."""
    if isinstance(__loader__, zipimporter):
        sys.meta_path.insert(0, Finder)
