"""What the texts of roles keep to where they speak of Windows.

- A script of win_powershell that fails has no msg: its reasons are told by `prs.recovery.what_failed`.
- Nothing is decided by a message, which is in the language of Windows.
- Accounts of Windows itself go by their SIDs, or by the names that were asked for: they have others in other languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TEXTS = sorted(
    path
    for folder in ("roles", "playbooks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".yml", ".j2") and "meta" not in path.parts
)
POWERSHELL = ("ansible.windows.win_powershell", "prs.recovery.windows_script")
CONDITIONS = ("when", "until", "failed_when", "changed_when", "that")
MESSAGE = re.compile(r"\.(msg|stderr|stdout|exception|error_details)\b|\[.(msg|stderr|stdout).\]")
ENGLISH_ACCOUNT = re.compile(r"(?i)\b(BUILTIN|NT AUTHORITY)\\|^(everyone|administrators|users|guests|system)$")


def tasks_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping within, which every task is."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from tasks_of(inner)


def registered_scripts(documents: list[Any]) -> set[str]:
    """Where the answers of scripts are kept."""
    tasks = (task for document in documents for task in tasks_of(document))
    return {task["register"] for task in tasks if not task.keys().isdisjoint(POWERSHELL) and "register" in task}


def reads_no_message_of(scripts: set[str], text: str) -> Iterator[str]:
    for name in scripts:
        if re.search(rf"\b{name}(\.results\[\d+\])?(\.msg\b|\[.msg.\])", text):
            yield f"{name}.msg: a script that failed has none, take prs.recovery.what_failed"


def findings_of_tasks(document: Any) -> Iterator[str]:
    for task in tasks_of(document):
        for condition in CONDITIONS:
            value = task.get(condition)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and MESSAGE.search(text):
                    yield f"{condition}: {text}: messages are in the language of Windows"
        for name, value in task.items():
            if isinstance(value, str) and ENGLISH_ACCOUNT.search(value.strip()):
                yield f"{name}: {value}: another name in another language, give its SID or the name that was asked for"


DOCUMENTS = {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in TEXTS if path.suffix == ".yml"}
SCRIPTS = registered_scripts(list(DOCUMENTS.values()))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_it_keeps_to_the_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not [*reads_no_message_of(SCRIPTS, text), *findings_of_tasks(DOCUMENTS.get(path))]


def test_the_scripts_are_found() -> None:
    assert {"_preflight_looked", "_sql_server_look", "_certificate_import"} <= SCRIPTS


@pytest.mark.parametrize(
    "text", ["{{ _x_look.msg }}", "{{ _x_look['msg'] | default('') }}", "{{ _x_look.results[0].msg }}"]
)
def test_a_message_that_no_script_has_is_found(text: str) -> None:
    task = {POWERSHELL[0]: {"script": "1"}, "register": "_x_look"}
    assert list(reads_no_message_of(registered_scripts([[{"block": [task]}]]), text))


@pytest.mark.parametrize(
    "task",
    [
        {"when": "'denied' in _x.msg"},
        {"until": ["_x is not failed or _x.stderr is search('busy')"]},
        {"that": ["_x['msg'] == 'ok'"]},
        {"become_user": "SYSTEM"},
        {"ansible.windows.win_acl": {"user": "BUILTIN\\Users"}},
        {"ansible.windows.win_share": {"full": "Everyone"}},
    ],
)
def test_what_breaks_a_rule_is_found(task: dict[str, Any]) -> None:
    assert list(findings_of_tasks([{"block": [task]}]))


@pytest.mark.parametrize(
    "task",
    [
        {"when": "_x is not failed", "become_user": "{{ _x.result.system_account }}"},
        {"ansible.windows.win_acl": {"user": "S-1-5-20"}},
        {"ansible.builtin.debug": {"msg": "{{ _x.msg }}"}},
    ],
)
def test_what_keeps_to_them_is_not(task: dict[str, Any]) -> None:
    assert not list(findings_of_tasks([task]))
