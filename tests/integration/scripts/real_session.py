"""The roles' scripts under a real PowerShell: through windows_script's verb and runner, as a session has them.

One thing is changed in the verb's text, which must be there: the scripts' runspaces get the stand-ins for Windows'
commands (windows/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.conversation import Conversation
from ansible_collections.prs.recovery.plugins.module_utils._winrm.verbs.run_scripts import SCRIPT

from ..winrm.local_powershell import ProcessPipe
from .real_module import PWSH, as_nobody, put_stand_ins

__all__ = ["SessionOfScripts"]

PATIENCE = 300.0
"""Seconds without a word, on a busy machine."""
BEGIN = """param($Folder)
Import-Module "$Folder/Lab.psm1" -Global
$env:ProgramData = '/ProgramData'
$env:windir = 'C:\\Windows'
"""
NEXT = """param($World, $Culture)
[cultureinfo]::DefaultThreadCurrentCulture = [cultureinfo]::CurrentCulture = [cultureinfo]::GetCultureInfo($Culture)
Set-LabWorld (ConvertFrom-Json -InputObject $World -AsHashtable -DateKind String -Depth 50)
"""
RUNSPACE = "CreateRunspace()"


class SessionOfScripts:
    """One PowerShell for all cases, as a play has it."""

    def __init__(self, folder: Path) -> None:
        put_stand_ins(folder)
        through, environment = as_nobody(folder)
        self._pipe = ProcessPipe(PWSH or "pwsh", through=through, environment=environment)
        self._conversation = Conversation(self._pipe, patience=PATIENCE)
        self._conversation.call(BEGIN, parameters={"Folder": str(folder)})
        assert SCRIPT.count(RUNSPACE) == 1
        self._verb = SCRIPT.replace(RUNSPACE, "CreateRunspace((New-LabSessionState -OwnThread))")

    def answers(
        self,
        scripts: Sequence[Mapping[str, Any]],
        *,
        world: Mapping[str, Any],
        culture: str = "en-US",
        check: bool = False,
        depth: int = 7,
    ) -> list[dict[str, Any]]:
        """What the verb says of each, in a world of their own."""
        self._conversation.call(NEXT, parameters={"World": json.dumps(world), "Culture": culture})
        return self._conversation.call(
            self._verb,
            parameters={"CheckMode": check, "Depth": depth, "Unconnected": {}},
            items=scripts,
        )

    def close(self) -> None:
        self._pipe.close()
