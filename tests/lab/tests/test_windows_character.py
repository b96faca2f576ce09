"""The traits of an odd host: each one changes what the twin answers, and none is accepted that it cannot follow."""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prs_lab.estate import config
from prs_lab.estate.authority import Authority
from prs_lab.windows.certificates import BadCertificateFile, read_file
from prs_lab.windows.character import RELEASES, Character
from prs_lab.windows.dispatch import Dispatcher
from prs_lab.windows.errors import WinError
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.languages import LANGUAGES, SPOKEN
from prs_lab.windows.models import ScriptCall
from prs_lab.windows.process import Process
from prs_lab.windows.scripts.parameters import certificate_names, written_date

from .windows_lab import Network, Runner

SYSTEM = "NT AUTHORITY\\SYSTEM"
SYSTEM_SID, ADMINISTRATORS = "S-1-5-18", "S-1-5-32-544"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path)
    yield network
    network.close()
    SPOKEN.set("en")


def odd(network: Network, **traits: Any) -> WindowsHost:
    return network.add("ODD", character=Character(**traits), capacities={"C": 1 << 30, "D": 1 << 30})


class TestWhatTheEstateSays:
    @pytest.mark.parametrize(
        ("character", "problem"),
        [
            ({"colour": "red"}, "files.character.colour is no trait that the twin can have"),
            ({"language": "tlh"}, "files.character.language must be one of en, de, fr"),
            ({"release": "server-2008"}, "files.character.release must be one of server-2016"),
            ({"keys": "tpm"}, "files.character.keys must be one of csp, cng"),
            ({"policies": ["allowlist"]}, "files.character.policies must be of module-logging, constrained-language"),
            ({"deduplicated": ["C"]}, "files.character.deduplicated names C, which is no drive of the host beside"),
            ({"deduplicated": ["E"]}, "files.character.deduplicated names E"),
            ({"scanner": "long"}, "files.character.scanner must be of type float, not 'long'"),
            ({"firewall_service": 0}, "files.character.firewall_service must be of type bool, not 0"),
        ],
    )
    def test_a_trait_that_no_twin_can_have_is_refused(self, character: dict[str, Any], problem: str) -> None:
        shares = {"media": {"path": "D:\\media", "read": ["Everyone"]}}
        host = {"site": "a", "number": 41, "drives": {"C": "60 GB", "D": "1 TB"}, "shares": shares}
        with pytest.raises(config.ConfigError) as error:
            config.parse({"hosts": {"files": {**host, "character": character}}})
        assert any(problem in found for found in error.value.problems), error.value.problems

    def test_every_host_of_the_odd_estate_is_odd(self) -> None:
        plain = Character()
        assert all(host.character != plain for host in config.load("odd").hosts)


