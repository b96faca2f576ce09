# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a module of this collection in a new Python, from the files as they are installed.

Ansible packs a module and all that it imports into a zip, in each run of a playbook anew, because the module may be
meant for a machine where nothing is installed. Modules of this collection run where ansible itself runs, so they are
spared the packing, which takes longer than most of them need for their work, and find the very same files in place.

The action plugin sends the text of this file to the interpreter, and behind it a call of C(start).
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Nothing is imported from the working folder, these neither.
    sys.path[:] = [place for place in sys.path if place not in ("", ".")]

import atexit
import importlib.util
import os
import runpy
import threading
import traceback
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

PLUGINS = "ansible_collections.prs.recovery.plugins"


def start(*, module: str, parameters: bytes, profile: str, ansible: str, version: str, collections: str) -> None:
    """Run a module to its end, which is the end of the process.

    module: its name without the collection's. parameters: the JSON that modules read. profile: how ansible wants values
    written, since 2.19. ansible: the folder of the package ansible, of that version. collections: the folder
    C(ansible_collections).
    """
    prepare(ansible=ansible, version=version, collections=collections)
    run(module=module, parameters=parameters, profile=profile, collections=collections)


def prepare(*, ansible: str, version: str, collections: str) -> None:
    """Make both packages known, as C(start) describes them."""
    _stay_out_of_the_working_folder()
    package("ansible", ansible).__dict__.update(
        __version__=version, __author__="Ansible, Inc.", __file__=os.path.join(ansible, "__init__.py")
    )
    package("ansible_collections", collections)
    compile_once = importlib.import_module(f"{PLUGINS}.module_utils._compile_once")
    compile_once.compile_files_once()


def run(*, module: str, parameters: bytes, profile: str, collections: str) -> None:
    """Run a module to its end, in a process that is prepared for it."""
    name = f"{PLUGINS}.modules.{module}"
    try:
        from ansible.module_utils._internal._ansiballz import _loader
    except ImportError:  # before ansible-core 2.19
        from ansible.module_utils import basic

        basic._ANSIBLE_ARGS = parameters
        given = {"_module_fqn": name, "_modlib_path": os.path.dirname(collections)}
        runpy.run_module(mod_name=name, init_globals=given, run_name="__main__", alter_sys=True)
    else:
        _loader.run_module(
            json_params=parameters,
            profile=profile,
            module_fqn=name,
            modlib_path=os.path.dirname(collections),
            extensions={},
        )


def run_in_child(**given: Any) -> NoReturn:
    """The same as C(run), in a process whose memory is its parent's until it writes to it.

    Python would take apart whatever is in memory at its end: that copies nearly all of it first, to free it then.
    """
    code = 1
    try:
        run(**given)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # waits for those that are no daemons, as Python does
    atexit._run_exitfuncs()
    with suppress(OSError):  # whoever waited for it is gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def package(name: str, folder: str) -> ModuleType:
    """A package that lies in one folder, whatever else of its name there may be on the way; it holds nothing itself.

    Ansible's own C(__init__) would bring the controller's side with it.
    """
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    sys.modules[name] = importlib.util.module_from_spec(spec)
    return sys.modules[name]


def _stay_out_of_the_working_folder() -> None:
    """It may be one that cannot be read any more."""
    try:
        os.getcwd()
    except OSError:
        os.chdir("/")
