"""Recovery sets on a share: written last, chosen by what is there, copied and compared, pruned without cutting anything
off.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.creation import make_set
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.replication import ReplicationRun
from ansible_collections.prs.recovery.plugins.module_utils._winrm.recovery_set.selection import SelectionRun
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Descriptor, Rights

from .windows_twins import ON_SHARE, SHARE_PASSWORD, Twins
from .wire import Wire

HOME, AWAY = "\\\\files\\backup\\prs", "\\\\files\\backup\\away"
ON_DISK = {HOME: "E:\\backup\\prs", AWAY: "E:\\backup\\away"}
BEGIN = dt.datetime(2026, 3, 1, 2, 0, tzinfo=dt.timezone.utc)
NO_PATHS = dict.fromkeys(["sets_path", "application_path", "database_path", "database_user", "database_password"])


class Estate:
    """Sets taken one an hour, of backups that are a few bytes."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.hours = 0

    def file(self, path: str, data: bytes) -> None:
        self.twins.write(path.replace(HOME, ON_DISK[HOME]), data, self.twins.share_host)
        self.age(path)

    def age(self, path: str) -> None:
        """Files are as old as what they stand for."""
        when = (BEGIN + dt.timedelta(hours=self.hours)).timestamp()
        os.utime(self.twins.system(self.twins.share_host).real_path(path.replace(HOME, ON_DISK[HOME])), (when, when))

    def taken(self, kind: str, first: int, last: int, *, base: str = "") -> dict[str, Any]:
        """What sql_backup returns, and its file."""
        path = f"{HOME}\\database\\{kind}{last}.bak"
        self.file(path, f"{kind} {last}".encode())
        finished = (BEGIN + dt.timedelta(hours=self.hours)).isoformat()
        one = {
            "guid": f"{kind}{last}",
            "type": kind,
            "first_lsn": first,
            "last_lsn": last,
            "first_fork": "a",
            "last_fork": "a",
            "started_at": finished,
            "finished_at": finished,
            "differential_base_guid": base,
        }
        return {
            "format": "prs.recovery sql backup 1",
            "database": "PRS",
            "server": "SQL",
            "type": kind,
            "files": [path],
            "sets": [one],
            "verified": True,
            "copy_only": False,
            "size": len(f"{kind} {last}"),
        }

    def archived(self) -> dict[str, Any]:
        path = f"{HOME}\\application\\{self.hours}.zip"
        self.file(path, b"zip")
        self.file(f"{path}.manifest.jsonl", b"{}")
        return {
            "path": path,
            "manifest": f"{path}.manifest.jsonl",
            "sha256": "",
            "bytes": 3,
            "files": 1,
            "created": "x",
            "verified": True,
        }

    def set(
        self,
        backup: dict[str, Any],
        archive: dict[str, Any] | None = None,
        *,
        check_mode: bool = False,
        ahead: dt.timedelta = dt.timedelta(),
        **params: Any,
    ) -> dict[str, Any]:
        """ahead: the control node's clock against the database server's."""
        values = {
            "path": HOME,
            "label": f"h{self.hours}",
            "site": "a",
            "database": backup,
            "application": archive,
            "application_state": "answered",
            "end_other_branches": False,
            "other_places": [],
            "facts": {},
            "retention": None,
        }
        with self.twins.session(check_mode=check_mode) as files:
            made = make_set(
                files, {**values, **NO_PATHS, **ON_SHARE, **params}, now=BEGIN + dt.timedelta(hours=self.hours) + ahead
            )
        if not check_mode:
            self.age(made["manifest"])
        self.hours += 1
        return made

    def choose(self, **params: Any) -> dict[str, Any]:
        values = {
            "path": HOME,
            "label": None,
            "until": None,
            "all": False,
            "optional": False,
            "other_folders": [],
            "choose": True,
        }
        with self.twins.session() as files:
            return SelectionRun(files, {**values, **NO_PATHS, **ON_SHARE, **params}).run()

    def copy(self, *, check_mode: bool = False, ahead: dt.timedelta = dt.timedelta(), **params: Any) -> dict[str, Any]:
        values = {"path": HOME, "to": {"path": AWAY, **NO_PATHS, **ON_SHARE}, "retention": None}
        with self.twins.session(check_mode=check_mode) as files:
            return ReplicationRun(
                files, {**values, **NO_PATHS, **ON_SHARE, **params}, now=BEGIN + dt.timedelta(hours=self.hours) + ahead
            ).run()

    def tree(self, place: str = HOME) -> dict[str, bytes]:
        return self.twins.tree(ON_DISK[place], self.twins.share_host)

    def night(self) -> None:
        """A full backup, a log, a differential, a log."""
        self.set(self.taken("full", 100, 110), self.archived())
        self.set(self.taken("log", 105, 150))
        self.set(self.taken("differential", 140, 160, base="full110"), self.archived())
        self.set(self.taken("log", 150, 200))


