"""What the tests of several files begin with."""

from __future__ import annotations

import pytest

from .sql_host import make_instance


@pytest.fixture
def instance(tmp_path):
    """A SQL Server of its own."""
    running = make_instance(tmp_path)
    yield running
    running.stop()
