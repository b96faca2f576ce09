"""Models of Ansible modules against what their PowerShell sources do: results, failures, check mode, diff."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.models import SCRIPTS, ModuleFault, Output, ScriptCall, ScriptResult, executable, script
from prs_lab.windows.services import Service

from .windows_lab import Network, Runner


@pytest.fixture
def host(tmp_path: Path) -> Iterator[WindowsHost]:
    network = Network(tmp_path)
    yield network.add("WEB")
    network.close()


@pytest.fixture
def run(host: WindowsHost) -> Runner:
    return Runner(host)


def unmodelled(host: WindowsHost) -> list[str]:
    return [entry["what"] for entry in host.record.entries("unmodelled")]


class TestArguments:
    @pytest.mark.parametrize(
        ("name", "arguments", "said"),
        [
            (
                "win_service",
                {"name": "Spooler", "stat": "started"},
                "Unsupported parameters for (ansible.windows.win_service) module: stat.",
            ),
            ("win_service", {}, "missing required arguments: name"),
            (
                "win_service",
                {"name": "x", "state": "begun"},
                "value of state must be one of: absent, paused, started, stopped, restarted. Got no match",
            ),
            ("win_service", {"name": "x", "desktop_interact": "perhaps"}, "is not a valid boolean"),
            (
                "win_service",
                {"name": "x", "failure_actions": [{"delay_ms": 1}]},
                "missing required arguments: type found in failure_actions",
            ),
            (
                "win_service",
                {"name": "x", "failure_actions": [{"type": "none", "when": 1}]},
                "when found in failure_actions",
            ),
            (
                "win_stat",
                {"path": "C:\\", "get_size": []},
                "argument for get_size is of type System.Object[] and we were unable to convert to bool",
            ),
        ],
    )
    def test_refused(self, run: Runner, name: str, arguments: dict[str, Any], said: str) -> None:
        assert said in run.failure(name, **arguments)

    def test_a_misspelt_option_of_a_legacy_module_is_refused_though_the_real_one_ignores_it(self, run: Runner) -> None:
        assert "the real module ignores this silently" in run.failure(
            "win_file", legacy=True, path="C:\\x", stat="directory"
        )

    def test_aliases_case_and_conversion(self, run: Runner, host: WindowsHost) -> None:
        result = run.ok("win_reg_stat", key="HKLM:\\SOFTWARE")
        assert result["exists"]
        run.ok("win_file", Path="C:\\made", STATE="Directory")
        assert host.files("SYSTEM").is_dir("C:\\made")

    def test_secrets_are_masked_in_results_and_records(self, run: Runner, host: WindowsHost) -> None:
        result = run.ok("win_user", name="svc", password="T0p-secret!", password_never_expires=True)
        assert result["invocation"]["module_args"]["password"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
        assert result["invocation"]["module_args"]["password_never_expires"] is True
        assert "T0p-secret!" not in str(list(host.record.entries()))
        host.save()
        assert "T0p-secret!" not in host.state_file.read_text()

    def test_an_unknown_module_fails_loudly_and_is_listed(self, run: Runner, host: WindowsHost) -> None:
        assert "no model of module community.windows.win_nssm" in run.failure(
            "community.windows.win_nssm", name="x", password="hidden!"
        )
        assert unmodelled(host) == ["module community.windows.win_nssm"]
        assert "hidden!" not in str(list(host.record.entries()))


class TestFiles:
    def test_win_file(self, run: Runner) -> None:
        assert run.ok("win_file", path="C:\\a\\b", state="directory", check=True)["changed"]
        assert run.ok("win_stat", path="C:\\a")["stat"] == {"exists": False}
        assert run.ok("win_file", path="C:\\a\\b", state="directory")["changed"]
        assert not run.ok("win_file", path="c:\\A\\B", state="directory")["changed"]
        assert run.failure("win_file", path="C:\\a\\b", state="file") == "path C:\\a\\b is not a file"
        assert (
            run.failure("win_file", path="C:\\a\\none.txt", state="file") == "path C:\\a\\none.txt will not be created"
        )
        assert run.ok("win_file", path="C:\\a\\t.txt", state="touch")["changed"]
        assert run.failure("win_file", path="C:\\a\\t.txt", state="directory") == "path C:\\a\\t.txt is not a directory"
        assert run.ok("win_file", path="C:\\a", state="absent")["changed"]
        assert not run.ok("win_file", path="C:\\a", state="absent")["changed"]

    def test_win_file_meets_open_files(self, run: Runner, host: WindowsHost) -> None:
        files = host.files("SYSTEM")
        files.make_dir("C:\\app")
        files.write("C:\\app\\a.dll", b"")
        files.hold("C:\\app\\a.dll", "w3wp")
        message = run.failure("win_file", path="C:\\app", state="absent")
        assert message.startswith(
            "Failed to delete C:\\app\\a.dll: The process cannot access the file 'C:\\app\\a.dll' because it is "
            "being used"
        )

    def test_a_module_fails_when_that_is_asked_for(self, run: Runner, host: WindowsHost) -> None:
        """The second time and once more, in a folder, not in check mode; and nothing was done."""
        host.module_faults.append(ModuleFault(pattern=r"win_file .*C:\\\\x", text="asked to fail", after=1, times=2))
        assert (
            run.ok("win_file", path="C:\\y", state="directory")["changed"]
            and run.ok("win_file", path="C:\\x", state="directory")["changed"]
        )
        assert run.ok("win_file", path="C:\\x\\1", state="directory", check=True)["changed"]
        for _ in range(2):
            assert run.failure("win_file", path="C:\\x\\1", state="directory") == "asked to fail"
        assert not host.files("SYSTEM").exists("C:\\x\\1")
        assert run.ok("win_file", path="C:\\x\\1", state="directory")["changed"]

    def test_win_stat(self, run: Runner, host: WindowsHost) -> None:
        host.files("SYSTEM").write("C:\\Data.txt", b"hello")
        stat = run.ok("win_stat", path="c:\\data.TXT", checksum_algorithm="sha256")["stat"]
        assert stat["path"] == "C:\\Data.txt"
        assert stat["size"] == 5
        assert stat["checksum"] == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        assert stat["owner"] == "BUILTIN\\Administrators"
        assert stat["extension"] == ".txt"
        assert run.ok("win_stat", path="%SystemRoot%")["stat"]["path"] == "C:\\Windows"

    def test_win_find(self, run: Runner, host: WindowsHost) -> None:
        files = host.files("SYSTEM")
        files.make_dir("C:\\b\\old")
        for name, size in (("one.bak", 10), ("two.BAK", 3000), ("old\\three.bak", 5), ("four.txt", 5)):
            files.write(f"C:\\b\\{name}", b"x" * size)

        def found(**arguments: Any) -> list[str]:
            return [entry["filename"] for entry in run.ok("win_find", paths="C:\\b", **arguments)["files"]]

        assert found(patterns="*.bak") == ["one.bak", "two.BAK"]
        assert found(patterns="*.bak", recurse=True) == ["three.bak", "one.bak", "two.BAK"]
        assert found(size="1k") == ["two.BAK"]
        assert found(age="1h") == []
        assert found(file_type="directory") == ["old"]
        assert found(patterns="^(one|four)", use_regex=True) == ["four.txt", "one.bak"]
        assert run.ok("win_find", paths="C:\\none")["warnings"] == [
            "Argument path 'C:\\none' does not exist or is not accessible, skipping"
        ]

    def test_win_copy_on_the_host(self, run: Runner, host: WindowsHost) -> None:
        files = host.files("SYSTEM")
        files.make_dir("C:\\from\\sub")
        files.write("C:\\from\\a.txt", b"a")
        files.write("C:\\from\\sub\\b.txt", b"b")
        arguments: dict[str, Any] = {"src": "C:\\from", "dest": "C:\\to", "_copy_mode": "remote"}
        dry = run.ok("win_copy", check=True, **arguments)
        assert dry["changed"]
        assert not files.exists("C:\\to")
        assert run.ok("win_copy", **arguments)["diff"] == dry["diff"]
        assert files.read("C:\\to\\from\\sub\\b.txt") == b"b"
        again = run.ok("win_copy", **arguments)
        assert (again["changed"], again["operation"], again["size"]) == (False, "folder_copy", 2)
        assert "does not exist" in run.failure("win_copy", src="C:\\none", dest="C:\\to", _copy_mode="remote")
        assert (
            run.failure("win_copy", src="C:\\from\\a.txt", dest="C:\\no\\such.txt", _copy_mode="remote")
            == "Destination directory 'C:\\no' does not exist"
        )


class TestRights:
    def test_win_acl(self, run: Runner, host: WindowsHost) -> None:
        host.accounts.add_user("pool", "x")
        message = run.failure("win_acl", path="C:\\none", user="pool", rights="Modify", type="allow")
        assert message == "C:\\none file or directory does not exist on the host"
        run.ok("win_file", path="C:\\app", state="directory")
        arguments = {"path": "C:\\app", "user": "pool", "rights": "Modify", "type": "allow"}
        assert run.ok("win_acl", check=True, **arguments)["skipped"]
        assert run.ok("win_acl", **arguments)["changed"]
        assert run.ok("win_acl", **arguments)["msg"] == "the specified rule already exists"
        host.files("pool").write("C:\\app\\x", b"")
        assert run.ok("win_acl", state="absent", **arguments)["changed"]
        assert run.ok("win_acl", state="absent", **arguments)["msg"] == "the specified rule does not exist"
        assert "account_name nobody is not a valid account" in run.failure("win_acl", **{**arguments, "user": "nobody"})
        assert "Nonsense" in run.failure("win_acl", **{**arguments, "rights": "Nonsense"})

    def test_win_acl_inheritance(self, run: Runner, host: WindowsHost) -> None:
        assert run.failure("win_acl_inheritance", path="C:\\none") == "C:\\none does not exist"
        run.ok("win_file", path="C:\\app", state="directory")
        dry = run.ok("win_acl_inheritance", path="C:\\app", reorganize=True, check=True)
        assert (dry["changed"], dry["diff"]["after"]) == (True, {"state": "present"})
        assert run.ok("win_acl_inheritance", path="C:\\app", reorganize=True)["diff"] == {
            "before": {"state": "present"},
            "after": {"state": "absent"},
        }
        assert not run.ok("win_acl_inheritance", path="C:\\app", reorganize=True)["changed"]
        security = host.files("SYSTEM").security("C:\\app")
        assert security.protected
        assert not any(ace.inherited for ace in security.entries)
        assert run.ok("win_acl_inheritance", path="C:\\app", state="present", reorganize=True)["changed"]
        assert all(ace.inherited for ace in host.files("SYSTEM").security("C:\\app").entries)

    def test_win_share(self, run: Runner, host: WindowsHost) -> None:
        assert (
            run.failure("win_share", name="backup", path="C:\\none", full="Everyone")
            == "C:\\none directory does not exist on the host"
        )
        run.ok("win_file", path="C:\\shares", state="directory")
        arguments = {
            "name": "backup",
            "path": "C:\\shares",
            "full": "Administrators,PRSLAB\\svc-backup",
            "read": "Everyone",
        }
        assert run.ok("win_share", check=True, **arguments)["changed"]
        assert host.shares.find("backup") is None
        actions = run.ok("win_share", **arguments)["actions"]
        assert actions[0] == "New-SmbShare -Name backup -Path C:\\shares"
        assert "Grant-SmbShareAccess -Force -Name backup -AccountName PRSLAB\\svc-backup -AccessRight Full" in actions
        assert not run.ok("win_share", **arguments)["changed"]
        assert run.ok("win_share", name="BACKUP", state="absent")["changed"]


class TestAccounts:
    def test_win_user(self, run: Runner, host: WindowsHost) -> None:
        arguments = {"name": "svc-prs", "password": "One-1234", "groups": ["Users"], "password_never_expires": True}
        assert run.ok("win_user", check=True, **arguments)["changed"]
        assert "svc-prs" not in host.accounts.users
        created = run.ok("win_user", **arguments)
        assert (created["state"], [group["name"] for group in created["groups"]]) == ("present", ["Users"])
        assert not run.ok("win_user", **arguments)["changed"]
        assert run.ok("win_user", **{**arguments, "password": "Two-1234"})["changed"]
        host.accounts.log_on("svc-prs", "Two-1234")
        assert not run.ok("win_user", **{**arguments, "password": "Three-123", "update_password": "on_create"})[
            "changed"
        ]
        assert run.failure("win_user", name="svc-prs", groups=["Nobodies"]) == "group 'Nobodies' not found"
        assert run.ok("win_user", name="svc-prs", state="absent")["msg"] == "User 'svc-prs' deleted successfully"

    def test_win_group_membership(self, run: Runner) -> None:
        assert (
            run.failure("win_group_membership", name="Nobodies", members=["Administrator"])
            == "Could not find local group Nobodies"
        )
        added = run.ok("win_group_membership", name="Administrators", members=["PRSLAB\\svc-backup"])
        assert added["added"] == ["PRSLAB\\svc-backup"]
        assert not run.ok("win_group_membership", name="Administrators", members=["PRSLAB\\svc-backup"])["changed"]
        pure = run.ok("win_group_membership", name="Administrators", members=["WEB\\Administrator"], state="pure")
        assert pure["members"] == ["WEB\\Administrator"]
        assert set(pure["removed"]) == {"PRSLAB\\svc-backup", "PRSLAB\\Domain Admins"}

    def test_win_user_right(self, run: Runner) -> None:
        arguments = {"name": "SeBatchLogonRight", "users": ["PRSLAB\\svc-backup"], "action": "add"}
        assert run.ok("win_user_right", check=True, **arguments)["added"] == ["PRSLAB\\svc-backup"]
        assert run.ok("win_user_right", **arguments)["added"] == ["PRSLAB\\svc-backup"]
        assert not run.ok("win_user_right", **arguments)["changed"]
        assert (
            run.failure("win_user_right", name="SeNothing", users=["Everyone"])
            == "the specified right SeNothing is not a valid right"
        )


class TestServices:
    def test_configuration(self, run: Runner) -> None:
        assert run.ok("win_service", name="none") | {} == run.ok("win_service", name="none")
        assert run.ok("win_service", name="none")["exists"] is False
        assert (
            run.failure("win_service", name="none", state="started")
            == "Service 'none' is not installed, need to set 'path' to create a new service"
        )
        stopped = run.ok("win_service", name="Print Spooler", state="stopped", start_mode="disabled")
        assert (stopped["state"], stopped["start_mode"], stopped["display_name"]) == (
            "stopped",
            "disabled",
            "Print Spooler",
        )
        assert not run.ok("win_service", name="Spooler", state="stopped", start_mode="disabled")["changed"]
        assert "disabled" in run.failure("win_service", name="Spooler", state="started")
        info = run.ok("win_service_info", name="Spooler")["services"][0]
        assert (info["state"], info["start_mode"], info["username"]) == ("stopped", "disabled", "NT AUTHORITY\\SYSTEM")
        assert run.ok("win_service_info", name="none") | {"invocation": 0} == {
            "changed": False,
            "exists": False,
            "services": [],
            "invocation": 0,
        }

    def test_check_mode_and_diff(self, run: Runner, host: WindowsHost) -> None:
        dry = run.ok("win_service", name="Spooler", state="stopped", start_mode="manual", check=True)
        assert dry["changed"]
        assert (dry["diff"]["before"]["start_mode"], dry["diff"]["after"]["start_mode"]) == ("auto", "manual")
        assert host.services.get("Spooler").start_mode == "auto"
        assert host.services.is_running("Spooler")

    def test_dependents_and_hooks(self, run: Runner, host: WindowsHost) -> None:
        host.services.add(Service(name="WAS", display_name="Activation", path="x"))
        host.services.add(Service(name="W3SVC", display_name="Web", path="x", dependencies=["WAS"]))
        seen: list[str] = []
        host.services.on_start("W3SVC", lambda: seen.append("start"))
        host.services.on_stop("W3SVC", lambda *, crash: seen.append("crash" if crash else "stop"))
        run.ok("win_service", name="W3SVC", state="started")
        assert host.services.is_running("WAS")
        assert "has dependent services" in run.failure("win_service", name="WAS", state="stopped")
        assert "has dependent services" in run.failure("win_service", name="WAS", state="restarted")
        run.ok("win_service", name="WAS", state="stopped", force_dependent_services=True)
        run.ok("win_service", name="W3SVC", state="started")
        host.power.kill()
        assert seen == ["start", "stop", "start", "crash"]
        host.power.start()
        assert seen[-1] == "start"

    def test_accounts_of_services(self, run: Runner, host: WindowsHost) -> None:
        run.ok("win_user", name="svc", password="One-1234")
        created = run.ok(
            "win_service", name="App", path="C:\\app.exe", username=".\\svc", password="One-1234", state="started"
        )
        assert created["username"] == "WEB\\svc"
        run.ok("win_user", name="svc", password="Two-1234")
        host.power.reboot()
        assert "logon failure" in run.failure("win_service", name="App", state="started")
        virtual = run.ok("win_service", name="App", username="NT SERVICE\\App", state="started")
        assert virtual["username"] == "NT SERVICE\\App"


class TestRegistry:
    KEY = "HKLM:\\SOFTWARE\\Microsoft\\MSSQLServer\\Client\\ConnectTo"

    def test_values(self, run: Runner) -> None:
        arguments = {"path": self.KEY, "name": "prs-sql", "data": "DBMSSOCN,sql,1433"}
        assert run.ok("win_regedit", check=True, **arguments)["changed"]
        assert run.ok("win_reg_stat", path=self.KEY)["exists"] is False
        assert run.ok("win_regedit", **arguments)["diff"]["after"] == {
            self.KEY: {"prs-sql": {"type": "String", "value": "DBMSSOCN,sql,1433"}}
        }
        again = run.ok("win_regedit", **arguments)
        assert not (again["changed"] or again["data_changed"] or again["data_type_changed"])
        assert run.ok("win_regedit", **{**arguments, "data": "DBMSSOCN,other,1433"})["data_changed"]
        stat = run.ok("win_reg_stat", path=self.KEY.lower(), name="PRS-SQL")
        assert (stat["type"], stat["value"]) == ("REG_SZ", "DBMSSOCN,other,1433")
        assert run.ok("win_reg_stat", path="HKLM:\\SOFTWARE\\Microsoft\\MSSQLServer\\Client")["sub_keys"] == [
            "ConnectTo"
        ]
        assert run.ok("win_regedit", path=self.KEY, name="prs-sql", state="absent")["changed"]
        assert run.ok("win_regedit", path=self.KEY, state="absent")["changed"]
        assert not run.ok("win_regedit", path=self.KEY, state="absent")["changed"]

    @pytest.mark.parametrize(
        ("kind", "data", "expected"),
        [
            ("dword", "0xff", 255), ("dword", 4294967295, 4294967295), ("qword", 1, 1), ("multistring", ["a", "b"], ["a", "b"]),
            ("binary", "hex:be,ef", ["0xbe", "0xef"]), ("binary", "beef", ["0xbe", "0xef"]), ("expandstring", "%SystemRoot%\\x", "%SystemRoot%\\x"),
        ],
    )  # fmt: skip
    def test_types(self, run: Runner, kind: str, data: Any, expected: Any) -> None:
        run.ok("win_regedit", path=self.KEY, name="v", type=kind, data=data)
        assert not run.ok("win_regedit", path=self.KEY, name="v", type=kind, data=data)["changed"]
        assert run.ok("win_reg_stat", path=self.KEY, name="v")["raw_value"] == expected

    def test_refusals(self, run: Runner) -> None:
        assert "is not a valid powershell path" in run.failure(
            "win_regedit", path="HKEY_LOCAL_MACHINE\\SOFTWARE", name="x", data="y"
        )
        assert (
            run.failure("win_regedit", path=self.KEY, name="v", type="dword", data=1 << 33)
            == "data cannot be larger than 0xffffffff when type is dword"
        )


class TestCommands:
    def test_win_command(self, run: Runner) -> None:
        assert run.ok("win_command", _raw_params="hostname")["stdout"] == "WEB\r\n"
        assert run.ok("win_command", argv=["whoami.exe"])["stdout"] == "web\\administrator\r\n"
        assert run.ok("win_command", _raw_params="whoami", become="SYSTEM")["stdout"] == "nt authority\\system\r\n"
        assert run.ok("win_command", _raw_params="whoami", check=True)["skipped"]
        assert (
            run.ok("win_command", _raw_params="whoami", creates="C:\\Windows")["msg"]
            == "skipped, since C:\\Windows exists"
        )
        assert run.failure("win_command", _raw_params="whoami /all") == "non-zero return code"

    def test_programs_that_are_not_there_and_those_without_a_model(self, run: Runner, host: WindowsHost) -> None:
        result = run("win_command", _raw_params='"C:\\media\\setup.exe" /Q')
        assert (result["failed"], result["rc"]) == (True, 3)
        assert "The system cannot find the path specified" in result["msg"]
        assert unmodelled(host) == []
        host.files("SYSTEM").make_dir("C:\\media")
        host.files("SYSTEM").write("C:\\media\\setup.exe", b"MZ")
        assert "no model of program setup.exe" in run.failure(
            "win_command", _raw_params='"C:\\media\\setup.exe" /Q /SAPWD=Secret1'
        )
        assert unmodelled(host) == ["program setup.exe"]
        assert "Secret1" not in str(list(host.record.entries()))

    def test_files_that_are_programs(self, run: Runner, host: WindowsHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("prs_lab.windows.models.EXECUTABLES", models := [])
        monkeypatch.setattr("prs_lab.windows.execution.EXECUTABLES", models)

        def installer(call: Any) -> Output | None:
            return (
                Output(" ".join(call.arguments), rc=3010)
                if call.files.read(call.program).startswith(b"PRSLAB")
                else None
            )

        models.append(installer)
        assert executable is not None
        host.files("SYSTEM").write("C:\\setup.exe", b"PRSLAB-MEDIA {}")
        result = run("win_command", _raw_params='C:\\setup.exe "/a b" /c')
        assert (result["rc"], result["stdout"]) == (3010, "/a b /c")

    def test_win_shell(self, run: Runner, host: WindowsHost) -> None:
        assert run.ok("win_shell", _raw_params="$env:COMPUTERNAME")["stdout"] == "WEB\r\n"
        assert "no model of this PowerShell text" in run.failure("win_shell", _raw_params="Get-Nothing | Out-Null")
        assert unmodelled(host) == ["this PowerShell text"]

    def test_scripts_of_ours(self, run: Runner, host: WindowsHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(SCRIPTS, "test_script", None)
        calls: list[ScriptCall] = []

        @script("test_script_of_this_test")
        def model(call: ScriptCall) -> ScriptResult:
            calls.append(call)
            return ScriptResult(
                result={"a": {"b": {"c": {"d": 1}}}, "l": [1, 2]}, changed=not call.check_mode, output=["done"]
            )

        text = "# prs.recovery test_script_of_this_test\n[CmdletBinding(SupportsShouldProcess)]\nparam()"
        arguments: dict[str, Any] = {
            "script": text, "parameters": {"Name": "x"}, "sensitive_parameters": [{"name": "Secret", "value": "hush-hush"}],
        }  # fmt: skip
        result = run.ok("win_powershell", **arguments)
        assert result["changed"]
        assert result["output"] == ["done"]
        assert result["result"] == {"a": {"b": {"c": "System.Collections.Hashtable"}}, "l": [1, 2]}
        assert calls[0].parameter("secret") == "hush-hush"
        assert not run.ok("win_powershell", check=True, **arguments)["changed"]
        assert "hush-hush" not in str(list(host.record.entries()))
        assert (
            run.ok("win_powershell", script="# prs.recovery other\nparam()", check=True)["msg"]
            == "skipped, running in check mode"
        )
        assert "no model of script other" in run.failure("win_powershell", script="# prs.recovery other\nparam()")

    def test_a_script_that_throws_has_error_records_and_no_message(self, run: Runner) -> None:
        @script("test_script_that_throws")
        def model(call: ScriptCall) -> ScriptResult:
            return ScriptResult(error="The disk is gone")

        result = run("win_powershell", script="# prs.recovery test_script_that_throws\nparam()")
        assert result["failed"] and "msg" not in result
        assert result["result"] == {}
        assert [record["exception"]["message"] for record in result["error"]] == ["The disk is gone"]

    def test_win_wait_for(self, run: Runner) -> None:
        assert run.ok("win_wait_for", path="C:\\Windows")["wait_attempts"] == 1
        assert "timeout while waiting for file C:\\none to be present" in run.failure(
            "win_wait_for", path="C:\\none", timeout=1
        )
        assert "timeout while waiting for 127.0.0.1:1433 to start listening" in run.failure(
            "win_wait_for", port=1433, timeout=1
        )


def test_facts(run: Runner, host: WindowsHost) -> None:
    facts = run.ok("setup")["ansible_facts"]
    expected = {
        "ansible_os_family": "Windows", "ansible_hostname": "WEB", "ansible_fqdn": "web.prs.lab", "ansible_domain": "prs.lab",
        "ansible_windows_domain_member": True,
        "ansible_reboot_pending": False, "ansible_user_id": "Administrator", "ansible_os_installation_type": "Server", "ansible_ip_addresses": [host.address],
    }  # fmt: skip
    assert {name: facts[name] for name in expected} == expected
    assert facts["ansible_env"]["COMPUTERNAME"] == "WEB"
    host.power.require_restart()
    few = run.ok("setup", gather_subset=["!all", "!min", "platform"])["ansible_facts"]
    assert few["ansible_reboot_pending"] is True
    assert "ansible_env" not in few
