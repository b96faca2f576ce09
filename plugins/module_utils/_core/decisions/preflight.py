# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role preflight looks at, and the order in which it tells what it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..preflight.data_files import folders_to_look_into
from ..preflight.wreck import sites_at_hand, whole_wreck
from ..run_report.journal import Journal, PastRun, read_journals
from ..text import age
from ..windows_paths import is_full_path
from .looks import answer

__all__ = [
    "application_parts", "certificates", "certificates_to_open", "copies", "data_file_folders", "database_replace",
    "foresees_application", "journal", "key_readers", "leaves_database", "likely_key_readers", "needed_secrets",
    "needs_lease", "no_road", "ordered_problems", "parts", "paths", "sayings", "seen", "wreck",
]  # fmt: skip

Facts = Mapping[str, Any]

_WITHOUT_PASSWORD = {"kerberos", "certificate"}
"""Ways to log on with a ticket or a certificate that is there already."""
NOT_NEEDED = "none"
"""In the place of a secret that nobody asks for."""
OF_THE_CONTROL_NODE = "control node: "
_TOLD_RUNS = 3
_NOTHING = "nothing"
_KEY_OF_SQL_SERVER = "exchange"
_ATTACH = "attach"
"""The road on which surviving data files become the database, and the application stays or comes from an archive."""


def parts(facts: Facts) -> list[str]:
    """What a server is to become: C(web), C(sql) or both. facts: groups. A witness is an instance of SQL Server too."""
    groups = {"web": {"prs_web"}, "sql": {"prs_sql", "prs_witness"}}
    return [part for part, names in groups.items() if names.intersection(facts["groups"])]


def needed_secrets(facts: Facts) -> dict[str, Any]:
    """The secrets by their variables; those that this inventory does not need, or that may be empty, count as set.

    facts: secrets; texts: others that have to be texts and may be empty; ha: prs_ha; authentication:
    prs_mirror_authentication; connection, transport, auth, user: ansible_connection, ansible_winrm_transport,
    ansible_psrp_auth and ansible_user, each empty where it is not set.
    """
    by_certificate = facts["ha"] == "mirror" and facts["authentication"] == "certificates"
    not_needed = {
        "prs_sql_master_key_password": not by_certificate,
        "ansible_password": not _WITHOUT_PASSWORD.isdisjoint(_transports(facts)),
    }
    texts = {name: value or NOT_NEEDED for name, value in facts["texts"].items()}
    secrets = {name: NOT_NEEDED if not_needed.get(name) else value for name, value in facts["secrets"].items()}
    return {**secrets, **texts}


def _transports(facts: Facts) -> list[str]:
    """How the connection to Windows logs on: the words that winrm and psrp share."""
    if facts["connection"].rpartition(".")[2] == "psrp":
        return [facts["auth"]]
    named = facts["transport"]
    if named:
        return [name.strip() for name in (named.split(",") if isinstance(named, str) else named)]
    return ["kerberos"] if "@" in facts["user"] else []


def paths(facts: Facts) -> list[str]:
    """What the account of the share must be able to read on this server.

    facts: parts; setup: of SQL Server, and updates: a folder, empty, or what else setup takes there; installed: whether
    the instance is there; package: of the application, with need_package; web_config.
    """
    installs_sql = "sql" in facts["parts"] and not facts["installed"]
    wanted = (
        (facts["setup"], installs_sql),
        (facts["updates"], installs_sql and is_full_path(facts["updates"])),
        (facts["package"], "web" in facts["parts"] and facts["need_package"]),
        (facts["web_config"], "web" in facts["parts"]),
    )
    return [path for path, needed in wanted if needed]


def seen(facts: Facts) -> dict[str, Any]:
    """What the roles that set up a server need not look at once more in this run: C(windows) and C(instance), the
    answers of inspect_server.ps1 and inspect_sql_instance.ps1, empty where there is none, C(site_certificate), the
    thumbprint of the site's where it lies in the machine's store, C(sql_certificate), that of SQL Server's there with
    the accounts that read its key (thumbprint, readers), and C(sysadmin), the login that logged in and is one, empty
    where none did.

    facts: windows, instance: the tasks' results; certificates: those of a loop over items with part; answers: of
    sql_info, which logged in as login.
    """
    of_site, of_sql = (_certificate_in_place(facts["certificates"], part) for part in ("web", "sql"))
    usable = of_sql.get("key") == _KEY_OF_SQL_SERVER
    return {
        "windows": _answer(facts["windows"]),
        "instance": _answer(facts["instance"]),
        "site_certificate": of_site.get("thumbprint", ""),
        "sql_certificate": {name: of_sql[name] for name in ("thumbprint", "readers")} if usable else {},
        "sysadmin": facts["login"] if (facts["answers"].get("server") or {}).get("sysadmin") else "",
    }


