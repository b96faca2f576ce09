"""The contract of the roles' scripts: one table of cases, in cases.py.

Every case that the twin can be in runs against its model of the script. Where a PowerShell 7 is on PATH, all run against
the real script as well, through ansible.windows' own win_powershell (real_module.py), and through a session of ours as
windows_script runs it (real_session.py), whose values have to be the same.
"""

from __future__ import annotations

import base64
import json
import ntpath
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from lone_host import Alone
from prs_lab.windows.decode import Become, Job
from prs_lab.windows.dispatch import Dispatcher
from prs_lab.windows.firewall import Rule
from prs_lab.windows.host import WindowsHost
from prs_lab.windows.models import load_models

from .cases import CASES, Case
from .real_module import PWSH, answers_of, place_for_everyone
from .real_session import SessionOfScripts
from .worlds import FILES, OLDEST, make_files, misbehaving_web_server

ROLES = Path(__file__).resolve().parents[3] / "roles"
SCRIPTS = {path.stem: path for path in ROLES.glob("*/files/*.ps1")}
TWIN_CASES = [case for case in CASES if not case.only_real]
ADDRESS = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250 + 1}.1"


def name_of(case: Case) -> str:
    return f"{case.script} {case.about}"


def arguments_of(case: Case, *, root: str, port: int, separator: str) -> dict[str, Any]:
    """As the role's task hands them to win_powershell. {inspect_paths} stands for the text of that script."""

    def placed(value: Any) -> Any:
        if isinstance(value, str):
            if value[1:-1] in SCRIPTS:
                return SCRIPTS[value[1:-1]].read_text()
            at_root = value.startswith("{root}")
            value = value.replace("{root}", root).replace("{port}", str(port))
            return value.replace("/", separator) if at_root else value
        if isinstance(value, Mapping):
            return {name: placed(inner) for name, inner in value.items()}
        return [placed(inner) for inner in value] if isinstance(value, list) else value

    script = SCRIPTS[case.script].read_text()
    for written, instead in case.instead.items():
        assert script.count(written) == 1, f"{written} is not once in {case.script}"
        script = script.replace(written, instead)
    return {
        "script": script,
        "depth": 7,
        "parameters": {name: placed(value) for name, value in case.parameters.items()},
        "sensitive_parameters": [{"name": name, "value": value} for name, value in case.sensitive.items()],
    }


def differences(expected: Any, answer: Any, where: str = "result") -> Iterator[str]:
    """Where the answer is not what is expected of it."""
    if isinstance(expected, Mapping) and isinstance(answer, Mapping):
        for key, value in expected.items():
            yield from differences(value, answer.get(key, "nothing"), f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        for number, value in enumerate(expected):
            yield from differences(value, answer[number], f"{where}[{number}]")
    elif isinstance(expected, re.Pattern):
        if not (isinstance(answer, str) and expected.search(answer)):
            yield f"{where} is {answer!r}, and not like {expected.pattern}"
    elif expected != answer:
        yield f"{where} is {answer!r}, and not {expected!r}"


def check(case: Case, answer: Mapping[str, Any]) -> None:
    errors = [error["exception"]["message"] for error in answer["error"]]
    if case.error:
        assert answer["failed"] and errors and re.search(case.error, errors[0]), errors
    else:
        assert not answer.get("failed"), errors
    assert not list(differences(dict(case.result), answer["result"]))
    assert answer["changed"] is case.changed


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Path, int]]:
    """A folder with what the scripts find, and the port of a web server."""
    with place_for_everyone() as folder, misbehaving_web_server() as port:
        make_files(folder / "files")
        yield folder, port


@pytest.fixture(scope="module")
def real_answers(place: tuple[Path, int]) -> dict[str, Any]:
    folder, port = place
    given = [
        {
            "arguments": arguments_of(case, root=str(folder / "files"), port=port, separator="/"),
            "check": case.check,
            "culture": case.culture,
            "world": {"registry": {}, **case.world},
        }
        for case in CASES
    ]
    return dict(zip(map(name_of, CASES), answers_of(given, folder), strict=True))


