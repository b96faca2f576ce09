from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import BackupCatalog
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import Mark
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import sources as module
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.options import RestoreSource
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.sources import BackupSources

SERVER = {"name": "SQL01", "version": "15.0.2000.5"}


def backup_set(guid, *, utc_offset=0, server="SQL01", database="PRS"):
    return SimpleNamespace(guid=guid, utc_offset=utc_offset, server=server, database=database)


def plan(*guids):
    steps = [
        SimpleNamespace(guid=guid, kind="log", copies=[SimpleNamespace(stripes=(f"D:\\{guid}.trn",))]) for guid in guids
    ]
    return SimpleNamespace(steps=[*steps, SimpleNamespace(guid="", kind="", copies=())])


@pytest.fixture
def sources(make_session, make_options, monkeypatch):
    def make(*sets, remembered=(), history=(), kind="latest", **options):
        def read_catalog(_session, **how):
            made.read_as.append(how)
            known = frozenset(remembered if how["trust"] and how["server"] else ())
            return BackupCatalog(sets=list(sets)), known

        monkeypatch.setattr(module, "read_catalog", read_catalog)
        monkeypatch.setattr(module, "read_history", lambda _connection, database: BackupCatalog(sets=list(history)))
        monkeypatch.setattr(module, "merge", lambda *all_: BackupCatalog(sets=[s for c in all_ for s in c.sets]))
        made = BackupSources(make_session(), make_options(**options), server=SERVER, kind=kind, zone=None)
        made.read_as = []
        return made

    return make


def test_the_cache_of_headers_is_that_of_this_server(sources):
    made = sources(backup_set("a"))
    made.read(trust=True)
    assert made.read_as[0]["server"] == "SQL01 15.0.2000.5" and made.read_as[0]["folders"] == ("D:\\Backup",)


@pytest.mark.parametrize("options", [{"cache_headers": False}, {}])
def test_headers_of_staged_copies_are_not_kept(sources, options):
    made = sources(backup_set("a"), **options)
    if not options:
        made.move_to("S:\\stage")
        assert made.source.folders == ("S:\\stage",)
    made.read(trust=True)
    assert made.read_as[0]["server"] == ""


def test_what_only_msdb_knows_is_doubtful(sources):
    source = RestoreSource(folders=("D:\\",), history=True)
    made = sources(backup_set("a"), history=[backup_set("a"), backup_set("b")], source=source)
    made.read(trust=True)
    assert [known.guid for known in made.catalog.sets] == ["a", "b"] and made.doubtful == {"b"}


@pytest.mark.parametrize(
    ("kind", "offset", "asked"), [("time", None, True), ("time", 60, False), ("latest", None, False)]
)
def test_zones_are_asked_for_where_a_time_needs_them(sources, monkeypatch, kind, offset, asked):
    told = []
    monkeypatch.setattr(module, "tell_zones", lambda _catalog, _history: told.append(True))
    sources(backup_set("a", utc_offset=offset), kind=kind).read(trust=True)
    assert bool(told) is asked


def test_a_login_without_rights_on_msdb_restores_without_zones(sources, monkeypatch, sql_error):
    def refuse(_connection, database):
        raise sql_error(229)

    made = sources(backup_set("a", utc_offset=None), kind="time")
    monkeypatch.setattr(module, "read_history", refuse)
    made.read(trust=True)
    assert len(made.catalog.sets) == 1


@pytest.mark.parametrize(
    ("kind", "server", "database", "asked"),
    [("mark", "sql01", "prs", True), ("mark", "SQL02", "PRS", False), ("mark", "SQL01", "Shop", False),
     ("time", "SQL01", "PRS", False)],
)  # fmt: skip
def test_marks_are_what_the_server_that_made_the_backups_remembers(sources, monkeypatch, kind, server, database, asked):
    mark = Mark(name="m", lsn=1, time=None)
    monkeypatch.setattr(module, "read_marks", lambda _connection, database, zone: (mark,))
    made = sources(backup_set("a", server=server, database=database), kind=kind)
    made.read(trust=True)
    assert made.marks == ((mark,) if asked else ())


def test_headers_that_are_only_remembered_are_confirmed_once(sources, monkeypatch):
    asked = []

    def still_there(_session, _plan, wanted):
        asked.append(set(wanted))
        return frozenset(wanted)

    monkeypatch.setattr(module, "still_there", still_there)
    monkeypatch.setattr(module, "confirm", lambda *_, **__: {})
    monkeypatch.setattr(module, "add_file_lists", lambda *_: {})
    made = sources(backup_set("a"), backup_set("b"), remembered=["a", "b"])
    made.read(trust=True)
    assert made.confirm(plan("a")) and made.confirm(plan("a", "b"))
    assert asked == [{"a"}, {"b"}]


def test_files_that_changed_make_everything_be_read_again_tails_included(sources, monkeypatch):
    monkeypatch.setattr(module, "still_there", lambda *_: frozenset())
    made = sources(backup_set("a"), remembered=["a"])
    made.read(trust=True)
    made.add_tails(BackupCatalog(sets=[backup_set("tail")]))
    assert not made.confirm(plan("a"))
    assert [how["trust"] for how in made.read_as] == [True, False]
    assert [known.guid for known in made.catalog.sets] == ["a", "tail"]


@pytest.mark.parametrize("failing", ["confirm", "add_file_lists"])
def test_a_set_that_is_not_what_it_was_said_to_be_is_not_used(sources, monkeypatch, failing):
    for name in ("confirm", "add_file_lists"):
        monkeypatch.setattr(module, name, lambda *_, failed=name == failing, **__: {"a": "gone"} if failed else {})
    made = sources(backup_set("a"))
    assert not made.confirm(plan("a")) and made.unusable == {"a": "gone"}


def test_what_cannot_be_read_to_its_end_is_left_out_and_said(sources, monkeypatch):
    read = []

    def problems(_session, step):
        read.append(step.guid)
        return ["torn"] if step.guid == "b" else ["torn", ""]

    monkeypatch.setattr(module, "reading_problems", problems)
    made, whole = sources(), set()
    assert not made.read_to_the_end(plan("a", "b", "c"), whole=whole)
    assert made.unusable == {"b": "torn"} and "D:\\b.trn cannot be read to its end" in made.session.warnings[0]
    assert made.read_to_the_end(plan("a", "c"), whole=whole)
    assert read == ["a", "b", "c"] and whole == {"a", "c"}
