"""WS-Management, as far as remote shells need it: envelopes, faults, and the operations of the shell resource.

Knows nothing of HTTP and authentication (winrm.py, auth.py) nor of what a command means (dispatch.py).
"""

from __future__ import annotations

import base64
import random
import re
import threading
import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .accounts import Token
from .process import Process
from .security import WELL_KNOWN

if TYPE_CHECKING:
    from .host import WindowsHost

__all__ = ["Limits", "WsMan"]

_NAMESPACES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
}
_DECLARATIONS = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
_SHELL = _NAMESPACES["rsp"]
_COMMAND_SHELL = _SHELL + "/cmd"
_FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_ACTIONS = {
    _NAMESPACES["x"] + "/Create": "create",
    _NAMESPACES["x"] + "/Delete": "delete",
    **{f"{_SHELL}/{name.title()}": name for name in ("command", "send", "receive", "signal")},
}
_LINE_LIMIT = 8191
_STREAM_PIECE = 32 * 1024

# Numbers of the faults, as WinRM gives them.
_ACCESS_DENIED = 5
_TIMED_OUT = 2150858793
_NO_SHELL = 2150858843
_TOO_LARGE = 2150858865
_BAD_RESOURCE = 2150858752
_BAD_ACTION = 2150858755
_SHELL_QUOTA = 2150859173
_OPERATION_QUOTA = 2150859174  # 0x803381A6


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The defaults of `winrm get winrm/config`: envelope and receive sizes in bytes, shells and operations of one user,
    seconds of idleness where a shell asks for no other.
    """

    envelope: int = 500 * 1024
    receive: int = 153600
    shells: int = 30
    operations: int = 1500
    idle: float = 7200.0


class _Fault(Exception):
    def __init__(
        self, code: int, reason: str, *, subcode: str = "w:InternalError", wmi_code: int | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.subcode = subcode
        self.wmi_code = wmi_code


@dataclass(kw_only=True)
class _Shell:
    id: str
    token: Token
    codepage: int
    idle: float
    environment: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    operations: int = 0
    used: float = field(default_factory=time.monotonic)

    def end(self) -> None:
        """With a shell all that runs in it ends."""
        for process in list(self.processes.values()):
            process.stdin.kill()


@dataclass(kw_only=True)
class _Request:
    """A parsed envelope."""

    action: str
    message_id: str
    body: ElementTree.Element
    shell_id: str
    options: dict[str, str]
    timeout: float


def _tag(prefix: str, name: str) -> str:
    return f"{{{_NAMESPACES[prefix]}}}{name}"


class WsMan:
    """The service of one host. `start(process, token, environment)` gets a process going."""

    def __init__(
        self, host: WindowsHost, *, limits: Limits, start: Callable[[Process, Token, dict[str, str]], None]
    ) -> None:
        self._host = host
        self._limits = limits
        self._start = start
        self._shells: dict[str, _Shell] = {}
        self._lock = threading.Lock()

    def forget_shells(self) -> None:
        """The host goes down."""
        with self._lock:
            ended = list(self._shells.values())
            self._shells.clear()
        for shell in ended:
            shell.end()

    def answer(self, envelope: bytes, token: Token) -> tuple[int, bytes]:
        """(HTTP status, envelope) for a request of an authenticated account."""
        message_id = ""
        try:
            if len(envelope) > self._limits.envelope:
                raise _Fault(
                    _TOO_LARGE,
                    "The WinRM service received a message that exceeds the maximum envelope size.",
                    subcode="w:EncodingLimit",
                )
            request = _parse(envelope)
            message_id = request.message_id
            content = getattr(self, f"_{_ACTIONS[request.action]}")(request, token)
            return 200, _envelope(request.action + "Response", message_id, content)
        except _Fault as fault:
            return 500, self._fault(fault, message_id)

    # Operations

    def _create(self, request: _Request, token: Token) -> str:
        if not token.sids & {WELL_KNOWN["BUILTIN\\Administrators"], WELL_KNOWN["BUILTIN\\Remote Management Users"]}:
            raise _Fault(_ACCESS_DENIED, "Access is denied. ", subcode="w:AccessDenied")
        shell = _Shell(
            id=_new_id(),
            token=token,
            codepage=int(request.options.get("WINRS_CODEPAGE") or 437),
            idle=_seconds(request.body.findtext(f".//{_tag('rsp', 'IdleTimeOut')}"), self._limits.idle),
            environment={
                entry.get("Name", ""): entry.text or "" for entry in request.body.iter(_tag("rsp", "Variable"))
            },
        )
        with self._lock:
            self._end_idle()
            if sum(other.token.sid == token.sid for other in self._shells.values()) >= self._limits.shells:
                raise _Fault(
                    _SHELL_QUOTA,
                    "The WS-Management service cannot process the request. The maximum number of concurrent shells "
                    "for this user has been exceeded. "
                    "Close existing shells or raise the quota for this user.",
                    subcode="w:QuotaLimit",
                )
            self._shells[shell.id] = shell
        self._host.record.add("shell", self._host.name, account=token.name)
        return (
            f"<x:ResourceCreated><a:Address>http://{self._host.address}/wsman</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{_COMMAND_SHELL}</w:ResourceURI><w:SelectorSet><w:Selector "
            f'Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
            f"</a:ReferenceParameters></x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId>"
            f"<rsp:ResourceUri>{_COMMAND_SHELL}</rsp:ResourceUri><rsp:Owner>{escape(token.name)}</rsp:Owner><rsp:ClientIP>127.0.0.1</rsp:ClientIP>"
            f"<rsp:IdleTimeOut>PT{shell.idle:.3f}S</rsp:IdleTimeOut><rsp:InputStreams>stdin</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        )

    def _delete(self, request: _Request, token: Token) -> str:
        shell = self._shell(request, token)
        with self._lock:
            self._shells.pop(shell.id, None)
        shell.end()
        return ""

    def _command(self, request: _Request, token: Token) -> str:
        shell = self._shell(request, token)
        shell.operations += 1
        if shell.operations > self._limits.operations:
            text = "This user has exceeded the maximum number of concurrent operations."
            raise _Fault(_OPERATION_QUOTA, text, subcode="w:QuotaLimit", wmi_code=_OPERATION_QUOTA)
        line = request.body.find(_tag("rsp", "CommandLine"))
        assert line is not None
        words = [
            line.findtext(_tag("rsp", "Command")) or "",
            *(argument.text or "" for argument in line.findall(_tag("rsp", "Arguments"))),
        ]
        command_id = _new_id()
        through_cmd = request.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() != "TRUE"
        reads_input = request.options.get("WINRS_CONSOLEMODE_STDIN", "TRUE").upper() != "TRUE"
        process = shell.processes[command_id] = Process(command_line=" ".join(words), reads_input=reads_input)
        if through_cmd and len(process.command_line) > _LINE_LIMIT:
            process.emit(stderr=b"The command line is too long.\r\n")
            process.finish(1)
        else:
            self._start(process, shell.token, shell.environment)
        return f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, request: _Request, token: Token) -> str:
        shell = self._shell(request, token)
        for stream in request.body.iter(_tag("rsp", "Stream")):
            end = stream.get("End", "").lower() in ("true", "1")
            self._process(shell, stream).stdin.write(base64.b64decode(stream.text or ""), end=end)
        return "<rsp:SendResponse/>"

    def _receive(self, request: _Request, token: Token) -> str:
        shell = self._shell(request, token)
        wanted = request.body.find(f".//{_tag('rsp', 'DesiredStream')}")
        assert wanted is not None
        process = self._process(shell, wanted)
        collected = process.collect(timeout=request.timeout, limit=self._limits.receive * 2 // 3)
        if collected is None:
            text = (
                "The WS-Management service cannot complete the operation within the time specified in "
                "OperationTimeout.  "
            )
            raise _Fault(_TIMED_OUT, text, subcode="w:TimedOut")
        streams, exit_code = collected
        command = f'CommandId="{wanted.get("CommandId")}"'
        lines = [
            (
                f'<rsp:Stream Name="{name}" '
                f"{command}>{base64.b64encode(data[start : start + _STREAM_PIECE]).decode()}</rsp:Stream>"
            )
            for name, data in streams.items()
            for start in range(0, len(data), _STREAM_PIECE)
        ]
        if exit_code is None:
            lines.append(f'<rsp:CommandState {command} State="{_SHELL}/CommandState/Running"/>')
        else:
            lines += [f'<rsp:Stream Name="{name}" {command} End="true"/>' for name in streams]
            done = f"<rsp:ExitCode>{exit_code & 0xFFFFFFFF if exit_code < 0 else exit_code}</rsp:ExitCode>"
            lines.append(f'<rsp:CommandState {command} State="{_SHELL}/CommandState/Done">{done}</rsp:CommandState>')
        return f"<rsp:ReceiveResponse>{''.join(lines)}</rsp:ReceiveResponse>"

    def _signal(self, request: _Request, token: Token) -> str:
        signal = request.body.find(_tag("rsp", "Signal"))
        assert signal is not None
        process = self._shell(request, token).processes.pop(signal.get("CommandId", ""), None)
        if process is not None:
            process.stdin.kill()
        return "<rsp:SignalResponse/>"

    def _end_idle(self) -> None:
        """What heard nothing for so long, whatever runs in it."""
        now = time.monotonic()
        for idle in [shell for shell in self._shells.values() if now - shell.used >= shell.idle]:
            self._shells.pop(idle.id).end()

    def _shell(self, request: _Request, token: Token) -> _Shell:
        with self._lock:
            self._end_idle()
            shell = self._shells.get(request.shell_id)
        if shell is None or shell.token.sid != token.sid:
            text = (
                f"The request for the Windows Remote Shell with ShellId {request.shell_id} failed because the "
                "shell was not found on the server."
            )
            raise _Fault(_NO_SHELL, text, subcode="w:InvalidSelectors")
        shell.used = time.monotonic()
        return shell

    @staticmethod
    def _process(shell: _Shell, element: ElementTree.Element) -> Process:
        process = shell.processes.get(element.get("CommandId", ""))
        if process is None:
            raise _Fault(
                _NO_SHELL,
                f"The command {element.get('CommandId')} was not found in the shell.",
                subcode="w:InvalidSelectors",
            )
        return process

    def _fault(self, fault: _Fault, relates_to: str) -> bytes:
        detail = (
            f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{fault.code}" '
            f'Machine="{self._host.fqdn}">'
            f"<f:Message>{escape(fault.reason)}</f:Message></f:WSManFault>"
        )
        if fault.wmi_code is not None:
            detail += (
                '<e:MSFT_WmiError xmlns:e="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError">'
                f"<e:error_Code>{fault.wmi_code}</e:error_Code></e:MSFT_WmiError>"
            )
        content = (
            f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
            "<s:Reason><s:Text "
            f'xml:lang="en-US">{escape(fault.reason)}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
        )
        return _envelope(_FAULT, relates_to, content)


def _new_id() -> str:
    """An id that nobody else has; it need not be hard to guess, because a shell is its account's alone."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4)).upper()


