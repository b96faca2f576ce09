"""SQL Server's setup.exe: what it reads, what it refuses, and what it leaves on a host.

Options come from the configuration file, then from the command line, which wins. Everything that it refuses, it refuses
with its exit code and text, and writes Summary.txt as the real one does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .errors import WinError
from .filesystem import FileView
from .models import CommandCall, Output
from .packages import Media, read_media, register
from .security import CONTAINER, OBJECT, Ace, Descriptor, Rights
from .services import Service
from .sql_server import ROOT_KEY, InstalledInstance, dynamic_port, service_name

__all__ = ["Refused", "run_setup"]

# Exit codes as setup reports them (decimal of an HRESULT). Found in reports of users; not every one has an official
# description.
RESTART_REQUIRED = -2067919934
LICENCE = -2054422506
ACCESS = -2068119551
INVALID = -2068578302
NOTHING_INSTALLED = -2067529716
SERVICE_FAILED = -2061893606
RESTART_NEEDED_AFTERWARDS = 3010

KNOWN = frozenset(
    re.split(
        r"\s+",
        """ACTION QUIET QUIETSIMPLE Q QS IACCEPTSQLSERVERLICENSETERMS SUPPRESSPRIVACYSTATEMENTNOTICE ENU FEATURES ROLE INSTANCENAME INSTANCEID
    INSTANCEDIR INSTALLSHAREDDIR INSTALLSHAREDWOWDIR INSTALLSQLDATADIR SQLCOLLATION SQLSVCACCOUNT SQLSVCPASSWORD SQLSVCSTARTUPTYPE
    SQLSVCINSTANTFILEINIT SQLSYSADMINACCOUNTS SECURITYMODE SAPWD SQLUSERDBDIR SQLUSERDBLOGDIR SQLBACKUPDIR SQLTEMPDBDIR SQLTEMPDBLOGDIR
    SQLTEMPDBFILECOUNT SQLTEMPDBFILESIZE SQLTEMPDBLOGFILESIZE SQLMAXDOP SQLMINMEMORY SQLMAXMEMORY USESQLRECOMMENDEDMEMORYLIMITS AGTSVCACCOUNT
    AGTSVCPASSWORD AGTSVCSTARTUPTYPE BROWSERSVCSTARTUPTYPE TCPENABLED NPENABLED UPDATEENABLED UPDATESOURCE USEMICROSOFTUPDATE PID INDICATEPROGRESS
    HIDECONSOLE ERRORREPORTING SQMREPORTING SKIPRULES CONFIGURATIONFILE SQLTELSVCACCT SQLTELSVCSTARTUPTYPE ADDCURRENTUSERASSQLADMIN X86 HELP
    PRODUCTCOVEREDBYSA""",
    )
)
FEATURES = frozenset({"SQLENGINE", "SQL", "REPLICATION", "FULLTEXT", "CONN", "BC", "SDK", "TOOLS", "DQ", "POLYBASE"})
COLLATION = re.compile(r"(SQL_)?[A-Za-z0-9_]+_(CI|CS)_(AI|AS)(_[A-Z0-9_]+)?|[A-Za-z0-9_]+_BIN2?")
YEARS = {"13": "2016", "14": "2017", "15": "2019", "16": "2022"}


class Refused(Exception):
    """Setup ends: ``code`` is its exit code."""

    def __init__(self, code: int, message: str):
        self.code = code
        super().__init__(message)


@dataclass(kw_only=True)
class _Plan:
    """What is going to be installed."""

    instance: str
    identifier: str
    options: dict[str, str]
    version: str
    edition: str
    folder: str
    lists: dict[str, list[str]] = field(default_factory=dict)

    @property
    def major(self) -> str:
        return self.version.split(".")[0]

    def get(self, name: str, default: str = "") -> str:
        return self.options.get(name) or default

    def on(self, name: str) -> bool:
        return self.get(name).lower() in ("1", "true")


def run_setup(call: CommandCall, media: Media) -> Output:
    """One run of setup.exe."""
    host = call.host
    version, edition = str(media.facts["version"]), str(media.facts["edition"])
    head = (
        f"Microsoft (R) SQL Server {YEARS.get(version.split('.')[0], '')} {version}\r\nCopyright (C) Microsoft "
        "Corporation. All rights reserved.\r\n\r\n"
    )
    try:
        options, lists = _options(call.files, call.arguments)
        version = _updated(call.files, options, version)
        plan = _plan(options, lists, version, edition)
        _refuse(call, plan)
        _install(call, plan)
    except Refused as refused:
        _summary(host, version, refused.code, str(refused))
        text = (
            f"The following error occurred:\r\n{refused}\r\n\r\nError result: {refused.code}\r\n"
            f"Result facility code: {(refused.code >> 16) & 0x7FF}\r\nResult error code: "
            f"{refused.code & 0xFFFF}\r\n\r\n"
            "Please review the summary.txt log for further details\r\n"
        )
        return Output(stdout=head + text, rc=refused.code)
    code = RESTART_NEEDED_AFTERWARDS if media.facts.get("restart_required") else 0
    if code:
        host.power.require_restart()
    _summary(host, version, code, "")
    return Output(stdout=head, rc=code)


def _updated(files: FileView, options: dict[str, str], version: str) -> str:
    """The version that is installed: of the newest update in the folder that was named, seen by who runs setup."""
    folder = options.get("UPDATESOURCE", "")
    if options.get("UPDATEENABLED", "").lower() not in ("1", "true") or folder.upper() in ("", "MU"):
        return version
    try:
        names = [name for name in files.list(folder) if name.lower().endswith(".exe")]
        found = [read_media(files, f"{folder.rstrip(chr(92))}\\{name}") for name in names]
    except WinError as error:
        raise Refused(INVALID, f"The update source {folder} could not be searched: {error.text}") from error
    updates = [str(media.facts["version"]) for media in found if media and media.product == "sql_server_update"]
    return max([version, *updates], key=lambda text: [int(part) for part in text.split(".")])


def _options(files: FileView, arguments: list[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Everything that was said, by upper-case name: the first value as text, and all values as a list."""
    given: dict[str, list[str]] = {}
    for argument in arguments:
        found = re.fullmatch(r"[/-]([A-Za-z0-9]+)(?:[=:](.*))?", argument, re.DOTALL)
        if not found:
            if given:
                # A second value of the option before it: /SQLSYSADMINACCOUNTS="A" "B"
                next(reversed(given.values())).append(argument.strip('"'))
                continue
            raise Refused(INVALID, f"The setting '{argument}' specified is not recognized.")
        given[found[1].upper()] = _values(found[2]) if found[2] is not None else ["True"]
    file = given.get("CONFIGURATIONFILE", [""])[0]
    merged = {**(_read_ini(files, file) if file else {}), **given}
    for name in merged:
        if name not in KNOWN:
            raise Refused(INVALID, f"The setting '{name}' specified is not recognized.")
    return {name: values[0] if values else "" for name, values in merged.items()}, merged


