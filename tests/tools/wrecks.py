"""A wreck for the tests of recovery_plan: an estate that is whole, from which each test takes something away."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.recovery_plan.wreck import (
    Application,
    ApplicationState,
    Archive,
    BackupSource,
    Database,
    DatabaseState,
    Instance,
    Server,
    Wreck,
)

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


def wreck(**changes: Any) -> Wreck:
    whole: dict[str, Any] = {
        "now": NOW,
        "site": "site_a",
        "web": Server(host="web-a"),
        "sql": Server(host="sql-a"),
        "instance": Instance.RUNNING,
        "database": Database(state=DatabaseState.HEALTHY),
        "application": Application(state=ApplicationState.RUNNING),
        "backups": (BackupSource(name="20260301T020000Z", kind="set", point=ago(hours=10), size=10 * 2**30),),
        "archives": (Archive(name="prs.zip", point=ago(hours=10), size=2**30),),
    }
    return Wreck(**{**whole, **changes})


def total_loss(**changes: Any) -> Wreck:
    """Prepared servers with nothing on them."""
    gone = {
        "instance": Instance.ABSENT,
        "database": Database(state=DatabaseState.MISSING),
        "application": Application(state=ApplicationState.MISSING),
    }
    return wreck(**{**gone, **changes})
