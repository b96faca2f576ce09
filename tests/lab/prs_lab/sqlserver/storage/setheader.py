"""What a backup set says about itself: the facts behind RESTORE HEADERONLY and FILELISTONLY."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Any

from .boot import Boot, fork_before

__all__ = ["DIFFERENTIAL", "FULL", "LOG", "Encrypted", "SetHeader"]

FULL, LOG, DIFFERENTIAL = 1, 2, 5
"""BackupType in RESTORE HEADERONLY."""


@dataclass(frozen=True)
class Encrypted:
    """How a set is encrypted: algorithm, the certificate's thumbprint (hex), and the set's key as only that certificate
    opens it (hex).
    """

    algorithm: str
    thumbprint: str
    key: str


@dataclass(kw_only=True)
class SetHeader:
    """One backup set. Times are the server's local time in ISO form without a zone; `time_zone` counts quarter hours
    east of UTC.

    boot: `Boot.to_dict()` of the database at the end of the set. pages: data pages in the set. size, stored_size: bytes
    of its pages and log before and after compression; backup_size, compressed_size: of all its blocks. created: when the
    database was, in the server's local time. provisional: LSNs that stand at the start of the file instead. software: the four parts of the server's version. incomplete_metadata: taken of a
    database whose data file was lost. force_offline: a tail, after which the database was left RESTORING.
    """

    set_guid: str
    backup_type: int
    database_name: str
    boot: dict[str, Any]
    started: str
    time_zone: int = 127
    finished: str | None = None
    name: str | None = None
    description: str | None = None
    expiration: str | None = None
    user_name: str = "sa"
    server_name: str = ""
    machine_name: str = ""
    software: list[int] = field(default_factory=lambda: [15, 0, 4430, 1])
    first_lsn: int = 0
    last_lsn: int = 0
    checkpoint_lsn: int = 0
    database_backup_lsn: int = 0
    base_lsn: int | None = None
    base_guid: str | None = None
    copy_only: bool = False
    bulk: bool = False
    checksums: bool = False
    damaged: bool = False
    begins_chain: bool = False
    incomplete_metadata: bool = False
    force_offline: bool = False
    single_user: bool = False
    compressed: bool = False
    encryption: Encrypted | None = None
    data_path: str = ""
    log_path: str = ""
    data_size: int = 0
    log_size: int = 0
    pages: int = 0
    size: int = 0
    stored_size: int = 0
    backup_size: int = 0
    compressed_size: int = 0
    provisional: list[int] | None = None
    created: str | None = None
    last_commit: str | None = None

    @property
    def flags(self) -> int:
        """The column Flags. 512 is always set, and 2048 in differentials, as real servers show it."""
        parts = {
            1: self.bulk,
            4: bool(self.boot.get("options", {}).get("is_read_only")),
            8: self.single_user,
            16: self.checksums,
            32: self.damaged,
            64: self.force_offline or self.incomplete_metadata,
            128: self.incomplete_metadata,
            256: self.force_offline,
            1024: self.copy_only,
            2048: self.backup_type == DIFFERENTIAL,
        }
        return 512 + sum(bit for bit, said in parts.items() if said)

    @property
    def database(self) -> Boot:
        """The boot block as it was."""
        return Boot.from_dict(self.boot)

    @property
    def first_fork(self) -> str:
        """The recovery fork on which a database must be to take this set from its beginning."""
        return self.forks()[0]

    @property
    def last_fork(self) -> str:
        """The recovery fork on which it is afterwards."""
        return self.forks()[1]

    @property
    def fork_point(self) -> int | None:
        """Where the set leaves its first fork; None when it never does."""
        return self.forks()[2]

    def forks(self, boot: Boot | None = None) -> tuple[str, str, int | None]:
        """The first fork, the last one, and where the set leaves the first. boot: :attr:`database`, if at hand."""
        forks = (boot or self.database).forks
        last = forks[-1].guid
        first = fork_before(forks, self.first_lsn).guid if self.backup_type == LOG else last
        return (
            first,
            last,
            next((after.start_lsn for fork, after in itertools.pairwise(forks) if fork.guid == first), None),
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON. What it holds is the header's own: nothing is copied."""
        return {**vars(self), "encryption": dataclasses.asdict(self.encryption) if self.encryption else None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> SetHeader:
        found = values.get("encryption")
        return cls(**{**values, "encryption": Encrypted(**found) if found else None})
