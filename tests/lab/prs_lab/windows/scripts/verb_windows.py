"""Verbs that ask for more than files: pool (IIS), connect and disconnect (shares)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import WinError
from ..iis import DENIED, IisError
from ..models import ScriptCall
from .verbs import DotNetError, verb

__all__: list[str] = []

_CONNECTED = "_prs_connections"


@verb("pool")
def pool(call: ScriptCall, *, Name: str, Action: str = "look") -> Iterator[dict[str, Any]]:
    if Action not in ("look", "stop", "start"):
        reason = (
            f"Cannot validate argument on parameter 'Action'. The argument \"{Action}\" does not belong to the set."
        )
        raise DotNetError("ValidationMetadataException", reason)
    iis = call.host.iis
    if iis.installed and iis.is_denied:
        refusal = DotNetError("UnauthorizedAccessException", DENIED)
        refusal.number = 5
        raise refusal
    found = iis.pool(Name) if iis.installed else None
    if found is None:
        yield {"exists": False, "state": "Unknown", "workers": []}
        return
    answer = {"exists": True, "state": found.state, "workers": iis.workers(Name)}
    try:
        if Action == "stop" and found.state == "Started":
            iis.stop_pool(Name)
        if Action == "start" and found.state == "Stopped":
            iis.start_pool(Name)
    except IisError as error:
        refusal = DotNetError("COMException", str(error))
        refusal.number = error.number
        raise refusal from None
    yield answer


@verb("connect")
def connect(call: ScriptCall, *, Name: str, Root: str, User: str, Password: str) -> Iterator[Any]:
    call.files.connect(Root, User, Password)
    vars(call.files).setdefault(_CONNECTED, {})[Name] = Root
    return
    yield


@verb("disconnect")
def disconnect(call: ScriptCall, *, Name: str, Server: str = "") -> Iterator[Any]:
    known = vars(call.files).get(_CONNECTED, {})
    gone = [
        name
        for name, root in known.items()
        if name == Name or (Server and root.lower().startswith(f"{Server.lower()}\\"))
    ]
    for name in gone:
        try:
            call.files.disconnect(known.pop(name))
        except WinError:
            pass
    return
    yield
