"""Python loads this at its start where the folder is on PYTHONPATH: a lab's daemon then counts what it is asked.

PRS_BENCH_COUNTS: the file for the five numbers; PRS_BENCH_DELAY: seconds that each round trip takes longer. It knows
nothing of a build but three functions, so that it counts in earlier ones, too. PRS_BENCH_DURATIONS: seconds, as JSON, that
SQL Server's setup, IIS' features and a restored database take (setup, features, restore).
"""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
import time
from typing import Any

COUNTERS = struct.Struct("<5Q")
COMMAND = b"shell/Command<"


def count() -> None:
    from prs_lab.sqlserver.execution.batch import Batch
    from prs_lab.sqlserver.wire.connection import Connection
    from prs_lab.windows.wsman import WsMan

    file = os.open(os.environ["PRS_BENCH_COUNTS"], os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600)
    os.pwrite(file, COUNTERS.pack(0, 0, 0, 0, 0), 0)
    delay = float(os.environ.get("PRS_BENCH_DELAY", "0"))
    numbers, lock = [0, 0, 0, 0, 0], threading.Lock()
    answer, text, login = WsMan.answer, Batch.text, Connection._login

    def add(*values: int) -> None:
        with lock:
            numbers[:] = [number + value for number, value in zip(numbers, values, strict=True)]
            os.pwrite(file, COUNTERS.pack(*numbers), 0)

    def counted_answer(wsman: Any, envelope: bytes, token: Any) -> Any:
        time.sleep(delay)
        status, reply = answer(wsman, envelope, token)
        add(1, len(envelope) + len(reply), int(COMMAND in envelope), 0, 0)
        return status, reply

    def counted_text(batch: Any, statement: str) -> Any:
        time.sleep(delay)
        add(0, 0, 0, 1, 0)
        return text(batch, statement)

    def counted_login(connection: Any, *packet: Any) -> None:
        add(0, 0, 0, 0, 1)
        login(connection, *packet)

    WsMan.answer, Batch.text, Connection._login = counted_answer, counted_text, counted_login


def take_time(setup: float, features: float, restore: float) -> None:
    """What takes minutes on a real server takes its time here, too."""
    from prs_lab.sqlserver.execution.batch import Batch
    from prs_lab.windows.models import MODULES, load_models
    from prs_lab.windows.scripts import installers

    load_models()
    run_setup, win_feature, text = installers.run_setup, MODULES["ansible.windows.win_feature"], Batch.text

    def slow_setup(call: Any, media: Any) -> Any:
        time.sleep(setup)
        return run_setup(call, media)

    def slow_feature(task: Any) -> Any:
        result = win_feature(task)
        time.sleep(features if result.get("changed") else 0)
        return result

    def slow_text(batch: Any, statement: str) -> Any:
        time.sleep(restore if statement.startswith("RESTORE DATABASE") and " FROM " in statement else 0)
        return text(batch, statement)

    installers.run_setup, Batch.text = slow_setup, slow_text
    MODULES["ansible.windows.win_feature"] = slow_feature


if "PRS_BENCH_DURATIONS" in os.environ and "prs_lab.estate.daemon" in sys.orig_argv:
    take_time(**json.loads(os.environ["PRS_BENCH_DURATIONS"]))
if "PRS_BENCH_COUNTS" in os.environ and "prs_lab.estate.daemon" in sys.orig_argv:
    count()
