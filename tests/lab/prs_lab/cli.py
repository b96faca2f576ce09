"""The command ``prs-lab``: start a lab, wreck it, look at it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from .application.browser import Page, WizardStuck
from .client import CommandFailed, Lab, LabError, NotRunning
from .estate.config import DEFAULT_NETWORK, ConfigError
from .estate.fault_list import listing
from .rehearsal import disasters
from .rehearsal.reading import RehearsalError
from .rehearsal.rehearsal import DEFAULT_NETWORK as REHEARSAL_NETWORK
from .rehearsal.rehearsal import rehearse

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 failed (the reason is on standard error), 2 wrong usage."""
    chosen = _parser().parse_args(arguments)
    try:
        code = _run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough (head). Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _run(chosen: argparse.Namespace) -> int:
    try:
        result = chosen.run(Lab(chosen.state), chosen)
    except (LabError, NotRunning, CommandFailed, ConfigError, WizardStuck, RehearsalError, FileNotFoundError) as error:
        print(f"prs-lab: {error}", file=sys.stderr)
        return 1
    if isinstance(result, int) and not isinstance(result, bool):
        return result
    if result is not None:
        _print(result, lines=getattr(chosen, "lines", False))
    return 0


def _print(result: Any, *, lines: bool) -> None:
    if isinstance(result, str):
        print(result)
    elif lines:
        for entry in result:
            print(json.dumps(entry, ensure_ascii=False))
    else:
        print(json.dumps(result, indent=2, ensure_ascii=False))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prs-lab", description="A laboratory of Windows and SQL Server twins for Password Reset Server."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--state", type=Path, default=Path("build/lab"), help="the lab's folder (default: %(default)s)"
        )
        command.set_defaults(run=run)
        return command

    up = add("up", _up, "start the lab, or find it running")
    up.add_argument(
        "--estate",
        default="",
        help="an estate's YAML file, or default or single (default: the one in the folder; of a new lab: default)",
    )
    up.add_argument(
        "--network",
        default="",
        help=f"loopback network of the hosts (default: as it was; of a new lab: {DEFAULT_NETWORK})",
    )
    add("down", _down, "end the lab; it can be started again where it was")
    for name, text in (
        ("wipe", "erase a host: it comes back as a prepared, empty server"),
        ("kill", "take a host's power away"),
        ("start", "switch a host on"),
    ):
        add(name, _on_host(name), text).add_argument("host")
    add("cut", lambda lab, chosen: lab.cut(chosen.site), "cut a site off from everybody").add_argument("site")
    add("heal", lambda lab, _: lab.heal(), "connect all sites again")
    damage = add("damage", _damage, "damage or truncate a file")
    damage.add_argument("path", help=r"\\server\share\file, or a local path with --host")
    damage.add_argument("--host", default="")
    damage.add_argument("--offset", type=int, help="where (default: in the middle)")
    damage.add_argument("--length", type=int, default=64, help="how many bytes (default: %(default)s)")
    damage.add_argument("--truncate", type=int, metavar="BYTES", help="cut the file to this size instead")
    fault = add("fault", _fault, "make a fault happen, such as: fault disk-size host=sql-a drive=E size='1 GB'")
    fault.formatter_class, fault.epilog = (
        argparse.RawDescriptionHelpFormatter,
        f"faults and their arguments:\n{listing()}",
    )
    fault.add_argument("name")
    fault.add_argument("arguments", nargs="*", metavar="NAME=VALUE")
    fault.add_argument("--undo", action="store_true", help="take it back")
    state = add("state", _state, "show every twin")
    state.add_argument("host", nargs="?", default="")
    state.add_argument(
        "--digest", action="store_true", help="a fingerprint per host, which changes when anything on it changes"
    )
    record = add("record", _record, "what was asked, one JSON object a line")
    record.add_argument("kind", nargs="?", default="", help="sql, module, script, command, power, note (default: all)")
    record.add_argument("--host", default="")
    record.add_argument("--since", type=int, default=0, metavar="SEQ")
    unmodelled = add(
        "unmodelled", _unmodelled, "what was asked and is not modelled; exit code 1 when there is anything"
    )
    unmodelled.add_argument("--since", type=int, default=0, metavar="SEQ")
    wizard = add("wizard", _wizard, "play the person who finishes an installation in the browser")
    for option in ("server", "database", "login", "failover-partner"):
        wizard.add_argument(f"--{option}", default=argparse.SUPPRESS)
    wizard.add_argument("--password-file", type=Path, help="the login's password (default: the lab's own)")
    wizard.add_argument("--no-encrypt", action="store_true")
    page = add("page", _page, "fetch the application's page and say what it shows")
    mark = add("mark", _mark, "write marker rows over the page")
    mark.add_argument("--rows", type=int, default=1)
    mark.add_argument("--label", default="marker", help="rows are labelled LABEL 1, LABEL 2 ... (default: %(default)s)")
    partner = add(
        "partner", _partner, "tell the application its failover partner, on its page Administration > Database"
    )
    partner.add_argument("name", help="such as prs-sql-partner; '' for none")
    for command in (wizard, page, mark, partner):
        command.add_argument(
            "--host", default="", help="the web server to ask (default: the first whose application runs)"
        )
        command.add_argument("--path", default="/", help="path of the application on its site (default: %(default)s)")
    _add_rehearse(commands)
    return parser