def _certificate_in_place(certificates: list[Facts], part: str) -> Facts:
    answers = [_answer(entry) for entry in certificates if entry["item"]["part"] == part]
    return next((answer for answer in answers if answer and not answer["imported"]), {})


def certificates(facts: Facts) -> list[dict[str, Any]]:
    """What came of the looks at the certificates, one for each part of a server, with what is wanted of it as item.
    facts: parts: of the server; pfx: what is wanted, by part; there: whether there is a PFX file, by part; store, task:
    results of the tasks that looked for what is in it in the machine's store, and into it; their looks are called as
    the parts.
    """
    return [
        {**_look_at_certificate(facts, wanted["part"]), "item": wanted}
        for wanted in facts["pfx"]
        if wanted["part"] in facts["parts"]
    ]


def certificates_to_open(facts: Facts) -> dict[str, bool]:
    """Of which part's PFX only the server itself can say what is in it: not of one whose certificate lies in its store,
    where SQL Server has a key that it takes. facts: there, store: as C(certificates) wants them.
    """
    return {part: there and not _stored(facts, part) for part, there in facts["there"].items()}


def _look_at_certificate(facts: Facts, part: str) -> Facts:
    if not facts["there"][part]:
        return answer({"name": part, "task": {}})
    return _stored(facts, part) or answer({"name": part, "task": facts["task"]})


def _stored(facts: Facts, part: str) -> Facts:
    """The look at the store, where it found the certificate; of another kind of key the PFX is to tell more."""
    look = answer({"name": part, "task": facts["store"]})
    stored = _answer(look)
    usable = stored and (part != "sql" or stored["key"] == _KEY_OF_SQL_SERVER)
    return look if usable else {}


def key_readers(facts: Facts) -> list[str]:
    """Accounts that must read the private key of SQL Server's certificate. facts: installed: whether the instance is
    there; service: its name; account: that the service is to have, empty for its own.
    """
    return [facts["account"] or f"NT SERVICE\\{facts['service']}"] if facts["installed"] else []


def likely_key_readers(facts: Facts) -> list[str]:
    """The same where nobody has looked at the instance yet. facts: instance: its name; account: as for
    C(key_readers).
    """
    named = facts["instance"]
    service = named if named.upper() == "MSSQLSERVER" else f"MSSQL${named}"
    return key_readers({"installed": True, "service": service, "account": facts["account"]})


def _answer(result: Facts) -> Facts:
    return {} if result.get("failed") or result.get("unreachable") else result.get("result") or {}


def foresees_application(facts: Facts) -> bool:
    """Whether it is looked at beforehand what would stop the restore of the application: where something of the
    database is done first. facts: road, empty where none was told; wreck: what this host says of itself; archives: that
    were found.
    """
    there = (facts["wreck"].get("application") or {}).get("state") in ("running", "stopped")
    return there and facts["road"] not in (_NOTHING, "mend_application") and bool(application_parts(facts))


def database_replace(facts: Facts) -> str:
    """What the restore of the database may overwrite on the road that was told. facts: road, empty where none was told;
    replace: what it may otherwise.

    By a road that loses nothing of the database it is not restored over: what shows only later, as when SQL Server is
    started, is told by the next run.
    """
    return "never" if facts["road"] in (_NOTHING, "start", "mend_application") else facts["replace"]


def needs_lease(facts: Facts) -> bool:
    """Whether a rebuild keeps others from the database. Not where it leaves that as it is, and nobody else is at work.
    facts: road, empty where none was told; leases: files beside the backups, no list where nobody looked; take_over.
    """
    return facts["road"] != _NOTHING or facts["leases"] != [] or facts["take_over"]


