from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.catalog import FileReading
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._progress import Progress
from ansible_collections.prs.recovery.plugins.module_utils._sql.catalog import headers
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.session import Session
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import folders


def failure(number, os_error=None, sqlstate="42000"):
    text = f"Cannot open backup device 'x'. Operating system error {os_error}(text)." if os_error else "No entry found."
    return SqlError("", text=text, number=number, sqlstate=sqlstate)


class Server:
    """Folders of files; whatever else is asked is answered from `answers`: the first whose key is in the statement."""

    def __init__(self, *, folders=None, answers=None):
        self.folders, self.answers, self.ran, self.account = folders or {}, answers or {}, [], ""
        self.target = SimpleNamespace(server="sql01")

    def query(self, statement, *_values, doing=""):
        self.ran.append(statement)
        if "xp_dirtree" in statement:
            return self.folders.get(statement.split("N'")[1].split("'")[0], [])
        for part, answer in self.answers.items():
            if part in statement:
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise AssertionError(statement)

    def execute(self, statement, *, doing="", on_message=None):
        self.ran.append(statement)
        return []


def row(name, file):
    return {"subdirectory": name, "depth": 1, "file": file}


def test_files_are_found_below_the_folder_too():
    server = Server(
        folders={"\\\\f\\b": [row("z.trn", 1), row("FULL", 0), row("a.bak", 1)], "\\\\f\\b\\FULL": [row("x.bak", 1)]}
    )
    assert folders.find_files(server, "\\\\f\\b") == ["\\\\f\\b\\a.bak", "\\\\f\\b\\FULL\\x.bak", "\\\\f\\b\\z.trn"]


def test_an_endless_folder_ends():
    class Endless(Server):
        def query(self, statement, *values, doing=""):
            if "xp_dirtree" in statement:
                self.ran.append(statement)
                return [row("deeper", 0)]
            return super().query(statement, *values, doing=doing)

    server = Endless(answers={"xp_subdirs": failure(22006, 2)})
    assert folders.find_files(server, "D:\\b") == []
    assert len([one for one in server.ran if "xp_dirtree" in one]) == folders.DEEPEST + 1


@pytest.mark.parametrize("os_error", [3, 5, 53, 67, 1326])
def test_a_folder_that_cannot_be_read_is_named_with_account_and_advice(os_error):
    names = {"SQL Server Agent (MSSQLSERVER)": "agent", "SQL Server (MSSQLSERVER)": "NT SERVICE\\X"}
    services = [{"servicename": name, "service_account": account} for name, account in names.items()]
    server = Server(answers={"xp_subdirs": failure(22006, os_error), "dm_server_services": services})
    with pytest.raises(RecoveryError) as refused:
        folders.find_files(server, "\\\\f\\b")
    assert f"\\\\f\\b (operating system error {os_error})" in str(refused.value)
    assert refused.value.advice
    assert "sql01" in str(refused.value)
    if os_error in (3, 5):
        assert "NT SERVICE\\X" in str(refused.value)


@pytest.mark.parametrize(
    "answer", [[], failure(22006, 2), failure(22006, 18)], ids=["a folder", "a root", "no more files"]
)
def test_an_empty_folder_is_no_error(answer):
    server = Server(answers={"xp_subdirs": answer})
    assert folders.find_files(server, "D:\\b") == []
    assert not any("LABELONLY" in statement for statement in server.ran), "each would be an error in the server's log"


@pytest.mark.parametrize(("os_error", "made"), [(2, []), (3, ["EXEC master.sys.xp_create_subdir N'D:\\b'"])])
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_missing_folder_is_made_but_not_in_check_mode(os_error, made, check_mode):
    session = Session(params={}, check_mode=check_mode, progress=Progress())
    session.connection = Server(answers={"xp_subdirs": failure(22006, os_error)})
    folders.provide_folder(session, "D:\\b")
    assert session.statements == made
    assert [one for one in session.connection.ran if "xp_create_subdir" in one] == ([] if check_mode else made)


def test_a_folder_without_rights_is_not_made():
    session = Session(params={}, check_mode=False, progress=Progress())
    session.connection = Server(answers={"xp_subdirs": failure(22006, 5), "dm_server_services": []})
    with pytest.raises(RecoveryError, match="operating system error 5"):
        folders.provide_folder(session, "D:\\b")
    assert session.statements == []


def test_reading_a_file():
    label = {
        "MediaSetId": "6F1A5C2F-9C1E-4A4E-A1B6-D2F1B8C0A7E3",
        "FamilyCount": 2,
        "FamilySequenceNumber": 1,
        "Mirror_Count": 1,
    }
    reading = headers.read_file(Server(answers={"LABELONLY": [label], "HEADERONLY": [{"Position": 1}]}), "D:\\it's.bak")
    assert (reading.problem, reading.label.family_count, reading.headers) == ("", 2, [{"Position": 1}])


@pytest.mark.parametrize(
    ("problem", "part"),
    [
        (failure(3241), "no backup"),
        (failure(3201, 32), "operating system error 32"),
        (failure(3203), "could not be read"),
    ],
)
def test_a_file_that_is_no_backup_is_a_reading_with_a_reason(problem, part):
    assert part in headers.read_file(Server(answers={"LABELONLY": problem}), "D:\\x").problem


def test_a_lost_connection_is_no_property_of_the_file():
    with pytest.raises(SqlError):
        headers.read_file(Server(answers={"LABELONLY": failure(0, sqlstate="08S01")}), "D:\\x")


def test_all_stripes_are_given_for_the_list_of_files():
    server = Server(answers={"FILELISTONLY": [{"LogicalName": "PRS"}]})
    headers.read_file_list(server, Copy(stripes=("D:\\1", "D:\\2"), position=3))
    assert server.ran == ["RESTORE FILELISTONLY FROM DISK = N'D:\\1', DISK = N'D:\\2' WITH FILE = 3"]


def test_a_lost_session_ends_the_reading_of_all(monkeypatch):
    """Nothing that could not be read passes for "no backup"."""

    class Session:
        target, account = None, ""

        def close(self):
            pass

    def read(session, path):
        raise SqlError("", text="gone", number=None, sqlstate="08S01")

    monkeypatch.setattr(headers, "read_file", read)
    monkeypatch.setattr(headers, "connect", lambda target: Session())
    with pytest.raises(SqlError, match="gone"):
        headers.read_files(Session(), [f"{number}.bak" for number in range(50)], progress=Progress())


def test_sessions_that_cannot_be_opened_are_done_without(monkeypatch):
    def refuse(target):
        raise RecoveryError("no more sessions", code="windows_error")

    monkeypatch.setattr(headers, "read_file", lambda session, path: FileReading(path=path))
    monkeypatch.setattr(headers, "connect", refuse)
    paths = [f"{number}.bak" for number in range(50)]
    session = type("Session", (), {"target": None, "account": ""})()
    assert [one.path for one in headers.read_files(session, paths, progress=Progress())] == paths
