from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.backup.backup_set import Copy
from ansible_collections.prs.recovery.plugins.module_utils._core.restore.plan import Step
from ansible_collections.prs.recovery.plugins.module_utils._sql.connection.errors import SqlError
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore import statements

COPIES = (Copy(stripes=("D:\\a.bak",), position=1), Copy(stripes=("E:\\b.bak",), position=1))


def restore(session, *copies):
    step = Step(action="database", kind="full", guid="g", copies=copies)
    plan = SimpleNamespace(steps=[step], resumes=False)
    statements.restore(session, plan, database="PRS", replace=False)
    return session.connection.ran


@pytest.mark.parametrize("number", [3143, 3183, 3186, 3189, 3201, 3203, 3208, 3241, 3242, 3254, 3256, 3287])
def test_an_error_that_condemns_a_copy_leads_to_the_next_one(make_session, sql_error, number):
    first, second = restore(make_session({"a.bak": sql_error(number)}), *COPIES)
    assert "a.bak" in first and "b.bak" in second


def test_without_another_copy_the_set_is_unusable(make_session, sql_error):
    with pytest.raises(statements.SetUnusable) as problem:
        restore(make_session({"a.bak": sql_error(3208, "end of file")}), COPIES[0])
    assert (problem.value.guid, problem.value.reason, problem.value.code) == ("g", "end of file", "damaged")


def test_an_error_of_the_plan_ends_it(make_session, sql_error):
    session = make_session({"a.bak": sql_error(3154)})
    with pytest.raises(SqlError):
        restore(session, *COPIES)
    assert len(session.connection.ran) == 1


@pytest.mark.parametrize(("first", "replaces"), [("full", True), ("differential", False), ("log", False), ("", False)])
def test_only_what_starts_over_may_overwrite(make_session, first, replaces):
    """The kind of a step is a text, and empty for the last one, which only recovers."""
    action = {"log": "log", "": "recover"}.get(first, "database")
    steps = [Step(action=action, kind=first, guid="g", copies=COPIES)]
    session = make_session()
    plan = SimpleNamespace(steps=steps, resumes=False)
    statements.restore(session, plan, database="PRS", replace=True)
    assert ("REPLACE" in session.connection.ran[0]) is replaces