def leaves_database(facts: Facts) -> bool:
    """Whether the database need not be looked at again before its login is. facts: road, empty where none was told."""
    return facts["road"] == _NOTHING


def data_file_folders(facts: Facts) -> list[str]:
    """Where data files of a lost database are looked for, empty where it is not lost. facts: as
    C(folders_to_look_into) wants them.
    """
    return folders_to_look_into(facts)


def application_parts(facts: Facts) -> list[str]:
    """Whether the application is brought back, or mended, from its archive. facts: road; archives: that were found.

    Where data files are attached there may be none, and the application that is there stays as it is.
    """
    return [] if facts["road"] == _ATTACH and not facts["archives"] else ["application"]


def ordered_problems(facts: Facts) -> list[str]:
    """All problems, each once, those of the control node first: others may only follow from them.

    facts: problems: of all hosts; of_backups: those of them that are none where nothing is restored from backups; road:
    that is gone, empty where none is; roads: all that were weighed, which say the same of backups in their place.
    """
    attaches = facts["road"] == _ATTACH or (not facts["road"] and _ATTACH in facts["roads"])
    problems = {problem: None for problem in facts["problems"] if not attaches or problem not in facts["of_backups"]}
    return sorted(problems, key=lambda sentence: not sentence.startswith(OF_THE_CONTROL_NODE))


def wreck(facts: Facts) -> dict[str, Any]:
    """What all hosts say of the estate. facts: site; parts: what each of them says; answering: servers of other sites
    that were asked and answered; groups: of the inventory; copies: of the sets, as C(copies) returns them.
    """
    others = sites_at_hand(facts["groups"], facts["site"], facts["answering"])
    return whole_wreck(facts["site"], facts["parts"], others, facts["copies"])


def copies(facts: Facts) -> list[dict[str, Any]]:
    """What could be restored from other places. facts: paths: of the places; results: of recovery_set_info, in their
    order. A place that cannot be read, or has no set, has nothing to restore.
    """
    seen = zip(facts["paths"], facts["results"], strict=True)
    return [
        {
            "place": path,
            "name": result["chosen"]["label"],
            "point": result["chosen"]["recovery_point"] or None,
            "archive": result["chosen"]["archive"],
        }
        for path, result in seen
        if result.get("chosen")
    ]


def sayings(facts: Facts) -> list[str]:
    """What is said before anything is touched: the roads and who went them before, and where nothing stands in the way,
    what will be done.

    facts: roads: sentences of recovery_plan; plans: of the hosts; problems; and as C(journal) wants them.
    """
    seen = _journals(facts)
    damaged = [f"NOTE: {what}, and that does not count for the estimates. Remove it" for what in seen.damaged]
    runs = [_told_run(run) for run in reversed(seen.runs[-_TOLD_RUNS:])]
    return [*facts["roads"], *runs, *damaged, *([] if facts["problems"] else facts["plans"])]


def journal(facts: Facts) -> list[dict[str, Any]]:
    """What phases of earlier runs took, oldest first. facts: journals: files that were read {path, text, error};
    own_journals: the same of the control node; groups: of the inventory.
    """
    return _journals(facts).entries


def _journals(facts: Facts) -> Journal:
    servers = {host for hosts in facts["groups"].values() for host in hosts}
    return read_journals(facts["journals"], facts["own_journals"], servers=servers)


def _told_run(run: PastRun) -> str:
    by = f" by {run.by}" if run.by else ""
    of = f" of {run.site}" if run.site else ""
    return (
        f"EARLIER RUN: {run.playbook or 'a run'}{of}{by}, begun at {run.begun}, {run.outcome} after {age(run.seconds)}"
    )


def no_road(facts: Facts) -> str:
    """Why a rebuild ends after its preflight, '' where it goes on. facts: asked: the road that somebody named; problem,
    road and command of recovery_plan, which says nothing where not everything was seen.
    """
    if "problem" not in facts:
        return facts["asked"] and (
            f"prs_road={facts['asked']} cannot be followed: the roads are known only where both servers of the site "
            "are in the run and SQL Server lets us in."
        )
    if facts["problem"]:
        return facts["problem"].rstrip(".") + "."
    if facts["command"] in ("", "rebuild_prs"):
        return ""
    return f"The road {facts['road']} is gone by another playbook: ansible-playbook prs.recovery.{facts['command']}."
