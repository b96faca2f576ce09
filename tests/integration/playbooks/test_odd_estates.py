"""The main job on servers that are not like those of the other tests: other languages and releases of Windows, volumes that
Data Deduplication has gone over, an antivirus, policies (tests/lab/README.md, "Odd servers").
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pairs import covering_array
from playbook_lab import MARKERS, Estate

GERMAN = {
    "language": "de",
    "release": "server-2016",
    "deduplicated": ["D"],
    "policies": ["module-logging"],
    "scanner": 1,
}
THAI = {"language": "th", "release": "server-2022", "deduplicated": ["D"], "slow_start": 1, "scanner": 1}
FRENCH = {"language": "fr", "release": "server-2025", "proxy": "http://127.0.0.1:9", "keys": "cng", "scanner": 1}
TRAITS: dict[str, list[Any]] = {
    "language": ["en", "de", "fr", "ja", "tr", "th"],
    "release": ["server-2016", "server-2019", "server-2022", "server-2025", "windows-11"],
    "deduplicated": [("D",), ()],
    "keys": ["csp", "cng"],
    "proxy": ["", "http://127.0.0.1:9"],
    "policies": [(), ("module-logging",)],
    "slow_start": [0, 1],
    "scanner": [0, 1],
}
ROWS = covering_array(TRAITS)


def described(web: Mapping[str, Any], sql: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    """An estate of one site and a file server. SQL Server takes no key of a key storage provider."""
    accounts = ["PRSLAB\\WEB$", "PRSLAB\\SQL$", "PRSLAB\\svc-backup"]

    def host(number: int, group: str, character: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        traits = {name: list(value) if isinstance(value, tuple) else value for name, value in character.items()}
        site = "site-w" if group == "prs_share" else "site-a"
        drives = {"C": "60 GB", "D": "100 GB"}
        return {"site": site, "number": number, "groups": [group], "drives": drives, "character": traits, **more}

    shares = {
        "backup": {"path": "D:\\Shares\\backup", "change": accounts},
        "media": {"path": "D:\\Shares\\media", "read": accounts},
    }
    return {
        "accounts": ["svc-backup", "svc-prs"],
        "https_only": True,
        "hosts": {
            "web": host(11, "prs_web", web),
            "sql": host(12, "prs_sql", {**sql, "keys": "csp"}),
            "files": host(41, "prs_share", files, shares=shares),
        },
        "media": {"share": "media"},
    }


@pytest.fixture
def odd_estate(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], Estate]]:
    running: list[Estate] = []

    def start(description: dict[str, Any]) -> Estate:
        file = tmp_path / "odd.yml"
        file.write_text(yaml.safe_dump(description), encoding="utf-8")
        estate = Estate(tmp_path / "lab")
        running.append(estate)
        estate.up(str(file))
        return estate

    yield start
    for estate in running:
        estate.lab.down()
        shutil.rmtree(estate.lab.state_dir)


def provisioned_wrecked_and_rebuilt(estate: Estate, *, database: str = "PasswordResetServer") -> None:
    """Every row comes back, and a second rebuild has nothing to do."""

    def play(name: str, *arguments: str) -> int:
        run = estate.play(name, *arguments)
        assert run.code == 0, run.output[-10000:]
        return run.changed

    play("provision_prs")
    assert estate.lab.wizard(database=database).state == "ready"
    estate.lab.mark(MARKERS)
    play("backup_prs")
    for host in ("web", "sql"):
        estate.lab.wipe(host)
    play("rebuild_prs")
    assert estate.labels() == MARKERS
    assert play("rebuild_prs") == 0
    assert estate.lab.unmodelled() == []


@pytest.mark.nightly
def test_names_that_mean_something_to_shells_and_to_sql_come_back(
    odd_estate: Callable[[dict[str, Any]], Estate],
) -> None:
    """Brackets are patterns to PowerShell and quotes to SQL Server, an apostrophe ends a text of both."""
    estate = odd_estate(described({}, {}, {}))
    names = {
        "prs_app_name": "Password Reset (Prod)",
        "prs_app_path": r"D:\Apps & Tools\Web[1]\PRS (x64)",
        "prs_database": "PRS [Prod]'s data",
    }
    settings = estate.lab.state_dir / "inventory" / "group_vars" / "all" / "settings.yml"
    settings.write_text(yaml.safe_dump(names), encoding="utf-8")
    provisioned_wrecked_and_rebuilt(estate, database=names["prs_database"])


@pytest.mark.nightly
def test_german_and_thai_servers_come_back(odd_estate: Callable[[dict[str, Any]], Estate]) -> None:
    """Server 2016 for the database, everything on volumes that Data Deduplication goes over, an antivirus on each."""
    provisioned_wrecked_and_rebuilt(odd_estate(described(THAI, GERMAN, GERMAN)))


@pytest.mark.nightly
def test_what_the_database_server_cannot_use_is_said_beforehand(odd_estate: Callable[[dict[str, Any]], Estate]) -> None:
    """A PFX that Server 2016 cannot read, and a key that SQL Server cannot use."""
    description = described(THAI, GERMAN, GERMAN)
    description["hosts"]["sql"]["character"]["keys"] = "cng"
    estate = odd_estate(description)
    pfx = Path(estate.lab.description.host("sql").pfx)
    before = pfx.read_bytes()
    password = estate.lab.description.secrets.certificate.encode()
    key, certificate, _ = pkcs12.load_key_and_certificates(before, password)
    by_aes = serialization.BestAvailableEncryption(password)
    pfx.write_bytes(pkcs12.serialize_key_and_certificates(b"sql", key, certificate, None, by_aes))
    run = estate.play("provision_prs", "--check")
    assert run.code != 0 and "openssl pkcs12 -export -legacy" in run.failures, run.output
    pfx.write_bytes(before)
    run = estate.play("provision_prs", "--check")
    assert run.code != 0 and "is none that SQL Server can use" in run.failures, run.output


@pytest.mark.nightly
def test_french_servers_come_back(odd_estate: Callable[[dict[str, Any]], Estate]) -> None:
    """Where SYSTEM has another name, and the site's key is kept by a key storage provider."""
    provisioned_wrecked_and_rebuilt(odd_estate(described(FRENCH, FRENCH, FRENCH)))


@pytest.mark.nightly
@pytest.mark.parametrize("number", range(0, len(ROWS), 2))
def test_all_traits_in_pairs(odd_estate: Callable[[dict[str, Any]], Estate], number: int) -> None:
    """Each combination is the web server or the database server of an estate; many are a file server as well."""
    web, sql, files = (ROWS[(number + ahead) % len(ROWS)] for ahead in (0, 1, len(ROWS) // 2))
    provisioned_wrecked_and_rebuilt(odd_estate(described(web, sql, files)))
