"""What sets_prs lists, from what the servers of two sites saw."""

from __future__ import annotations

from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import recovery_sets

NOW = 1_767_232_800  # 2026-01-01 02:00 UTC
SHARE, VAULT = r"\\files\prs", r"\\vault\prs"
SET = {
    "label": "20260101T000000Z",
    "site": "site_a",
    "taken_at": "2026-01-01T00:00:00Z",
    "kind": "full",
    "healthy": True,
    "problems": [],
    "recovery_point": "2026-01-01T00:00:05Z",
    "bytes": 3 << 20,
    "replaced": False,
}
BRANCH = {"server": "sql-a", "site": "site_a"}


def read(*sets: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"sets": list(sets), "unusable": [], "living": [BRANCH], **changed}


def server(name: str, *results: dict[str, Any], paths: tuple[str, ...] = (SHARE, VAULT)) -> dict[str, Any]:
    places = [{"site": f"site_{letter}", "path": path} for letter, path in zip("ab", paths, strict=False)]
    return {"name": name, "places": places[: len(results)], "results": list(results)}


DEAD = {"msg": "web-a did not answer."}


def test_a_set_is_listed_with_age_health_and_size():
    lines = recovery_sets.listing({"servers": [server("web-b", read(SET))], "now": NOW})
    assert lines[0] == rf"{SHARE} (site_a), seen by web-b: 1 recovery set, 1 healthy"
    assert [cell.strip() for cell in lines[2].split("|")] == [
        "ok", "20260101T000000Z", "2 h ago", "full", "2026-01-01T00:00:05Z", "3.0 MB",
    ]  # fmt: skip


def test_sets_that_are_not_to_be_relied_on_say_why():
    broken = {**SET, "label": "b", "healthy": False, "problems": ["the application did not answer"]}
    old = {**SET, "label": "c", "replaced": True}
    first, _headings, of_broken, of_old, unusable = recovery_sets.listing(
        {
            "servers": [server("web-b", read(broken, old, unusable=[{"label": "d", "problem": "it is cut off"}]))],
            "now": NOW,
        }
    )
    assert first.endswith("2 recovery sets, 0 healthy")
    assert of_broken.startswith("  NO | b") and of_broken.endswith("the application did not answer")
    assert of_old.startswith("  NO | c") and of_old.endswith("of a database that a restore replaced")
    assert unusable == "  CANNOT BE USED: d: it is cut off"


def test_the_first_server_that_could_read_a_place_is_believed_and_the_others_do_not_matter():
    servers = [server("web-a", DEAD, DEAD), server("web-b", read(SET), DEAD), server("sql-b", read(), read())]
    seen = recovery_sets.seen({"servers": servers})
    assert [(place["path"], place["server"], len(place["sets"])) for place in seen] == [
        (SHARE, "web-b", 1),
        (VAULT, "sql-b", 0),
    ]


def test_servers_of_two_sites_may_know_other_places():
    servers = [server("web-a", DEAD), server("web-b", read(SET), paths=(VAULT.upper() + "\\",))]
    assert [place.get("server", "") for place in recovery_sets.seen({"servers": servers})] == ["", "web-b"]
    servers.append(server("sql-b", read(SET), paths=(VAULT,)))
    assert len(recovery_sets.seen({"servers": servers})) == 2


def test_a_place_that_nobody_could_read_fails_the_run():
    facts = {
        "servers": [server("web-a", DEAD, read()), server("web-b", {"msg": "Access is denied."}, read())],
        "now": NOW,
    }
    assert recovery_sets.problems(facts) == [rf"{SHARE}: web-a did not answer. Access is denied."]
    assert rf"{SHARE} (site_a): NOT READ. web-a did not answer. Access is denied." in recovery_sets.listing(facts)
    assert recovery_sets.problems({"servers": []}) == ["No server could be asked."]


def test_two_living_databases_are_said():
    rivals = [BRANCH, {"server": "", "site": "site_b"}]
    *_table, said = recovery_sets.listing({"servers": [server("web-b", read(SET, living=rivals))], "now": NOW})
    assert "LIVES MORE THAN ONCE (sql-a, site_b)" in said and "prs_restore_set" in said
