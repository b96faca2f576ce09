"""Estates whose other sites follow the first by its backups, with SQL Server Express everywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import prs_lab
import yaml
from mirrored import DATABASE, ask, said
from playbook_lab import MARKERS, Estate

__all__ = [
    "AT_B",
    "AT_C",
    "EXPRESS",
    "FOLLOWED",
    "LOG",
    "YES",
    "copy_of",
    "described",
    "fulls",
    "labels",
    "states",
    "used_and_backed_up",
]

FOLLOWED = ("-e", json.dumps({"prs_ha": "standby"}))
AT_B = (*FOLLOWED, "-e", "prs_active_site=site_b")
AT_C = (*FOLLOWED, "-e", "prs_active_site=site_c")
LOG = ("-e", "prs_backup_kind=log")
YES = ("-e", "prs_allow_data_loss=true")
EXPRESS = "Express Edition (64-bit)"


def described(*, third_site: bool = False) -> dict[str, Any]:
    """The lab's two sites with Express, and perhaps a third one like the second."""
    description = yaml.safe_load((Path(prs_lab.__file__).parent / "estates/default.yml").read_text(encoding="utf-8"))
    description["media"]["sql_edition"] = EXPRESS
    if third_site:
        for kind, number in (("web", 51), ("sql", 52)):
            like = description["hosts"][f"{kind}-b"]
            description["hosts"][f"{kind}-c"] = {**like, "site": "site-c", "number": number}
            for share, right in (("backup", "change"), ("media", "read")):
                description["hosts"]["files"]["shares"][share][right].append(f"PRSLAB\\{kind.upper()}-C$")
    return description


def used_and_backed_up(state: Path, description: dict[str, Any]) -> Estate:
    file = state.with_suffix(".yml")
    file.write_text(yaml.safe_dump(description), encoding="utf-8")
    estate = Estate(state)
    estate.up(str(file))
    said(estate.play("provision_prs"))
    assert estate.lab.wizard().state == "ready"
    estate.lab.mark(MARKERS)
    # As the setup wizard leaves it on Express, whose model database is in SIMPLE.
    ask(estate, "sql-a", f"ALTER DATABASE [{DATABASE}] SET RECOVERY FULL; SELECT 1")
    said(estate.play("backup_prs"))
    return estate


def copy_of(state: Path, folder: Path, *, moved: bool = False) -> Estate:
    """A running copy of a lab that is stopped, at the addresses of the first one, which its certificates bear. moved:
    at others.
    """
    shutil.copytree(state, folder, ignore=shutil.ignore_patterns("record.jsonl"))
    copy, described_in = Estate(folder), state.with_suffix(".yml")
    copy.up(str(described_in) if described_in.exists() else "default", network="" if moved else Estate(state).network)
    return copy


def states(estate: Estate, *hosts: str) -> list[str]:
    """Of the database, by default on the servers of the first two sites."""
    question = "SELECT state_desc FROM sys.databases WHERE name = %s"
    return [ask(estate, host, question, DATABASE)[0][0] for host in hosts or ("sql-a", "sql-b")]


def fulls(estate: Estate, *hosts: str) -> int:
    """Full backups that were taken, on any of the servers."""
    question = "SELECT backup_set_uuid FROM msdb.dbo.backupset WHERE database_name = %s AND type = 'D'"
    return len({guid for host in hosts or ("sql-a", "sql-b") for (guid,) in ask(estate, host, question, DATABASE)})


def labels(estate: Estate, web: str) -> list[str]:
    return [row["label"] for row in estate.lab.page(host=web).rows]
