"""A real AWX on loopback: PostgreSQL and Redis on sockets in a temporary folder, AWX's API, and what carries out updates
of projects and inventories. There is no dispatcher and no container: jobs stay pending.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from environment import Environment, Missing

__all__ = ["PASSWORD", "USER", "RealAwx", "running"]

INSIDE = Path(__file__).parent / "inside"
USER, PASSWORD = "admin", "Awx-Password-1"
MANAGE = "from awx import manage; manage()"
FIRST = (
    ("migrate", "--noinput"),
    ("createsuperuser", "--noinput", "--username", USER, "--email", "admin@example.com"),
    ("create_preload_data",),
    ("provision_instance", "--hostname=awx-bench", "--node_type=hybrid"),
    ("register_default_execution_environments",),
)


class RealAwx:
    """token: of the system administrator. AWX takes a third of a second to verify a password."""

    def __init__(self, url: str):
        self.url = url
        self.token = self.log_on(USER, PASSWORD)

    def log_on(self, user: str, password: str) -> str:
        """A token of that account."""
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        _status, made = self.ask("POST", "tokens/", {"scope": "write"}, granted=f"Basic {login}")
        token: str = made["token"]
        return token

    def ask(self, method: str, path: str, body: Any = None, granted: str = "") -> tuple[int, Any]:
        """path: below /api/v2/; granted: as an HTTP header has it, else the administrator's. (status, answer)"""
        request = urllib.request.Request(
            f"{self.url}/api/v2/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": granted or f"Bearer {self.token}",
            },
        )
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def find(self, kind: str, **query: Any) -> list[dict[str, Any]]:
        """Objects as AWX shows them, at most two hundred."""
        _status, answer = self.ask("GET", f"{kind}/?{urllib.parse.urlencode({**query, 'page_size': 200})}")
        found: list[dict[str, Any]] = answer["results"]
        return found


@contextlib.contextmanager
def running(environment: Environment) -> Iterator[RealAwx]:
    """Ends with everything that it started."""
    with tempfile.TemporaryDirectory(prefix="awx-") as name, contextlib.ExitStack() as stack:
        place = Path(name)
        place.chmod(0o755)  # PostgreSQL's account works here too
        redis = ["redis-server", "--port", "0", "--unixsocket", place / "redis.sock", "--save", "", "--dir", place]
        _start(stack, place / "redis.log", redis)
        _wait_for((place / "redis.sock").exists, place / "redis.log")
        variables = _variables(environment, place)
        (place / "projects").mkdir()
        if not environment.template.exists():
            with contextlib.ExitStack() as once:
                _database(environment, place, once)
                _set_up(environment, place, variables)
            shutil.copytree(place / "data", environment.template)
        _database(environment, place, stack)
        port = place / "port"
        python = environment.python
        _start(stack, place / "api.log", [python, INSIDE / "serve.py", port], env=variables)
        inventory = Path(shutil.which("ansible-inventory") or "ansible-inventory")
        _start(stack, place / "updates.log", [python, INSIDE / "update.py", inventory], env=variables)
        _wait_for(port.exists, place / "api.log")
        yield RealAwx(f"http://127.0.0.1:{port.read_text(encoding='ascii')}")


def _variables(environment: Environment, place: Path) -> dict[str, str]:
    return {
        **os.environ,
        "AWX_BENCH": str(place),
        "AWX_LOGGING_MODE": "stdout",
        "AWX_SETTINGS_FILE": str(INSIDE / "settings.py"),
        "DJANGO_SETTINGS_MODULE": "awx.settings.production",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(environment.source),
    }


def _set_up(environment: Environment, place: Path, variables: dict[str, str]) -> None:
    """The database of a fresh AWX; its hundreds of migrations take minutes."""
    print(f"setting up the database of AWX {environment.version}", flush=True)
    subprocess.run(["createdb", "-h", place, "-U", "awx", "awx"], check=True)
    for command in FIRST:
        done = subprocess.run(
            [environment.python, "-c", MANAGE, *command], env=variables, capture_output=True, text=True, check=False
        )
        if done.returncode:
            end = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise Missing(f"AWX's own command {command[0]} failed:\n{end}")


def _database(environment: Environment, place: Path, stack: contextlib.ExitStack) -> None:
    """PostgreSQL, on a socket alone; it refuses to run as root."""
    (programs,) = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1:]
    account: dict[str, Any] = {}
    data = place / "data"
    if not data.exists():
        if environment.template.exists():
            shutil.copytree(environment.template, data)
        else:
            data.mkdir()
        data.chmod(0o700)
    if os.geteuid() == 0:
        entry = pwd.getpwnam("postgres")
        account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        for path in (place, data, *data.rglob("*")):
            os.chown(path, entry.pw_uid, entry.pw_gid)
    if not (data / "PG_VERSION").exists():
        command = [programs / "initdb", "-D", data, "-A", "trust", "-U", "awx", "-E", "UTF8"]
        subprocess.run(command, cwd=place, check=True, capture_output=True, **account)
    command = [programs / "postgres", "-D", data, "-k", place, "-c", "listen_addresses=", "-c", "fsync=off"]
    _start(stack, place / "postgresql.log", command, cwd=place, **account)
    ready = ["pg_isready", "-q", "-h", place, "-U", "awx"]
    _wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, place / "postgresql.log")


def _start(stack: contextlib.ExitStack, log: Path, command: list[Any], **options: Any) -> subprocess.Popen[bytes]:
    file = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, **options)
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(there: Callable[[], bool], log: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not there():
        if time.monotonic() > end:
            raise Missing(f"It did not start within {seconds:.0f} s:\n{log.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.1)
