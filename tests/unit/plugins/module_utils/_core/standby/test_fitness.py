from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.standby.fitness import Server, unfit

GIB = 1024**3


def server(host: str, **changed: Any) -> Server:
    plain: dict[str, Any] = {
        "host": host,
        "answers": True,
        "version": (15, 0),
        "edition": "Express Edition (64-bit)",
        "state": "ONLINE",
        "is_in_standby": False,
        "family_guid": "f",
        "recovery_model": "FULL",
        "mirroring_role": "",
        "data_bytes": GIB,
    }
    return Server(**{**plain, **changed})


@pytest.mark.parametrize(
    ("principal", "standby", "asked", "said"),
    [
        ({}, {"state": ""}, {}, []),
        ({}, {"state": "RESTORING"}, {}, []),
        ({}, {"is_in_standby": True}, {}, []),
        ({}, {"version": (14, 0), "state": ""}, {}, ["older than that on sql-a (15.0)"]),
        ({}, {"version": (16, 0), "state": ""}, {}, []),
        ({}, {"version": (16, 0), "state": ""}, {"readable": True}, ["prs_standby_readable: false"]),
        ({"data_bytes": 11 * GIB}, {"state": ""}, {}, ["which opens no more than 10.0 GB"]),
        ({"data_bytes": 11 * GIB}, {"state": "", "version": (17, 0)}, {}, []),
        ({"data_bytes": 11 * GIB}, {"state": "", "edition": "Standard Edition (64-bit)"}, {}, []),
        ({}, {"family_guid": "other"}, {}, ["sql-b has another database named PRS"]),
        ({}, {}, {}, ["PRS is open on sql-b as well as on sql-a"]),
        ({}, {}, {"may_replace": True}, []),
        ({}, {"mirroring_role": "MIRROR", "state": "RESTORING"}, {}, ["belongs to a mirroring session"]),
        ({}, {"version": (0,), "edition": "", "state": ""}, {"readable": True}, []),
    ],
)
def test_what_cannot_hold_a_standby_is_said(principal, standby, asked, said):
    options = {"name": "PRS", "readable": False, "may_replace": False, **asked}
    problems = list(unfit(server("sql-b", **standby), server("sql-a", **principal), **options))
    assert len(problems) == len(said)
    assert all(text in sentence for text, sentence in zip(said, problems, strict=True)), problems


def test_a_server_is_what_sql_info_says_of_it():
    files = [{"type": "ROWS", "size_bytes": 7}, {"type": "LOG", "size_bytes": 5}]
    database = {"state": "ONLINE", "standby": True, "family_guid": "AB", "recovery_model": "FULL", "files": files}
    facts = {
        "host": "sql-b",
        "answers": True,
        "server": {"version": "15.0.4430.1", "edition": "E"},
        "database": database,
    }
    standby = Server.of({**facts, "database": {**database, "mirroring": None}})
    assert (standby.version, standby.data_bytes, standby.family_guid, standby.is_open, standby.is_mirrored) == (
        (15, 0),
        7,
        "ab",
        False,
        False,
    )
    assert Server.of({**facts, "server": {}, "database": {}}).version == (0,)