class TestLanguage:
    @pytest.mark.parametrize(
        ("language", "system", "administrators", "administrator"),
        [
            ("en", SYSTEM, "BUILTIN\\Administrators", "Administrator"),
            ("de", "NT-AUTORITÄT\\SYSTEM", "VORDEFINIERT\\Administratoren", "Administrator"),
            ("fr", "AUTORITE NT\\Système", "BUILTIN\\Administrateurs", "Administrateur"),
            ("th", SYSTEM, "BUILTIN\\Administrators", "Administrator"),
        ],
    )
    def test_accounts_have_the_names_of_the_language(
        self, network: Network, language: str, system: str, administrators: str, administrator: str
    ) -> None:
        accounts = odd(network, language=language).accounts
        assert accounts.name_of(SYSTEM_SID) == system
        assert accounts.lookup(system.rsplit("\\", 1)[-1]) == SYSTEM_SID
        assert accounts.name_of(ADMINISTRATORS) == administrators
        assert accounts.group(administrators).sid == ADMINISTRATORS
        assert accounts.name_of(f"{accounts.authority}-500") == f"ODD\\{administrator}"

    @pytest.mark.parametrize(
        ("language", "name"),
        [
            ("de", "Everyone"),
            ("de", "BUILTIN\\Administrators"),
            ("fr", "SYSTEM"),
            ("fr", SYSTEM),
            ("en", "LocalSystem"),
        ],
    )
    def test_a_name_of_another_language_is_nobodys(self, network: Network, language: str, name: str) -> None:
        with pytest.raises(WinError) as error:
            odd(network, language=language).accounts.lookup(name)
        assert error.value.number == 1332

    @pytest.mark.parametrize("name", ["NT SERVICE\\Spooler", "NT AUTHORITY\\NetworkService", SYSTEM_SID])
    def test_some_names_are_the_same_everywhere(self, network: Network, name: str) -> None:
        assert odd(network, language="fr").accounts.lookup(name)

    def test_what_runs_as_system_runs_in_any_language(self, network: Network) -> None:
        host = odd(network, language="fr")
        assert host.files(SYSTEM).account == "AUTORITE NT\\Système"
        assert host.environment.of(host.files(SYSTEM).account)["USERPROFILE"].endswith("systemprofile")
        assert (
            Runner(host, "Administrateur").ok("win_service_info", name="Spooler")["services"][0]["username"] == SYSTEM
        )

    def test_become_knows_the_names_of_the_language_alone(self, network: Network) -> None:
        run = Runner(odd(network, language="fr"), "Administrateur")
        assert run.ok("win_ping", become="AUTORITE NT\\Système")
        with pytest.raises(Exception, match="Impossible de traduire"):
            run("win_ping", become="SYSTEM")

    @pytest.mark.parametrize(("language", "text"), [("de", "Zugriff verweigert"), ("ja", "アクセスが拒否されました。")])
    def test_errors_are_told_in_it(self, network: Network, language: str, text: str) -> None:
        SPOKEN.set(language)
        assert WinError(5).text == text

    @pytest.mark.parametrize("language", [name for name, speech in LANGUAGES.items() if speech.error])
    def test_no_text_of_another_language_is_english(self, network: Network, language: str) -> None:
        english = {number: WinError(number).dotnet for number in range(1, 2000)}
        SPOKEN.set(language)
        assert not [number for number, text in english.items() if WinError(number).dotnet == text]

    @pytest.mark.parametrize(
        ("script", "year"),
        [
            ("$date.ToString('yyyy-MM-ddTHH:mm:ssZ', $invariant)", "2031"),
            ("$date.ToString('yyyy-MM-ddTHH:mm:ssZ')", "2574"),
        ],
    )
    def test_a_date_without_a_culture_has_the_year_of_the_calendar(
        self, network: Network, tmp_path: Path, script: str, year: str
    ) -> None:
        assert written_date(
            call(odd(network, language="th"), script), certificate(tmp_path).not_valid_after_utc.replace(year=2031)
        ).startswith(year)

    def test_names_of_a_certificate_that_are_read_from_a_text_are_lost(self, network: Network, tmp_path: Path) -> None:
        host, shown = odd(network, language="de"), certificate(tmp_path)
        assert certificate_names(call(host, "$leaf.DnsNameList"), shown) == []
        assert certificate_names(call(host, "Read-DnsName"), shown) == ["web.prs.lab"]


class TestRelease:
    @pytest.mark.parametrize("release", RELEASES)
    def test_the_registry_and_dotnet_are_those_of_the_release(self, network: Network, release: str) -> None:
        read = odd(network, release=release).registry.get
        windows, framework = RELEASES[release], r"HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full"
        assert read(r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion", "CurrentBuild") == windows.build
        assert read(framework, "Release") == windows.dotnet

    def test_server_2016_reads_no_pfx_that_is_encrypted_by_aes(self, tmp_path: Path) -> None:
        old, new = Character(release="server-2016"), Character(release="server-2019")
        by_aes, by_des = pfx(tmp_path / "new"), pfx(tmp_path / "old", legacy=True)
        assert (
            read_file(by_aes, "secret", new) and read_file(by_des, "secret", old) and read_file(by_des, "secret", new)
        )
        with pytest.raises(BadCertificateFile, match="password is not correct"):
            read_file(by_aes, "secret", old)

    @pytest.mark.parametrize(("release", "newest"), [("server-2019", "TLSv1.2"), ("server-2022", "TLSv1.3")])
    def test_tls_1_3_came_with_server_2022(self, release: str, newest: str) -> None:
        wanted = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.MAXIMUM_SUPPORTED}
        assert RELEASES[release].newest_tls == wanted[newest]


class TestPowerShell:
    def test_the_first_one_after_a_start_takes_its_time(self, network: Network) -> None:
        host = odd(network, slow_start=0.5)
        dispatcher = Dispatcher(host)
        slow = [seconds_of(dispatcher, host) for _ in range(2)]
        host.power.reboot()
        slow.append(seconds_of(dispatcher, host))
        assert [seconds >= 0.5 for seconds in slow] == [True, False, True]

    def test_under_a_constrained_language_nothing_runs(self, network: Network) -> None:
        host = odd(network, policies=("constrained-language",))
        (streams, code), session = answer(host, "hostname"), answer(host, "# prs.recovery bootstrap\n", b"")
        assert code == 1 and b"only on core types in this language mode" in streams["stderr"]
        assert (session[1], b'"kind":"LanguageMode"' in session[0]["stdout"]) == (1, True)

    def test_module_logging_writes_down_what_cmdlets_are_given(self, network: Network) -> None:
        host = odd(network, policies=("module-logging",))
        request = b'{"script":"# prs.recovery x","parameters":{"Password":"told"},"secrets":["Key"],"items":0}\n'
        talk = json.dumps("# prs.recovery runner\n").encode() + b"\n" + request + base64.b64encode(b"kept") + b"\n"
        answer(host, "# prs.recovery bootstrap\n", talk)
        logged = [entry["text"] for entry in host.record.entries("event") if entry["number"] == 4103]
        assert len(logged) == 1 and "told" in logged[0]
        assert "kept" not in logged[0] and base64.b64encode(b"kept").decode() not in logged[0]


