"""The estate's YAML file: what is read from it, and what is said about its faults."""

from __future__ import annotations

import pytest
from prs_lab.estate import config

MINIMAL = {
    "hosts": {
        "files": {
            "site": "a",
            "number": 41,
            "drives": {"C": "60 GB", "D": "1 TB"},
            "shares": {"media": {"path": "D:\\media", "read": ["Everyone"]}},
        }
    }
}


@pytest.mark.parametrize("name", ["default", "single", "odd"])
def test_built_in_estates_are_sound(name):
    estate = config.load(name)
    assert estate.name == name
    assert estate.in_group("prs_web") and estate.in_group("prs_sql")
    host, share = estate.share_host("backup")
    assert host not in estate.in_group("prs_sql"), "backups belong on another device"
    rights = {account for accounts in share.rights.values() for account in accounts}
    for server in (*estate.in_group("prs_web"), *estate.in_group("prs_sql")):
        assert f"{estate.domain}\\{server.name.upper()}$" in rights


def test_addresses_and_names_follow_from_the_network():
    estate = config.load("default")
    host = estate.host("SQL-A")
    assert (estate.address(host, "127.61.0.0"), estate.address(host, "127.70.3.0")) == ("127.61.0.12", "127.70.3.12")
    assert estate.fqdn(host) == "sql-a.prslab.test"
    assert estate.sites == ("site-a", "site-b", "site-w")


@pytest.mark.parametrize(
    ("size", "expected"), [("60 GB", 60 * 1024**3), ("512kb", 524288), (1000, 1000), ("1 TB", 1024**4)]
)
def test_sizes(size, expected):
    assert config.parse_size(size) == expected


def _changed(**changes):
    host = {**MINIMAL["hosts"]["files"], **changes.pop("host", {})}
    return {**MINIMAL, "hosts": {changes.pop("name", "files"): host, **changes.pop("more", {})}, **changes}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "hosts must name at least one host"),
        (_changed(name="a b"), "hosts.a b is not a Windows computer name"),
        (_changed(name="a-name-of-16-chrs"), "is not a Windows computer name"),
        (_changed(host={"number": 1}), "hosts.files.number must lie between 2 and 254"),
        (_changed(host={"number": "x"}), "hosts.files.number must be of type int"),
        (_changed(host={"site": None}), "hosts.files.site is missing"),
        (_changed(host={"drives": {"D": "1 GB"}}), "hosts.files.drives must contain C"),
        (_changed(host={"drives": {"C": "big"}}), "'big' is not a size"),
        (_changed(host={"character": {"release": "dos"}}), "character.release must be one of"),
        (_changed(host={"colour": "red"}), "hosts.files.colour is unknown"),
        (_changed(host={"shares": {"media": {"path": "Z:\\x"}}}), "lies on a drive that the host has not"),
        (_changed(host={"shares": {"media": {"path": "x"}}}), "must be a Windows path"),
        (_changed(host={"shares": {}}), "media.share names the share 'media', which no host offers"),
        (_changed(more={"FILES": {"site": "a", "number": 42}}), "appears twice"),
        (_changed(more={"other": {"site": "a", "number": 41}}), "is already the number of files"),
        (_changed(https_port=70000), "must be a port number"),
        (_changed(accounts="svc"), "estate.accounts must be a list of names"),
        (_changed(media={"sql_version": 15}), "media.sql_version must be of type str"),
        ("text", "estate must be a mapping"),
    ],
)
def test_faults_are_named_with_their_place(data, problem):
    with pytest.raises(config.ConfigError) as error:
        config.parse(data)
    assert any(problem in found for found in error.value.problems), error.value.problems


def test_all_faults_are_reported_at_once():
    with pytest.raises(config.ConfigError) as error:
        config.parse(_changed(host={"number": 1, "site": None}, https_port=0))
    assert len(error.value.problems) == 3


def test_unreadable_files_are_config_errors(tmp_path):
    with pytest.raises(config.ConfigError, match="cannot be read"):
        config.load(tmp_path / "absent.yml")
    (tmp_path / "bad.yml").write_text("hosts: [")
    with pytest.raises(config.ConfigError, match="is not YAML"):
        config.load(tmp_path / "bad.yml")