@pytest.fixture
def estate(twins: Twins) -> Estate:
    return Estate(twins)


def names(paths: list[str]) -> list[str]:
    return [path.rpartition("\\")[2] for path in paths]


def test_a_log_backup_makes_a_set_that_is_restored_by_what_it_names(estate: Estate):
    estate.night()
    chosen = estate.choose()["chosen"]
    assert chosen["label"] == "h3" and chosen["healthy"]
    assert names(chosen["files"]) == ["full110.bak", "differential160.bak", "log200.bak"]
    assert names([chosen["archive"]]) == ["2.zip"]


def test_how_often_a_log_backups_set_and_a_choice_ask(estate: Estate, wire: Wire):
    """Two envelopes for each question or step, four for the session. The one is made every 15 minutes, the other is asked
    of each server by every rebuild.
    """
    estate.night()
    backup, before = estate.taken("log", 200, 250), wire.envelopes
    estate.set(backup)
    made = wire.envelopes
    assert estate.choose()["chosen"]["label"] == "h4"
    spent = {"set": made - before, "choice": wire.envelopes - made}
    assert spent["set"] <= 12 and spent["choice"] <= 12, (
        f"{spent}: lower the costs again, or raise the limit and say why"
    )


def test_check_mode_writes_nothing(estate: Estate):
    backup, archive = estate.taken("full", 1, 2), estate.archived()
    before = estate.tree()
    assert estate.set(backup, archive, check_mode=True)["set"]["healthy"]
    assert estate.tree() == before


def test_no_set_is_written_of_what_is_not_there(estate: Estate):
    backup, archive = estate.taken("full", 1, 2), estate.archived()
    estate.twins.system(estate.twins.share_host).remove(backup["files"][0].replace(HOME, ON_DISK[HOME]))
    with pytest.raises(RecoveryError, match=r"full2\.bak is not there"):
        estate.set(backup, archive)
    assert not [name for name in estate.tree() if name.startswith("sets/")]


def test_a_label_is_used_once(estate: Estate):
    estate.set(estate.taken("full", 1, 2), estate.archived(), label="Before the upgrade")
    with pytest.raises(RecoveryError, match="already"):
        estate.set(estate.taken("full", 3, 4), estate.archived(), label="before the UPGRADE")


def test_a_log_backup_before_any_set_has_no_archive_to_belong_to(estate: Estate):
    with pytest.raises(RecoveryError, match="Take a full backup first"):
        estate.set(estate.taken("log", 1, 2))


