"""What every role must have: options that agree with their defaults, a README, scripts that a PowerShell reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import tree_sitter
import tree_sitter_powershell
import yaml
from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.active_site import CHOICES
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.control_node import vault_name
from prs_lab.estate import config, estate
from prs_lab.windows.errors import WinError

ROOT = Path(__file__).parents[3]
ROLES = sorted(folder.parent.parent for folder in ROOT.glob("roles/*/tasks/main.yml"))
SCRIPTS = sorted(ROOT.glob("roles/*/files/*.ps1"))
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict}
POWERSHELL = tree_sitter.Language(tree_sitter_powershell.language())


def load(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def name_of(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_options_agree_with_defaults(role: Path):
    """A default that is computed for anything but a text stands in defaults/main.yml alone: a specification takes
    literals of its type.
    """
    options = load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = load(role / "defaults/main.yml")
    # Ansible shows a specification with its defaults rendered when it refuses an argument.
    computed = {
        name
        for name, value in defaults.items()
        if "{{" in str(value) and (options[name]["type"] != "str" or options[name].get("no_log"))
    }
    specified = {name: option["default"] for name, option in options.items() if "default" in option}
    assert specified == {name: value for name, value in defaults.items() if name not in computed}
    assert all(option.get("required") for name, option in options.items() if name not in defaults)


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_options_are_described_once(role: Path):
    """Beside their defaults stands where: descriptions that were written twice did not stay the same."""
    lines = (role / "defaults/main.yml").read_text(encoding="utf-8").splitlines()
    place = f"meta/argument_specs.yml, or ansible-doc -t role prs.recovery.{role.name}"
    assert [line for line in lines if line.startswith("#")] == [f"# What each option means: {place}"]


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_every_entry_point_and_option_is_described(role: Path):
    entries = load(role / "meta/argument_specs.yml")["argument_specs"]
    for name, entry in entries.items():
        assert entry["description"] and entry["short_description"], name
        assert (role / f"tasks/{name}.yml").is_file(), name
        assert all(
            option["description"] and name.startswith(f"{role.name}_")
            for name, option in entry.get("options", {}).items()
        )


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_defaults_are_of_the_type_that_their_option_says(role: Path):
    for name, option in load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"].items():
        default = option.get("default")
        if default is None:
            continue
        assert isinstance(default, TYPES[option["type"]]), name


def test_the_playbooks_refuse_by_their_own_names_what_a_role_would_refuse_by_its():
    """Every shared variable behind an option with choices is among those that the first play of all refuses."""
    found = {}
    for role in ROLES:
        defaults = load(role / "defaults/main.yml")
        for name, option in load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"].items():
            shared = re.match(r"\{\{ (prs_\w+) \| default", str(defaults.get(name, "")))
            if "choices" in option and shared and shared[1] != "prs_ha":
                found[shared[1]] = set(option["choices"])
    assert {name: set(choices) for name, choices in CHOICES.items()} == found | {
        "prs_backup_unreadable": {"fail", "report"}
    }


def test_the_vault_of_the_examples_has_every_name_that_preflight_says():
    secrets = load(ROOT / "roles/preflight/defaults/main.yml")["preflight_secrets"]
    vault = load(ROOT / "inventory.example/two_sites/group_vars/all/vault.yml")
    assert {vault_name(name) for name in secrets} <= set(vault)


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_passwords_are_never_shown(role: Path):
    """A refusal of an argument shows its value, unless the specification says that it is secret."""
    for entry in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        for name, option in entry.get("options", {}).items():
            if "password" in name and option["type"] == "str":
                assert option.get("no_log"), name
                assert "{{" not in str(option.get("default", "")), (
                    f"{name}: the rendered default would be shown with the refusal of any option"
                )


@pytest.mark.parametrize("inventory", ["two_sites", "single_server"])
def test_the_example_inventories_are_whole(inventory: str):
    """Every secret that is spoken of is a placeholder in the vault, nothing else is; each site that serves has its two
    servers.
    """
    folder = ROOT / "inventory.example" / inventory
    vault = load(folder / "group_vars/all/vault.yml")
    lines = [
        line
        for file in folder.rglob("*.yml")
        if file.name != "vault.yml"
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    spoken_of = {name for line in lines if not line.startswith("#") for name in re.findall(r"\bvault_\w+", line)}
    assert spoken_of == set(vault)
    assert set(vault.values()) == {"CHANGE-ME"}, "what preflight refuses"
    groups = load(folder / "hosts.yml")["all"]["children"]
    roles = groups["prs_servers"]["children"]
    site = groups[load(folder / "group_vars/all/main.yml")["prs_active_site"]]["hosts"]
    assert len(set(site) & set(roles["prs_web"]["hosts"])) == len(set(site) & set(roles["prs_sql"]["hosts"])) == 1
    assert {name for group in roles.values() for name in group["hosts"]} >= {
        name for key in groups if key.startswith("site_") for name in groups[key]["hosts"]
    }


def restoring_tasks() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """What each role that restores a database says of it itself, and the module defaults that hold there."""

    def tasks(entries, defaults):
        for entry in entries:
            inner = {**defaults, **entry.get("module_defaults", {})}
            yield entry, inner
            yield from tasks(entry.get("block", []), inner)

    return {
        role.name: (task["prs.recovery.sql_restore"], defaults)
        for role in ROLES
        for file in sorted(role.glob("tasks/*.yml"))
        for task, defaults in tasks(load(file) or [], {})
        if "prs.recovery.sql_restore" in task
    }


def _hidden(tasks: list[dict[str, Any]], *, said: bool = False) -> list[str]:
    """The tasks of which nothing is logged, and of whose failure nobody says why. said: whether they stand in a block
    that does.
    """
    found = []
    for task in tasks:
        says = said or any("prs.recovery.failure_message" in str(rescue) for rescue in task.get("rescue", []))
        found += _hidden(task.get("block", []), said=says)
        if task.get("no_log") and not says and not task.get("ignore_errors"):
            found.append(task["name"])
    return found


def test_whatever_is_hidden_says_why_it_failed():
    """Ansible says of it that the output has been hidden, and no more."""
    hidden = {file: _hidden(load(file) or []) for file in ROOT.glob("roles/*/tasks/*.yml")}
    assert {file: names for file, names in hidden.items() if names} == {}


def test_a_list_of_no_options_is_not_validated():
    """Ansible makes a task of it for each host, which finds nothing."""
    specs = {role.name: load(role / "meta/argument_specs.yml")["argument_specs"] for role in ROLES}
    files = [*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/*.yml")]
    for file in files:
        for include in re.findall(r"include_role:\n((?: +\w.*\n)+)", file.read_text(encoding="utf-8")):
            role, entry = (re.search(rf"{key}: (?:prs\.recovery\.)?(\w+)", include) for key in ("name", "tasks_from"))
            spec = specs.get(role[1], {}).get(entry[1]) if role and entry else None
            if spec is not None and not spec.get("options"):
                assert "rolespec_validate: false" in include, f"{file}: {entry[1]}"


def _spelled_out(text: str) -> str:
    """A text of a task with what the roles' variables of their own that it names hold."""
    files = [role / "vars/main.yml" for role in ROLES]
    known = {name: value for file in files if file.exists() for name, value in load(file).items()}
    for _depth in range(3):
        for name in re.findall(r"\b_\w+", text):
            if name in known:
                text = text.replace(f"{{{{ {name} }}}}", str(known[name])).replace(name, str(known[name]))
    return text


