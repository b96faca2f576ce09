"""Jobs as AWX runs them: ansible-runner in a folder of its own, an inventory without any secret, credentials by
injector only.

What is imitated is what a playbook can notice of AWX: no terminal, no home directory, the inventory as a script that
knows nothing of the files beside it, an explicit ``localhost``, always ``-u root``, extra variables whose texts are
never evaluated (``!unsafe``). Not imitated: the container itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2.sandbox
import yaml
from ansible_collections.prs.recovery.plugins.filter.awx_credential_types import awx_credential_types
from playbook_lab import ROOT
from prs_lab.client import Lab

__all__ = ["Done", "Project"]

BIN = Path(sys.executable).parent


class Unsafe(str):
    """A text that is written with the tag !unsafe, as AWX writes all that it hands to a job."""


yaml.SafeDumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", text))
Loader = type("Loader", (yaml.SafeLoader,), {})
Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
ROLE = yaml.load((ROOT / "roles/configure_awx/vars/main.yml").read_text(), Loader=Loader)
TYPES = {entry["name"]: entry for entry in awx_credential_types(ROLE["_configure_awx_table"])}
GIVEN = {one["playbook"]: one["credentials"] for one in ROLE["_configure_awx_templates"].values()}


@dataclass(kw_only=True)
class Done:
    """What is left of a job: its folder, and what ansible-runner reports of it."""

    folder: Path
    status: str
    output: str

    @property
    def events(self) -> Iterator[dict[str, Any]]:
        files = sorted(self.folder.glob("artifacts/*/job_events/*.json"), key=lambda file: int(file.name.split("-")[0]))
        return (json.loads(file.read_text()) for file in files)

    @property
    def artifacts(self) -> dict[str, Any]:
        """What set_stats handed on: AWX shows it with the job and gives it to what follows in a workflow."""
        (stats,) = (event for event in self.events if event["event"] == "playbook_on_stats")
        return stats["event_data"].get("artifact_data", {})

    def holding(self, texts: tuple[str, ...]) -> list[str]:
        """Files in which one of the texts is found, apart from those that hand the secrets to the job; AWX removes
        these with the job.
        """
        handed = self.folder / "env"
        return [
            str(file.relative_to(self.folder))
            for file in self.folder.rglob("*")
            if file.is_file()
            and handed not in file.parents
            and any(text.encode() in file.read_bytes() for text in texts)
        ]


class Project:
    """A lab's estate as AWX knows it: its inventory, its credentials, and a copy of the playbooks that the examples
    offer.
    """

    def __init__(self, lab: Lab, folder: Path):
        self.lab, self.folder = lab, folder
        self._jobs = 0
        known = folder / "inventory"
        shutil.copytree(lab.state_dir / "inventory", known, ignore=shutil.ignore_patterns("secrets.yml"))
        listed = subprocess.run(
            [BIN / "ansible-inventory", "-i", known, "--list", "--export"], capture_output=True, text=True, check=True
        )
        self._inventory = json.loads(listed.stdout)
        self._inventory["all"].setdefault("hosts", []).append("localhost")
        hostvars = self._inventory["_meta"].setdefault("hostvars", {})
        hostvars["localhost"] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        secrets = lab.description.secrets
        self.credentials = {  # what a person typed into AWX, by credential type
            "Windows": {"user": "Administrator", "password": secrets.administrator},
            "SQL Server": {
                "login": "prs_recovery",
                "password": secrets.sql_admin,
                "application_password": secrets.application_login,
            },
            "share": {"user": rf"{lab.description.domain}\svc-backup", "password": secrets.accounts["svc-backup"]},
            "certificates": {"sql_password": secrets.certificate, "site_password": secrets.certificate},
        }

    def run(
        self, playbook: str, *, limit: str = "", check: bool = False, variables: dict[str, Any] | None = None
    ) -> Done:
        """One job of the template for that playbook, with the credentials that configure_awx gives it."""
        self._jobs += 1
        folder = self.folder / f"awx_{self._jobs}"
        (folder / "inventory").mkdir(parents=True)
        (folder / "env").mkdir(mode=0o700)
        shutil.copytree(ROOT / "inventory.example/playbooks", folder / "project/playbooks")
        script = folder / "inventory/hosts"
        script.write_text(f"#! /usr/bin/env python3\nprint({json.dumps(self._inventory)!r})\n")
        script.chmod(0o700)
        meta = {"awx_job_id": self._jobs, "tower_job_id": self._jobs, "awx_user_name": "admin", "awx_inventory_id": 1}
        self._write(folder / "env/extravars", {**(variables or {}), **meta})
        self._write(
            folder / "env/settings",
            {"job_timeout": 900, "suppress_ansible_output": True, "suppress_output_file": False},
        )
        arguments = ["-u", "root", *(["--check"] if check else []), *(["-l", limit] if limit else [])]
        for name in [name for name in GIVEN[f"{playbook}.yml"] if name in self.credentials]:
            file = folder / f"env/tmp{name.replace(' ', '')}"
            self._write(file, self._injected(name, self.credentials[name]))
            arguments += ["-e", f"@{file}"]
        (folder / "env/cmdline").write_text(" ".join(arguments))
        environment = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/collections"),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "MAX_EVENT_RES": "700000",
            "AWX_PRIVATE_DATA_DIR": str(folder),
            "JOB_ID": str(self._jobs),
        }
        command = [BIN / "ansible-runner", "run", folder, "-p", f"playbooks/{playbook}.yml", "--ident", str(self._jobs)]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        artifacts = folder / "artifacts" / str(self._jobs)
        status = (artifacts / "status").read_text() if (artifacts / "status").exists() else done.stderr
        return Done(
            folder=folder,
            status=status,
            output=(artifacts / "stdout").read_text() if (artifacts / "stdout").exists() else "",
        )

    @staticmethod
    def _injected(name: str, values: dict[str, str]) -> dict[str, Any]:
        environment = jinja2.sandbox.ImmutableSandboxedEnvironment()
        return {
            key: environment.from_string(text).render(**values)
            for key, text in TYPES[name]["injectors"]["extra_vars"].items()
        }

    @staticmethod
    def _write(file: Path, data: dict[str, Any]) -> None:
        unsafe = {key: Unsafe(value) if isinstance(value, str) else value for key, value in data.items()}
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(unsafe, width=10000))