def test_what_a_failed_run_left_beside_its_files_closes_the_gap(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    orphan = estate.taken("log", 105, 150)
    estate.file(f"{orphan['files'][0]}.manifest.json", json.dumps(orphan).encode())
    made = estate.set(estate.taken("log", 150, 160))["set"]
    assert made["healthy"]
    assert [link["set_guid"] for link in made["database"]["chain"]] == ["full110", "log150", "log160"]


def test_a_gap_that_nothing_closes_makes_a_set_that_is_passed_over(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    assert not estate.set(estate.taken("log", 300, 310))["set"]["healthy"]
    found = estate.choose()["chosen"]
    assert found["label"] == "h0" and "h1" in found["notes"][0]


def test_a_set_whose_file_is_gone_is_passed_over_and_named(estate: Estate):
    estate.night()
    estate.twins.system(estate.twins.share_host).remove(f"{ON_DISK[HOME]}\\database\\log200.bak")
    found = estate.choose()["chosen"]
    assert found["label"] == "h2" and "log200.bak is missing" in found["notes"][0]
    with pytest.raises(RecoveryError, match=r"log200.bak, which the recovery set h3 needs, is not there"):
        estate.choose(label="H3")


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("database\\log200.bak", b"log", "log200.bak is cut off, 3 bytes of 7 bytes"),
        ("application\\2.zip", b"zipped", "2.zip has 6 bytes, and its manifest says 3 bytes"),
    ],
)
def test_a_set_whose_file_is_not_what_its_manifest_says_is_passed_over(
    estate: Estate, file: str, data: bytes, said: str
):
    """A copy that broke off, or a file that somebody put in its place."""
    estate.night()
    estate.twins.write(f"{ON_DISK[HOME]}\\{file}", data, estate.twins.share_host)
    chosen = estate.choose()["chosen"]
    assert chosen["label"] != "h3" and said in chosen["notes"][0]
    with pytest.raises(RecoveryError, match=f"which the recovery set h3 needs, {said.partition(' ')[2]}"):
        estate.choose(label="h3")