def _add_rehearse(commands: Any) -> None:
    text = "live through a disaster on the estate that an inventory describes"
    command = commands.add_parser(
        "rehearse",
        help=text,
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"disasters:\n{disasters.listing()}",
    )
    command.add_argument("--inventory", type=Path, required=True, help="your inventory: a folder or a file")
    command.add_argument("--disaster", default="total-loss", choices=disasters.DISASTERS, metavar="NAME")
    command.add_argument(
        "--state", type=Path, default=Path("build/rehearsal"), help="made anew each time (default: %(default)s)"
    )
    command.add_argument(
        "--network", default=REHEARSAL_NETWORK, help="loopback network of the hosts (default: %(default)s)"
    )
    command.add_argument("--keep", action="store_true", help="leave the lab running at the end")
    command.set_defaults(run=_rehearse)


def _rehearse(_: Lab, chosen: argparse.Namespace) -> str:
    figures = rehearse(
        source=chosen.inventory,
        disaster=chosen.disaster,
        folder=chosen.state,
        network=chosen.network,
        keep=chosen.keep,
    )
    lines = [f"    {name:<18}{value}" for name, value in figures.items() if name != "report"]
    return "\n".join(["", *lines, f"\nPASSED. Report: {figures['report']}"])


def _up(lab: Lab, chosen: argparse.Namespace) -> Any:
    return lab.up(estate=chosen.estate, network=chosen.network)


def _down(lab: Lab, _: argparse.Namespace) -> str:
    return "ended" if lab.down() else "was not running"


def _on_host(name: str) -> Any:
    return lambda lab, chosen: getattr(lab, name)(chosen.host)


def _damage(lab: Lab, chosen: argparse.Namespace) -> Any:
    size = lab.damage(
        chosen.path, host=chosen.host, offset=chosen.offset, length=chosen.length, truncate=chosen.truncate
    )
    return {"path": chosen.path, "bytes": size}


def _fault(lab: Lab, chosen: argparse.Namespace) -> None:
    wrong = [item for item in chosen.arguments if "=" not in item]
    if wrong:
        raise LabError(f"{wrong[0]} is not NAME=VALUE")
    arguments = dict(item.split("=", 1) for item in chosen.arguments)
    (lab.unfault if chosen.undo else lab.fault)(chosen.name, **arguments)


def _state(lab: Lab, chosen: argparse.Namespace) -> Any:
    return lab.digest(chosen.host) if chosen.digest else lab.state(chosen.host)


def _record(lab: Lab, chosen: argparse.Namespace) -> Any:
    chosen.lines = True
    return lab.record(chosen.kind, host=chosen.host, since=chosen.since)


def _unmodelled(lab: Lab, chosen: argparse.Namespace) -> int:
    entries = lab.unmodelled(since=chosen.since)
    _print(entries, lines=True)
    return 1 if entries else 0


def _wizard(lab: Lab, chosen: argparse.Namespace) -> Any:
    given = {
        name: getattr(chosen, name)
        for name in ("server", "database", "login", "failover_partner")
        if hasattr(chosen, name)
    }
    if chosen.password_file:
        given["password"] = chosen.password_file.read_text().strip()
    return lab.wizard(host=chosen.host, path=chosen.path, encrypt=not chosen.no_encrypt, **given).to_dict()


def _page(lab: Lab, chosen: argparse.Namespace) -> Any:
    return lab.page(host=chosen.host, path=chosen.path).to_dict()


def _mark(lab: Lab, chosen: argparse.Namespace) -> Any:
    return _taken(
        lab.mark(
            [f"{chosen.label} {number}" for number in range(1, chosen.rows + 1)], host=chosen.host, path=chosen.path
        )
    )


def _partner(lab: Lab, chosen: argparse.Namespace) -> Any:
    return _taken(lab.partner(chosen.name, host=chosen.host, path=chosen.path))


def _taken(page: Page) -> Any:
    if page.state != "ready":
        raise LabError(f"the page did not take it: {page.detail or page.error or page.title}")
    return page.to_dict()


if __name__ == "__main__":
    sys.exit(main())
