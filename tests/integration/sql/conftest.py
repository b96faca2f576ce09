"""Two database servers and a file share of the lab, installed once; modules run in this process against them over the
real wire.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import json
import os
import shutil
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymssql
import pytest
from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args
from cryptography.hazmat.primitives.serialization import pkcs12
from prs_lab.estate import config, estate
from prs_lab.estate import faults as estate_faults
from prs_lab.estate.authority import Authority
from prs_lab.windows.decode import Become, Job
from prs_lab.windows.dispatch import Dispatcher
from prs_lab.windows.models import load_models
from prs_lab.windows.security import CONTAINER, OBJECT, Ace, Rights

ADMIN, PASSWORD = "prs_recovery", "Adm1n-Passw0rd-of-tests"
COLLATION = "SQL_Latin1_General_CP1_CI_AS"
SHARE = "\\\\files\\backup"
MODULES = "ansible_collections.prs.recovery.plugins.modules"
SYSTEM = "NT AUTHORITY\\SYSTEM"
SETUP = {
    "ACTION": '"Install"',
    "QUIET": '"True"',
    "IACCEPTSQLSERVERLICENSETERMS": '"True"',
    "FEATURES": "SQLENGINE",
    "INSTANCENAME": '"MSSQLSERVER"',
    "SQLCOLLATION": f'"{COLLATION}"',
    "SQLSYSADMINACCOUNTS": '"BUILTIN\\Administrators"',
    "SECURITYMODE": '"SQL"',
    "SAPWD": '"Sa-Passw0rd"',
    "TCPENABLED": '"1"',
    "SQLUSERDBDIR": '"D:\\Data"',
    "SQLUSERDBLOGDIR": '"E:\\Log"',
    "SQLBACKUPDIR": '"D:\\Backup"',
}


class Failed(Exception):
    """A module that failed; `result` is all that it returned."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(result["msg"])
        self.result = result


