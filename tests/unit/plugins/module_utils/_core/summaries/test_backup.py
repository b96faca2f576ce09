"""Each sentence of a backup, with the facts that bring it and facts that do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import backup

MIB = 1 << 20
SET = {
    "label": "20260101T010000Z",
    "database": {"kind": "full", "size": 3 * MIB, "finished_at": "2026-01-01T01:00:05Z", "substitute_for": None},
    "application": {"bytes": 2 * MIB},
    "healthy": True,
    "problems": [],
}
COPY = {"site": "site_b", "path": r"\\vault\prs"}
COPIED = {"copied": ["20260101T010000Z"], "bytes": 5 * MIB, "removed": []}
SITE = {"servers": ["sql-b"], "missing_certificates": []}
GOOD = {
    "set": SET,
    "path": r"\\files\prs",
    "sets_path": r"\\files\prs\sets",
    "removed": [],
    "removed_files": [],
    "copies": [COPY],
    "copied": [COPIED],
    "sites": [SITE],
    "media": [],
    "encryption_certificate": "prs_backup",
    "has_encryption_password": True,
    "share_user": r"CORP\share",
    "database_user": "",
    "keys_path": r"\\safe\keys",
    "site_pfx": "site.pfx",
}
HALVES = {"failed": [], "databases": [{"files": ["a.bak", "b.bak"]}], "archives": [{"path": "x.zip"}]}


def facts(**changed: Any) -> dict[str, Any]:
    return {**GOOD, **changed}


def of_set(**changed: Any) -> dict[str, Any]:
    return facts(set={**SET, **changed})


def test_a_good_run_says_what_was_made_and_warns_of_nothing():
    assert backup.summary(GOOD) == [
        r"Recovery set 20260101T010000Z: database full 3.0 MB, archive 2.0 MB, in \\files\prs\sets",
        "Recovery point 2026-01-01T01:00:05Z",
        r"Copied to \\vault\prs and compared there: 20260101T010000Z (5.0 MB)",
        "Nothing was removed",
    ]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        pytest.param(
            of_set(database={**SET["database"], "substitute_for": "differential"}),
            "A full backup was taken instead of a differential one, which had nothing to continue",
            id="substituted",
        ),
        pytest.param(
            facts(copied=[{**COPIED, "copied": [], "bytes": 0}]),
            r"Copied to \\vault\prs and compared there: nothing was missing",
            id="copied already",
        ),
        pytest.param(
            facts(copied=[{**COPIED, "copied": ["c", "d"], "removed": ["a", "b"]}]),
            r"Copied to \\vault\prs and compared there: c, d (5.0 MB); removed there: a, b",
            id="copied and removed",
        ),
        pytest.param(
            facts(copied=[{"msg": "the share is gone"}]),
            r"WARNING: not copied to \\vault\prs: the share is gone",
            id="not copied",
        ),
        pytest.param(
            facts(copied=[{"failed": True}]),
            r"WARNING: not copied to \\vault\prs: no answer",
            id="no answer",
        ),
        pytest.param(
            facts(copies=[], copied=[], sites=[]),
            "WARNING: the sets lie at one place only. Name another in prs_backup_copies.",
            id="one place",
        ),
        pytest.param(
            facts(removed=["a", "b"], removed_files=["a.bak", "a.zip", "b.bak"]),
            "Removed: 2 old sets with 3 files (a, b)",
            id="removed",
        ),
        pytest.param(
            of_set(healthy=False, problems=["no page", "no keys"]),
            "WARNING: the set is not healthy: no page; no keys. A restore prefers the newest healthy one.",
            id="not healthy",
        ),
        pytest.param(
            facts(media=[{"paths": [{"path": r"\\m\setup.exe", "error": 2, "message": "not found"}]}]),
            r"WARNING: the media of site_b, \\m\setup.exe, cannot be read (not found).",
            id="media",
        ),
        pytest.param(
            facts(
                copies=[{"path": r"\\vault\prs"}],
                media=[{"paths": [{"path": r"\\m\setup.exe", "error": 2, "message": "not found"}]}],
            ),
            r"WARNING: the media of \\vault\prs, \\m\setup.exe, cannot be read (not found).",
            id="media of a place without a site",
        ),
        pytest.param(
            facts(sites=[{**SITE, "missing_certificates": [["sql-b", "files/sql-b.pfx"]]}]),
            "WARNING: the certificate of sql-b, files/sql-b.pfx, is not on the control node.",
            id="certificate",
        ),
        pytest.param(
            facts(sites=[{**SITE, "servers": []}]),
            "WARNING: the inventory has no servers in the group site_b, so nothing can be rebuilt there.",
            id="no servers",
        ),
        pytest.param(
            facts(encryption_certificate=""),
            r"WARNING: whoever may read \\files\prs reads the keys and the database together, and with them the "
            "account that resets passwords. Encrypt the backups (prs_backup_encryption_certificate; Standard and "
            "Enterprise can), or put the database where other accounts may read (prs_backup_database_path, "
            "prs_backup_database_user).",
            id="readers",
        ),
        pytest.param(
            facts(has_encryption_password=False),
            "WARNING: the key of the certificate prs_backup is kept nowhere else: with this database server "
            "everything that it encrypted is lost. Name a place (prs_backup_keys_path) and a password "
            "(prs_backup_encryption_password).",
            id="key without a password",
        ),
        pytest.param(
            facts(keys_path=""),
            "The site's certificate is named, not copied: site.pfx on the control node. Keep it, the inventory and "
            "the vault at another place too (prs_backup_keys_path copies it).",
            id="site certificate",
        ),
    ],
)
def test_each_sentence_has_its_facts(changed: dict[str, Any], sentence: str):
    assert sentence in backup.summary(changed)
    assert sentence not in backup.summary(GOOD)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"database_user": r"CORP\dba"}, id="another account"),
        pytest.param({"encryption_certificate": "prs_backup"}, id="encrypted"),
    ],
)
def test_keys_and_database_may_be_apart(changed: dict[str, Any]):
    alone = {"encryption_certificate": "", **changed}
    assert list(backup.readers(facts(**alone))) == []


def test_the_same_account_written_otherwise_is_no_other_account():
    assert list(backup.readers(facts(encryption_certificate="", database_user=r"corp\SHARE")))


def test_what_two_places_lack_alike_is_said_once():
    site = {**SITE, "missing_certificates": [["sql-b", "sql-b.pfx"]]}
    assert (
        len(backup.media_problems(facts(copies=[COPY, {**COPY, "path": "other"}], sites=[site, site], media=[{}, {}])))
        == 1
    )


@pytest.mark.parametrize(
    ("halves", "needs_archive", "expected"),
    [
        (HALVES, True, []),
        ({**HALVES, "archives": []}, False, []),
        ({**HALVES, "archives": []}, True, ["No web server took part, so the application's folder was not archived."]),
        ({**HALVES, "databases": []}, True, ["No database server took part, so the database was not backed up."]),
        ({"failed": ["sql-a: disk full"], "databases": [], "archives": []}, True, ["sql-a: disk full"]),
    ],
)
def test_why_there_is_no_set(halves: dict[str, Any], needs_archive: bool, expected: list[str]):
    sentences = backup.problems({**halves, "needs_archive": needs_archive})
    assert [sentence.removesuffix(" Is it switched off, or left out by --limit?") for sentence in sentences] == expected


def test_half_a_set_is_named_with_what_stays():
    assert backup.no_set({**HALVES, "failed": ["web-a: access is denied"], "needs_archive": True}) == [
        "NO SET WAS WRITTEN. A recovery set needs both halves, and there is a problem:",
        "- web-a: access is denied",
        "The backup of the database in a.bak, b.bak is whole and stays; the next set continues it.",
        "The archive x.zip is whole and stays.",
        "Correct what is said above and run backup_prs again. Until then the newest set is an older one.",
    ]


def outcome(**changed: Any) -> dict[str, Any]:
    return {"set": SET, "sets_path": r"\\files\prs\sets", "copied": [COPIED], "accept_unhealthy": False, **changed}


UNHEALTHY = {**SET, "healthy": False, "problems": ["the application did not answer"]}


def test_a_run_whose_set_is_everywhere_and_healthy_goes_well():
    assert backup.shortcomings(outcome()) == []


def test_only_failed_copies_make_a_run_fail():
    [sentence] = backup.shortcomings(outcome(copied=[COPIED, {"msg": "It is gone."}, {"msg": ""}]))
    assert "not everywhere else: It is gone. no answer The next run brings what is missing." in sentence


def test_a_set_that_is_not_healthy_makes_a_run_fail_unless_that_is_accepted():
    [sentence] = backup.shortcomings(outcome(set=UNHEALTHY))
    assert "was written, and is not healthy: the application did not answer." in sentence
    assert "prs_backup_accept_unhealthy=true" in sentence
    assert backup.shortcomings(outcome(set=UNHEALTHY, accept_unhealthy=True)) == []
