"""What an instance reads when it starts: in real life registry values that setup wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One instance's settings. Paths are Windows paths on the instance's host; `sysadmins` are Windows accounts; it
    listens on `further_ports` as well.
    """

    version: str = "15.0.4430.1"
    edition: str = "Standard Edition (64-bit)"
    port: int = 1433
    further_ports: tuple[int, ...] = ()
    mixed_mode: bool = False
    collation: str = "SQL_Latin1_General_CP1_CI_AS"
    certificate_thumbprint: str = ""
    force_encryption: bool = False
    service_account: str = r"NT SERVICE\MSSQLSERVER"
    data_dir: str = r"C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\DATA"
    log_dir: str = r"C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\DATA"
    backup_dir: str = r"C:\Program Files\Microsoft SQL Server\MSSQL15.MSSQLSERVER\MSSQL\Backup"
    sa_password: str = field(default="", repr=False)
    sysadmins: tuple[str, ...] = ()
    system_account: str = "NT AUTHORITY\\SYSTEM"
    language_of_windows: str = "en"