@dataclass(kw_only=True)
class Server:
    """One database server as a test uses it."""

    host: Any
    ca_file: str
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def windows(self) -> dict[str, Any]:
        """How a module reaches the Windows of this server."""
        secrets = self.host.estate.secrets
        return {
            "winrm_host": self.host.address,
            "winrm_port": 5985,
            "winrm_user": "Administrator",
            "winrm_password": secrets.administrator,
        }

    @property
    def share_account(self) -> dict[str, str]:
        """Who may write on the share of the backups, whoever else may not."""
        return {"share_user": "PRSLAB\\svc-backup", "share_password": self.host.estate.secrets.accounts["svc-backup"]}

    @property
    def instance(self):
        return self.host.sql_server.running("MSSQLSERVER")

    def run(
        self, name: str, /, *, check: bool = False, diff: bool = False, login: bool = True, **options: Any
    ) -> dict[str, Any]:
        """Run a module to its end; raises Failed. login: whether it is one that logs in to SQL Server."""
        sql = {
            "login_host": self.host.address,
            "login_user": ADMIN,
            "login_password": PASSWORD,
            "certificate_name": self.host.fqdn,
            "ca_file": self.ca_file,
        }
        arguments = {
            **(sql if login else {}),
            **self.defaults,
            **options,
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
        }
        module = importlib.import_module(f"{MODULES}.{name}")
        warnings._global_warnings.clear()  # those of the runs before, which were processes of their own
        said = io.StringIO()
        given = {key: value for key, value in arguments.items() if value is not None}
        with patch_module_args(given), contextlib.redirect_stdout(said), pytest.raises(SystemExit):
            module.main()
        for secret in (PASSWORD, *self.host.estate.secrets.all()):
            assert secret not in said.getvalue()
        result = json.loads(said.getvalue())
        if result.get("failed"):
            raise Failed(result)
        return result

    def ask(self, statement: str, *values: Any, database: str = "master") -> list[tuple]:
        """Another client (pymssql) of the same server: what really is there."""
        with closing(self.client(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def do(self, statement: str, *, database: str = "master") -> None:
        """What somebody else does on the server, a BACKUP for example: read to its end."""
        with closing(self.client(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            while cursor.nextset():
                pass

    def marks(self, database: str) -> list[int]:
        """The numbers of the marker rows that the database holds."""
        return [number for (number,) in self.ask("SELECT id FROM dbo.marker ORDER BY id", database=database)]

    def client(self, database: str = "master"):
        return pymssql.connect(
            server=self.host.address,
            database=database,
            user=ADMIN,
            password=PASSWORD,
            autocommit=True,
            encryption="require",
        )

    def state_of(self, database: str) -> str | None:
        rows = self.ask("SELECT state_desc FROM sys.databases WHERE name = %s", database)
        return rows[0][0] if rows else None


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The default estate, its two database servers with SQL Server and a proper certificate."""
    state = tmp_path_factory.mktemp("estate")
    network = f"127.{160 + os.getpid() % 60}.{os.getpid() // 60 % 250}.0"
    made = estate.Estate(config=config.load("default"), state_dir=state, network=network)
    made.start()
    authority = Authority(folder=state / "authority")
    for name in ("sql-a", "sql-b"):
        install(made.host(name), authority)
    yield made, str(authority.ca_file)
    made.close()
    if os.environ.get("PRS_LAB_RECORDS"):
        shutil.copyfile(
            state / "record.jsonl", Path(os.environ["PRS_LAB_RECORDS"]) / f"integration-sql-{os.getpid()}.jsonl"
        )
    unmodelled = list(made.record.entries("unmodelled"))
    assert unmodelled == []


def install(host: Any, authority: Authority, **setup: str) -> None:
    """SQL Server by its own setup, our login, and a certificate that clients can verify."""
    load_models()
    files = host.files(SYSTEM)
    options = "".join(f"{option}={value}\r\n" for option, value in {**SETUP, **setup}.items())
    files.write("C:\\setup.ini", f"[OPTIONS]\r\n{options}".encode())
    media = host.estate.host("files").files(SYSTEM)
    files.write("C:\\setup.exe", media.read("D:\\Shares\\media\\sql\\setup.exe"))
    dispatcher = Dispatcher(host)
    caller = dispatcher._become(
        dispatcher._caller(host.accounts.token("Administrator"), {}), Become(user="SYSTEM", password=None, flags={})
    )
    arguments = {"argv": ["C:\\setup.exe", "/ConfigurationFile=C:\\setup.ini"], "_ansible_check_mode": False}
    done = dispatcher._module(
        Job(kind="module", name="ansible.windows.win_command", arguments=arguments, legacy=False), caller
    )
    assert done["rc"] == 0, done
    issued = authority.issue(
        label=host.name, names=(host.fqdn, host.name.lower(), "prs-sql", host.address), password="x"
    )
    key, certificate, _more = pkcs12.load_key_and_certificates(issued.pfx.read_bytes(), b"x")
    stored = host.certificates.add("My", certificate, key)
    host.certificates.let_read(stored, host.accounts.lookup("NT SERVICE\\MSSQLSERVER"))
    installed = host.sql_server.find("MSSQLSERVER")
    host.registry.set(
        f"{installed.key}\\MSSQLServer\\SuperSocketNetLib", "Certificate", issued.thumbprint.lower(), "string"
    )
    host.services.restart("MSSQLSERVER")
    host.sql_server.running("MSSQLSERVER").create_login(ADMIN, PASSWORD, ["sysadmin"])


@pytest.fixture(scope="session")
def sql_a(lab):
    made, ca_file = lab
    return Server(host=made.host("sql-a"), ca_file=ca_file)


@pytest.fixture(scope="session")
def sql_b(lab):
    made, ca_file = lab
    return Server(host=made.host("sql-b"), ca_file=ca_file)


@pytest.fixture(scope="session")
def share(lab):
    """The backup share's folder as the file server itself sees it."""
    made, _ca_file = lab
    return made.host("files").files(SYSTEM)


_numbers = itertools.count(1)


@pytest.fixture
def name(lab):
    """A database name that no other test uses; what bears it is dropped afterwards, where it can be, as every look at
    the catalog takes the longer the more there is.
    """
    chosen = f"PRS{next(_numbers)}"
    yield chosen
    made, _ca_file = lab
    for host in (made.host("sql-a"), made.host("sql-b")):
        drop(host, chosen)


def drop(host: Any, name: str) -> None:
    """A database of that name (copies of it included) goes, unless something still needs it."""
    if not host.services.is_running("MSSQLSERVER"):
        return
    server = Server(host=host, ca_file="")
    with contextlib.suppress(pymssql.Error):
        for (database,) in server.ask("SELECT name FROM sys.databases WHERE name LIKE %s", f"{name}%"):
            if not database.removeprefix(name)[:1].isdigit():
                with contextlib.suppress(pymssql.Error):
                    server.do(f"DROP DATABASE [{database.replace(']', ']]')}]")


@pytest.fixture
def database(sql_a, name):
    """A database on sql-a with one marker row."""
    sql_a.run("sql_database", name=name, recovery_model="FULL")
    sql_a.ask("CREATE TABLE dbo.marker (id int NOT NULL, said nvarchar(100))", database=name)
    mark(sql_a, name, 1, "first")
    return name


@pytest.fixture
def slow(sql_a, sql_b):
    """Backups and restores of both servers take that long."""

    def set_to(seconds):
        for server in (sql_a, sql_b):
            server.instance.io_seconds = seconds

    yield set_to
    set_to(0.0)


def mark(server: Server, name: str, number: int, said: str) -> None:
    server.ask("INSERT INTO dbo.marker (id, said) VALUES (%s, %s)", number, said, database=name)


WRITES = (
    "BACKUP",
    "CREATE",
    "ALTER",
    "DROP",
    "RESTORE DATABASE",
    "RESTORE LOG",
    "USE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "DBCC",
)
CALLS_THAT_WRITE = ("XP_CREATE_SUBDIR", "XP_DELETE_FILE", "SP_GETAPPLOCK")


def let_write(server: Server, folder: str) -> None:
    """Give SQL Server the rights that its setup gives on its own folders."""
    files = server.host.files(SYSTEM)
    sid = server.host.accounts.lookup("NT SERVICE\\MSSQLSERVER")
    entries = files.security(folder).entries
    files.set_security(folder, entries=[*entries, Ace(sid=sid, mask=Rights.FULL, inheritance=CONTAINER | OBJECT)])


@contextlib.contextmanager
def no_share_rights(lab, account: str):
    """The account has none on the share for backups."""
    made, _ca_file = lab
    fault = {"host": "files", "share": "backup", "account": account}
    estate_faults.apply(made, "share-rights", fault)
    yield
    estate_faults.undo(made, "share-rights", fault)


def writes(text: str) -> bool:
    if text.startswith("DBCC CHECKPRIMARYFILE"):
        return False
    return text.startswith(WRITES) or any(word in text for word in CALLS_THAT_WRITE)


@pytest.fixture
def only_queries(lab):
    """A context in which no server is sent anything else than questions."""
    made, _ca_file = lab

    class Watch:
        def __enter__(self):
            self.since = made.record.last

        def __exit__(self, *problem):
            asked = [entry["text"] for entry in made.record.entries("sql", since=self.since)]
            assert asked
            assert [text for text in asked if writes(text.strip().upper())] == []

    return Watch()
