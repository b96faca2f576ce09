from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._progress import ENVIRONMENT, Progress, time_left


def test_lines_go_to_the_file_that_the_environment_names(tmp_path, monkeypatch):
    file = tmp_path / "progress"
    monkeypatch.setenv(ENVIRONMENT, str(file))
    progress = Progress(secrets={"s3cret"})
    progress.line("reading  D:\\x.bak\nnext")
    progress.line("as s3cret")
    assert file.read_text().splitlines()[0] == "reading D:\\x.bak next"
    assert "s3cret" not in file.read_text()


def test_without_a_file_nothing_happens(monkeypatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    Progress().line("nobody listens")


def test_a_file_that_cannot_be_written_ends_nothing(tmp_path):
    Progress(path=str(tmp_path / "missing" / "progress")).line("x")


@pytest.mark.parametrize(
    ("percent", "elapsed", "told"),
    [
        (0, 100, ""),
        (100, 100, ""),
        (50, 2, ""),
        (50, 10, ", about 10 s left"),
        (10, 30, ", about 4 min left"),
        (1, 100, ", about 2.8 h left"),
    ],
)
def test_time_left(percent, elapsed, told):
    assert time_left(percent, elapsed=elapsed) == told


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.1, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),  # every tenth percent of those that a server tells
        (16, list(range(5, 101, 5))),  # a slow one is never silent for long
        (100, list(range(5, 101, 5))),
    ],
)
def test_percents_are_thinned_out(tmp_path, monkeypatch, seconds, shown):
    clock = [0.0]
    monkeypatch.setattr(
        "ansible_collections.prs.recovery.plugins.module_utils._progress.time.monotonic", lambda: clock[0]
    )
    show = Progress(path=str(tmp_path / "lines")).percents("restore of PRS")
    for percent in (*range(5, 101, 5), 100):
        clock[0] += seconds
        show(percent)
    lines = (tmp_path / "lines").read_text().splitlines()
    assert [int(line.split()[3]) for line in lines] == shown
    assert ("left" in lines[3]) == (seconds > 1)
