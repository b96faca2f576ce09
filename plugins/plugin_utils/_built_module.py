# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of this collection as a program for the Python that runs ansible, in the words of each ansible-core."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible
from ansible.executor import module_common
from ansible.module_utils.common import json as module_json

from . import _module_start

__all__ = ["KNOWN", "PROFILE", "ModuleProgram", "module_program", "packages_beside", "text_of_start"]

PROFILE = "legacy"
"""How ansible-core 2.19 and later write the values for a module that says nothing else."""

_LOADER_TAKES = {"json_params", "profile", "module_fqn", "modlib_path", "extensions", "init_globals"}


def _is_known() -> bool:
    """Whether this ansible-core starts a module in a way that C(_module_start) knows."""
    if not hasattr(module_common, "_BuiltModule"):
        return not hasattr(module_json, "get_module_encoder")
    try:
        from ansible.module_utils._internal._ansiballz import _loader

        return set(inspect.signature(_loader.run_module).parameters) == _LOADER_TAKES
    except (ImportError, AttributeError):
        return False


KNOWN = _is_known()


@dataclass(frozen=True, kw_only=True)
class ModuleProgram:
    """A module in a file, and the arguments of one run of it, with their passwords."""

    path: str
    parameters: bytes
    packages: Mapping[str, str]
    """What C(prepare) of the start takes."""
    profile: str = PROFILE

    @property
    def module(self) -> str:
        return Path(self.path).stem

    @property
    def text(self) -> bytes:
        """The program, which goes to the interpreter's standard input."""
        given = {"module": self.module, "parameters": self.parameters, "profile": self.profile, **self.packages}
        return f"{text_of_start()}\n\ngiven = {given!r}\nstart(**given)\n".encode()

    def built(self) -> tuple[Any, ...]:
        """What C(ActionBase._configure_module) returns."""
        shebang = f"#!{sys.executable}"
        if not hasattr(module_common, "_BuiltModule"):
            return "new", shebang, self.text, self.path
        built = module_common._BuiltModule(
            b_module_data=self.text, module_style="new", shebang=shebang, serialization_profile=self.profile
        )
        return built, self.path


def module_program(path: str, arguments: Mapping[str, Any]) -> ModuleProgram:
    """The module in the file C(path)."""
    parameters = _parameters({"ANSIBLE_MODULE_ARGS": arguments}).encode()
    return ModuleProgram(path=path, parameters=parameters, packages=packages_beside(Path(path)))


def packages_beside(plugin: Path) -> dict[str, str]:
    """What C(prepare) of the start takes, for the collections among which a plugin of this one lies."""
    return {
        "ansible": os.path.dirname(ansible.__file__),
        "version": ansible.__version__,
        "collections": str(plugin.parents[4]),
    }


def _parameters(values: Mapping[str, Any]) -> str:
    if hasattr(module_json, "get_module_encoder"):
        encoder = module_json.get_module_encoder(PROFILE, module_json.Direction.CONTROLLER_TO_MODULE)
        return json.dumps(values, cls=encoder)
    return json.dumps(values, cls=module_json.AnsibleJSONEncoder, vault_to_text=True)


def text_of_start() -> str:
    return Path(_module_start.__file__).read_text(encoding="utf-8")
