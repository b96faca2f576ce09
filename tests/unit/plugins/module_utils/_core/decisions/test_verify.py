"""What the role verify looks at and hands on."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.verify import (
    certificate_files,
    folders,
    key_file,
    keys_files,
    media_paths,
    needs_another_look,
    places_facts,
    protection_facts,
    shares_asked,
)


def test_the_folders_of_a_place_lie_below_it_unless_they_are_named():
    places = [{"path": r"\\a\prs"}, {"path": r"\\b\prs", "database_path": "D:\\backups"}]
    assert folders({"places": places}) == [
        {"sets": r"\\a\prs\sets", "application": r"\\a\prs\application", "database": r"\\a\prs\database"},
        {"sets": r"\\b\prs\sets", "application": r"\\b\prs\application", "database": "D:\\backups"},
    ]


@pytest.mark.parametrize(
    ("plain_copies", "path"),
    [({}, r"C:\app\encryption.config"), ({"encryption.config": r"E:\plain\keys"}, r"E:\plain\keys")],
)
def test_the_file_of_keys_is_the_one_that_is_archived(plain_copies, path):
    assert key_file({"folder": r"C:\app", "plain_copies": plain_copies}) == path


CERTIFICATES = {"groups": ["prs_web"], "site_pfx": "files/site.pfx", "sql_pfx": "files/sql.pfx", "encryption_certificate": "backups"}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({}, ["site.pfx", "backups.cer", "backups.pvk"]),
        ({"encryption_certificate": ""}, ["site.pfx"]),
        ({"site_pfx": ""}, ["backups.cer", "backups.pvk"]),
        ({"site_pfx": "site.pfx", "encryption_certificate": ""}, ["site.pfx"]),
    ],
)
def test_what_must_be_kept_apart(changed, names):
    assert keys_files(CERTIFICATES | changed) == names


@pytest.mark.parametrize(
    ("changed", "paths"),
    [
        ({}, ["files/site.pfx"]),
        ({"groups": ["prs_sql"]}, ["files/sql.pfx"]),
        ({"groups": ["prs_web", "prs_sql"]}, ["files/sql.pfx", "files/site.pfx"]),
        ({"groups": ["prs_witness"]}, []),
        ({"site_pfx": ""}, []),
    ],
)
def test_a_rebuild_imports_what_the_server_s_roles_need(changed, paths):
    assert certificate_files(CERTIFICATES | changed) == paths


MEDIA = {"roles": ["web", "sql"], "sql_media": r"\\m\sql", "package": r"\\m\prs.zip", "dotnet_media": r"\\m\net.exe"}


@pytest.mark.parametrize(
    ("changed", "paths"),
    [
        ({}, [r"\\m\sql\setup.exe", r"\\m\prs.zip", r"\\m\net.exe"]),
        ({"roles": ["web"]}, [r"\\m\prs.zip", r"\\m\net.exe"]),
        ({"roles": ["witness"]}, [r"\\m\sql\setup.exe"]),
        ({"sql_media": "", "dotnet_media": ""}, [r"\\m\prs.zip"]),
        ({"roles": []}, []),
    ],
)
def test_the_media_of_a_rebuild(changed, paths):
    assert media_paths(MEDIA | changed) == paths


def test_what_is_looked_at_with_the_account_of_a_share():
    asked = {"Folder": ["f"], "Archive": "a", "Entry": ["e"], "Hashed": ["h", "i"], "Text": ["t"], "Site": "s"}
    assert sorted(shares_asked(asked)) == ["a", "f", "h", "i", "t"]
    assert shares_asked({"Path": ["p"]}) == ["p"]


def looked(**changed):
    return {
        "places": [{"site": "site_b", "path": r"\\b\prs", "share_password": "secret"}],
        "folders": [{"sets": "s"}],
        "site": "site_a",
        "sets": [
            {"chosen": {"label": "x"}, "sets": [1], "unusable": [], "living": [], "invocation": "secret"},
        ],
        "seen": [{"result": {"folders": [1], "hashed": [2], "free": 3}}],
        "seen_apart": [{"skipped": True}],
    } | changed


def test_what_is_in_a_place_is_told_without_its_account():
    assert places_facts(looked()) == [
        {
            "site": "site_b",
            "path": r"\\b\prs",
            "folders": {"sets": "s"},
            "sets": {"chosen": {"label": "x"}, "sets": [1], "unusable": [], "living": []},
            "saw": {"folders": [1], "hashed": [2], "free": 3},
            "look_problem": "",
        }
    ]


def test_two_accounts_see_different_folders_of_a_place():
    [place] = places_facts(looked(seen_apart=[{"result": {"folders": [8], "hashed": [9]}}]))
    assert place["saw"] == {"folders": [1, 8], "hashed": [2, 9], "free": 3}


def test_a_place_that_could_not_be_read_says_why():
    [place] = places_facts(looked(places=[{"path": "p"}], sets=[{"msg": "no such share"}], seen=[{"failed": True}]))
    assert place["sets"] == {"problem": "no such share", "living": []} and place["site"] == "site_a"
    assert place["saw"] == {"folders": [], "hashed": []}


@pytest.mark.parametrize("who", ["seen", "seen_apart"])
def test_a_look_that_failed_says_why(who: str):
    """Its task is told not to fail, which makes `failed` false."""
    failed = {
        "failed": False,
        "failed_when_result": False,
        "result": {},
        "error": [{"exception": {"message": "denied"}}],
    }
    [place] = places_facts(looked(**{who: [failed]}))
    assert place["look_problem"] == "denied"


def test_a_place_where_two_databases_live_says_which():
    rivals = [{"site": "site_a"}, {"site": "site_b"}]
    [place] = places_facts(looked(sets=[{"msg": "lives more than once", "branches": rivals}]))
    assert place["sets"] == {"problem": "lives more than once", "living": rivals}


GATHERED = {
    "site": "site_a",
    "mirrored": True,
    "witness": "wit",
    "missing_authorities": ["/ca.pem"],
    "servers": ["web-a", "sql-a", "wit"],
    "played": ["web-a", "sql-a"],
    "hosts": [{"name": "web-a", "reached": True}],
    "url": "https://reset/",
    "looked": [{"places": [{"path": "p", "sets": {}}, {"path": "q", "sets": {}}], "page": {"state": "ready"}, "key": {"path": "k"}, "kept": {"path": "o"}, "drills": ["d"]}],
    "backups": [{"databases": ["db"], "sets": ["s"]}],
    "places": [{"path": "p"}, {"path": "q", "site": "site_b"}],
}  # fmt: skip


def test_what_was_gathered_is_handed_on():
    handed_on = protection_facts(GATHERED)
    assert [host["name"] for host in handed_on["hosts"]] == ["web-a", "sql-a", "wit"]
    del handed_on["hosts"]
    assert handed_on == {
        "site": "site_a",
        "mirrored": True,
        "witness": "wit",
        "control_node": {"missing_authorities": ["/ca.pem"]},
        "page": {"state": "ready"},
        "places": [
            {"path": "p", "sets": {}, "backups": {"databases": ["db"], "sets": ["s"]}},
            {"path": "q", "sets": {}},
        ],
        "key": {"path": "k"},
        "kept": {"path": "o"},
        "drills": ["d"],
    }


def test_a_server_that_told_nothing_failed_before_or_was_left_out():
    told, failed, left_out = protection_facts(GATHERED)["hosts"]
    assert told == {"name": "web-a", "reached": True}
    assert failed["problem"] == "an earlier step failed on it, see above" and not failed["reached"]
    assert left_out["problem"] == "--limit leaves it out" and left_out["roles"] == []


def test_without_a_server_of_the_active_site_nothing_was_looked_at():
    handed_on = protection_facts(GATHERED | {"looked": [], "backups": []})
    assert handed_on["page"]["url"] == "https://reset/" and handed_on["page"]["problem"] == "it was not read"
    first, second = handed_on["places"]
    assert first["backups"]["problem"] == "it was not asked" and "backups" not in second
    assert (first["site"], second["site"]) == ("site_a", "site_b")
    assert first["sets"]["problem"] == "they were not looked at" and first["folders"] == {}
    assert (handed_on["key"], handed_on["kept"], handed_on["drills"]) == ({}, {}, None)


UNREAD = {"path": "p", "sets": {"problem": "web-a did not answer"}}
READ = {"path": "p", "sets": {"chosen": {"label": "x"}}}


def test_another_server_looks_where_no_active_web_server_answers():
    assert needs_another_look({"active": [{"reached": False}]}) and needs_another_look({"active": []})
    assert not needs_another_look({"active": [{"reached": False}, {"reached": True}]})


def test_what_lies_elsewhere_is_told_as_another_site_saw_it():
    """The page and the key are of the active server: of these nobody else can tell."""
    dead = {"places": [UNREAD], "page": {"state": ""}, "key": {}, "kept": {}, "drills": []}
    other = {"places": [READ], "page": {"state": "ready"}, "key": {"path": "b"}, "kept": {"path": "o"}, "drills": ["d"]}
    nothing = {"by_files": False, "databases": [], "sets": [], "unreadable": [], "problem": "sql-a did not answer"}
    files = {"by_files": True, "databases": [], "sets": [1], "unreadable": [], "problem": ""}
    handed_on = protection_facts(GATHERED | {"looked": [dead, other], "backups": [nothing, files]})
    [place] = handed_on["places"]
    assert place["sets"] == READ["sets"] and place["backups"] == {**files, "problem": "sql-a did not answer"}
    assert (handed_on["page"], handed_on["key"]) == ({"state": ""}, {})
    assert (handed_on["kept"], handed_on["drills"]) == ({"path": "o"}, ["d"])
    handed_on = protection_facts(GATHERED | {"looked": [dead, dead], "backups": [nothing]})
    assert handed_on["places"][0]["sets"] == UNREAD["sets"]
