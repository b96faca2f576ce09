"""A rehearsal from one end to the other: the estate of an inventory comes up in the lab, is provisioned, used and backed up, meets
its disaster and is rebuilt.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..client import Lab
from . import inventory as rehearsed_inventory
from .disasters import DISASTERS, Disaster, Scene
from .estate import PlannedEstate, plan_estate
from .playbooks import PlaybookFailed, Playbooks
from .reading import RehearsalError, UserInventory, read
from .servers import active_site, servers, sites

__all__ = ["DEFAULT_NETWORK", "Rehearsal", "rehearse"]

DEFAULT_NETWORK = "127.64.0.0"
"""Another than the lab's, so that a rehearsal disturbs none that runs."""
BEFORE, AFTER = [f"before the backup {number}" for number in range(1, 6)], ["after the backup 1", "after the backup 2"]


def rehearse(
    *, source: Path, disaster: str, folder: Path, network: str = DEFAULT_NETWORK, keep: bool = False
) -> dict[str, Any]:
    """Lives through a disaster of DISASTERS on the estate that ``source`` describes, and returns its figures, which
    ``folder/rehearsal.json`` has as well. The lab is left running with ``keep``, and where something failed.

    Raises RehearsalError where the inventory or its estate cannot pass; the problems name the variable.
    """
    if disaster not in DISASTERS:
        raise RehearsalError([f"there is no disaster {disaster}; there are {', '.join(DISASTERS)}"])
    user_inventory = read(source)
    planned = plan_estate(user_inventory, low_ports=_may_serve_low_ports())
    others = [site for site in sites(user_inventory) if site != active_site(user_inventory)]
    if DISASTERS[disaster].moves and not others:
        raise RehearsalError(
            [f"{disaster} needs another site to move to; the inventory has {active_site(user_inventory)} alone"]
        )
    rehearsal = Rehearsal(
        folder=folder.resolve(),
        source=source.resolve(),
        disaster_name=disaster,
        user_inventory=user_inventory,
        planned=planned,
        other_site=next(iter(others), ""),
    )
    try:
        rehearsal.run(network)
    except PlaybookFailed as failure:
        raise RehearsalError([*dict.fromkeys(failure.reasons), str(failure), *rehearsal.where_to_look()]) from failure
    if not keep:
        rehearsal.lab.down()
    return rehearsal.figures


def _may_serve_low_ports() -> bool:
    limit = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return os.geteuid() == 0 or (limit.exists() and int(limit.read_text()) <= 443)