def _read_ini(files: FileView, path: str) -> dict[str, list[str]]:
    try:
        data = files.read(path)
    except WinError as error:
        raise Refused(INVALID, f"The configuration file {path} could not be read: {error.text}") from error
    text = data.decode(_encoding(data), "replace")
    found: dict[str, list[str]] = {}
    section = ""
    for line in (line.strip() for line in text.splitlines()):
        if not line or line.startswith(";"):
            continue
        if line.startswith("["):
            section = line.strip("[]").upper()
        elif section == "OPTIONS" and "=" in line:
            name, _, value = line.partition("=")
            found[name.strip().upper()] = _values(value.strip())
        else:
            raise Refused(INVALID, f"The configuration file {path} holds a line that setup does not understand: {line}")
    return found


def _encoding(data: bytes) -> str:
    """By its byte order mark; what has none is read in the code page of Windows, as its functions for such files do."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "cp1252"


def _values(text: str) -> list[str]:
    """``"A" "B"`` -> two values; ``SQLENGINE`` -> one."""
    quoted = re.findall(r'"([^"]*)"', text)
    return quoted if quoted else [text]


def _plan(options: dict[str, str], lists: dict[str, list[str]], version: str, edition: str) -> _Plan:
    express = "Express" in edition
    name = options.get("INSTANCENAME", "SQLEXPRESS" if express else "")
    identifier = f"MSSQL{version.split('.')[0]}.{(options.get('INSTANCEID') or name).upper()}"
    base = options.get("INSTANCEDIR") or r"C:\Program Files\Microsoft SQL Server"
    folder = f"{base.rstrip(chr(92))}\\{identifier}\\MSSQL"
    return _Plan(
        instance=name,
        identifier=identifier,
        options=options,
        lists=lists,
        version=version,
        edition=edition,
        folder=folder,
    )


def _refuse(call: CommandCall, plan: _Plan) -> None:
    """The checks before anything is written."""
    host = call.host
    if not plan.on("IACCEPTSQLSERVERLICENSETERMS"):
        raise Refused(
            LICENCE,
            "The /IAcceptSQLServerLicenseTerms command line parameter is missing or has not been set to true. It is "
            "a required parameter "
            "for the setup action you are running.",
        )
    if plan.get("ACTION").lower() != "install":
        raise Refused(INVALID, f"The lab's setup knows the action Install only, not '{plan.get('ACTION')}'.")
    if not any(plan.on(name) for name in ("QUIET", "Q", "QUIETSIMPLE", "QS")):
        raise Refused(INVALID, "Setup would show its windows, and nobody is there to use them: pass /Q.")
    if not call.token.is_admin:
        raise Refused(ACCESS, "The current user does not have administrator rights on this computer.")
    if not call.delegated:
        raise Refused(
            ACCESS,
            "There was an error generating the XML document. Access is denied. "
            "(System.Security.Cryptography.CryptographicException: "
            "a network logon cannot use DPAPI)",
        )
    features = {item.strip().upper() for item in plan.get("FEATURES").split(",") if item.strip()}
    if not features:
        raise Refused(INVALID, "The setting 'FEATURES' is missing: say which features to install.")
    if features - FEATURES:
        raise Refused(
            INVALID, f"The setting 'FEATURES' holds an unknown feature: {', '.join(sorted(features - FEATURES))}."
        )
    if not re.fullmatch(r"[A-Za-z_#][A-Za-z0-9_$#]{0,15}", plan.instance):
        raise Refused(INVALID, f"The instance name '{plan.instance}' is missing or not valid.")
    if not COLLATION.fullmatch(plan.get("SQLCOLLATION", "SQL_Latin1_General_CP1_CI_AS")):
        raise Refused(INVALID, f"The collation {plan.get('SQLCOLLATION')} was not found.")
    if host.power.restart_pending and "REBOOTREQUIREDCHECK" not in plan.get("SKIPRULES").upper():
        raise Refused(
            RESTART_REQUIRED,
            "A computer restart is required. You must restart this computer before installing SQL Server. "
            "(RebootRequiredCheck)",
        )
    if host.sql_server.find(plan.instance):
        raise Refused(
            NOTHING_INSTALLED,
            "No features were installed during the setup execution. The requested features may already be installed.",
        )
    if not plan.lists.get("SQLSYSADMINACCOUNTS"):
        raise Refused(INVALID, "The setting 'SQLSYSADMINACCOUNTS' is missing: an instance needs an administrator.")
    if plan.get("SECURITYMODE").upper() == "SQL" and not plan.get("SAPWD"):
        raise Refused(INVALID, "The sa password is missing: mixed mode needs /SAPWD.")
    _check_accounts(host, plan)
    _check_folders(host, plan)


def _check_accounts(host: Any, plan: _Plan) -> None:
    for account in plan.lists["SQLSYSADMINACCOUNTS"]:
        try:
            host.accounts.lookup(account)
        except WinError as error:
            raise Refused(
                INVALID,
                f"The Windows account {account} does not exist and cannot be provisioned as a SQL Server system "
                "administrator.",
            ) from error
    account = plan.get("SQLSVCACCOUNT")
    if account and not account.upper().startswith("NT SERVICE\\"):
        user = host.accounts.find_user(account)
        try:
            if user is None:
                host.accounts.lookup(account)
            elif not user.name.endswith("$"):
                host.accounts.log_on(account, plan.get("SQLSVCPASSWORD"))
        except WinError as error:
            raise Refused(
                INVALID, f"The credentials you provided for the SQL Server service {account} are invalid: {error.text}"
            ) from error


def _check_folders(host: Any, plan: _Plan) -> None:
    view = host.files("NT AUTHORITY\\SYSTEM")
    for option in ("INSTALLSQLDATADIR", "SQLUSERDBDIR", "SQLUSERDBLOGDIR", "SQLBACKUPDIR"):
        path = plan.get(option)
        try:
            if path and not path.startswith("\\\\"):
                view.free_bytes(path)
        except WinError as error:
            raise Refused(INVALID, f"The directory {path} (setting '{option}') cannot be used: {error.text}") from error
    if view.free_bytes("C:\\") < 6 * 1024**3:
        raise Refused(INVALID, "There is not enough free space on drive C: for SQL Server (6 GB are needed).")


def _install(call: CommandCall, plan: _Plan) -> None:
    host = call.host
    view = host.files("NT AUTHORITY\\SYSTEM")
    name = service_name(plan.instance)
    account = plan.get("SQLSVCACCOUNT", f"NT SERVICE\\{name}")
    binary = f"{plan.folder}\\Binn\\sqlservr.exe"
    view.make_dir(f"{plan.folder}\\Binn")
    view.write(binary, f"MZ PRSLAB sqlservr {plan.version}\n".encode())
    password = plan.get("SQLSVCPASSWORD")
    service = Service(
        name=name,
        display_name=f"SQL Server ({plan.instance})",
        path=f'"{binary}" -s{plan.instance}',
        account=_account_name(host, account, name),
        start_mode={"manual": "manual", "disabled": "disabled"}.get(
            plan.get("SQLSVCSTARTUPTYPE", "Automatic").lower(), "auto"
        ),
        description="Provides storage, processing and controlled access of data, and rapid transaction processing.",
        sid_info="unrestricted",
    )
    if password:
        from .domain import nt_hash

        service.password_hash = nt_hash(password)
    instance = InstalledInstance(
        name=plan.instance.upper(),
        identifier=plan.identifier,
        sysadmins=plan.lists["SQLSYSADMINACCOUNTS"],
        sa_password=plan.get("SAPWD"),
    )
    host.sql_server.install(instance, service)
    _grant_logon(host, service)
    folders = _folders(plan)
    # Setup lets the service's own SID in, whatever account it runs as.
    sid = host.accounts.lookup(f"NT SERVICE\\{name}")
    for folder in dict.fromkeys([plan.folder, *folders.values()]):
        if not folder.startswith("\\\\"):
            view.make_dir(folder)
            _let_in(host, folder, sid)
            _let_in(host, folder, host.accounts.sid_of(service.account))
    _write_registry(host, plan, folders)
    _add_side_services(host, plan)
    year = YEARS.get(plan.major, plan.major)
    register(
        host,
        product_id=f"Microsoft SQL Server SQL{year}",
        name=f"Microsoft SQL Server {year} (64-bit)",
        version=plan.version,
        uninstall=f'"C:\\Program Files\\Microsoft SQL Server\\{plan.major}0\\Setup '
        f'Bootstrap\\SQL{year}\\x64\\SetupARP.exe"',
        Publisher="Microsoft Corporation",
    )
    try:
        if service.start_mode != "disabled":
            host.services.start(name)
    except WinError as error:
        host.registry.set(f"{instance.key}\\ConfigurationState", "SQL_Engine_Core_Inst", 2, "dword")
        text = (
            "Wait on the Database Engine recovery handle failed. Check the SQL Server error log for potential "
            f"causes. ({error.text})"
        )
        raise Refused(SERVICE_FAILED, text) from error


def _account_name(host: Any, account: str, service: str) -> str:
    """The account as the service manager shows it."""
    if account.upper().startswith("NT SERVICE\\"):
        return f"NT SERVICE\\{service}"
    return host.accounts.english(host.accounts.name_of(host.accounts.lookup(account)))


def _grant_logon(host: Any, service: Service) -> None:
    """Setup gives its service account the right to log on as a service."""
    sid = host.accounts.sid_of(service.account)
    granted = host.accounts.rights.setdefault("SeServiceLogonRight", [])
    if sid not in granted:
        granted.append(sid)


def _folders(plan: _Plan) -> dict[str, str]:
    root = (
        f"{plan.get('INSTALLSQLDATADIR').rstrip(chr(92))}\\{plan.identifier}\\MSSQL"
        if plan.get("INSTALLSQLDATADIR")
        else plan.folder
    )
    data = plan.get("SQLUSERDBDIR", f"{root}\\DATA")
    return {
        "system": f"{root}\\DATA",
        "data": data,
        "log": plan.get("SQLUSERDBLOGDIR", data),
        "backup": plan.get("SQLBACKUPDIR", f"{root}\\Backup"),
        "errorlog": f"{plan.folder}\\Log",
    }


def _let_in(host: Any, folder: str, sid: str) -> None:
    normal = host.drives.descriptor(folder)
    if any(ace.sid == sid for ace in normal.entries):
        return
    entries = [*normal.entries, Ace(sid=sid, mask=Rights.FULL, inheritance=CONTAINER | OBJECT)]
    host.drives.set_descriptor(folder, Descriptor(entries=entries, protected=normal.protected, owner=normal.owner))


def _write_registry(host: Any, plan: _Plan, folders: dict[str, str]) -> None:
    key = f"{ROOT_KEY}\\{plan.identifier}"
    default = plan.instance.upper() == "MSSQLSERVER"
    tcp = plan.get("TCPENABLED", "0" if "Express" in plan.edition else "1")
    # A default instance gets 1433; a named one a port of its own choosing, which it keeps.
    dynamic = "" if default else str(dynamic_port(plan.instance))
    network = f"{key}\\MSSQLServer\\SuperSocketNetLib"
    values: list[tuple[str, str, Any, str]] = [
        (f"{ROOT_KEY}\\Instance Names\\SQL", plan.instance.upper(), plan.identifier, "string"),
        (f"{key}\\Setup", "Version", plan.version, "string"),
        (f"{key}\\Setup", "PatchLevel", plan.version, "string"),
        (f"{key}\\Setup", "Edition", plan.edition.split(" (")[0], "string"),
        (f"{key}\\Setup", "Collation", plan.get("SQLCOLLATION", "SQL_Latin1_General_CP1_CI_AS"), "string"),
        (f"{key}\\Setup", "SQLPath", plan.folder, "string"),
        (f"{key}\\Setup", "SQLDataRoot", folders["system"].rsplit("\\", 1)[0], "string"),
        (f"{key}\\Setup", "Language", 1033, "dword"),
        (f"{key}\\MSSQLServer", "LoginMode", 2 if plan.get("SECURITYMODE").upper() == "SQL" else 1, "dword"),
        (f"{key}\\MSSQLServer", "DefaultData", folders["data"], "string"),
        (f"{key}\\MSSQLServer", "DefaultLog", folders["log"], "string"),
        (f"{key}\\MSSQLServer", "BackupDirectory", folders["backup"], "string"),
        (f"{key}\\MSSQLServer\\CurrentVersion", "CurrentVersion", plan.version, "string"),
        (f"{key}\\MSSQLServer\\Parameters", "SQLArg0", f"-d{folders['system']}\\master.mdf", "string"),
        (f"{key}\\MSSQLServer\\Parameters", "SQLArg1", f"-e{folders['errorlog']}\\ERRORLOG", "string"),
        (f"{key}\\MSSQLServer\\Parameters", "SQLArg2", f"-l{folders['system']}\\mastlog.ldf", "string"),
        (network, "Certificate", "", "string"),
        (network, "ForceEncryption", 0, "dword"),
        (network, "HideInstance", 0, "dword"),
        (f"{network}\\Tcp", "Enabled", int(tcp), "dword"),
        (f"{network}\\Tcp", "ListenOnAllIPs", 1, "dword"),
        (f"{network}\\Tcp\\IPAll", "TcpPort", "1433" if default else "", "string"),
        (f"{network}\\Tcp\\IPAll", "TcpDynamicPorts", dynamic, "string"),
        (f"{network}\\Np", "Enabled", int(plan.get("NPENABLED", "0")), "dword"),
        (f"{network}\\Sm", "Enabled", 1, "dword"),
        (f"{key}\\ConfigurationState", "SQL_Engine_Core_Inst", 1, "dword"),
        (
            f"{ROOT_KEY}\\{plan.major}0",
            "VerSpecificRootDir",
            f"C:\\Program Files\\Microsoft SQL Server\\{plan.major}0\\",
            "string",
        ),
    ]
    for path, name, data, kind in values:
        host.registry.set(path, name, data, kind)


def _add_side_services(host: Any, plan: _Plan) -> None:
    """What comes with an engine: the agent (not with Express), the browser and the VSS writer."""
    modes = {"automatic": "auto", "manual": "manual", "disabled": "disabled"}
    folder = r"C:\Program Files\Microsoft SQL Server"
    name = service_name(plan.instance)
    if "Express" not in plan.edition:
        agent = "SQLSERVERAGENT" if name == "MSSQLSERVER" else f"SQLAgent${plan.instance}"
        host.services.add(
            Service(
                name=agent,
                display_name=f"SQL Server Agent ({plan.instance})",
                path=f'"{plan.folder}\\Binn\\SQLAGENT.EXE" -i {plan.instance}',
                start_mode=modes.get(plan.get("AGTSVCSTARTUPTYPE", "Manual").lower(), "manual"),
                account=f"NT SERVICE\\{agent}",
                dependencies=[name],
            )
        )
    if host.services.find("SQLBrowser") is None:
        host.services.add(
            Service(
                name="SQLBrowser",
                display_name="SQL Server Browser",
                path=f'"{folder}\\{plan.major}0\\Shared\\sqlbrowser.exe"',
                start_mode=modes.get(plan.get("BROWSERSVCSTARTUPTYPE", "Disabled").lower(), "disabled"),
                account="NT AUTHORITY\\LOCAL SERVICE",
            )
        )
        host.services.add(
            Service(
                name="SQLWriter",
                display_name="SQL Server VSS Writer",
                path=f'"{folder}\\90\\Shared\\sqlwriter.exe"',
                state="running",
            )
        )


def _summary(host: Any, version: str, code: int, message: str) -> None:
    """Summary.txt where the real setup leaves it."""
    major = version.split(".")[0]
    folder = f"C:\\Program Files\\Microsoft SQL Server\\{major}0\\Setup Bootstrap\\Log"
    result = {0: "Passed", RESTART_NEEDED_AFTERWARDS: "Passed but reboot required, see logs for details"}.get(
        code, "Failed: see details below"
    )
    now = host.clock().strftime("%Y-%m-%d %H:%M:%S")
    lines = [
        "Overall summary:",
        f"  Final result:                  {result}",
        f"  Exit code (Decimal):           {code}",
        f"  End time:                      {now}",
    ]
    if message:
        lines.append(f"  Exit message:                  {message}")
    lines += [
        "  Requested action:              Install",
        "",
        "Package properties:",
        f"  Version:                       {version}",
        "",
    ]
    view = host.files("NT AUTHORITY\\SYSTEM")
    try:
        view.make_dir(folder)
        view.write(f"{folder}\\Summary.txt", "\r\n".join(lines).encode())
    except WinError:
        pass  # a full disk keeps setup from writing its log, not from ending
