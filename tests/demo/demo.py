#!/usr/bin/env python3
"""The main job, in the lab: provision an estate from nothing, back it up, wipe a site, rebuild it, and prove that
nothing was lost.

    demo.py --estate default|single --report build/demo.json

Everything that ansible prints goes to files beside the lab's state; the terminal shows what they say to a person. The
report holds plain numbers; a step that fails ends the demo with a non-zero exit code and leaves the lab running to look
at.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judge_tsql import Judge, available, recorded_statements
from prs_lab.application.browser import Page
from prs_lab.client import Lab, LabError
from prs_lab.rehearsal.playbooks import PlaybookFailed, PlaybookRun, Playbooks
from second_client import read_markers

ROOT = Path(__file__).resolve().parents[2]
MARKER_ROWS = 25


class DemoFailed(Exception):
    """A step did not do what it must; the text says which and where to look."""


@dataclass(kw_only=True)
class Demo:
    """One estate on its way through the disaster."""

    estate: str
    folder: Path
    network: str
    report: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lab = Lab(self.folder / "lab")
        self.logs = self.folder / "logs"
        self.reports = self.folder / "reports"
        self.step_number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.step_number += 1
        print(f"\n{self.step_number:2}. {title}", flush=True)
        begin = time.monotonic()
        yield
        print(f"    {time.monotonic() - begin:.1f} s", flush=True)

    def playbook(self, name: str, *arguments: str) -> PlaybookRun:
        """Run one of the collection's playbooks on the lab's inventory; raises PlaybookFailed when it fails."""
        runner = Playbooks(inventory=self.lab.state_dir / "inventory", logs=self.logs, reports=self.reports)
        return runner.play(name, *arguments, label=f"{self.step_number:02}-{name}")

    def expect(self, condition: bool, sentence: str) -> None:
        if not condition:
            raise DemoFailed(sentence)

    def expect_page(self, state: str) -> Page:
        page = self.lab.page()
        self.expect(page.state == state, f"the page should be {state}, but it is: {page.to_dict()}")
        return page

    def run(self) -> None:
        for act in (
            self.come_up,
            self.provision,
            self.write_markers,
            self.back_up,
            self.wreck,
            self.look_first,
            self.rebuild,
            self.prove,
            self.run_again,
            self.judge,
        ):
            act()

    def come_up(self) -> None:
        with self.step(f"The estate '{self.estate}' comes up: prepared, empty servers"):
            self.lab.down()
            shutil.rmtree(self.folder, ignore_errors=True)
            self.lab.up(estate=self.estate, network=self.network)
            for host in self.lab.description.hosts:
                print(f"    {host.name:10} {host.address:14} {host.site}")

    def provision(self) -> None:
        with self.step("Password Reset Server is provisioned on it from nothing"):
            run = self.playbook("provision_prs")
            self.report["provision_seconds"] = round(run.seconds, 1)
        with self.step("A person answers the five questions of the setup wizard (here: a script)"):
            self.expect_page("wizard")
            self.lab.wizard()
            self.expect_page("ready")

    def write_markers(self) -> None:
        with self.step(f"{MARKER_ROWS} marker rows are written"):
            self.lab.mark([f"marker {number:03}" for number in range(1, MARKER_ROWS + 1)])
            self.markers = read_markers(self.lab)
            self.report["marker_rows_before"] = len(self.markers)
            self.expect(
                len(self.markers) == MARKER_ROWS,
                f"{len(self.markers)} marker rows in the database instead of {MARKER_ROWS}",
            )

    def back_up(self) -> None:
        with self.step("A backup is taken: database and application folder"):
            run = self.playbook("backup_prs")
            self.report["backup_seconds"] = round(run.seconds, 1)

    def wreck(self) -> None:
        site = self.lab.description.sites[0]
        victims = [
            host.name
            for host in self.lab.description.hosts
            if host.site == site and {"prs_web", "prs_sql"} & set(host.groups)
        ]
        with self.step(f"Disaster: {' and '.join(victims)} ({site}) wiped"):
            for victim in victims:
                self.lab.wipe(victim)
            self.expect_page("unreachable")

    def look_first(self) -> None:
        with self.step("rebuild_prs.yml --check says what it would do, and touches nothing"):
            before = self.lab.digest()
            self.playbook("rebuild_prs", "--check", "--diff")
            after = self.lab.digest()
            touched = [name for name in before if before[name] != after[name]]
            self.expect(not touched, f"--check changed something on {', '.join(touched)}")

    def rebuild(self) -> None:
        with self.step("rebuild_prs.yml"):
            run = self.playbook("rebuild_prs")
            self.report["rebuild_seconds"] = round(run.seconds, 1)
            self.report["rebuild_tasks"] = run.tasks
            self.report["rebuild_report"] = str(self.reports / f"{self.step_number:02}-rebuild_prs.html")
            self.expect(Path(self.report["rebuild_report"]).exists(), "the rebuild wrote no report")

    def prove(self) -> None:
        with self.step("The page and a separate SQL client read every marker row again"):
            page, rows = self.expect_page("ready"), read_markers(self.lab)
            self.expect(
                rows == self.markers,
                f"the separate client reads {len(rows)} rows that are not the {len(self.markers)} written before "
                "the disaster",
            )
            shown = {row["label"]: row["secret"] for row in page.rows}
            expected = {label: f"secret of {label}" for label, _stored in self.markers}
            self.expect(
                shown == expected, f"the page shows {len(shown)} rows that are not the ones written before the disaster"
            )
            self.report["marker_rows_after"] = len(rows)

    def run_again(self) -> None:
        with self.step("rebuild_prs.yml once more changes nothing"):
            run = self.playbook("rebuild_prs")
            self.report["unchanged_run_changed"] = run.changed
            self.report["unchanged_run_seconds"] = round(run.seconds, 1)
            self.expect(run.changed == 0, f"the second run reported {run.changed} changes")

    def judge(self) -> None:
        with self.step(
            "What the twins were asked is judged: did they know all of it, and would Microsoft's parser take every "
            "T-SQL text"
        ):
            unmodelled = self.lab.unmodelled()
            self.report["unmodelled"] = len(unmodelled)
            texts = recorded_statements([self.lab.state_dir / "record.jsonl"])
            self.report["tsql_statements"] = len(texts)
            reason = available()
            if reason:
                print(f"    T-SQL not judged: {reason}")
                self.report["tsql_rejected"] = None
            else:
                judge: Callable[[str], list[str]] = Judge().errors
                rejected = [text for text in texts if judge(text)]
                self.report["tsql_rejected"] = len(rejected)
                self.expect(not rejected, f"Microsoft's parser rejects {rejected[:3]}")
            self.expect(not unmodelled, f"the twins were asked what they do not model: {unmodelled[:3]}")

    def summary(self) -> None:
        after, before = self.report.get("marker_rows_after"), self.report.get("marker_rows_before")
        print(
            (
                f"\n{after} of {before} rows came back. make lab-up starts such an estate for you to wreck "
                "(tests/lab/README.md)."
            )
            if after
            else ""
        )
        print("\nSummary")
        for name, value in self.report.items():
            print(f"    {name:24} {value}")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--estate", default="default")
    arguments.add_argument("--report", type=Path, required=True)
    arguments.add_argument("--network", default="127.61.0.0")
    arguments.add_argument("--keep", action="store_true", help="leave the lab running at the end")
    options = arguments.parse_args()
    demo = Demo(estate=options.estate, folder=ROOT / "build" / f"demo-{options.estate}", network=options.network)
    failure = None
    try:
        demo.run()
    except (DemoFailed, PlaybookFailed, LabError) as problem:
        failure = str(problem)
    demo.summary()
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(demo.report, indent=2) + "\n")
    print(f"    written to {options.report}")
    if failure:
        print(
            f"\nFAILED: {failure}\nThe lab is left running: prs-lab state --state {demo.lab.state_dir}", file=sys.stderr
        )
        return 1
    if not options.keep:
        demo.lab.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