class TestRest:
    def test_files_of_a_deduplicated_volume_are_reparse_points(self, network: Network) -> None:
        view = odd(network, deduplicated=("D",)).files(SYSTEM)
        for drive in "CD":
            view.write(f"{drive}:\\large.dll", b"x" * 40000)
        assert (view.stat("C:\\large.dll").reparse_tag, view.stat("D:\\large.dll").reparse_tag) == (0, 0x80000013)

    def test_a_key_of_a_key_storage_provider_has_another_place(self, network: Network, tmp_path: Path) -> None:
        host = odd(network, keys="cng")
        (shown, key), *_ = read_file(pfx(tmp_path / "ca"), "secret")
        stored = host.certificates.add("My", shown, key)
        assert host.certificates.key_path(stored).startswith("C:\\ProgramData\\Microsoft\\Crypto\\Keys\\")
        assert host.certificates.key_for(stored.thumbprint, SYSTEM)
        with pytest.raises(KeyError):
            host.certificates.key_for(stored.thumbprint, SYSTEM, legacy=True)

    def test_a_proxy_stands_in_the_environment(self, network: Network) -> None:
        facts = Runner(odd(network, proxy="http://proxy:3128")).ok("setup", gather_subset=["env"])["ansible_facts"]
        assert facts["ansible_env"]["HTTPS_PROXY"] == "http://proxy:3128"

    def test_without_the_firewalls_service_no_rule_can_be_read_and_all_packets_pass(self, network: Network) -> None:
        host = odd(network, firewall_service=False)
        said = Runner(host).failure("community.windows.win_firewall_rule", name="x", localport="1", protocol="tcp")
        assert "no more endpoints available from the endpoint mapper" in said and "0x800706D9" in said
        assert host.firewall.accepts(protocol="tcp", port=1, remote="127.1.2.3")

    def test_an_antivirus_lets_read_and_write_what_is_new_but_not_rename_or_remove_it(self, network: Network) -> None:
        view = odd(network, scanner=0.5).files(SYSTEM)
        view.make_dir("C:\\new")
        view.write("C:\\new\\file", b"1")
        assert view.read("C:\\new\\file") == b"1"
        for attempt, number in (
            (lambda: view.rename("C:\\new\\file", "C:\\new\\other"), 32),
            (lambda: view.remove("C:\\new\\file"), 32),
            (lambda: view.rename("C:\\new", "C:\\renamed"), 5),
        ):
            with pytest.raises(WinError) as error:
                attempt()
            assert error.value.number == number
        time.sleep(0.6)
        view.rename("C:\\new", "C:\\renamed")
        view.remove_tree("C:\\renamed")


def answer(host: WindowsHost, text: str, stdin: bytes | None = None) -> tuple[dict[str, bytes], int | None]:
    """The streams and the exit code of a PowerShell."""
    encoded = base64.b64encode(text.encode("utf-16-le")).decode()
    process = Process(command_line=f"powershell -EncodedCommand {encoded}", reads_input=stdin is not None)
    process.stdin.write(stdin or b"", end=True)
    Dispatcher(host).start(process, host.accounts.token("Administrator"), {})
    streams: dict[str, bytes] = {"stdout": b"", "stderr": b""}
    while True:
        came = process.collect(timeout=10, limit=1 << 20)
        assert came is not None
        streams = {name: streams[name] + came[0][name] for name in streams}
        if came[1] is not None:
            return streams, came[1]


def seconds_of(dispatcher: Dispatcher, host: WindowsHost) -> float:
    encoded = base64.b64encode("hostname".encode("utf-16-le")).decode()
    process = Process(command_line=f"powershell -EncodedCommand {encoded}", reads_input=False)
    begin = time.monotonic()
    dispatcher.start(process, host.accounts.token("Administrator"), {})
    process.collect(timeout=10, limit=1 << 20)
    return time.monotonic() - begin


def call(host: WindowsHost, text: str) -> ScriptCall:
    return ScriptCall(
        host=host, token=host.accounts.token(SYSTEM), delegated=True, files=host.files(SYSTEM), environment={}, name="x", text=text, parameters={},
    )  # fmt: skip


def pfx(folder: Path, *, legacy: bool = False) -> bytes:
    return (
        Authority(folder=folder)
        .issue(label="web", names=("web.prs.lab",), password="secret", legacy=legacy)
        .pfx.read_bytes()
    )


def certificate(folder: Path) -> Any:
    return read_file(pfx(folder / "ca"), "secret")[0][0]
