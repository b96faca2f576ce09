from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import DatabaseFile
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.file_placement import place_files
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import ServerFacts, Step

SERVER = ServerFacts(data_dir="D:\\Data", log_dir="E:\\Log")


def file(number, name, type="D"):
    return DatabaseFile(logical_name=name, physical_name=f"C:\\{name}.x", type=type, size=1, file_id=number)


@pytest.mark.parametrize(
    ("resumes", "existing", "moved"),
    [
        (False, (), ["PRS", "PRS_log", "Added"]),
        (True, {"prs", "prs_log"}, ["Added"]),
        (True, {"prs", "prs_log", "added"}, []),
    ],
)
def test_a_log_places_only_files_that_are_not_there_yet(resumes, existing, moved):
    """MOVE of a file that the RESTORING database has is refused (3174)."""
    log = SimpleNamespace(database="PRS", files=[file(1, "PRS"), file(2, "PRS_log", "L"), file(3, "Added")])
    _steps, moves, _space = place_files(
        [Step(action="log", kind="log", guid="a")], {"a": log}, database="PRS", server=SERVER, resumes=resumes,
        existing_files=existing,
    )  # fmt: skip
    assert [name for name, _path in moves] == moved


@pytest.mark.parametrize(
    ("database", "paths"),
    [
        pytest.param("PRS", ["D:\\Data\\data.mdf", "D:\\Data\\DATA_2.mdf"], id="in two folders of the old server"),
        pytest.param("PRS_drill", ["D:\\Data\\PRS_drill_first.mdf", "D:\\Data\\PRS_drill_second.mdf"], id="a copy"),
    ],
)
def test_files_of_the_same_name_do_not_meet_in_one_folder(database, paths):
    names = (("first", "F:\\one\\data.mdf"), ("second", "G:\\two\\DATA.mdf"))
    files = [
        DatabaseFile(logical_name=name, physical_name=path, type="D", size=1, file_id=number)
        for number, (name, path) in enumerate(names, 1)
    ]
    full = SimpleNamespace(database="PRS", files=files)
    step = Step(action="database", kind="full", guid="a")
    _steps, moves, _space = place_files([step], {"a": full}, database=database, server=SERVER, resumes=False)
    assert [path for _name, path in moves] == paths
