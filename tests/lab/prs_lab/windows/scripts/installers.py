"""Programs that are files on a host: an installer of the lab is known by its first line."""

from __future__ import annotations

from ..models import CommandCall, Output, executable
from ..packages import read_media
from ..sql_setup import run_setup

__all__: list[str] = []


@executable
def installer(call: CommandCall) -> Output | None:
    """Runs a PRSLAB-MEDIA file; None for every other program. Raises WinError when the account cannot open the file."""
    media = read_media(call.files, call.program)
    if media is None:
        return None
    if media.product == "sql_server":
        return run_setup(call, media)
    return Output(stderr=f"{call.program} is a package for msiexec, not a program.\r\n", rc=193)
