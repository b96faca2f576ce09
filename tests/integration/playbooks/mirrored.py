"""Two sites of which one protects the other: what they say of it, and somebody who goes on working while the service
moves.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pymssql
from playbook_lab import Estate, Run

__all__ = [
    "DATABASE",
    "MIRRORED",
    "PARTNERS",
    "User",
    "ask",
    "at_home",
    "hook",
    "logins",
    "protection",
    "role",
    "running_sites",
    "said",
    "stopping_after",
]

DATABASE = "PasswordResetServer"
PARTNERS = ("sql-a", "sql-b")
MIRRORED = ("-e", json.dumps({"prs_ha": "mirror", "prs_sql_master_key_password": "Master-Key-Passw0rd"}))
"""What the inventory of a mirrored estate says beside that of the lab."""


def ask(estate: Estate, host: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What an instance answers to another client than ours."""
    description = estate.lab.description
    address, password = description.host(host).address, description.secrets.sql_admin
    with closing(
        pymssql.connect(server=address, user="prs_recovery", password=password, autocommit=True, encryption="require")
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def protection(estate: Estate) -> dict[str, tuple[Any, ...]]:
    """Role, state, safety, partner and witness of the database's session, by host."""
    question = (
        "SELECT m.mirroring_role_desc, m.mirroring_state_desc, m.mirroring_safety_level_desc, "
        "m.mirroring_partner_name, m.mirroring_witness_name "
        "FROM sys.databases d JOIN sys.database_mirroring m ON m.database_id = d.database_id WHERE d.name = %s"
    )
    return {host: next(iter(ask(estate, host, question, DATABASE)), ()) for host in PARTNERS}


def at_home(estate: Estate) -> bool:
    """Whether sql-a is the principal: a lab that was ended and started again has its roles as they were."""
    return protection(estate)["sql-a"][0] == "PRINCIPAL"


def logins(estate: Estate, host: str) -> list[tuple[Any, ...]]:
    """The application's login: what makes it the same one."""
    return ask(
        estate,
        host,
        "SELECT sid, password_hash, is_policy_checked, default_database_name, default_language_name, is_disabled "
        "FROM sys.sql_logins WHERE name = %s",
        "prs_app",
    )


def running_sites(estate: Estate) -> list[str]:
    """The web servers whose page answers."""
    return [host for host in ("web-a", "web-b") if estate.lab.page(host=host).state == "ready"]


def hook(estate: Estate) -> tuple[Path, Path]:
    """Tasks that lead the public name to the new site, as a load balancer's would, and the file that says where it
    leads.
    """
    name, tasks = estate.lab.state_dir / "public-name", estate.lab.state_dir / "hook.json"
    tasks.write_text(json.dumps([{
        "name": "Lead the name there", "delegate_to": "localhost", "vars": {"ansible_connection": "local"},
        "ansible.builtin.copy": {"dest": str(name), "content": ("{{ prs_old_site }} {{ prs_new_site }} {{ "
                                                                "prs_new_web }}")},
    }]), encoding="utf-8")  # fmt: skip
    return tasks, name


def stopping_after(changes: int) -> dict[str, str]:
    """Environment of a run that ends, as if its process was killed, after this many tasks that changed something."""
    folder = Path(__file__).with_name("callbacks")
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(folder),
        "ANSIBLE_CALLBACKS_ENABLED": "stop_after",
        "STOP_AFTER_CHANGES": str(changes),
    }


_users = itertools.count(1)


def role(estate: Estate, name: str, *arguments: str, environment: dict[str, str] | None = None) -> Run:
    """Runs one role on the servers of a mirrored estate, as its playbook does, without what comes before and after."""
    looks, hosts = {"mirror": ("gather", "prs_sql:prs_witness"), "failover": ("", "prs_web:prs_sql")}[name]
    play = {"gather_facts": False, "any_errors_fatal": True}
    included = {"name": f"prs.recovery.{name}"}
    first = (
        [
            {
                **play,
                "hosts": "prs_web:prs_sql:prs_witness",
                "tasks": [{"ansible.builtin.include_role": {**included, "tasks_from": looks}}],
            }
        ]
        if looks
        else []
    )
    file = estate.lab.state_dir / "role.json"
    file.write_text(
        json.dumps([*first, {**play, "hosts": hosts, "tasks": [{"ansible.builtin.include_role": included}]}]),
        encoding="utf-8",
    )
    return estate.play_file(file, *MIRRORED, *arguments, environment=environment)


class User:
    """Somebody who writes row after row through the page, wherever the public name leads. gaps: seconds between two
    rows that were taken. refused: those that were not, or whose answer was lost.
    """

    def __init__(self, estate: Estate, *, name: Path, web: str) -> None:
        self.rows: list[str] = []
        self.refused: list[str] = []
        self.gaps: list[float] = []
        self._estate, self._name, self._web, self._number = estate, name, web, next(_users)
        self._stop, self._begun = threading.Event(), threading.Event()
        self._problems: list[BaseException] = []

    def wait_for(self, more: int) -> None:
        """Until that many further rows were taken."""
        wanted, ends = len(self.rows) + more, time.monotonic() + 120
        while len(self.rows) < wanted:
            assert time.monotonic() < ends and not self._problems, (self.refused[-3:], self._problems)
            time.sleep(0.05)

    @contextmanager
    def working(self) -> Iterator[None]:
        """From the first row until one was written after the end."""
        worker = threading.Thread(target=self._run, daemon=True)
        worker.start()
        assert self._begun.wait(timeout=120), self._problems
        try:
            yield
        finally:
            self._stop.set()
            worker.join()
        assert not self._problems

    def _run(self) -> None:
        try:
            number, last = 0, time.monotonic()
            ends: float | None = None
            while ends is None or time.monotonic() < ends:
                taken = self._write(f"user {self._number} row {number}")
                number += 1
                if taken:
                    self.gaps.append(time.monotonic() - last)
                    last = time.monotonic()
                    self._begun.set()
                    if self._stop.is_set():
                        return
                if self._stop.is_set() and ends is None:
                    ends = time.monotonic() + 120
                self._stop.wait(0.1)
        except BaseException as problem:
            self._problems.append(problem)

    def _write(self, label: str) -> bool:
        web = self._name.read_text(encoding="utf-8").split()[-1] if self._name.exists() else self._web
        page = self._estate.lab.mark([label], host=web)
        taken = page.state == "ready" and label in [row["label"] for row in page.rows]
        (self.rows if taken else self.refused).append(label)
        return taken


def said(run: Run, *texts: str) -> None:
    """A run that went well and said all of this."""
    assert run.code == 0, run.output
    missing = [text for text in texts if text not in run.output]
    assert not missing, f"{missing} not in: {run.output}"