def test_nothing_left_of_any_set_is_an_error(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.twins.system(estate.twins.share_host).remove(f"{ON_DISK[HOME]}\\database\\full110.bak")
    with pytest.raises(RecoveryError, match=r"full110\.bak"):
        estate.choose()


def test_no_set_at_all_is_an_error_unless_that_is_expected(estate: Estate):
    assert estate.choose(optional=True)["chosen"] == {}
    with pytest.raises(RecoveryError, match="no recovery set"):
        estate.choose()


def test_newer_backups_that_belong_to_no_set_are_told(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.taken("full", 200, 210)
    assert names(estate.choose()["newer_files"]) == ["full210.bak"]


def test_leases_beside_the_backups_are_told(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    assert estate.choose()["leases"] == []
    estate.file(f"{HOME}\\database\\PasswordResetServer.LEASE.json", b"of whoever")
    assert names(estate.choose()["leases"]) == ["PasswordResetServer.LEASE.json"]


def test_without_a_set_nobody_looks_for_leases(estate: Estate):
    assert estate.choose(optional=True)["leases"] is None


def test_a_damaged_manifest_is_no_set(estate: Estate):
    estate.night()
    estate.file(f"{HOME}\\sets\\h3.json", b'{"format": "prs.recovery set 2"')
    found = estate.choose()
    assert found["chosen"]["label"] == "h2"
    assert [one["label"] for one in found["unusable"]] == ["h3"]
    assert "newer, but not taken because its manifest cannot be used: h3" in found["chosen"]["notes"][0]


def test_retention_takes_the_manifest_and_what_only_that_set_needs(estate: Estate):
    estate.night()
    removed = estate.set(estate.taken("full", 300, 310), estate.archived(), retention={"last": 1})
    assert removed["removed"] == ["h0", "h1", "h2", "h3"]
    assert sorted(estate.tree()) == [
        "application/4.zip",
        "application/4.zip.manifest.jsonl",
        "database/full310.bak",
        "sets/h4.json",
    ]


def test_retention_takes_what_failed_runs_left_too(estate: Estate):
    """Not what somebody took for himself (copy-only, or no manifest beside it), and not what a set that stays may yet
    be continued by.
    """

    def half(kind: str, first: int, last: int, **more: Any) -> None:
        backup = {**estate.taken(kind, first, last), **more}
        estate.file(f"{backup['files'][0]}.manifest.json", json.dumps(backup).encode())

    half("full", 1, 5)
    half("full", 1, 6, copy_only=True)
    estate.taken("full", 1, 7)
    estate.hours += 1
    estate.night()
    half("log", 200, 210)
    removed = estate.set(estate.taken("full", 300, 310), estate.archived(), retention={"last": 2})
    assert removed["removed"] == [] and names(removed["removed_files"]) == ["full5.bak", "full5.bak.manifest.json"]
    removed = estate.set(estate.taken("full", 400, 410), estate.archived(), retention={"last": 1})
    left = {name.removeprefix("database/") for name in estate.tree() if name.startswith("database/")}
    assert left == {"full6.bak", "full6.bak.manifest.json", "full7.bak", "full410.bak"}


def test_what_failed_runs_left_stays_while_a_set_cannot_be_read(estate: Estate):
    backup = estate.taken("full", 1, 5)
    estate.file(f"{backup['files'][0]}.manifest.json", json.dumps(backup).encode())
    estate.hours += 1
    estate.file(f"{HOME}\\sets\\strange.json", b"{")
    removed = estate.set(estate.taken("full", 300, 310), estate.archived(), retention={"last": 1})
    assert removed["removed_files"] == [] and "database/full5.bak" in estate.tree()


def test_nothing_goes_while_a_manifest_cannot_be_opened(estate: Estate):
    """A virus scanner has it: its set may need what no other does."""
    estate.set(estate.taken("full", 1, 2), estate.archived())
    estate.copy()
    estate.night()
    estate.copy()
    drives = estate.twins.share_host.drives
    for place, act in ((HOME, estate.set), (AWAY, estate.copy)):
        held = f"{ON_DISK[place]}\\sets\\h4.json"
        drives.hold(held, "a scanner")
        backup = [estate.taken("full", 300, 310), estate.archived()] if place == HOME else []
        assert act(*backup, retention={"last": 1})["removed"] == []
        drives.release(held, "a scanner")
        assert {"sets/h0.json", "database/full2.bak", "sets/h5.json"} <= estate.tree(place).keys()


@pytest.mark.parametrize(
    "strange",
    ["E:\\backup\\precious.txt", f"{HOME}\\database\\..\\..\\precious.txt", "\\\\files\\backup\\precious.txt"],
)
def test_a_manifest_that_names_somebody_elses_file_takes_nothing_along(estate: Estate, strange: str):
    estate.set(estate.taken("full", 1, 2), estate.archived())
    estate.twins.write("E:\\backup\\precious.txt", b"x", estate.twins.share_host)
    manifest = json.loads(estate.tree()["sets/h0.json"])
    manifest["database"]["chain"][0]["files"].append(strange)
    manifest["application"]["manifest"] = strange
    estate.file(f"{HOME}\\sets\\h0.json", json.dumps(manifest).encode())
    removed = estate.set(estate.taken("full", 3, 4), estate.archived(), retention={"last": 1})
    assert removed["removed"] == ["h0"] and names(removed["removed_files"]) == ["0.zip", "full2.bak"]
    assert "precious.txt" in estate.twins.tree("E:\\backup", estate.twins.share_host)


def test_a_manifest_under_another_name_is_no_set(estate: Estate):
    """Its label would lead to another file, or out of the folder."""
    estate.night()
    manifest = json.loads(estate.tree()["sets/h3.json"])
    estate.file(f"{HOME}\\sets\\h3.json", json.dumps({**manifest, "label": "..\\h0"}).encode())
    found = estate.choose()
    assert found["chosen"]["label"] == "h2" and found["unusable"][0]["label"] == "h3"


def test_a_log_backup_tells_the_facts_of_the_set_before(estate: Estate):
    facts = {"logins": [{"name": "prs_app"}]}
    estate.set(estate.taken("full", 100, 110), estate.archived(), facts=facts)
    assert estate.set(estate.taken("log", 100, 150))["set"]["logins"] == facts["logins"]


def test_a_control_node_whose_clock_is_wrong_removes_nothing_too_early(estate: Estate):
    """Ages are counted on the database server's clock; the other one may only make it less."""
    estate.night()
    for ahead in (-dt.timedelta(days=400), dt.timedelta(days=400)):
        made = estate.set(
            estate.taken("full", 300, 300 + estate.hours), estate.archived(), ahead=ahead, retention={"age": 1}
        )
        assert made["removed"] == [] and made["set"]["taken_at"] == made["set"]["database"]["finished_at"].replace(
            "+00:00", "Z"
        )
        assert estate.copy(ahead=ahead, retention={"age": 1})["removed"] == []
    estate.hours = 100
    removed = estate.set(
        estate.taken("full", 400, 410), estate.archived(), ahead=dt.timedelta(days=400), retention={"age": 1}
    )
    assert removed["removed"] == [
        "h0",
        "h1",
        "h2",
        "h3",
        "h4",
    ]  # what the server's own clock calls old goes all the same


def test_a_log_backup_reads_the_newest_set_alone(estate: Estate):
    estate.night()
    begin = len(estate.twins.scripts())
    estate.set(estate.taken("log", 200, 250))
    assert estate.twins.scripts()[begin:].count("read_ranges") == 1, "the first round is the newest alone"


def test_retention_keeps_the_last_healthy_set_whole(estate: Estate):
    estate.night()
    removed = estate.set(
        estate.taken("full", 300, 310), estate.archived(), application_state="broken", retention={"last": 1}
    )
    assert removed["removed"] == ["h0", "h1", "h2"]
    assert estate.choose()["chosen"]["label"] == "h3"
    assert names(removed["removed_files"]) == ["0.zip", "0.zip.manifest.jsonl", "log150.bak"]


def test_a_copy_is_a_set_of_its_own(estate: Estate):
    estate.night()
    copied = estate.copy()
    assert copied["copied"] == ["h3"]  # the newest healthy one first of all: it brings what it needs
    chosen = estate.choose(path=AWAY)["chosen"]
    assert all(path.startswith(AWAY) for path in [*chosen["files"], chosen["archive"]])
    assert estate.tree(AWAY)["database/full110.bak"] == b"full 110"


def test_the_next_copy_brings_what_is_new_and_then_nothing(estate: Estate):
    estate.night()
    estate.copy()
    estate.set(estate.taken("log", 200, 250))
    estate.set(estate.taken("log", 250, 260))
    copied = estate.copy()
    assert copied["copied"] == ["h4", "h5"]
    assert names(copied["copied_files"]) == ["log250.bak", "log260.bak"]
    before = estate.tree(AWAY)
    assert not estate.copy()["changed"]
    assert estate.tree(AWAY) == before


def test_a_manifest_that_was_written_anew_hides_no_newer_set(estate: Estate):
    estate.night()
    estate.copy()
    estate.set(estate.taken("log", 200, 250))
    estate.set(estate.taken("log", 250, 260))
    estate.age(f"{HOME}\\sets\\h3.json")  # now the newest file, of the newest set that both have
    assert estate.copy()["copied"] == ["h4", "h5"]


def test_the_first_copy_is_of_the_newest_set_though_another_manifest_is_newer(estate: Estate):
    estate.night()
    estate.age(f"{HOME}\\sets\\h0.json")
    assert estate.copy()["copied"] == ["h3"]


@pytest.mark.parametrize(
    "strange", ["C:\\Windows\\win.ini", "\\\\elsewhere\\share\\x.bak", f"{HOME}\\database\\..\\..\\precious.txt"]
)
@pytest.mark.parametrize("part", ["database", "application"])
def test_no_copy_carries_away_what_is_not_of_its_place(estate: Estate, strange: str, part: str):
    estate.set(estate.taken("full", 1, 2), estate.archived())
    estate.set(estate.taken("full", 3, 4), estate.archived())
    manifest = json.loads(estate.tree()["sets/h1.json"])
    if part == "database":
        manifest["database"]["chain"][0]["files"].append(strange)
    else:
        manifest["application"]["archive"] = strange
    estate.file(f"{HOME}\\sets\\h1.json", json.dumps(manifest).encode())
    assert estate.copy()["copied"] == ["h0"]
    assert not [name for name in estate.tree(AWAY) if name.endswith(("win.ini", "x.bak", "precious.txt", "h1.json"))]


def move(estate: Estate, source: str, target: str) -> None:
    """What an administrator does, on the file server itself."""
    for name, data in estate.tree(source).items():
        estate.twins.write(f"{ON_DISK[target]}\\{name}".replace("/", "\\"), data, estate.twins.share_host)
    estate.twins.system(estate.twins.share_host).remove_tree(ON_DISK[source])


def test_sets_of_a_folder_that_was_moved_are_restored_from_where_they_are(estate: Estate):
    estate.night()
    move(estate, HOME, AWAY)
    for asked in ({}, {"label": "h3"}, {"until": (BEGIN + dt.timedelta(hours=1)).isoformat()}):
        chosen = estate.choose(path=AWAY, **asked)["chosen"]
        assert all(path.startswith(AWAY) for path in [*chosen["files"], chosen["archive"]])
    assert f"{HOME}\\database\\" in estate.choose(path=AWAY, label="h3")["chosen"]["notes"][-1]


def test_a_named_set_is_chosen_while_all_are_read(estate: Estate):
    estate.night()
    found = estate.choose(label="h1", all=True)
    assert found["chosen"]["label"] == "h1" and "copy_of" not in found["chosen"]["manifest"]
    assert {one["label"] for one in found["sets"]} == {"h0", "h1", "h2", "h3"}


def test_a_chain_over_an_earlier_folder_is_restored(estate: Estate):
    """prs_backup_database_path was changed, and the full backup stayed where it was."""
    estate.set(estate.taken("full", 100, 110), estate.archived())
    later = f"{HOME}\\later"
    log = estate.taken("log", 105, 150)
    estate.file(f"{later}\\log150.bak", b"log 150")
    made = estate.set({**log, "files": [f"{later}\\log150.bak"]}, database_path=later)["set"]
    chosen = estate.choose(database_path=later)["chosen"]
    assert made["healthy"] and chosen["files"] == [f"{HOME}\\database\\full110.bak", f"{later}\\log150.bak"]


@pytest.mark.parametrize(
    "strange",
    [
        r"\\elsewhere\share\strange.bak",
        "//elsewhere/share/strange.bak",
        r"\\?\UNC\elsewhere\share\strange.bak",
        r"\\files@8080\backup\prs\strange.bak",
    ],
)
@pytest.mark.parametrize("part", ["database", "application"])
def test_no_manifest_leads_a_restore_to_another_server(estate: Estate, part: str, strange: str):
    """Whoever is asked there gets to see the account's password, or what is made of it."""
    estate.set(estate.taken("full", 1, 2), estate.archived())
    estate.set(estate.taken("full", 3, 4), estate.archived())
    manifest = json.loads(estate.tree()["sets/h1.json"])
    if part == "database":
        manifest["database"]["chain"][0]["files"] = [strange]
    else:
        manifest["application"]["archive"] = strange
    estate.file(f"{HOME}\\sets\\h1.json", json.dumps(manifest).encode())
    found = estate.choose()["chosen"]
    assert found["label"] == "h0" and f"{HOME}\\{part}\\strange.bak is missing" in found["notes"][0]
    with pytest.raises(RecoveryError, match=r"Bring it there, or choose another set") as refused:
        estate.choose(label="h1")
    assert strange in str(refused.value)


def test_no_set_goes_on_with_another_server_s_archive(estate: Estate):
    """The archive of the set before it, say, which a log backup goes on with."""
    estate.set(estate.taken("full", 1, 2), estate.archived())
    manifest = json.loads(estate.tree()["sets/h0.json"])
    manifest["application"]["archive"] = r"\\elsewhere\share\a.zip"
    estate.file(f"{HOME}\\sets\\h0.json", json.dumps(manifest).encode())
    with pytest.raises(RecoveryError, match=r"lies on another server than the sets.*Take a full backup"):
        estate.set(estate.taken("log", 1, 3))


@pytest.mark.parametrize(
    "damage",
    [
        {"application": None},
        {"application": {"archive": None, "manifest": "x"}},
        {"database": {"files": [5]}},
        {"database": {"sha256": ["x"]}},
        {"database": {"chain": [5]}},
        {"database": {"manifest_beside": 5}},
    ],
)
def test_a_manifest_of_which_a_part_is_wrong_is_passed_over(estate: Estate, damage: dict[str, Any]):
    estate.set(estate.taken("full", 1, 2), estate.archived())
    estate.set(estate.taken("full", 3, 4), estate.archived())
    manifest = json.loads(estate.tree()["sets/h1.json"])
    for part, values in damage.items():
        manifest[part] = {**manifest[part], **values} if part == "database" else values
    estate.file(f"{HOME}\\sets\\h1.json", json.dumps(manifest).encode())
    found = estate.choose(all=True)
    assert found["chosen"]["label"] == "h0" and [one["label"] for one in found["unusable"]] == ["h1"]


def test_a_copy_in_check_mode_copies_nothing(estate: Estate):
    estate.night()
    assert estate.copy(check_mode=True)["copied"] == ["h3"]
    assert estate.tree(AWAY) == {}


def test_what_became_another_file_on_its_way_is_no_copy(estate: Estate):
    """The hash is that of the moment at which the backup was written, so a disk that rots at the source is seen as
    well.
    """
    backup = estate.taken("full", 100, 110)
    backup["sha256"] = {backup["files"][0]: "0" * 64}
    estate.set(backup, estate.archived())
    with pytest.raises(RecoveryError, match="SHA-256"):
        estate.copy()
    assert not [name for name in estate.tree(AWAY) if name.endswith((".bak", ".partial", ".json"))]


def test_half_a_file_of_an_interrupted_copy_is_replaced(estate: Estate):
    estate.set(estate.taken("full", 100, 110), estate.archived())
    estate.twins.write(f"{ON_DISK[AWAY]}\\database\\full110.bak", b"ful", estate.twins.share_host)
    estate.copy()
    assert estate.tree(AWAY)["database/full110.bak"] == b"full 110"


def test_retention_of_the_other_place_is_its_own(estate: Estate):
    estate.night()
    estate.copy()
    estate.set(estate.taken("full", 300, 310), estate.archived())
    copied = estate.copy(retention={"last": 1})
    assert copied["removed"] == ["h3"]
    assert "sets/h3.json" in estate.tree() and "sets/h3.json" not in estate.tree(AWAY)


def test_a_copy_on_the_same_file_server_needs_the_same_account(estate: Estate):
    """Windows reads and writes there under one name at a time (error 1219)."""
    to = {"path": AWAY, **NO_PATHS, **ON_SHARE}
    with pytest.raises(RecoveryError, match=r"svc-reader .*svc-backup.*one account at a time.*database_user"):
        estate.copy(database_user="PRSLAB\\svc-reader", database_password=SHARE_PASSWORD, to=to)
    with pytest.raises(RecoveryError, match=r"svc-backup .*svc-reader.*one account at a time.*share_user"):
        estate.copy(to={**to, "share_user": "PRSLAB\\svc-reader", "database_user": "svc-backup@prslab.test"})


def test_a_copy_onto_itself_is_refused(estate: Estate):
    with pytest.raises(RecoveryError, match="Name another place"):
        estate.copy(to={"path": HOME, **NO_PATHS, **ON_SHARE})


def test_keys_and_database_under_different_rights(estate: Estate):
    """One file server, two accounts: Windows allows one at a time, and each may see its own folder alone."""
    twins = estate.twins
    estate.night()
    reader = twins.domain.lookup("svc-reader")
    for folder, account in (("database", reader), ("sets", None), ("application", None)):
        path = f"{ON_DISK[HOME]}\\{folder}"
        _restrict(twins, path, account)
    with pytest.raises(RecoveryError, match="denied"):
        estate.choose()
    chosen = estate.choose(database_user="PRSLAB\\svc-reader", database_password=SHARE_PASSWORD)["chosen"]
    assert chosen["label"] == "h3"


def _restrict(twins: Twins, path: str, account: str | None) -> None:
    """Only administrators and one account: svc-backup, unless another is named."""
    entries = [
        Ace(sid="S-1-5-32-544", mask=Rights.FULL, inheritance=CONTAINER | OBJECT),
        Ace(sid=account or twins.domain.lookup("svc-backup"), mask=Rights.MODIFY, inheritance=CONTAINER | OBJECT),
    ]
    twins.share_host.drives.set_descriptor(path, Descriptor(entries=entries, protected=True))
