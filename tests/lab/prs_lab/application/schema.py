"""The application's tables, and everything that it reads from and writes to them."""

from __future__ import annotations

from dataclasses import dataclass

from .database import COLLATION, Database, SqlFailure
from .keys import BadKey, decrypt, encrypt, hash_password, password_matches

__all__ = [
    "Marker",
    "SetupState",
    "accept_eula",
    "add_administrator",
    "add_domain",
    "add_markers",
    "administrator_matches",
    "create_schema",
    "markers",
    "setup_state",
]

KEY_CHECK = "Password Reset Server"

TABLES = {
    "tbConfiguration": (
        "ConfigurationId int NOT NULL PRIMARY KEY, ProductVersion nvarchar(40) NOT NULL, ForceHttps bit NOT NULL, "
        "EulaAccepted bit NOT NULL, KeyCheck nvarchar(400) NOT NULL"
    ),
    "tbUser": (
        "UserId int IDENTITY(1,1) NOT NULL PRIMARY KEY, UserName nvarchar(100) NOT NULL, PasswordHash "
        "nvarchar(300) NOT NULL"
    ),
    "tbDomain": (
        "DomainId int IDENTITY(1,1) NOT NULL PRIMARY KEY, DomainName nvarchar(255) NOT NULL, AccountName "
        "nvarchar(255) NOT NULL, "
        "AccountSecret nvarchar(600) NOT NULL"
    ),
    "tbMarker": (
        "MarkerId int IDENTITY(1,1) NOT NULL PRIMARY KEY, Label nvarchar(200) NOT NULL, Secret nvarchar(600) NOT NULL"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A row that proves what came back: ``secret`` was encrypted in the database."""

    number: int
    label: str
    secret: str


@dataclass(frozen=True, kw_only=True)
class SetupState:
    """How far the wizard got: ``next_step`` is 3, 4 or 5, or None when it is finished."""

    next_step: int | None
    version: str
    force_https: bool


def create_schema(database: Database, *, key: bytes, version: str) -> bool:
    """Makes the tables that are missing; False when the database held the application's data already. Raises
    SqlFailure.
    """
    collation = database.value("SELECT CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))")
    if collation != COLLATION:
        raise SqlFailure(0, f"The database's collation is {collation}; Password Reset Server needs {COLLATION}")
    present = {str(row[0]).lower() for row in database.rows("SELECT name FROM sys.tables")}
    for name, columns in TABLES.items():
        if name.lower() not in present:
            database.rows(f"CREATE TABLE dbo.{name} ({columns})")
    if database.value("SELECT COUNT(*) FROM dbo.tbConfiguration"):
        return False
    database.rows(
        "INSERT INTO dbo.tbConfiguration (ConfigurationId, ProductVersion, ForceHttps, EulaAccepted, KeyCheck) "
        "VALUES (1, ?, 0, 0, ?)",
        version,
        encrypt(key, KEY_CHECK),
    )
    return True


def setup_state(database: Database, *, key: bytes) -> SetupState:
    """Raises SqlFailure, and BadKey when this key never belonged to this database."""
    rows = database.rows("SELECT ProductVersion, ForceHttps, EulaAccepted, KeyCheck FROM dbo.tbConfiguration")
    if not rows:
        raise SqlFailure(0, "The database holds no configuration of Password Reset Server")
    version, force_https, accepted, check = rows[0]
    if decrypt(key, check) != KEY_CHECK:
        raise BadKey("the database was written with another encryption.config")
    step: int | None = None
    if not accepted:
        step = 3
    elif not database.value("SELECT COUNT(*) FROM dbo.tbUser"):
        step = 4
    elif not database.value("SELECT COUNT(*) FROM dbo.tbDomain"):
        step = 5
    return SetupState(next_step=step, version=str(version), force_https=bool(force_https))


def accept_eula(database: Database) -> None:
    database.rows("UPDATE dbo.tbConfiguration SET EulaAccepted = 1 WHERE ConfigurationId = 1")


def add_administrator(database: Database, *, name: str, password: str) -> None:
    database.rows("INSERT INTO dbo.tbUser (UserName, PasswordHash) VALUES (?, ?)", name, hash_password(password))


def administrator_matches(database: Database, *, name: str, password: str) -> bool:
    stored = database.value("SELECT PasswordHash FROM dbo.tbUser WHERE UserName = ?", name)
    return stored is not None and password_matches(password, stored)


def add_domain(database: Database, *, key: bytes, domain: str, account: str, password: str) -> None:
    database.rows(
        "INSERT INTO dbo.tbDomain (DomainName, AccountName, AccountSecret) VALUES (?, ?, ?)",
        domain,
        account,
        encrypt(key, password),
    )


def add_markers(database: Database, *, key: bytes, labels: list[str]) -> None:
    """One row per label; each row's secret is derived from its label, so that a reader can tell a right row from a
    wrong one.
    """
    for label in labels:
        database.rows(
            "INSERT INTO dbo.tbMarker (Label, Secret) VALUES (?, ?)", label, encrypt(key, f"secret of {label}")
        )


def markers(database: Database, *, key: bytes) -> list[Marker]:
    """Every marker row, decrypted. Raises BadKey."""
    rows = database.rows("SELECT MarkerId, Label, Secret FROM dbo.tbMarker ORDER BY MarkerId")
    return [Marker(number=int(number), label=label, secret=decrypt(key, secret)) for number, label, secret in rows]
