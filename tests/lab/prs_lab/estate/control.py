"""The daemon's control channel: one line of JSON each way over loopback TCP, opened by a token that only the lab's
owner can read.

TCP and not a socket file: the path of a lab's folder may be longer than a socket's path can be. ``control.json`` in the
lab's folder says where it listens; the token is one of the lab's secrets.
"""

from __future__ import annotations

import hmac
import json
import socket
import socketserver
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["SAID", "CommandFailed", "ControlServer", "NotRunning", "request"]

FILE = "control.json"
# Hashing a big estate or installing media takes a while.
TIMEOUT = 300
# The daemon's exit code when it did not start and the last line of its log is a sentence that says why.
SAID = 3

Command = Callable[..., Any]


class NotRunning(Exception):
    """No daemon answers for this folder."""


class CommandFailed(Exception):
    """The daemon answered with an error, which the text says."""


class ControlServer:
    """Serves ``commands`` (name -> function with keyword arguments, JSON in and out) one at a time.

    ``refusals`` are the exceptions whose text is an answer; any other one is a defect, which comes with its traceback.
    """

    def __init__(
        self, *, address: str, token: str, commands: dict[str, Command], refusals: tuple[type[Exception], ...] = ()
    ):
        one_at_a_time = threading.Lock()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                line = self.rfile.readline(1 << 20)
                with one_at_a_time:
                    answer = _answer(line, token, commands, (KeyError, ValueError, TypeError, *refusals))
                self.wfile.write(json.dumps(answer, default=str).encode() + b"\n")

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server((address, 0), Handler)
        self.address: tuple[str, int] = self._server.server_address[:2]  # type: ignore[assignment]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="control", daemon=True
        ).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _answer(
    line: bytes, token: str, commands: dict[str, Command], refusals: tuple[type[Exception], ...]
) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        if not hmac.compare_digest(str(asked.get("token", "")), token):
            return {"error": "the token is not this lab's"}
        command = commands.get(asked["command"])
        if command is None:
            return {"error": f"unknown command {asked['command']}; there are {', '.join(sorted(commands))}"}
        return {"result": command(**asked.get("arguments", {}))}
    except refusals as error:
        return {"error": str(error.args[0] if error.args else error)}
    except Exception as error:  # the daemon must live on, and the caller should see what broke
        return {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}


def request(state_dir: Path, command: str, **arguments: Any) -> Any:
    """Asks the daemon of a lab; raises NotRunning or CommandFailed."""
    try:
        where = json.loads((state_dir / FILE).read_text())
        token = json.loads((state_dir / "secrets.json").read_text())["control_token"]
        with socket.create_connection((where["address"], where["port"]), timeout=TIMEOUT) as connection:
            connection.sendall(
                json.dumps({"token": token, "command": command, "arguments": arguments}).encode() + b"\n"
            )
            answer = connection.makefile("rb").readline()
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning(f"no lab runs in {state_dir} ({error})") from error
    if not answer:
        raise NotRunning(f"the lab in {state_dir} ended while it was asked")
    result = json.loads(answer)
    if "error" in result:
        raise CommandFailed(result["error"] + (f"\n{result['traceback']}" if result.get("traceback") else ""))
    return result["result"]