def test_what_every_restore_is_given_is_written_once():
    """With other places for files, preflight would look for room on another drive, and a drill would try another restore."""
    shared = load(ROOT / "roles/sql_options/vars/main.yml")
    restoring = restoring_tasks()
    assert set(restoring) == {"preflight", "restore", "drill", "standby"}
    for own, defaults in restoring.values():
        # Files that are attached may lie on a share, and are read by its account.
        assert defaults["prs.recovery.sql_restore"].startswith("{{ sql_options_restore")
        assert not set(own) & set(shared["sql_options_restore"])
        source = _spelled_out(own["source"])
        assert source.startswith("{{ sql_options_source | combine(")
        assert not any(f"'{name}'" in source for name in shared["sql_options_source"])


SHARE = {"prs_share_user": "LAB\\share", "prs_share_password": "one"}
STAGE = {"prs_backup_stage_path": "D:\\Stage"}
APART = {"prs_backup_database_user": "LAB\\data", "prs_backup_database_password": "two"}


@pytest.mark.parametrize(
    ("inventory", "given"),
    [
        (SHARE, ["omit", "omit", "omit"]),
        (SHARE | STAGE, ["D:\\Stage", "LAB\\share", "one"]),
        (SHARE | STAGE | APART, ["D:\\Stage", "LAB\\data", "two"]),
    ],
)
def test_a_restore_is_staged_where_backups_are(inventory: dict[str, str], given: list[str]):
    """A service account without rights on the share would else be good enough for backups alone."""
    variables = load(ROOT / "roles/sql_options/vars/main.yml")
    options = variables["sql_options_restore"]
    account = {
        name: jinja2.Template(variables[name]).render(**inventory)
        for name in ("_sql_options_share_user", "_sql_options_share_password")
    }
    names = ("stage_path", "share_user", "share_password")
    assert [jinja2.Template(options[name]).render(omit="omit", **inventory, **account) for name in names] == given


