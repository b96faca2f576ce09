# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus' text format (version 0.0.4), as the textfile collectors of node_exporter and windows_exporter read it.

Those collectors merge all of their files: the same sample in two files, or one metric with two help texts, spoils them.
So the help of a metric is a constant of whoever writes it, and its labels say whose sample it is. They refuse
timestamps: a moment is a value, in seconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["Metric", "lines"]

KINDS = ("gauge", "counter", "untyped")


class Metric(NamedTuple):
    """A metric with its samples: (labels, value) each. A value of None is not known, and left out; True is 1.

    Names are made of ASCII letters, digits and underscores, and say their unit at the end (C(_seconds), C(_bytes)).
    """

    name: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], float | None]]
    kind: str = "gauge"


def lines(metrics: Iterable[Metric]) -> str:
    """The content of a .prom file, to be written as UTF-8 with these line ends. A metric without a known value is left
    out.

    Raises ValueError for what the collectors would refuse: a name that is none, a metric or a sample given twice.
    """
    written: list[str] = []
    names: set[str] = set()
    for metric in metrics:
        if not _is_name(metric.name) or metric.kind not in KINDS:
            raise ValueError(f"no metric can be {metric.name!r} of type {metric.kind!r}")
        if metric.name in names:
            raise ValueError(f"the metric {metric.name} is there twice")
        names.add(metric.name)
        samples: dict[str, str] = {}
        for labels, value in metric.samples:
            if value is None:
                continue
            sample = metric.name + _labels(labels)
            if sample in samples:
                raise ValueError(f"the sample {sample} is there twice")
            samples[sample] = f"{sample} {_number(value)}"
        if samples:
            written += [
                f"# HELP {metric.name} {_escaped(metric.help)}",
                f"# TYPE {metric.name} {metric.kind}",
                *samples.values(),
            ]
    return "".join(f"{line}\n" for line in written)


def _labels(labels: Mapping[str, str]) -> str:
    for name in labels:
        if not _is_name(name) or name.startswith("__"):  # __ is Prometheus' own
            raise ValueError(f"no label can be called {name!r}")
    report = ",".join(f'{name}="{_quoted(labels[name])}"' for name in sorted(labels))
    return f"{{{report}}}" if report else ""


def _is_name(name: str) -> bool:
    return name.isascii() and name.isidentifier()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _number(value: float) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
