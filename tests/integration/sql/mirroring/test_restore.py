"""A backup and a mirrored database: what is healthy stays, and a yes ends the session before anything is overwritten."""

from __future__ import annotations

import pytest

from ..conftest import Failed
from .conftest import SEED


@pytest.fixture
def backed_up(pair):
    """Mirrored, with a row that its backup does not have. Returns the source of the backup."""
    folder = f"{SEED}\\restore-{pair.name}"
    pair.mirror()
    pair.a.run("sql_backup", database=pair.name, path=folder)
    pair.mark(2)
    return {"folders": [folder]}


def test_a_healthy_principal_stays(pair, backed_up):
    result = pair.a.run("sql_restore", database=pair.name, source=backed_up)
    assert (result["changed"], result["plan"]) == (False, {})
    assert pair.state(pair.a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")


def test_a_yes_ends_the_session_and_the_mirror_is_made_anew(pair, backed_up):
    """Its copy has commits that the restored database does not have."""
    a, b, name = pair.a, pair.b, pair.name
    asked = {"database": name, "source": backed_up, "replace": "always", "tail_log": "skip"}
    planned = a.run("sql_restore", check=True, **asked)
    assert f"ALTER DATABASE [{name}] SET PARTNER OFF" in planned["statements"] and pair.state(a)[:2] == (
        "PRINCIPAL",
        "SYNCHRONIZED",
    )
    restored = a.run("sql_restore", **asked)
    assert "NOT protected by a mirror" in str(restored["warnings"])
    assert (a.marks(name), pair.state(a)[0], b.state_of(name)) == ([1], None, "RESTORING")
    pair.mark(3)
    assert pair.mirror()["seeded"]
    assert pair.state(a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")
    pair.fail_over(b)
    assert b.marks(name) == [1, 3]


def test_nothing_is_touched_where_no_backup_leads_there(pair, backed_up):
    with pytest.raises(Failed):
        pair.a.run("sql_restore", database=pair.name, source={"folders": [f"{SEED}\\nothing"]}, replace="always")
    assert pair.state(pair.a)[:2] == ("PRINCIPAL", "SYNCHRONIZED")


def test_the_mirror_is_never_overwritten(pair, backed_up):
    with pytest.raises(Failed, match="the mirror of a mirroring session") as refused:
        pair.b.run("sql_restore", database=pair.name, source=backed_up, replace="always")
    assert "failover_prs" in str(refused.value)
    assert pair.state(pair.b)[:2] == ("MIRROR", "SYNCHRONIZED")