@dataclass(kw_only=True)
class Rehearsal:
    """One estate on its way through one disaster. ``figures`` grows with each step."""

    folder: Path
    source: Path
    disaster_name: str
    user_inventory: UserInventory
    planned: PlannedEstate
    other_site: str
    figures: dict[str, Any] = field(default_factory=dict)
    steps: int = 0

    def __post_init__(self) -> None:
        self.lab = Lab(self.folder / "lab")
        self.playbooks = Playbooks(
            inventory=self.lab.state_dir / "inventory", logs=self.folder / "logs", reports=self.folder / "reports"
        )

    @property
    def disaster(self) -> Disaster:
        return DISASTERS[self.disaster_name]

    def run(self, network: str) -> None:
        self._come_up(network)
        self._provision()
        self._use_and_back_up()
        self._protect()
        scene = self._scene()
        with self._step(f"Disaster: {self.disaster.sentence}"):
            is_lost = self.disaster.happen(scene)
        self._rebuild()
        self._prove([*BEFORE] if is_lost else [*BEFORE, *AFTER])
        self.figures["report"] = str(self.playbooks.report_of(self._rebuild_label))
        (self.folder / "rehearsal.json").write_text(json.dumps(self.figures, indent=2) + "\n", encoding="utf-8")

    def where_to_look(self) -> list[str]:
        report = self.playbooks.report_of(self._rebuild_label)
        kept = [f"report: {report}"] if report.exists() else []
        return [*kept, f"the lab is left running: prs-lab state --state {self.lab.state_dir}"]

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self.steps += 1
        print(f"\n{self.steps:2}. {title}", flush=True)
        begin = time.monotonic()
        yield
        print(f"    {time.monotonic() - begin:.1f} s", flush=True)

    def _come_up(self, network: str) -> None:
        with self._step(f"The estate of {self.source} comes up in the lab"):
            self.lab.down()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True, mode=0o700)
            estate = self.folder / "estate.yml"
            estate.write_text(yaml.safe_dump(self.planned.document, sort_keys=False), encoding="utf-8")
            self.lab.up(estate=estate, network=network)
            rehearsed_inventory.write(
                folder=self.playbooks.inventory,
                source=self.source,
                inventory=self.user_inventory,
                planned=self.planned,
                description=self.lab.description,
            )
            for host in self.lab.description.hosts:
                print(f"    {host.name:15} {host.address:14} {host.site:12} {' '.join(host.groups)}")
            for note in self.planned.notes:
                print(f"    note: {note}")

    def _provision(self) -> None:
        with self._step("Password Reset Server is provisioned on it from nothing"):
            self.figures["provision_seconds"] = self._play("provision_prs")
        with self._step("A person answers the questions of the setup wizard (here: a script)"):
            page = self.lab.wizard(
                path=self._path,
                server=self._data_source,
                database=self._value("prs_database", "PasswordResetServer"),
                login=self._value("prs_app_login", "prs_app"),
            )
            self._expect(page.state == "ready", f"the page should serve, but it is: {page.to_dict()}")

    def _use_and_back_up(self) -> None:
        with self._step("It is used, and backed up"):
            self.lab.mark(BEFORE, path=self._path)
            self.figures["backup_seconds"] = self._play("backup_prs")
            self.lab.mark(AFTER, path=self._path)
            if self.disaster.second_backup:
                self._play("backup_prs", label="backup_prs-again")

    def _protect(self) -> None:
        if self._value("prs_ha", "none") != "mirror":
            return
        with self._step("The other site mirrors it"):
            self._play("mirror_prs")
            partner = self._value("prs_sql_partner_alias", "")
            if partner:
                self.lab.partner(partner, path=self._path)
            self._play("backup_prs", label="backup_prs-mirrored")

    @property
    def _way_back(self) -> tuple[str, list[str]]:
        """The playbook that brings the service back, with its arguments."""
        if not self.disaster.moves:
            return "rebuild_prs", []
        there = ["-e", f"prs_active_site={self.other_site}"]
        if self._value("prs_ha", "none") != "mirror":
            return "rebuild_prs", there
        # Whoever fails over while the principal is gone says that its last commits may be lost.
        return "failover_prs", [*there, "-e", "prs_allow_data_loss=true"]

    @property
    def _rebuild_label(self) -> str:
        return self._way_back[0]

    def _rebuild(self) -> None:
        playbook, arguments = self._way_back
        with self._step(f"{playbook} --check says what it would do, and touches nothing"):
            before = self.lab.digest()
            self._play(playbook, *arguments, "--check", label=f"{playbook}-check")
            after = self.lab.digest()
            touched = [name for name in before if before[name] != after[name]]
            self._expect(not touched, f"--check changed something on {', '.join(touched)}")
        with self._step(playbook):
            self.figures["rebuild_seconds"] = self._play(playbook, *arguments)

    def _prove(self, expected: list[str]) -> None:
        with self._step("The page shows every row that had to come back"):
            page = self.lab.page(path=self._path)
            labels = [row["label"] for row in page.rows]
            self.figures.update(disaster=self.disaster_name, rows_expected=len(expected), rows=len(labels))
            self._expect(page.state == "ready", f"the page should serve, but it is: {page.to_dict()}")
            self._expect(labels == expected, f"the page shows {labels}, and not {expected}")
        if self._rebuild_label == "rebuild_prs":
            with self._step("Once more changes nothing"):
                playbook, arguments = self._way_back
                again = self.playbooks.play(playbook, *arguments, label=f"{playbook}-again")
                self.figures["again_changed"] = again.changed
                self._expect(again.changed == 0, f"the second run reported {again.changed} changes")

    def _scene(self) -> Scene:
        by_group = {
            group: next(
                server
                for server in servers(self.user_inventory)
                if server.site == active_site(self.user_inventory) and group in server.groups
            )
            for group in ("prs_web", "prs_sql")
        }
        web, sql = by_group["prs_web"], by_group["prs_sql"]
        return Scene(
            lab=self.lab,
            playbooks=self.playbooks,
            web=web.name,
            sql=sql.name,
            web_host=web.host,
            sql_host=sql.host,
            values=self.user_inventory.values[sql.host],
            other_site=self.other_site,
        )

    def _play(self, name: str, *arguments: str, label: str = "") -> float:
        return round(self.playbooks.play(name, *arguments, label=label).seconds, 1)

    def _value(self, name: str, default: str) -> str:
        scene_host = self._scene().sql_host
        return str(self.user_inventory.values[scene_host].get(name) or default)

    @property
    def _path(self) -> str:
        if self._value("prs_app_site", "") != "Default Web Site":
            return "/"
        return f"/{self._value('prs_app_name', 'PasswordResetServer')}/"

    @property
    def _data_source(self) -> str:
        """What the application asks for: the alias, or the server with its port."""
        scene = self._scene()
        server = f"{scene.sql}.{self.planned.document['dns_suffix']}".lower()
        return self._value("prs_sql_alias", f"{server},{self._value('prs_sql_port', '1433')}")

    @staticmethod
    def _expect(condition: bool, sentence: str) -> None:
        if not condition:
            raise PlaybookFailed(sentence)
