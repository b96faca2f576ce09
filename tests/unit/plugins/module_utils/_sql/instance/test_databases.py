"""What the instance tells of its databases."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.instance import databases

FILE = {
    "name": "PRS",
    "physical_name": "D:\\PRS.mdf",
    "type_desc": "ROWS",
    "state_desc": "RESTORING",
    "size": 1,
    "redo_start_fork_guid": None,
}


@pytest.mark.parametrize(
    ("lsn", "told"), [(None, None), (Decimal(0), None), (Decimal(34000000001600001), "34000000001600001")]
)
def test_a_restore_that_was_cut_off_at_its_beginning_holds_nothing(lsn, told):
    """Its redo_start_lsn may be NULL or 0: as "0" it would count as data of which nobody knows what they are."""
    assert databases._shaped_file({**FILE, "redo_start_lsn": lsn})["redo_start_lsn"] == told