def _seconds(duration: str | None, otherwise: float) -> float:
    """Of a duration such as PT30S."""
    seconds = re.match(r"PT([\d.]+)S", duration or "")
    return float(seconds[1]) if seconds else otherwise


def _parse(envelope: bytes) -> _Request:
    try:
        root = ElementTree.fromstring(envelope)
    except ElementTree.ParseError as error:
        text = f"The SOAP XML in the message does not match the corresponding XML schema: {error}"
        raise _Fault(_BAD_ACTION, text, subcode="w:SchemaValidationError") from error
    header, body = root.find(_tag("s", "Header")), root.find(_tag("s", "Body"))
    if header is None or body is None:
        raise _Fault(_BAD_ACTION, "The SOAP message has no header or no body.", subcode="w:SchemaValidationError")
    action = (header.findtext(_tag("a", "Action")) or "").strip()
    if action not in _ACTIONS:
        text = f"The WS-Management service cannot process the request: the action {action} is not supported."
        raise _Fault(_BAD_ACTION, text, subcode="a:ActionNotSupported")
    resource = (header.findtext(_tag("w", "ResourceURI")) or "").strip()
    if resource != _COMMAND_SHELL:
        text = (
            f"The service cannot process the request. The resource URI {resource} is missing or not known (this "
            f"twin knows {_COMMAND_SHELL})."
        )
        raise _Fault(_BAD_RESOURCE, text, subcode="a:DestinationUnreachable")
    selectors = {selector.get("Name"): selector.text or "" for selector in header.iter(_tag("w", "Selector"))}
    return _Request(
        action=action,
        message_id=header.findtext(_tag("a", "MessageID")) or "",
        body=body,
        shell_id=selectors.get("ShellId", ""),
        options={option.get("Name", ""): option.text or "" for option in header.iter(_tag("w", "Option"))},
        timeout=_seconds(header.findtext(_tag("w", "OperationTimeout")), 60.0),
    )


def _envelope(action: str, relates_to: str, content: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" {_DECLARATIONS}><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{_new_id()}</a:MessageID><a:To>{_NAMESPACES['a']}/role/anonymous</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{content}</s:Body></s:Envelope>"
    ).encode()
