"""What an estate is made of: certificates, secrets, media, names and lines."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from prs_lab.application.assembly import BadImage, read
from prs_lab.estate import config, media, secrets
from prs_lab.estate.authority import Authority
from prs_lab.estate.network import Network

ESTATE = config.load("default")


def test_a_certificate_has_its_names_and_its_issuer(tmp_path):
    authority = Authority(folder=tmp_path)
    issued = authority.issue(label="sql-a", names=("sql-a", "prs-sql", "127.61.0.12"), password="x")
    key, certificate, others = pkcs12.load_key_and_certificates(issued.pfx.read_bytes(), b"x")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["sql-a", "prs-sql"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.61.0.12"]
    certificate.verify_directly_issued_by(authority.certificate)
    assert key is not None and not others
    assert stat.S_IMODE(issued.pfx.stat().st_mode) == 0o600


def test_certificates_are_found_again_and_made_again_for_other_names(tmp_path):
    first = Authority(folder=tmp_path).issue(label="site", names=("a",), password="x")
    again = Authority(folder=tmp_path).issue(label="site", names=("a",), password="x")
    other = Authority(folder=tmp_path).issue(label="site", names=("b",), password="x")
    assert first.thumbprint == again.thumbprint != other.thumbprint


def test_a_certificate_for_other_names_keeps_its_key_and_one_of_another_password_does_not(tmp_path):
    def made(*, name, password):
        issued = Authority(folder=tmp_path).issue(label="site", names=(name,), password=password)
        key, certificate, _ = pkcs12.load_key_and_certificates(issued.pfx.read_bytes(), password.encode())
        assert certificate.public_key() == key.public_key()
        return key.public_key()

    first = made(name="a", password="x")
    assert made(name="b", password="x") == first
    assert made(name="b", password="another") != first


def test_secrets_are_random_kept_and_private(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = secrets.load_or_make(folder=tmp_path / "one", config=ESTATE)
    assert one == secrets.load_or_make(folder=tmp_path / "one", config=ESTATE)
    two = secrets.load_or_make(folder=tmp_path / "two", config=ESTATE)
    assert not set(one.all()) & set(two.all())
    assert len(set(one.all())) == len(one.all()) == 9
    assert stat.S_IMODE((tmp_path / "one" / "secrets.json").stat().st_mode) == 0o600


def test_media_are_the_same_every_time_and_hold_what_they_say():
    files = media.media_files(ESTATE.media)
    assert files == media.media_files(ESTATE.media)
    first_line = files["sql\\setup.exe"].partition(b"\n")[0]
    assert json.loads(first_line.removeprefix(b"PRSLAB-MEDIA "))["version"] == ESTATE.media.sql_version
    with zipfile.ZipFile(io.BytesIO(files["PasswordResetServer.zip"])) as archive:
        assert {"web.config", "Default.aspx", "InstallerCheckForUpdates.aspx", "bin/Prs.Web.dll"} <= set(
            archive.namelist()
        )
        assert b"MockPhoneQuestionsCaller" in archive.read("web.config")
        assert read(archive.read("bin/Prs.Web.dll")).version == "5.3.20.0"
    assert files["PasswordResetServer.msi"].endswith(files["PasswordResetServer.zip"])


@pytest.mark.parametrize(
    "harm", [lambda data: data[:-1], lambda data: data[:-1] + b"!", lambda data: b"MZ", lambda data: b""]
)
def test_a_damaged_assembly_is_noticed(harm):
    whole = media.application_files("5.3.000020")["bin/Prs.Core.dll"]
    assert read(whole).name == "Prs.Core"
    with pytest.raises(BadImage):
        read(harm(whole))


def _network():
    network = Network(config=ESTATE, base="127.61.0.0")
    hosts = {}
    for host in ESTATE.hosts:
        hosts[host.name] = SimpleNamespace(
            name=host.name.upper(), address=ESTATE.address(host, "127.61.0.0"), power=SimpleNamespace(is_on=True)
        )
        network.add(hosts[host.name])
    return network, hosts


def test_names_and_addresses_resolve():
    network, hosts = _network()
    for name in ("sql-a", "SQL-A.prslab.test", "127.61.0.12", "sql-a."):
        assert network.resolve(name) is hosts["sql-a"]
    assert network.resolve("nobody") is None
    network.aliases["reset.prslab.test"] = "web-b"
    assert network.resolve("RESET.prslab.test") is hosts["web-b"]


def test_a_cut_site_goes_on_within_itself():
    network, hosts = _network()
    web_a, sql_a, web_b, files = (hosts[name] for name in ("web-a", "sql-a", "web-b", "files"))
    network.cut("site-a")
    assert network.reachable(web_a, sql_a) and network.reachable(web_b, files)
    assert not network.reachable(web_a, files) and not network.reachable(files, sql_a)
    network.heal()
    assert network.reachable(web_a, files)
    sql_a.power.is_on = False
    assert not network.reachable(web_a, sql_a)
    with pytest.raises(KeyError):
        network.cut("site-x")
