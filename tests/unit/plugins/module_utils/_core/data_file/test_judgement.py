"""What can be done with the files that somebody saved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.database_file import inspect_file
from ansible_collections.prs.recovery.plugins.module_utils._core.data_file.judgement import (
    Attach,
    FoundDatabase,
    LogFit,
    Sureness,
    judge_files,
)
from database_files import (
    BEGIN_CHECKPOINT,
    CHECKSUM,
    CLEAN,
    COMMIT,
    END_CHECKPOINT,
    PAGE,
    Database,
    data_file,
    log_file,
)

NOW = Database(version=869)
UNCLEAN = NOW.changed(status=CHECKSUM, operations=(BEGIN_CHECKPOINT, END_CHECKPOINT, COMMIT))
LATER = (0x22, 0x1A, 1)


def judge(**files: bytes) -> list[FoundDatabase]:
    def inspect(data: bytes) -> Any:
        return inspect_file(lambda offset, length: data[offset : offset + length], len(data), pages=True)

    return judge_files({name: inspect(data) for name, data in files.items()})


FOUR_FILES = NOW.changed(files=(*NOW.files, (3, 0, "More", "D:\\Data\\More.ndf")))
TWO_LOGS = NOW.changed(files=(*NOW.files, (4, 1, "Log2", "E:\\Log\\Log2.ldf")))
TABLE = {
    "clean with its log": ({"mdf": data_file(NOW), "ldf": log_file(NOW)}, Attach.WITH_LOG, Sureness.LIKELY, LogFit.SAME),
    "clean without a log": ({"mdf": data_file(NOW)}, Attach.REBUILD_LOG, Sureness.LIKELY, LogFit.NONE),
    "clean without a log, from 2019 on": (
        {"mdf": data_file(NOW.changed(version=904))}, Attach.REBUILD_LOG, Sureness.UNSURE, LogFit.NONE,
    ),
    "clean with a newer log": (
        {"mdf": data_file(NOW), "ldf": log_file(NOW.changed(checkpoint=LATER))},
        Attach.REBUILD_LOG, Sureness.UNSURE, LogFit.NEWER,
    ),
    "clean with an older log": (
        {"mdf": data_file(NOW.changed(checkpoint=LATER)), "ldf": log_file(NOW)},
        Attach.REBUILD_LOG, Sureness.UNSURE, LogFit.OLDER,
    ),
    "clean with a damaged log": (
        {"mdf": data_file(NOW), "ldf": log_file(NOW)[:-PAGE]}, Attach.REBUILD_LOG, Sureness.UNSURE, LogFit.DAMAGED,
    ),
    "clean by the bit, but its log goes on": (
        {"mdf": data_file(NOW), "ldf": log_file(NOW.changed(operations=UNCLEAN.operations))},
        Attach.ONLY_WITH_LOG, Sureness.UNSURE, LogFit.SAME,
    ),
    "unclean with its log": (
        {"mdf": data_file(UNCLEAN), "ldf": log_file(UNCLEAN)}, Attach.ONLY_WITH_LOG, Sureness.LIKELY, LogFit.SAME,
    ),
    "unclean without a log": ({"mdf": data_file(UNCLEAN)}, Attach.NOT_AS_IT_IS, Sureness.SURE, LogFit.NONE),
    "unclean with an older log": (
        {"mdf": data_file(UNCLEAN.changed(checkpoint=LATER)), "ldf": log_file(UNCLEAN)},
        Attach.NOT_AS_IT_IS, Sureness.LIKELY, LogFit.OLDER,
    ),
    "unclean, and the log does not hold the checkpoint": (
        {"mdf": data_file(UNCLEAN), "ldf": log_file(UNCLEAN.changed(operations=(COMMIT,)))},
        Attach.NOT_AS_IT_IS, Sureness.LIKELY, LogFit.SAME,
    ),
    "a data file is missing": (
        {"mdf": data_file(FOUR_FILES), "ldf": log_file(FOUR_FILES)}, Attach.INCOMPLETE, Sureness.SURE, LogFit.SAME,
    ),
    "it had two log files": ({"mdf": data_file(TWO_LOGS)}, Attach.REBUILD_LOG, Sureness.UNSURE, LogFit.NONE),
    "a log alone": ({"ldf": log_file(NOW)}, Attach.NO_PRIMARY, Sureness.SURE, LogFit.NONE),
    "cut off": ({"mdf": data_file(NOW)[:-PAGE], "ldf": log_file(NOW)}, Attach.DAMAGED, Sureness.SURE, LogFit.SAME),
    "something else": ({"mdf": b"<html>" * 4096}, Attach.NOT_SQL_SERVER, Sureness.SURE, LogFit.NONE),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_what_can_be_done(case: str) -> None:
    files, attach, sureness, fit = TABLE[case]
    (database,) = judge(**files)
    assert (database.attach, database.sureness, database.log_fit) == (attach, sureness, fit)


def test_what_is_missing_is_named() -> None:
    (database,) = judge(mdf=data_file(FOUR_FILES))
    assert database.missing == (
        ("log", "PasswordResetServer_log", "E:\\Log\\PasswordResetServer_log.ldf"),
        ("data", "More", "D:\\Data\\More.ndf"),
    )


def test_copies_of_two_moments_are_never_mixed() -> None:
    later = NOW.changed(checkpoint=LATER)
    found = judge(a=data_file(NOW), b=data_file(later), c=log_file(later), d=log_file(NOW))
    assert [(database.names, database.attach) for database in found] == [
        (("a", "d"), Attach.WITH_LOG),
        (("b", "c"), Attach.WITH_LOG),
    ]
    assert all("one of 2 copies" in database.reasons[-1] for database in found)


def test_a_log_that_fits_none_of_the_copies_stands_alone() -> None:
    other = NOW.changed(checkpoint=(0x22, 0x1C, 1))
    found = judge(a=data_file(NOW), b=data_file(NOW.changed(checkpoint=LATER)), c=log_file(other))
    assert [(database.names, database.attach) for database in found][-1] == (("c",), Attach.NO_PRIMARY)


def test_files_of_two_databases_are_told_apart() -> None:
    other = NOW.changed(binding=UUID(int=7), name="Other")
    found = judge(a=data_file(NOW), b=log_file(other), c=log_file(NOW))
    assert [database.names for database in found] == [("a", "c"), ("b",)]


def test_nothing_damaged_is_called_sure_to_attach() -> None:
    whole = data_file(NOW)
    for page in range(21):
        damaged = whole[: page * PAGE] + bytes(PAGE) + whole[(page + 1) * PAGE :]
        (database, *_) = judge(mdf=damaged, ldf=log_file(NOW))
        assert database.attach in (Attach.DAMAGED, Attach.NO_PRIMARY), page


@pytest.mark.parametrize("status", [CLEAN | CHECKSUM, CHECKSUM])
def test_the_release_that_is_needed(status: int) -> None:
    (database,) = judge(mdf=data_file(NOW.changed(status=status)))
    assert database.boot
    assert database.boot.release == "2017"