def test_preflight_plans_the_restore_that_is_carried_out():
    planned, restored, drilled = (restoring_tasks()[role][0] for role in ("preflight", "restore", "drill"))
    later = {"expected_users", "encryption", "checkdb"}
    assert set(restored) - set(planned) == later, "what is looked at after the restore, and how the tail is written"
    assert set(planned) <= set(restored)
    assert planned["target"] == "{{ restore_chosen.target }}" and "restore_chosen.target" in restored["target"]
    of_backups = [
        load(ROOT / f"roles/{role}/vars/main.yml")[name]
        for role, name in (("preflight", "_preflight_chosen"), ("restore", "_restore_of_backups"))
    ]
    assert of_backups[0] == of_backups[1]
    assert "_preflight_chosen" in planned["source"] and str(of_backups[1]) in _spelled_out(restored["source"])
    assert drilled["replace"] == "never"


@pytest.mark.parametrize("role", ROLES, ids=name_of)
def test_readme(role: Path):
    assert (role / "README.md").read_text(encoding="utf-8").startswith(f"# prs.recovery.{role.name}\n")


@pytest.mark.parametrize("playbook", sorted(ROOT.glob("playbooks/*.yml")), ids=name_of)
def test_playbooks_explain_themselves_in_a_clean_clone(playbook: Path):
    # Roles and action groups that are named where Ansible reads them at once fail before any play can explain why.
    first, *rest = load(playbook)
    if playbook.name == "configure_awx.yml":  # it has nothing to do with the servers, and explains for itself
        assert first["tasks"][0]["name"] == "Find the collections"
        rest = [first]
    else:
        assert first["ansible.builtin.import_playbook"] == "shared/active_site.yml"
    for play in rest:
        assert "roles" not in play
        assert "module_defaults" not in play
        for task in play.get("tasks", []):
            assert not any(key.startswith("prs.recovery.") or key.endswith("import_role") for key in task)


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_scripts_say_their_name_and_are_powershell(script: Path):
    text = script.read_text(encoding="ascii")
    assert text.startswith(f"# prs.recovery {script.stem}\n")
    assert "[CmdletBinding(SupportsShouldProcess)]" in text
    assert not errors(tree_sitter.Parser(POWERSHELL).parse(text.encode()).root_node)


@pytest.mark.parametrize("broken", ["if ($a { }", "@{ a = }"])
def test_the_grammar_sees_what_is_broken(broken: str):
    assert errors(tree_sitter.Parser(POWERSHELL).parse(broken.encode()).root_node)


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_no_variable_shadows_a_parameter(script: Path):
    # PowerShell knows no case: $newest = ... assigns to the parameter $Newest, and converts to its type.
    text = script.read_text(encoding="ascii")
    block = text[text.index("param(") : text.index("\n)", text.index("param(")) + 2] if "\nparam(\n" in text else ""
    parameters = {name.lower() for name in re.findall(r"\]\$(\w+)", block)}
    assigned = {name.lower() for name in re.findall(r"(?m)^\s*\$(\w+)\s*\+?=", text.replace(block, ""))}
    assert not parameters & assigned


