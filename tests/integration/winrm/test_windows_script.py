"""Scripts of the roles on a host, several in one session, each on its own, with shares connected for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.scripts import run_windows_scripts
from prs_lab.windows.filesystem import FileView
from prs_lab.windows.scripts.verbs import DotNetError

from .windows_twins import NO_SHARE, ON_SHARE, SHARE_PASSWORD, Twins

ROLES = Path(__file__).resolve().parents[3] / "roles"
INSPECT_PATHS = (ROLES / "preflight/files/inspect_paths.ps1").read_text()
SET_VALUES = (ROLES / "estate/files/set_registry_values.ps1").read_text()
KEY = r"HKLM:\SOFTWARE\Test"
VALUE = {"Value": [{"key": KEY, "name": "x", "data": "1", "type": ""}]}
NOTHING = {"script": None, "parameters": None, "scripts": None, "depth": 7, "share_paths": None, **NO_SHARE}
SHARED = "\\\\files\\backup\\a.txt"


def run(twins: Twins, *, check_mode: bool = False, **params: Any) -> dict[str, Any]:
    with twins.session(check_mode=check_mode) as files:
        return run_windows_scripts(files, {**NOTHING, **params})


def looked(*paths: str, name: str = "paths") -> dict[str, Any]:
    return {"name": name, "script": INSPECT_PATHS, "parameters": {"Path": [*paths]}}


def at_share(twins: Twins, *paths: str, **params: Any) -> list[dict[str, Any]]:
    answer = run(twins, script=INSPECT_PATHS, parameters={"Path": [*paths]}, **params)
    return [{key: record[key] for key in ("exists", "error", "message")} for record in answer["result"]["paths"]]


def test_one_answers_as_a_task_does(twins: Twins) -> None:
    answer = run(twins, script=SET_VALUES, parameters=VALUE)
    after = {KEY: {"x": {"type": "String", "data": "1"}}}
    assert answer == {
        "changed": True,
        "error": [],
        "diff": {"before": {KEY: {}}, "after": after},
        "result": {"set": ["x"]},
    }
    assert not run(twins, script=SET_VALUES, parameters=VALUE)["changed"]


def test_check_mode_says_it_and_sets_nothing(twins: Twins) -> None:
    assert run(twins, check_mode=True, script=SET_VALUES, parameters=VALUE)["changed"]
    assert run(twins, script=SET_VALUES, parameters=VALUE)["changed"]


def test_several_answer_by_their_names_in_one_session(twins: Twins) -> None:
    twins.write("C:\\a.txt", b"12")
    answer = run(twins, scripts=[looked("C:\\a.txt"), {"name": "values", "script": SET_VALUES, "parameters": VALUE}])
    assert answer["changed"]
    assert list(answer["result"]) == ["paths", "values"]
    assert answer["result"]["paths"]["result"]["paths"][0]["bytes"] == 2
    assert twins.scripts() == ["run_scripts", "inspect_paths", "set_registry_values"]
    assert run(twins, scripts=[]) == {"changed": False, "result": {}}


def test_one_that_fails_takes_no_other_along(twins: Twins) -> None:
    twins.web.script_faults["set_registry_values"] = "no way"
    failing = {"name": "values", "script": SET_VALUES, "parameters": VALUE}
    result = run(twins, scripts=[failing, looked("C:\\none")])["result"]
    assert (result["values"]["failed"], result["values"]["result"]) == (True, {})
    assert result["values"]["error"] == [{"exception": {"message": "no way"}}]
    assert not result["paths"]["failed"]


def test_alone_it_fails_the_task(twins: Twins) -> None:
    twins.web.script_faults["inspect_paths"] = "no way"
    with pytest.raises(RecoveryError, match=r"^no way\.$") as caught:
        run(twins, script=INSPECT_PATHS)
    assert caught.value.code == "script_failed"
    assert caught.value.details["error"] == [{"exception": {"message": "no way"}}]


def test_a_name_stands_for_one_script(twins: Twins) -> None:
    with pytest.raises(RecoveryError, match="the same name") as caught:
        run(twins, scripts=[looked(), looked()])
    assert caught.value.code == "option_invalid"


def test_shares_are_seen_by_the_account_that_is_given(twins: Twins) -> None:
    twins.write("E:\\backup\\a.txt", b"12", twins.share_host)
    paths = [SHARED, "C:\\none", "\\\\files\\backup\\none"]
    assert [record["error"] for record in at_share(twins, *paths)] == [5, 2, 5]
    seen = at_share(twins, *paths, share_paths=paths, **ON_SHARE)
    assert [record["error"] for record in seen] == [0, 2, 2]
    assert twins.scripts().count("connect") == 1


def test_a_share_that_is_refused_stops_no_look_at_others(twins: Twins) -> None:
    """Each in the words of Windows, and asked for nothing."""
    twins.write("E:\\backup\\a.txt", b"12", twins.share_host)
    gone = ["\\\\nobody\\x\\a.txt", "\\\\files\\none\\a.txt", "\\\\Nobody\\x\\b.txt"]
    paths = [gone[0], SHARED, *gone[1:]]
    seen = at_share(twins, *paths, share_paths=paths, **ON_SHARE)
    assert [record["error"] for record in seen] == [53, 0, 67, 53]
    assert seen[0]["message"] == "The network path was not found."


def test_a_wrong_password_is_told_of_each_path(twins: Twins) -> None:
    account = {"share_user": ON_SHARE["share_user"], "share_password": f"not {SHARE_PASSWORD}"}
    seen = at_share(twins, SHARED, "C:\\none", share_paths=[SHARED], **account)
    assert [record["error"] for record in seen] == [1326, 2]


def test_a_server_that_does_not_answer_is_waited_for_once(twins: Twins) -> None:
    """Windows takes up to a minute for each share of it."""
    gone = ["\\\\nobody\\x\\a", "\\\\nobody\\y\\a", "\\\\nobody\\z\\a"]
    told = at_share(twins, *gone, SHARED, share_paths=[*gone, SHARED], **ON_SHARE)
    assert {record["error"] for record in told[:3]} == {53}
    assert twins.scripts().count("connect") == 2


def test_an_account_without_a_password_has_seen_nothing(twins: Twins) -> None:
    """Never is that 0, which would be no error."""
    account = {"share_user": ON_SHARE["share_user"], "share_password": ""}
    [told] = at_share(twins, SHARED, share_paths=[SHARED], **account)
    assert told["error"] == 86 and "No password is given for" in told["message"], told
    assert "connect" not in twins.scripts()


def test_a_refusal_without_a_number_has_one(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where PowerShell itself refuses: a 0 would pass for a share that was seen."""

    def refuse(*_arguments: str) -> None:
        raise DotNetError("IOException", "The specified drive root does not exist")

    monkeypatch.setattr(FileView, "connect", refuse)
    [told] = at_share(twins, SHARED, share_paths=[SHARED], **ON_SHARE)
    assert told == {"exists": False, "error": 1208, "message": "The specified drive root does not exist"}
