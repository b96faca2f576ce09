"""What servers are set up with: firewall rules, certificates, packages, ZIP and XML files."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest
from prs_lab.estate import media
from prs_lab.estate.authority import Authority
from prs_lab.windows.xpath import UnknownXPath, select

from .windows_lab import Network, Runner

SYSTEM = "NT AUTHORITY\\SYSTEM"
RULE = "community.windows.win_firewall_rule"


@pytest.fixture
def run(tmp_path):
    network = Network(tmp_path)
    yield Runner(network.add("server"))
    network.close()


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    return Authority(folder=tmp_path_factory.mktemp("ca")).issue(
        label="x", names=("server.prs.lab", "prs-sql"), password="pfx-secret"
    )


# Firewall


def test_inbound_is_closed_until_a_rule_opens_it(run):
    accepts = run.host.firewall.accepts
    assert not accepts(protocol="tcp", port=1433, remote="10.0.0.1")
    run.ok(
        RULE,
        name="SQL",
        direction="in",
        action="allow",
        protocol="tcp",
        localport="1433",
        remoteip="10.0.0.0/24,10.1.0.7",
    )
    assert accepts(protocol="tcp", port=1433, remote="10.0.0.1") and accepts(
        protocol="tcp", port=1433, remote="10.1.0.7"
    )
    assert not accepts(protocol="tcp", port=1433, remote="10.1.0.8") and not accepts(
        protocol="udp", port=1433, remote="10.0.0.1"
    )


def test_a_block_wins_over_an_allow(run):
    lets_out = run.host.firewall.lets_out
    assert lets_out(protocol="tcp", port=389, remote="10.9.9.9")
    run.ok(
        RULE, name="allow", direction="out", action="allow", protocol="tcp", remoteport="389,636", remoteip="10.1.0.10"
    )
    run.ok(RULE, name="block", direction="out", action="block", protocol="tcp", remoteport="389,636")
    assert not lets_out(protocol="tcp", port=389, remote="10.1.0.10")
    run.ok(RULE, name="block", remoteip="0.0.0.0-10.1.0.9,10.1.0.11-255.255.255.255")
    assert lets_out(protocol="tcp", port=389, remote="10.1.0.10") and not lets_out(
        protocol="tcp", port=636, remote="10.9.9.9"
    )


def test_rules_again_changed_checked_and_removed(run):
    wanted = {
        "name": "SQL",
        "direction": "in",
        "action": "allow",
        "protocol": "tcp",
        "localport": "1433",
        "remoteip": "10.0.0.1,10.0.0.2",
    }
    assert run.ok(RULE, **wanted, check=True)["changed"] and run.host.firewall.named("SQL") == []
    assert run.ok(RULE, **wanted)["msg"] == "Firewall rule 'SQL' created."
    assert not run.ok(RULE, **{**wanted, "remoteip": "10.0.0.2,10.0.0.1"})["changed"]
    changed = run.ok(RULE, **{**wanted, "localport": "1434"})
    assert changed["changed"] and "-LocalPorts='1433'" in changed["diff"]["prepared"]
    assert (
        run.ok(RULE, name="SQL", state="absent")["changed"] and not run.ok(RULE, name="SQL", state="absent")["changed"]
    )
    assert "Either name or group" in run.failure(RULE, direction="in")


# Certificates


def _pfx(run, issued):
    run.host.files(SYSTEM).write(r"C:\cert.pfx", issued.pfx.read_bytes())


def test_importing_a_pfx(run, issued):
    _pfx(run, issued)
    wanted = {"path": r"C:\cert.pfx", "password": "pfx-secret"}
    assert run.ok("win_certificate_store", **wanted, check=True)["changed"]
    assert not run.ok("win_certificate_info")["exists"]
    assert run.ok("win_certificate_store", **wanted)["thumbprints"] == [issued.thumbprint]
    assert not run.ok("win_certificate_store", **wanted)["changed"]
    found = run.ok("win_certificate_info", thumbprint=issued.thumbprint)["certificates"][0]
    assert found["has_private_key"] and {"server.prs.lab", "prs-sql"} <= set(found["dns_names"])
    assert run.ok("win_certificate_store", state="absent", thumbprint=issued.thumbprint)["changed"]
    assert not run.ok("win_certificate_info")["exists"]


def test_a_wrong_password_and_a_missing_file(run, issued):
    _pfx(run, issued)
    assert "network password is not correct" in run.failure(
        "win_certificate_store", path=r"C:\cert.pfx", password="wrong"
    )
    assert "does not exist or is not a file" in run.failure("win_certificate_store", path=r"C:\absent.pfx")
    assert "unable to find store 'Nonsense'" in run.failure(
        "win_certificate_store", path=r"C:\cert.pfx", password="pfx-secret", store_name="Nonsense"
    )


def test_only_who_was_let_reads_a_key(run, issued):
    _pfx(run, issued)
    run.ok("win_certificate_store", path=r"C:\cert.pfx", password="pfx-secret")
    stores = run.host.certificates
    assert stores.key_for(issued.thumbprint, SYSTEM)[1].startswith(b"-----BEGIN PRIVATE KEY")
    service = "NT AUTHORITY\\NETWORK SERVICE"
    with pytest.raises(PermissionError):
        stores.key_for(issued.thumbprint, service)
    stores.let_read(stores.find("My", issued.thumbprint), run.host.accounts.lookup(service))
    assert stores.key_for(issued.thumbprint.lower(), service)
    with pytest.raises(KeyError):
        stores.key_for("00" * 20, SYSTEM)


# ZIP


def _zip(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_unzip(run):
    run.host.files(SYSTEM).write(r"C:\a.zip", _zip({"web.config": b"x", "bin/a.dll": b"y", "empty/": b""}))
    unzip = {"src": r"C:\a.zip", "dest": r"C:\app"}
    assert run.ok("community.windows.win_unzip", **unzip, check=True)["changed"]
    assert not run.host.files(SYSTEM).exists(r"C:\app")
    run.ok("community.windows.win_unzip", **unzip)
    assert run.host.files(SYSTEM).read(r"C:\app\bin\a.dll") == b"y" and run.host.files(SYSTEM).is_dir(r"C:\app\empty")
    assert run.ok("community.windows.win_unzip", **unzip)["changed"], "the real module is never unchanged"
    assert not run.ok("community.windows.win_unzip", **unzip, creates=r"C:\app\web.config")["changed"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no zip", "End of Central Directory"),
        (_zip({"../out.txt": b"x"}), "extract outside the destination"),
        (_zip({"_.txt": b"x"}).replace(b"_.txt", b"\x8e.txt"), "which code page Windows takes"),
        (None, "does not exist"),
    ],
)
def test_unzip_refuses(run, data, message):
    if data is not None:
        run.host.files(SYSTEM).write(r"C:\a.zip", data)
    assert message in run.failure("community.windows.win_unzip", src=r"C:\a.zip", dest=r"C:\app")


# XML

XML = media.application_files("5.3.000020")["web.config"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("/configuration", ["configuration"]),
        ("/other", []),
        ("/configuration/system.web/*", ["compilation", "httpRuntime", "customErrors", "httpModules"]),
        ("//requestLimits", ["requestLimits"]),
        ("/configuration/location[@path='InstallerCheckForUpdates.aspx']/system.web/httpRuntime", ["httpRuntime"]),
        ("/configuration/location[@path='other']", []),
        ("/configuration[not(system.web)]", []),
        ("/configuration[not(location[@path='other'])]", ["configuration"]),
        ("//*[@*[contains(., 'MockPhoneQuestionsCaller')]]", ["add"]),
        ("//add[@key='SQLTimeout' and @value!='15' or @key='none']", []),
        ("/configuration/appSettings/add[2]", ["add"]),
        ("/configuration/appSettings/add[last()]", ["add"]),
        ("/configuration[count(location)=1]", ["configuration"]),
    ],
)
def test_xpath(expression, expected):
    assert [element.tag for element in select(ElementTree.fromstring(XML), expression)] == expected


@pytest.mark.parametrize(
    "expression", ["a/b", "/a/..", "//a|//b", "/a[position()>1]", "/a[sum(b)]", "/a[", "/a]", "", "/a/@b"]
)
def test_xpath_that_is_not_understood_is_not_guessed_at(expression):
    with pytest.raises(UnknownXPath):
        select(ElementTree.fromstring("<a b='1'/>"), expression)


def test_xml_attributes_elements_and_removal(run):
    path = r"C:\web.config"
    run.host.files(SYSTEM).write(path, XML)
    limits = {
        "path": path,
        "xpath": "//requestLimits",
        "type": "attribute",
        "attribute": "maxAllowedContentLength",
        "fragment": "131072000",
    }
    assert (
        run.ok("community.windows.win_xml", **limits, check=True)["changed"]
        and run.host.files(SYSTEM).read(path) == XML
    )
    assert (
        run.ok("community.windows.win_xml", **limits)["changed"]
        and not run.ok("community.windows.win_xml", **limits)["changed"]
    )
    assert b'maxAllowedContentLength="131072000"' in run.host.files(SYSTEM).read(path)
    mock = {"path": path, "xpath": "//*[@*[contains(., 'MockPhone')]]", "state": "absent"}
    assert not run.ok("community.windows.win_xml", **mock, check=True)["changed"], (
        "as the real module: it says nothing in check mode"
    )
    assert run.ok("community.windows.win_xml", **mock)["changed"]
    assert b"MockPhone" not in run.host.files(SYSTEM).read(path)
    element = {"path": path, "xpath": "/configuration/appSettings", "fragment": '<add key="a" value="b" />'}
    assert (
        run.ok("community.windows.win_xml", **element)["changed"]
        and not run.ok("community.windows.win_xml", **element)["changed"]
    )
    assert "did not match any nodes" in run.ok("community.windows.win_xml", **{**element, "xpath": "/nothing"})["msg"]


def test_an_unmodelled_xpath_is_recorded(run):
    run.host.files(SYSTEM).write(r"C:\x.xml", b"<a/>")
    assert "does not understand" in run.failure(
        "community.windows.win_xml", path=r"C:\x.xml", xpath="//a|//b", fragment="<c/>"
    )
    assert len(list(run.host.record.entries("unmodelled"))) == 1


# Packages


def test_an_msi_is_installed_known_and_removed(run):
    config = media.MediaConfig()
    run.host.files(SYSTEM).write(r"C:\prs.msi", media.media_files(config)[config.application_msi])
    wanted = {"path": r"C:\prs.msi", "arguments": r"INSTALLDIR=C:\app"}
    assert run.ok("win_package", **wanted, check=True)["changed"]
    assert run.ok("win_package", **wanted)["rc"] == 0
    assert run.host.files(SYSTEM).exists(r"C:\app\bin\Prs.Web.dll")
    assert not run.ok("win_package", **wanted)["changed"]
    assert run.ok("win_package", product_id=media.PRODUCT_CODE, state="absent")["changed"]
    assert not run.host.files(SYSTEM).exists(r"C:\app\bin")
    assert "cannot be reached" in run.failure("win_package", path=r"C:\absent.msi")


def test_disk_facts(run):
    disk = run.ok("community.windows.win_disk_facts")["ansible_facts"]["ansible_disks"][0]
    volume = disk["partitions"][0]["volumes"][0]
    assert disk["partitions"][0]["drive_letter"] == "C" and 0 < volume["size_remaining"] < volume["size"]
