# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a phase takes, from what earlier runs took: the median, per byte where bytes decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from .cost import Estimate, Phase

__all__ = ["Estimates", "Measured"]

_USUAL_SECONDS: Mapping[Phase, float] = {
    Phase.START: 30,
    Phase.INSTALL_SQL_SERVER: 720,
    Phase.INSTALL_IIS: 240,
    Phase.RESTORE_DATABASE: 60,
    Phase.ATTACH_FILES: 60,
    Phase.RESTORE_APPLICATION: 60,
    Phase.MOVE: 60,
    Phase.CREATE: 30,
    Phase.VERIFY: 30,
}
"""Before anything was measured: orders of magnitude for servers in a data centre, no measurement."""
_USUAL_BYTES_PER_SECOND = 100 * 2**20
_BY_SIZE = (Phase.RESTORE_DATABASE, Phase.ATTACH_FILES, Phase.RESTORE_APPLICATION)
_LAST_RUNS = 5
"""Older ones may come from another server."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One phase of one run. size: bytes, 0 where nobody counted."""

    phase: Phase
    seconds: float
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """measured: by phase, oldest first."""

    measured: Mapping[Phase, Sequence[Measured]] = field(default_factory=dict)

    @staticmethod
    def of(records: Iterable[Measured]) -> Estimates:
        by_phase: dict[Phase, list[Measured]] = {}
        for record in records:
            by_phase.setdefault(record.phase, []).append(record)
        return Estimates(measured=by_phase)

    def estimate(self, phase: Phase, size: int = 0) -> Estimate:
        runs = self.measured.get(phase, ())[-_LAST_RUNS:]
        if not runs:
            by_size = size / _USUAL_BYTES_PER_SECOND if phase in _BY_SIZE else 0
            return Estimate(seconds=_USUAL_SECONDS[phase] + by_size, runs=0)
        if phase in _BY_SIZE and size and all(run.size for run in runs):
            return Estimate(seconds=median(run.seconds / run.size for run in runs) * size, runs=len(runs))
        return Estimate(seconds=median(run.seconds for run in runs), runs=len(runs))
