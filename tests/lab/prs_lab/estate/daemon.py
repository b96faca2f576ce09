"""The process that holds an estate: ``python -m prs_lab.estate.daemon --estate FILE --state DIR --network BASE``.

It writes ``control.json`` when everything answers, and ends on the command ``down`` or on SIGTERM, keeping all state.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from ..windows.errors import WinError
from . import config as estate_config
from .control import FILE, SAID, ControlServer
from .digest import digest, summary
from .estate import Estate
from .faults import apply, damage, undo

__all__ = ["main"]


class _Commands:
    """What the control channel offers; each method is a command of the same name, underscores being dashes."""

    def __init__(self, estate: Estate, ending: threading.Event):
        self._estate = estate
        self._ending = ending

    def table(self) -> dict[str, Any]:
        names = [name for name in dir(self) if not name.startswith("_") and name != "table"]
        return {name.replace("_", "-"): self._saved(getattr(self, name)) for name in names}

    def _saved(self, command: Any) -> Any:
        """The command, after which everything is kept."""

        def run(**arguments: Any) -> Any:
            result = command(**arguments)
            for host in self._estate.hosts.values():
                host.changed()
            self._estate.save()
            return result

        return run

    def ping(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "estate": self._estate.config.name,
            "network": self._estate.network.base,
            "hosts": list(self._estate.hosts),
        }

    def down(self) -> None:
        self._ending.set()

    def wipe(self, host: str) -> None:
        self._estate.wipe(host)

    def kill(self, host: str) -> None:
        self._estate.host(host).power.kill()

    def start(self, host: str) -> None:
        self._estate.host(host).power.start()
        self._estate.apply_cuts()

    def reboot(self, host: str) -> None:
        self._estate.host(host).power.reboot()
        self._estate.apply_cuts()

    def cut(self, site: str) -> None:
        self._estate.cut(site)

    def serving(self, port: int, path: str) -> list[str]:
        """The hosts where an application runs at that path, and whom a client reaches."""
        return [
            name
            for name, host in self._estate.hosts.items()
            if host.power.is_on and not self._estate.is_cut(host) and host.iis.serves(port, path)
        ]

    def heal(self) -> None:
        self._estate.heal()

    def damage(self, path: str, **how: Any) -> int:
        return damage(self._estate, path, **how)

    def fault(self, name: str, arguments: dict[str, Any], undone: bool = False) -> None:
        (undo if undone else apply)(self._estate, name, arguments)

    def alias(self, name: str, host: str) -> None:
        """The estate's DNS leads ``name`` to ``host`` from now on."""
        self._estate.network.aliases[name.lower()] = self._estate.host(host).name.lower()

    def state(self, host: str = "") -> dict[str, Any]:
        return {name: summary(one) for name, one in self._chosen(host).items()} | (
            {} if host else {"cut_sites": list(self._estate.network.cut_sites)}
        )

    def digest(self, host: str = "") -> dict[str, str]:
        return {name: digest(one) for name, one in self._chosen(host).items()}

    def dump(self, host: str) -> dict[str, Any]:
        """Everything that is kept of a host."""
        return self._estate.host(host).to_state()

    def record(self, kind: str = "", host: str = "", since: int = 0) -> list[dict[str, Any]]:
        return list(self._estate.record.entries(kind or None, host=host.upper() or None, since=since))

    def mark_record(self) -> int:
        """The number of the newest entry, for ``record --since``."""
        return self._estate.record.last

    def unmodelled(self, since: int = 0) -> list[dict[str, Any]]:
        return list(self._estate.record.entries("unmodelled", since=since))

    def _chosen(self, host: str) -> dict[str, Any]:
        return {host.lower(): self._estate.host(host)} if host else self._estate.hosts


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="prs_lab.estate.daemon")
    parser.add_argument("--estate", required=True)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--network", required=True)
    chosen = parser.parse_args(arguments)
    state: Path = chosen.state.resolve()
    control_file = state / FILE
    control_file.unlink(missing_ok=True)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    (state / "daemon.pid").write_text(str(os.getpid()))
    try:
        estate = Estate(config=estate_config.load(chosen.estate), state_dir=state, network=chosen.network)
        estate.start()
        address = str(ipaddress.IPv4Address(chosen.network) + 1)
        server = ControlServer(
            address=address,
            token=estate.secrets.control_token,
            commands=_Commands(estate, ending).table(),
            refusals=(WinError,),
        )
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
            traceback.print_exc()
            return 1
        print(
            f"{error.strerror} Give this lab a network of its own: NETWORK=127.62.0.0 for make, --network "
            "127.62.0.0 for prs-lab.",
            file=sys.stderr,
        )
        return SAID
    except Exception:
        traceback.print_exc()
        return 1
    scratch = control_file.with_suffix(".new")
    scratch.write_text(json.dumps({"address": server.address[0], "port": server.address[1], "pid": os.getpid()}))
    scratch.replace(control_file)
    while not ending.wait(timeout=1):
        pass
    control_file.unlink(missing_ok=True)
    server.close()
    estate.close()
    (state / "daemon.pid").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