@pytest.mark.pwsh
@pytest.mark.skipif(not PWSH, reason="there is no pwsh on PATH")
@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_pwsh(real_answers: dict[str, Any], case: Case) -> None:
    answer = real_answers[name_of(case)]
    assert answer["said"], answer["failure"]
    said = json.loads(answer["said"])
    check(case, said)
    assert "msg" not in said, "win_powershell gives a failed script no msg"


SESSION_CASES = [case for case in CASES if not case.sensitive]
"""A session takes no secret parameters: such scripts run as another account."""


@pytest.fixture(scope="module")
def session() -> Iterator[SessionOfScripts]:
    with place_for_everyone() as folder:
        scripts = SessionOfScripts(folder)
        yield scripts
        scripts.close()


@pytest.mark.pwsh
@pytest.mark.skipif(not PWSH, reason="there is no pwsh on PATH")
@pytest.mark.parametrize("case", SESSION_CASES, ids=name_of)
def test_pwsh_in_a_session(
    place: tuple[Path, int], real_answers: dict[str, Any], session: SessionOfScripts, case: Case
) -> None:
    folder, port = place
    given = arguments_of(case, root=str(folder / "files"), port=port, separator="/")
    several = given["parameters"].get("Look")
    told = session.answers(
        several or [{"name": "", "script": given["script"], "parameters": given["parameters"]}],
        world={"registry": {}, **case.world}, culture=case.culture, check=case.check, depth=5 if several else 7,
    )  # fmt: skip
    answer = told[0]
    if several:
        result = {entry.pop("name"): entry for entry in told}
        answer = {"error": [], "changed": any(entry["changed"] for entry in told), "result": result}
    check(case, answer)
    alone = json.loads(real_answers[name_of(case)]["said"])["result"]
    for name, entry in answer["result"].items() if several else ():
        alone[name]["diff"] = entry["diff"]  # which the other script does not tell
    assert answer["result"] == alone


@pytest.fixture(scope="module")
def twin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    load_models()
    return tmp_path_factory.mktemp("twins")


@pytest.mark.parametrize("case", TWIN_CASES, ids=name_of)
def test_twin(twin_folder: Path, case: Case) -> None:
    estate = Alone()
    host = WindowsHost(
        name="WEB", address=ADDRESS, root=twin_folder / str(TWIN_CASES.index(case)), administrator_password="x", record=estate.record, estate=estate,
        directory=estate.domain,
    )  # fmt: skip
    host.power.start()
    try:
        prepare(host, case)
        dispatcher = Dispatcher(host)
        caller = dispatcher._caller(host.accounts.token("Administrator"), {})
        caller = dispatcher._become(caller, Become(user="SYSTEM", password=None, flags={}))
        arguments = {**arguments_of(case, root="C:\\case", port=1, separator="\\"), "_ansible_check_mode": case.check}
        job = Job(kind="module", name="ansible.windows.win_powershell", arguments=arguments, legacy=False)
        check(case, dispatcher._module(job, caller))
    finally:
        host.close()


def prepare(host: WindowsHost, case: Case) -> None:
    files = host.files("NT AUTHORITY\\SYSTEM")
    for number, (name, data) in enumerate(FILES.items()):
        path = ntpath.normpath(f"C:\\case\\{name}")
        if name.endswith("/"):
            files.make_dir(path)
            continue
        files.make_dir(ntpath.dirname(path))
        files.write(path, data)
        os.utime(files.real_path(path), (OLDEST + number, OLDEST + number))
    for key, values in case.world.get("registry", {}).items():
        host.registry.create(f"HKLM\\{key}")
        for name, value in values.items():
            kind = "multistring" if isinstance(value, list) else "dword" if isinstance(value, int) else "string"
            host.registry.set(f"HKLM\\{key}", name, value, kind)
    host.firewall.rules += [Rule(**entry) for entry in case.world.get("firewall", [])]
    for entry in case.world.get("certificates", []):
        content = base64.b64decode(entry["content"])
        if "password" in entry:
            key, certificate, _ = pkcs12.load_key_and_certificates(content, entry["password"].encode())
            host.certificates.add("My", certificate, key)
        else:
            host.certificates.add("My", x509.load_der_x509_certificate(content))


def test_every_script_has_its_cases() -> None:
    assert {case.script for case in CASES} == set(SCRIPTS)
    assert len({name_of(case) for case in CASES}) == len(CASES)