def errors(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    found = [node] if node.type == "ERROR" or node.is_missing else []
    return found + [error for child in node.children for error in errors(child)]


def test_nobody_else_may_write_where_setup_runs_as_system(tmp_path: Path):
    """In C:\\Windows\\Temp everybody may: a library laid beside setup.exe there would run as SYSTEM."""
    folder = setup_folder(load(ROOT / "roles/sql_server/defaults/main.yml")["sql_server_work_dir"])
    made = estate.Estate(config=config.load("default"), state_dir=tmp_path, network="127.79.0.0")
    host = made.host("sql-a")
    host.files("NT AUTHORITY\\SYSTEM").make_dir(folder)
    with pytest.raises(WinError) as refused:
        host.files("NT AUTHORITY\\NETWORK SERVICE").write(f"{folder}\\version.dll", b"MZ")
    assert refused.value.number == 5


def test_setup_removes_only_what_it_made():
    """An administrator who gave D:\\Temp lost all that was in it."""
    removed = [
        task["ansible.windows.win_file"]["path"] for task in load(ROOT / "roles/sql_server/tasks/setup.yml")
        if task.get("ansible.windows.win_file", {}).get("state") == "absent"
    ]  # fmt: skip
    assert removed == ["{{ _sql_server_work }}"]
    assert setup_folder("D:\\Temp") == "D:\\Temp\\prs-recovery-sql"


def setup_folder(above: str) -> str:
    return load(ROOT / "roles/sql_server/vars/main.yml")["_sql_server_work"].replace("{{ sql_server_work_dir }}", above)


def test_nothing_can_fail_between_the_settings_and_the_restart_that_they_need():
    """A handler of a run that failed is not run, and the next run finds nothing to change, so that nobody would
    restart. To start the service is a restart.
    """
    names = [task["name"] for task in load(ROOT / "roles/sql_server/tasks/configure.yml")]
    settings = names.index("Set certificate, TCP port and login mode")
    assert names[settings + 1 : settings + 3] == ["Start the service", "Apply the settings"]


def test_a_restored_application_is_started_when_it_has_its_rights():
    """One that starts at once, as ours does, remembers until its next start what it was not allowed to."""
    tasks = load(ROOT / "roles/restore/tasks/application.yml")
    restore, rights, start = ([task["name"] for task in tasks].index(name) for name in (
        "Restore the application's folder", "Set up the restored folder", "Start the application",
    ))  # fmt: skip
    assert restore < rights < start
    options = load(ROOT / "roles/restore/vars/main.yml")["_restore_of_archive"]
    assert "start_pool" not in {**options, **(tasks[restore]["prs.recovery.app_restore"] or {})}


def test_the_file_of_a_private_key_is_looked_for_in_every_folder_of_keys():
    """.NET's class of a key does not tell in which one it lies: GetRSAPrivateKey wraps the keys of old providers in
    RSACng as well.
    """
    script = (ROOT / "roles/certificate/files/import_certificate.ps1").read_text(encoding="ascii")
    finder = script[script.index("function Get-KeyFile") :]
    assert all(f"'{folder}'" in finder for folder in ("RSA\\MachineKeys", "Keys"))
    assert "Test-Path -LiteralPath $file" in finder


def test_what_the_hook_of_a_failover_is_told_is_read_by_nothing_that_tells_it():
    """Else a template would have to know itself."""
    role = ROOT / "roles/failover"
    [hook] = [task for task in load(role / "tasks/start.yml") if "prs_old_site" in task.get("vars", {})]
    texts = [(role / folder / "main.yml").read_text(encoding="utf-8") for folder in ("defaults", "vars")]
    assert [name for name in hook["vars"] if any(re.search(rf"\b{name}\b", text) for text in texts)] == []
