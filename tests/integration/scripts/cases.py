"""The contract of the roles' PowerShell scripts: what each is given, what it finds, and what it answers."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.prs.recovery.plugins.module_utils._core.decisions.looks import secrets

from .worlds import SECRET, certificate

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """parameters, sensitive: as a role gives them; {root} stands for the folder of worlds.FILES, {port} for the web
    server. world: what the stand-ins for Windows' commands answer from.

    result: what must be in the answer (a mapping is a part of one; a pattern is searched for). error: what the first
    error says, when the script fails. only_real: why the twin is not asked. instead: parts of the script's text, each once in
    it, and what stands in for them, as the machine of the tests has no such thing.
    """

    script: str
    about: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sensitive: Mapping[str, str] = field(default_factory=dict)
    check: bool = False
    culture: str = "en-US"
    world: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = False
    error: str = ""
    only_real: str = ""
    instead: Mapping[str, str] = field(default_factory=dict)


NO_CIM = "the twin has no CIM that could be denied"
NO_IIS_FAULT = "the twin's IIS can always be asked"
NO_ACCOUNTS = "the twin's registry and files are open to its administrator"
NO_CULTURE = "the twin has no culture"
NO_SILENCE = "a share that the twin does not reach is refused at once"
NO_SHORT_NAMES = "the twin's volumes have no short names"
NO_PAGES = "the twin answers with its own IIS, not with the test's web server"
ITS_OWN = "the twin's answer is that of its own machine"

VERSION = r"SOFTWARE\Microsoft\Windows\CurrentVersion"
NT = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
SESSION_MANAGER = r"SYSTEM\CurrentControlSet\Control\Session Manager"
SQL = r"SOFTWARE\Microsoft\Microsoft SQL Server"
REFUSED = {
    "message": "Access denied ", "id": "HRESULT 0x80041003,Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand",
    "category": "PermissionDenied",
}  # fmt: skip
CIM = {
    "Win32_ComputerSystem": [{"Name": "WEB", "Domain": "prs.lab", "DomainRole": 3, "NumberOfLogicalProcessors": 4, "TotalPhysicalMemory": 8 << 30}],
    "Win32_OperatingSystem": [{"Caption": "Microsoft Windows Server 2019 Standard", "Version": "10.0.17763"}],
    "Win32_LogicalDisk": [{"DeviceID": "C:", "DriveType": 3, "FreeSpace": 1000, "Size": 2000}],
    "Win32_Volume": [
        {"Name": "D:\\Data\\", "DriveType": 3, "DriveLetter": None, "FreeSpace": 3000},
        {"Name": "\\\\?\\Volume{1}\\", "DriveType": 3, "DriveLetter": None, "FreeSpace": 4000},
    ],
    "Win32_Service": [
        {"Name": "MSSQLSERVER", "StartName": "NT Service\\MSSQLSERVER", "State": "Running"},
        {"Name": "MpsSvc", "StartName": "NT AUTHORITY\\LocalService", "State": "Running"},
    ],
}  # fmt: skip
REGISTRY = {
    NT: {"InstallationType": "Server"}, r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full": {"Release": 528049}, VERSION: {}, SESSION_MANAGER: {},
}  # fmt: skip
SIDS = {"S-1-5-18": "NT AUTHORITY\\SYSTEM", "S-1-5-32-544": "BUILTIN\\Administrators"}
LOST_SHARES = {
    "$sharePatience = 60000": "$sharePatience = 3000",
    "'[System.IO.File]::GetAttributes($args[0])'": """'
        if ($args[0].Contains("silent")) { Start-Sleep -Seconds 6000 }
        if ($args[0].Contains("tardy")) { Start-Sleep -Seconds 8 }
        if ($args[0] -match "error(\\d+)") { throw [System.IO.IOException]::new("error $($Matches[1])", 0x80070000 -bor [int]$Matches[1]) }'""",
}
"""Shares of servers that do not answer, or not in time, and of such as answer with an error. They are asked by alphabet."""
SILENT = [f"\\\\silent{number}\\share" for number in range(5)]
TARDY, DENIED_SHARE, PROMPT = "\\\\tardy\\share", "\\\\x-error5\\share", "\\\\z-prompt\\share"
UNREACHABLE = (51, 53, 59, 64, 67, 121, 1231)
OF_SILENT = {"error": 53, "message": re.compile(r"^\\\\(silent\d|tardy)\\share did not answer within 3 seconds\.$")}
OF_PROMPT = {"error": 2, "message": re.compile("Could not find file")}
"""The share answered, whatever it said; and then there is no such file."""


def of_error(number: int) -> dict[str, Any]:
    return {"error": number, "message": f"error {number}"}


WITHOUT_RSA = {
    "'System.Security.Cryptography.X509Certificates.RSACertificateExtensions' -as": (
        "'System.Security.Cryptography.X509Certificates.NotBefore46' -as"
    )
}
"""As before .NET Framework 4.6."""
CULTURES = ("th-TH", "ar-SA", "fa-IR", "da-DK", "tr-TR")
EXPIRES = "2031-03-04T12:34:56Z"


FRESH_FEATURES = [
    "NET-Framework-45-Features", "NET-Framework-45-Core", "FileAndStorage-Services", "Storage-Services", "PowerShellRoot", "PowerShell", "WoW64-Support",
]  # fmt: skip
BROWSERS = {
    "Name": "Browsers", "Description": "Made by prs.recovery.", "Direction": 1, "Action": 1, "Enabled": True, "Protocol": 6, "LocalPorts": "443,8443",
}  # fmt: skip
READ_RULE = {
    "name": "Browsers", "description": "Made by prs.recovery.", "direction": 1, "action": 1, "enabled": True, "protocol": 6, "local_ports": "443,8443",
}  # fmt: skip


def server_cases() -> list[Case]:
    world = {"cim": CIM, "registry": REGISTRY, "sids": SIDS}

    def case(
        about: str, *, cim: Mapping[str, Any] | None = None, registry: Mapping[str, Any] | None = None, **more: Any
    ) -> Case:
        changed = {
            **world,
            "cim": {**CIM, **(cim or {})},
            "registry": {**REGISTRY, **(registry or {})},
            **more.pop("world", {}),
        }
        return Case(script="inspect_server", about=about, world=changed, **more)

    pending = {
        f"{VERSION}\\Component Based Servicing\\RebootPending": {},
        f"{VERSION}\\WindowsUpdate\\Auto Update\\RebootRequired": {},
    }
    return [
        case(
            "a server", only_real=ITS_OWN,
            result={
                "name": "WEB", "domain_role": 3, "version": "10.0.17763", "processors": 4, "memory_bytes": 8 << 30, "free_bytes": {"C:": 1000},
                "dotnet_release": 528049, "pending_restart": [], "system_account": "NT AUTHORITY\\SYSTEM",
                "mounted_bytes": {"D:\\Data": 3000}, "firewall_running": True,
            },
        ),
        case("a French one", world={"sids": {"S-1-5-18": "AUTORITE NT\\Système"}}, only_real=ITS_OWN,
             result={"system_account": "AUTORITE NT\\Système"}),
        case("in check mode", check=True, result={"installation_type": "Server", "pending_restart": []}),
        case("CIM denied", cim={f"{name}!": REFUSED for name in CIM}, error="Access denied", only_real=NO_CIM),
        case("only disks denied", cim={"Win32_LogicalDisk!": REFUSED}, error="Access denied", only_real=NO_CIM),
        case("a disk that BitLocker locks", cim={"Win32_LogicalDisk": [{"DeviceID": "D:", "DriveType": 3, "FreeSpace": None}]}, only_real=ITS_OWN,
             result={"free_bytes": {"D:": 0}}),
        case("waits for a restart", registry={**pending, SESSION_MANAGER: {"PendingFileRenameOperations": ["\\??\\C:\\x", ""]}},
             result={"pending_restart": ["component servicing", "Windows update", "file rename"]}),
        case("an empty text is no rename", registry={SESSION_MANAGER: {"PendingFileRenameOperations": [""]}}, result={"pending_restart": []}),
        Case(script="inspect_server", about="registry denied", only_real=NO_ACCOUNTS, error="Requested registry access is not allowed",
             world={**world, "registry": {**REGISTRY, r"SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full": "denied"}}),
        case("features", parameters={"Features": True}, only_real=ITS_OWN, result={"features": ["Web-Server"]},
             world={"features": {"Web-Server": "Installed", "Web-Asp-Net45": "InstallPending", "Web-CGI": "Available", "NET-Framework-Core": "Removed"}}),
        case("features of a fresh server", parameters={"Features": True},
             world={"features": dict.fromkeys(FRESH_FEATURES, "Installed")}, result={"features": FRESH_FEATURES}),
        case("features of a client Windows", parameters={"Features": True}, registry={NT: {"InstallationType": "Client"}},
             result={"features": [], "installation_type": "Client"}),
        case("no features asked", world={"features": {"Web-Server": "Installed"}}, result={"features": []}),
        case("no rules asked", world={"firewall": [BROWSERS]}, result={"rules": []}),
        case("rules of two names, one of them twice", parameters={"Rule": ["Browsers", "none"]},
             world={"firewall": [BROWSERS, {**BROWSERS, "Name": "browsers", "Protocol": 17, "Enabled": False}, {**BROWSERS, "Name": "Other"}]},
             result={"rules": [READ_RULE, {**READ_RULE, "name": "browsers", "protocol": 17, "enabled": False}]}),
        case("a rule with less of everything", parameters={"Rule": ["Browsers"]}, world={"firewall": [{"Name": "Browsers", "Protocol": 256}]},
             result={"rules": [{**READ_RULE, "description": "", "protocol": 256, "local_ports": "", "enabled": False}]}),
        case("the firewall cannot be asked", parameters={"Rule": ["Browsers"]}, world={"firewall": "There are no more endpoints available"},
             only_real=ITS_OWN, result={"rules": [], "installation_type": "Server"}),
        *(Case(script="inspect_server", about=f"culture {culture}", culture=culture, world=world, only_real=NO_CULTURE,
               result={"version": "10.0.17763", "free_bytes": {"C:": 1000}}) for culture in CULTURES),
    ]  # fmt: skip


def instance_cases() -> list[Case]:
    key = f"{SQL}\\MSSQL15.MSSQLSERVER"
    tcp = f"{key}\\MSSQLServer\\SuperSocketNetLib\\Tcp"

    def installed(state: int = 1) -> dict[str, Any]:
        return {
            f"{SQL}\\Instance Names\\SQL": {"MSSQLSERVER": "MSSQL15.MSSQLSERVER"}, f"{key}\\ConfigurationState": {"SQL_Engine_Core_Inst": state},
            f"{key}\\Setup": {"PatchLevel": "15.0.4430.1", "Edition": "Standard Edition", "Collation": "SQL_Latin1_General_CP1_CI_AS"},
            f"{key}\\MSSQLServer": {"LoginMode": 2, "DefaultData": "D:\\data"}, f"{key}\\MSSQLServer\\SuperSocketNetLib": {"Certificate": "ab12"},
            tcp: {"Enabled": 1},
            f"{tcp}\\IPAll": {"TcpPort": "1433", "TcpDynamicPorts": ""},
        }  # fmt: skip

    def case(
        about: str,
        *,
        registry: Mapping[str, Any],
        cim: Mapping[str, Any] = CIM,
        sids: Mapping[str, str] = SIDS,
        **more: Any,
    ) -> Case:
        world = {"cim": cim, "registry": {**REGISTRY, **registry}, "sids": sids}
        return Case(
            script="inspect_sql_instance", about=about, parameters={"InstanceName": "MSSQLSERVER"}, world=world, **more
        )

    found = {
        "installed": True, "partly_installed": False, "id": "MSSQL15.MSSQLSERVER", "version": "15.0.4430.1", "login_mode": 2, "tcp_enabled": 1,
        "tcp_port": "1433", "tcp_dynamic_ports": "", "listens_on_all_addresses": True, "certificate": "ab12", "data_dir": "D:\\data", "log_dir": "", "service": "MSSQLSERVER",
        "administrators": "BUILTIN\\Administrators",
    }  # fmt: skip
    return [
        case("none", registry={}, result={"installed": False, "partly_installed": False, "id": "", "login_mode": 0}),
        case("one", registry=installed(), result=found),
        case("one, in check mode", registry=installed(), check=True, result=found),
        case("ports of single addresses", registry={**installed(), tcp: {"Enabled": 1, "ListenOnAllIPs": 0}}, result={"listens_on_all_addresses": False}),
        case("ports of all addresses, said so", registry={**installed(), tcp: {"Enabled": 1, "ListenOnAllIPs": 1}}, result={"listens_on_all_addresses": True}),
        case("setup did not finish", registry=installed(2), result={"installed": False, "partly_installed": True}),
        case("registry denied", registry={**installed(), "SOFTWARE\\Microsoft\\Microsoft SQL Server\\Instance Names\\SQL": "denied"},
             error="Requested registry access is not allowed", only_real=NO_ACCOUNTS),
        case("its service", registry=installed(), result={"service_state": "Running"}, only_real=ITS_OWN),
        case("CIM denied", registry=installed(), cim={"Win32_Service!": REFUSED}, error="Access denied", only_real=NO_CIM),
        case("German names", registry=installed(), sids={**SIDS, "S-1-5-32-544": "VORDEFINIERT\\Administratoren"}, only_real=ITS_OWN,
             result={"administrators": "VORDEFINIERT\\Administratoren"}),
    ]  # fmt: skip


def login_cases() -> list[Case]:
    def case(about: str, match: int, member: int, *, rules: Sequence[Mapping[str, Any]] = (), **more: Any) -> Case:
        answers = [{"match": "PWDCOMPARE", "answer": match}, {"match": "IS_SRVROLEMEMBER", "answer": member}, *rules]
        return Case(
            script="create_sql_admin_login", about=about, parameters={"InstanceName": "MSSQLSERVER", "LoginName": "prs_recovery"},
            sensitive={"Password": SECRET}, world={"sql": answers}, only_real="the twin runs the statements on its own SQL Server", **more,
        )  # fmt: skip

    refused = {"match": "ADD MEMBER", "error": "no permission"}
    return [
        case("a new one", -1, 0, changed=True, result={"created": True, "password_set": False, "made_sysadmin": True}),
        case("a new one, in check mode", -1, 0, check=True, changed=True, result={"created": True, "made_sysadmin": True}),
        case("as wanted", 1, 1, result={"created": False, "password_set": False, "made_sysadmin": False}),
        case("another password", 0, 1, changed=True, result={"created": False, "password_set": True, "made_sysadmin": False}),
        case("the login is made, the role is refused", -1, 0, rules=[refused], changed=True, error="no permission"),
        case("the role is refused", 1, 0, rules=[refused], error="no permission"),
    ]  # fmt: skip


def certificate_cases() -> list[Case]:
    plain = certificate("prs.corp.local", "prs2.corp.local")
    there, without_key = [{"content": plain.pfx, "password": SECRET}], [{"content": plain.cer}]
    account = "NT SERVICE\\MSSQLSERVER"

    def case(
        about: str,
        *,
        pfx: str = plain.pfx,
        password: str = SECRET,
        access: Sequence[str] = (),
        reader: Sequence[str] = (),
        **more: Any,
    ) -> Case:
        world = {
            "accounts": {account: "S-1-5-80-1"}, "key_name": "k_1", "key_number": "Exchange", "key_files": ["/ProgramData/Microsoft/Crypto/RSA/MachineKeys/k_1"],
            "acls": {"*": []}, **more.pop("world", {}),
        }  # fmt: skip
        return Case(script="import_certificate", about=about, parameters={"ReadAccess": list(access), "Reader": list(reader)}, sensitive={"Pfx": pfx, "Password": password},
                    world=world, **more)  # fmt: skip

    def looked_for(about: str, *, thumbprint: str = plain.thumbprint, **given: Any) -> Case:
        asked = case(about, **given)
        return replace(asked, parameters={**asked.parameters, "Thumbprint": thumbprint}, sensitive={})

    new = {
        "thumbprint": plain.thumbprint,
        "imported": True,
        "names": ["prs.corp.local", "prs2.corp.local"],
        "not_after": EXPIRES,
        "key": "exchange",
    }
    curve = certificate("ec.corp.local", elliptic=True)
    its_key = "the character of the twin's host says who keeps the keys, not the PFX"
    no_service = "the twin's host has no SQL Server whose account could be named"
    return [
        case("a new one", changed=True, result={**new, "granted": []}),
        case("a new one, in check mode", check=True, changed=True, result={**new, "granted": []}),
        case("a new one, and who reads its key", access=[account], changed=True, result={**new, "granted": [account]}, only_real=no_service),
        case("there", world={"certificates": there}, result={**new, "imported": False}),
        case("there, and readable", access=[account], world={"certificates": there, "acls": {"*": [{"sid": "S-1-5-80-1", "rights": 0x120089}]}},
             result={"imported": False, "granted": []}, only_real=no_service),
        case("there, and who reads its key", reader=[account, "NOBODY\\none", "NT SERVICE\\other"], result={"granted": [], "readers": [account]}, check=True,
             world={"certificates": there, "acls": {"*": [{"sid": "S-1-5-80-1", "rights": 0x120089}]},
                    "accounts": {account: "S-1-5-80-1", "NT SERVICE\\other": "S-1-5-80-2"}}, only_real=no_service),
        case("there, and its key may not be looked at", reader=[account], world={"certificates": there, "acls": {"*": "Attempted an unauthorized operation."}},
             result={"imported": False, "readers": []}, only_real=no_service),
        case("there, and read by nobody who is known", reader=["NOBODY\\none"], world={"certificates": there}, result={"readers": []}),
        case("a new one, whose key nobody reads yet", reader=[account], check=True, changed=True, result={"imported": True, "readers": []}),
        case("there without its key", world={"certificates": without_key}, changed=True, result=new),
        case("there without its key, in check mode", access=[account], world={"certificates": without_key}, check=True, changed=True,
             result={**new, "granted": [account]}, only_real=no_service),
        looked_for("looked for and there", world={"certificates": there}, result={**new, "imported": False, "granted": [], "readers": []}),
        looked_for("looked for, and who reads its key", reader=[account, "NOBODY\\none"], result={**new, "imported": False, "readers": [account]},
                   world={"certificates": there, "acls": {"*": [{"sid": "S-1-5-80-1", "rights": 0x120089}]}}, only_real=no_service),
        looked_for("looked for and not there", result={"thumbprint": "nothing"}),
        looked_for("looked for without a thumbprint", thumbprint="", world={"certificates": there}, result={"thumbprint": "nothing"}),
        looked_for("looked for and there without its key", world={"certificates": without_key}, result={"thumbprint": "nothing"}),
        looked_for("looked for, a signature key", world={"certificates": there, "key_number": "Signature"}, result={"key": "signature"}, only_real=its_key),
        looked_for("looked for, a key of a key storage provider", world={"certificates": there, "key_number": ""}, result={"key": "other"}, only_real=its_key),
        case("an account that nobody knows", access=["NOBODY\\none"], world={"certificates": there}, error="identity references"),
        case("imported, then an account that nobody knows", access=["NOBODY\\none"], changed=True, error="identity references"),
        case("the store is denied", world={"store_denied": True}, error="Access is denied", only_real=NO_ACCOUNTS),
        case("an elliptic key", pfx=curve.pfx, changed=True, result={"imported": True, "names": ["ec.corp.local"]}),
        case("an elliptic key that SQL Server must read", pfx=curve.pfx, access=[account], error="not an RSA key"),
        case("an elliptic key that SQL Server must read, in check mode", pfx=curve.pfx, access=[account], check=True, error="not an RSA key"),
        case("a signature key", world={"key_number": "Signature"}, check=True, changed=True, result={"key": "signature"}, only_real=its_key),
        case("a signature key that SQL Server must read", world={"key_number": "Signature"}, access=[account], check=True,
             error="exchange key of a legacy provider", only_real=its_key),
        case("a key of a key storage provider", world={"key_number": ""}, check=True, changed=True, result={"key": "other"}, only_real=its_key),
        case("a key of a key storage provider that SQL Server must read", world={"key_number": ""}, access=[account],
             error="exchange key of a legacy provider", only_real=its_key),
        case("a .NET that cannot find RSA keys, which SQL Server must read", access=[account], only_real="the twin has no .NET of its own",
             error="NET Framework 4.6 or later", instead=WITHOUT_RSA),
        case("a wrong password", password="nope", error="password"),
        case("no key inside", pfx=certificate("x", key_inside=False).pfx, error="no certificate with a private key"),
        case("no DNS names: its common name", pfx=certificate().pfx, check=True, changed=True, result={"names": ["prs.corp.local"]}),
        case("an international name", pfx=certificate("xn--mller-kva.example").pfx, check=True, changed=True, result={"names": ["müller.example"]}),
        case("many names", pfx=certificate(*(f"host-number-{number}.corp.local" for number in range(30))).pfx, check=True, changed=True,
             result={"names": [f"host-number-{number}.corp.local" for number in range(30)]}),
        case("a comma and quotes in its subject", pfx=certificate("x", organization='Müller, "Söhne" & Co').pfx, check=True, changed=True,
             result={"subject": re.compile('O="Müller, ""Söhne"" & Co"')}),
        *(case(f"culture {culture}", check=True, changed=True, culture=culture, result={"not_after": EXPIRES}) for culture in CULTURES),
    ]  # fmt: skip


def page_cases() -> list[Case]:
    def case(about: str, page: str, *, host: str = "prs.corp.local", timeout: int = 20, **result: Any) -> Case:
        parameters = {"Uri": f"http://127.0.0.1:{{port}}{page}", "HostName": host, "Timeout": timeout}
        return Case(script="read_page", about=about, parameters=parameters, result=result, only_real=NO_PAGES)

    return [
        case("asked for by name and port", "/", status=200, text=re.compile(r"^prs\.corp\.local:\d+ /$"), error=""),
        case("a name with its port", "/", host="prs.corp.local:8443", text="prs.corp.local:8443 /"),
        case("a redirect", "/redirect", status=200, path="/page", text=re.compile(r"/page\?x=1$")),
        case("a redirect that keeps the method", "/307", status=200, path="/page"),
        case("a redirect to another server, asked of this one", "/elsewhere", status=200, path="/page"),
        case("a redirect to another scheme", "/https", status=302, location="https://elsewhere.example/page", error=""),
        case("a redirect to itself", "/loop", status=302, error=re.compile("Too many")),
        case("a page that breaks off", "/cut", status=200, text="", error=re.compile(".")),
        case("a redirect to a page that breaks off", "/then-cut", status=200, path="/cut", text="", error=re.compile(".")),
        case("an error page", "/500", status=500, text="broken", error=""),
        case("a long page", "/big", text="x" * 65_536),
        case("an endless page", "/endless", text="x" * 65_536),
        case("a page that trickles", "/trickle", timeout=3, status=200, text="", error="The page did not end within 3 seconds."),
        case("a character of two halves at the end", "/surrogate", text="x" * 65_535),
        case("another encoding", "/latin", text="ä"),
    ]  # fmt: skip


DAMAGED = 13


def path_cases() -> list[Case]:
    def case(
        about: str, *, path: Sequence[Any] = (), entries: Sequence[str] = (), newest: Sequence[str] = (), **more: Any
    ) -> Case:
        parameters = {"Path": list(path), "ZipEntry": list(entries), "Newest": list(newest)}
        return Case(script="inspect_paths", about=about, parameters=parameters, **more)

    def of(*records: Mapping[str, Any]) -> dict[str, Any]:
        return {"paths": list(records)}

    wanted = ["web.config", "bin/", "bin2/", "none.txt", "Web.Config"]
    archives = ("text.zip", "short.zip", "nothing.zip", "half.zip", "damaged/d.zip")
    return [
        case("nothing", result={"paths": [], "newest": []}),
        case("a folder, a file, nothing", path=["{root}/app [1]", "{root}/app [1]/it's.config", "{root}/none", "{root}/none/x"],
             result=of({"exists": True, "is_folder": True, "error": 0}, {"exists": True, "bytes": 4, "error": 0}, {"exists": False, "error": 2},
                       {"exists": False, "error": 3})),
        case("denied", path=["{root}/denied"], result=of({"exists": True, "error": 5}), only_real=NO_ACCOUNTS),
        case("shares that do not answer, asked side by side", newest=[f"{SILENT[2]}\\*.bak"], only_real=NO_SILENCE, instead=LOST_SHARES,
             path=[f"{SILENT[0]}\\a", "{root}/app [1]", f"{SILENT[1]}\\c", f"{TARDY}\\d", f"{DENIED_SHARE}\\e", f"{PROMPT}\\f"],
             result={"paths": [OF_SILENT, {"error": 0}, OF_SILENT, OF_SILENT, OF_PROMPT, OF_PROMPT], "newest": [OF_SILENT]}),
        case("shares of servers that are away, asked for nothing more", path=[f"\\\\error{number}\\share\\x" for number in UNREACHABLE],
             only_real=NO_SILENCE, instead=LOST_SHARES, result=of(*map(of_error, UNREACHABLE))),
        case("a program without a version", path=["{root}/setup.exe"], result=of({"version": "", "error": 0})),
        case("an archive", path=["{root}/good.zip"], entries=wanted, result=of({"missing": ["none.txt"], "error": 0})),
        case("an archive with a capital name, in Turkish", path=["{root}/GOOD2.ZIP"], entries=["WEB.CONFIG", "BIN/", "none"], culture="tr-TR",
             result=of({"missing": ["none"], "error": 0})),
        case("an entry with a bracket", path=["{root}/good.zip"], entries=["b[in/"], result=of({"missing": ["b[in/"], "error": 0})),
        *(case(f"{name}, which is no ZIP archive", path=[f"{{root}}/{name}"], entries=["web.config"],
               result=of({"error": DAMAGED, "message": re.compile(".")})) for name in archives),
        case("the newest", newest=["{root}/newest/*.bak"], result={"newest": [{"count": 2, "path": re.compile(r"b\.bak$"), "bytes": 2, "error": 0}]}),
        case("a folder below that may not be read is named", newest=["{root}/*.bak"], only_real=NO_ACCOUNTS,
             result={"newest": [{"count": 2, "unreadable": [re.compile(r"denied$")], "error": 0}]}),
        case("short names give more than the pattern", newest=["{root}/newest/*.bak"], instead={"GetFiles($folder, $name)": "GetFiles($folder)"},
             only_real=NO_SHORT_NAMES, result={"newest": [{"count": 2, "path": re.compile(r"b\.bak$")}]}),
        case("the newest of none", newest=["{root}/empty/*.bak"], result={"newest": [{"count": 0, "path": "", "error": 0}]}),
        case("the newest of a folder that is not there", newest=["{root}/none/*.bak"], result={"newest": [{"error": 3}]}),
        case("the text of a JSON file", newest=["{root}/one/*.json", "{root}/bom/*.json", "{root}/latin/*.json"],
             result={"newest": [{"text": '{"x": "ä"}'}, {"text": '{"x": 1}'}, {"text": '{"x": "\ufffd"}'}]}),
        case("brackets in a pattern are themselves", newest=["{root}/app [1]/x[ab].json"], result={"newest": [{"count": 1, "text": '{"a": 1}'}]}),
        *(case(f"culture {culture}", newest=["{root}/newest/*.bak"], culture=culture, only_real=NO_CULTURE,
               result={"newest": [{"modified": re.compile("^2023-11-14T22:13:")}]}) for culture in CULTURES),
    ]  # fmt: skip


def protection_cases() -> list[Case]:
    plain = certificate("prs.corp.local", "prs2.corp.local")
    in_store = [{"content": plain.pfx, "password": SECRET}]
    site_name = {"Site": "PasswordResetServer"}
    bindings = [
        {"protocol": "https", "information": "*:443:prs.corp.local", "hash": plain.thumbprint},
        {"protocol": "http", "information": "*:80:"},
    ]

    def iis(**changes: Any) -> dict[str, Any]:
        site = {"name": "PasswordResetServer", "state": "Started", "pool": "PRS", "bindings": bindings, **changes}
        return {"sites": [site], "pools": [{"name": "PRS", "state": "Started"}]}

    def case(about: str, parameters: Mapping[str, Any], **more: Any) -> Case:
        world = {"cim": CIM, "registry": REGISTRY, "sids": SIDS, **more.pop("world", {})}
        if "iis" in world:
            world = {"services": {"W3SVC": "Running"}, **world}
            more.setdefault("only_real", "the twin's IIS is set up by its own modules")
        return Case(script="inspect_protection", about=about, parameters=parameters, world=world, **more)

    def files(*names: str) -> list[str]:
        return [f"{{root}}/{name}" for name in names]

    seen = {
        "installed": True,
        "service": "Running",
        "site": "Started",
        "pool": "PRS",
        "pool_state": "Started",
        "ports": [80, 443],
        "error": 0,
    }
    key_hash, other_hash = (hashlib.sha256(content).hexdigest() for content in (b"key", b"key2"))
    acl = [
        {"sid": "S-1-5-18", "rights": 0x1F01FF},
        {"sid": "S-1-5-32-544", "rights": 0x10000000},
        {"sid": "S-1-1-0", "rights": 2},
    ]
    return [
        case("nothing", {}, result={"hashed": [], "paths": [], "iis": {"installed": False, "error": 0}}),
        case("a site", site_name, world={"iis": iis(), "certificates": in_store},
             result={"iis": seen, "certificates": [{"use": "site", "found": True, "has_key": True, "thumbprint": plain.thumbprint, "not_after": EXPIRES}]}),
        case("a certificate that is gone", site_name, world={"iis": iis()}, result={"certificates": [{"found": False, "thumbprint": plain.thumbprint}]}),
        case("https without a certificate", site_name, result={"certificates": [{"found": False, "has_key": False, "thumbprint": ""}]},
             world={"iis": iis(bindings=[{"protocol": "https", "information": "*:443:", "hash": ""}]), "certificates": in_store}),
        case("another protocol", site_name, world={"iis": iis(bindings=[{"protocol": "net.tcp", "information": "808:*"}])},
             result={"iis": {"site": "Started", "ports": [], "error": 0}}),
        case("another pool than the site's", {**site_name, "Pool": "other"}, result={"iis": {"pool_state": "Started", "asked_state": "Stopping"}},
             world={"iis": {**iis(), "pools": [{"name": "PRS", "state": "Started"}, {"name": "Other", "state": "Stopping"}]}}),
        case("a pool that is not there", {**site_name, "Pool": "none"}, world={"iis": iis()}, result={"iis": {"site": "Started", "asked_state": "", "error": 0}}),
        case("a pool whose state cannot be read", {**site_name, "Pool": "PRS"}, only_real=NO_IIS_FAULT,
             world={"iis": {**iis(), "pools": [{"name": "PRS", "state": "denied"}]}}, result={"iis": {"site": "Started", "pool_state": "Unknown", "error": 4312}}),
        case("no such site", {"Site": "none"}, world={"iis": iis()}, result={"iis": {"installed": True, "site": "", "sites": ["PasswordResetServer"]}}),
        case("IIS stands still", site_name, world={"iis": iis(), "services": {"W3SVC": "Stopped"}}, result={"iis": {"site": "Stopped", "error": 0}}),
        case("no IIS", site_name, result={"iis": {"installed": False}}),
        case("IIS' configuration is denied", site_name, world={"iis": {"denied": True}}, only_real=NO_IIS_FAULT,
             result={"iis": {"installed": True, "sites": [], "error": 5, "message": re.compile("insufficient permissions")}}),
        case("a state that cannot be read", site_name, world={"iis": iis(state="denied")}, only_real=NO_IIS_FAULT,
             result={"iis": {"site": "Unknown", "ports": [80, 443], "error": 4312, "message": re.compile("valid object")}}),
        case("disks denied", {}, world={"cim": {"Win32_LogicalDisk!": REFUSED}}, error="Access denied", only_real=NO_CIM),
        case("hashes", {"Hashed": files("one/r.json", "none", "none/x", "empty")},
             result={"hashed": [{"sha256": hashlib.sha256('{"x": "ä"}'.encode()).hexdigest(), "bytes": 11, "error": 0}, {"sha256": "", "error": 2},
                                {"error": 3}, {"sha256": "", "error": 5}]}),
        case("hashes, denied", {"Hashed": files("denied.txt")}, result={"hashed": [{"sha256": "", "error": 5}]}, only_real=NO_ACCOUNTS),
        case("paths", {"Path": files("app [1]", "setup.exe", "none")},
             result={"paths": [{"is_folder": True, "error": 0}, {"bytes": 14, "version": "", "error": 0}, {"error": 2}]}),
        case("who reads a folder", {"Folder": files("empty")}, world={"acls": {"*": acl}}, only_real=ITS_OWN,
             result={"folders": [{"error": 0, "readers": [{"sid": "S-1-5-18"}, {"sid": "S-1-5-32-544"}]}]}),
        case("who reads a folder, denied", {"Folder": files("empty")}, world={"acls": {"*": "Attempted to perform an unauthorized operation."}},
             only_real=NO_ACCOUNTS, result={"folders": [{"error": 0, "readers": [], "readers_error": 5}]}),
        case("the newest archive", {"Archive": "{root}/g*.zip", "Entry": ["encryption.config"]},
             result={"archived": {"error": 0, "entries": [{"name": "sub/encryption.config", "sha256": key_hash},
                                                          {"name": "other\\Encryption.Config", "sha256": other_hash}]}}),
        case("shares that do not answer", {
                "Hashed": [f"{SILENT[0]}\\a", *files("one/r.json")], "Path": ["\\\\error53\\share\\b", f"{PROMPT}\\f"],
                "Folder": [SILENT[1], SILENT[2]], "Archive": f"{SILENT[3]}\\*.zip", "Text": [f"{SILENT[4]}\\*.json"],
             }, only_real=NO_SILENCE, instead=LOST_SHARES,
             result={"hashed": [OF_SILENT, {"bytes": 11, "error": 0}], "paths": [of_error(53), OF_PROMPT], "folders": [OF_SILENT, OF_SILENT],
                     "archived": OF_SILENT, "texts": [OF_SILENT]}),
        case("a damaged archive", {"Archive": "{root}/damaged/*.zip", "Entry": ["encryption.config"]},
             result={"archived": {"entries": [], "error": DAMAGED, "message": re.compile(".")}}),
        case("no archive", {"Archive": "{root}/empty/*.zip", "Entry": ["x"]}, result={"archived": {"path": "", "entries": [], "error": 0}}),
        case("archives of a folder that is not there", {"Archive": "{root}/none/*.zip", "Entry": ["x"]}, result={"archived": {"error": 3}}),
        case("texts", {"Text": ["{root}/many/*.json"], "Newest": 2}, result={"texts": [{"text": '{"i": 2}'}, {"text": '{"i": 1}'}]}),
        case("short names give more than the pattern", {"Text": ["{root}/many/*.json"], "Newest": 9},
             instead={"GetFiles($parent, $name, $Depth)": "GetFiles($parent, '*', $Depth)"}, only_real=NO_SHORT_NAMES,
             result={"texts": [{"text": '{"i": 2}'}, {"text": '{"i": 1}'}, {"text": '{"i": 0}'}]}),
        case("no texts at all", {"Text": ["{root}/many/*.json"], "Newest": 0}, result={"texts": []}),
        case("texts of a folder that is not there", {"Text": ["{root}/none/*.json"]}, result={"texts": [{"error": 3, "text": ""}]}),
        *(case(f"culture {culture}", site_name, world={"iis": iis(), "certificates": in_store}, culture=culture,
               result={"certificates": [{"not_after": EXPIRES}]}) for culture in CULTURES),
    ]  # fmt: skip


LDAP_RULE = {
    "name": "LDAP, allow", "description": "Made by prs.recovery.", "action": "allow", "program": r"C:\Windows\w3wp.exe", "remote_ports": "389,636",
    "remote_addresses": "10.1.0.10,10.2.0.0-10.2.0.9",
}  # fmt: skip
FOUND_RULE = {
    "Name": "LDAP, allow", "Description": "Made by prs.recovery.", "Direction": 2, "Action": 1, "Enabled": True, "Protocol": 6,
    "ApplicationName": r"c:\windows\W3WP.exe", "RemotePorts": "389,636", "RemoteAddresses": "10.2.0.0-10.2.0.9,10.1.0.10/255.255.255.255",
}  # fmt: skip
ALIASES = r"SOFTWARE\Microsoft\MSSQLServer\Client\ConnectTo"


POOL_ATTRIBUTES = {
    "managedRuntimeVersion": "v4.0", "managedPipelineMode": 1, "autoStart": True, "startMode": 1, "processModel.maxProcesses": 1,
    "processModel.idleTimeout": "00:20:00", "recycling.periodicRestart.time": "1.05:00:00",
}  # fmt: skip


def sites_and_pools(case: Callable[..., Case]) -> list[Case]:
    asked = {"Site": "prs", "Pool": "PRS", "Attribute": list(POOL_ATTRIBUTES)}
    bindings = [
        {"protocol": "https", "information": "*:443:", "hash": "AB12"}, {"protocol": "http", "information": "[::1]:80:prs.corp.local"},
        {"protocol": "net.tcp", "information": "808:*"},
    ]  # fmt: skip
    found_bindings = [
        {"protocol": "https", "ip": "*", "port": 443, "hostname": "", "certificate_hash": "AB12"},
        {"protocol": "http", "ip": "[::1]", "port": 80, "hostname": "prs.corp.local", "certificate_hash": ""},
        {"protocol": "net.tcp", "ip": "", "port": 0, "hostname": "", "certificate_hash": ""},
    ]
    site = {"name": "PRS", "state": "Started", "pool": "PRS", "path": r"C:\inetpub\prs", "bindings": bindings}
    pool = {"name": "prs", "state": "Stopped", "attributes": POOL_ATTRIBUTES}

    def of_iis(about: str, *, service: str = "Running", result: Mapping[str, Any], **iis: Any) -> Case:
        world = {"services": {"W3SVC": service}, "iis": {"sites": [site], "pools": [pool], **iis}}
        return case(
            about, parameters=asked, world=world, result=result, only_real="the twin's IIS is set up by its own modules"
        )

    found = {
        "state": "Started",
        "physical_path": r"C:\inetpub\prs",
        "application_pool": "PRS",
        "bindings": found_bindings,
    }
    found_pool = {"state": "Stopped", "attributes": POOL_ATTRIBUTES}
    short = {name: value for name, value in POOL_ATTRIBUTES.items() if name != "startMode"}
    return [
        case("a site and a pool without IIS", parameters=asked, result={"iis": False, "site": {}, "pool": {}}),
        of_iis("a site and a pool", result={"site": found, "pool": found_pool}),
        of_iis("no such site", sites=[], result={"site": {}, "pool": found_pool}),
        of_iis("no such pool", pools=[], result={"site": found, "pool": {}}),
        of_iis(
            "a pool without an attribute that is asked",
            pools=[{**pool, "attributes": short}],
            result={"site": {}, "pool": {}},
        ),
        of_iis(
            "a site whose state cannot be read",
            sites=[{**site, "state": "denied"}],
            result={"site": {}, "pool": found_pool},
        ),
        of_iis("a service that does not run", service="Stopped", result={"iis": True, "site": {}, "pool": {}}),
        of_iis("IIS' configuration is denied", denied=True, result={"iis": True, "site": {}, "pool": {}}),
    ]


def web_server_cases() -> list[Case]:
    def case(about: str, **more: Any) -> Case:
        world = {"sids": SIDS, "registry": REGISTRY, **more.pop("world", {})}
        return Case(script="inspect_web_server", about=about, world=world, **more)

    def of_rules(about: str, *found: Mapping[str, Any], settled: bool = False, **more: Any) -> Case:
        wanted = {**LDAP_RULE, **more.pop("wanted", {})}
        return case(
            about,
            parameters={"Rule": [wanted]},
            world={"firewall": list(found)},
            result={"rules": [wanted["name"]] * settled},
            **more,
        )

    registry = {**REGISTRY, ALIASES: {"prs-sql": "DBMSSOCN,sql-a,1433", "number": 7}}
    keys = {
        "RegistryKey": [f"HKLM:\\{ALIASES}", r"HKLM:\SOFTWARE\Nowhere"],
        "RegistryName": ["prs-sql", "number", "none"],
    }
    alias = {"key": f"HKLM:\\{ALIASES}", "name": "prs-sql", "data": "DBMSSOCN,sql-a,1433"}
    number = {**alias, "name": "number", "data": 7}
    return [
        case("nothing asked", result={"iis": False, "exists": [], "values": [], "rules": []}),
        case("in check mode", check=True, result={"iis": False}),
        case("IIS is there, and stands still", world={"services": {"W3SVC": "Stopped"}}, only_real=ITS_OWN, result={"iis": True}),
        case(
            "files", parameters={"Path": ["{root}/app [1]/it's.config", "{root}/none", "{root}/empty"]},
            result={"exists": [re.compile("it's.config$"), re.compile("empty$")]},
        ),
        case("aliases", parameters=keys, world={"registry": registry}, result={"values": [alias, number]}),
        case("aliases that may not be read", parameters=keys, world={"registry": {**registry, ALIASES: "denied"}}, only_real=NO_ACCOUNTS, result={"values": []}),
        *sites_and_pools(case),
        of_rules("no rule"),
        of_rules("a rule as it should be, in another order", FOUND_RULE, settled=True),
        of_rules("in Turkish", FOUND_RULE, settled=True, culture="tr-TR", only_real=NO_CULTURE),
        of_rules("another rule beside it", {**FOUND_RULE, "Name": "other", "Action": 0}, FOUND_RULE, settled=True),
        of_rules("two of one name", FOUND_RULE, FOUND_RULE, settled=True),
        of_rules("two of one name, and one differs", FOUND_RULE, {**FOUND_RULE, "Action": 0}),
        *(
            of_rules(f"another {name}", {**FOUND_RULE, name: value})
            for name, value in {
                "Description": "", "Direction": 1, "Action": 0, "Enabled": False, "ApplicationName": r"C:\Windows\other.exe", "Protocol": 17,
                "RemotePorts": "389", "RemoteAddresses": "10.1.0.10/255.255.255.255",
            }.items()
        ),
        of_rules("a rule with less of everything", {"Name": "LDAP, allow", "Protocol": 256, "Direction": 2, "Enabled": True}),
        case(
            "the firewall cannot be asked", parameters={"Rule": [LDAP_RULE], **keys}, only_real=ITS_OWN,
            world={"firewall": "There are no more endpoints available", "registry": registry}, result={"rules": [], "values": [alias, number]},
        ),
    ]  # fmt: skip


MODIFY = 0x1301BF


def folder_cases() -> list[Case]:
    def case(about: str, **more: Any) -> Case:
        world = {"accounts": {"IIS AppPool\\PRS": "S-1-5-82-1"}, "acls": {"*": []}, **more.pop("world", {})}
        return Case(script="inspect_folder", about=about, world=world, **more)

    def of_rules(
        about: str, account: str, *rules: Mapping[str, Any], result: Sequence[Mapping[str, Any]], **more: Any
    ) -> Case:
        parameters = {"Path": ["{root}/empty"], "Account": account}
        more.setdefault("only_real", ITS_OWN)
        return case(
            about,
            parameters=parameters,
            world={"acls": {"*": list(rules)}},
            result={"rights": MODIFY, "rules": list(result)},
            **more,
        )

    pool, own = "IIS AppPool\\PRS", {"sid": "S-1-5-82-1", "rights": MODIFY}
    read = {
        "path": re.compile("empty$"),
        "rights": MODIFY,
        "allow": True,
        "inherited": False,
        "inheritance": 3,
        "propagation": 0,
    }
    text = base64.b64encode(b"<a/>").decode()
    return [
        case("nothing asked", result={"rights": MODIFY, "rules": [], "exists": False, "content": ""}),
        case("in check mode", check=True, parameters={"Rights": "ReadAndExecute"}, result={"rights": 0x1200A9}),
        case("a file", parameters={"File": "{root}/app [1]/it's.config"}, result={"exists": True, "content": text}),
        case("no such file, a folder", parameters={"File": "{root}/app [1]"}, result={"exists": False, "content": ""}),
        case("a file that may not be read", parameters={"File": "{root}/denied.txt"}, result={"exists": True, "content": ""}, only_real=NO_ACCOUNTS),
        of_rules("a rule of the account, and another's", pool, own, {"sid": "S-1-5-18", "rights": 1}, result=[read]),
        of_rules("by a SID", "S-1-5-82-1", own, result=[read]),
        of_rules("other rules", pool, {**own, "type": "Deny", "rights": 2}, {**own, "inherited": True, "inheritance": 1, "propagation": 2},
                 result=[{**read, "allow": False, "rights": 2}, {**read, "inherited": True, "inheritance": 1, "propagation": 2}]),
        of_rules("an account that nobody knows", "NOBODY\\none", own, result=[], only_real=""),
        case("rights that may not be read", parameters={"Path": ["{root}/empty"], "Account": pool}, world={"acls": {"*": "Attempted an unauthorized operation."}},
             result={"rules": [], "rights": MODIFY}, only_real=NO_ACCOUNTS),
        case("a folder that is not there", parameters={"Path": ["{root}/none"], "Account": "S-1-5-18"}, world={"acls": {"*": "No such folder"}}, result={"rules": []}),
        case("rights of SYSTEM", parameters={"Path": ["{root}/empty"], "Account": "S-1-5-18"}, world={"acls": {"*": [{"sid": "S-1-5-18", "rights": 0x1F01FF, "inherited": True}]}},
             result={"rules": [{"rights": 0x1F01FF, "allow": True, "inherited": True, "inheritance": 3}]}),
    ]  # fmt: skip


def registry_cases() -> list[Case]:
    key, other = "HKLM:\\SOFTWARE\\Lab", "HKLM:\\SOFTWARE\\Lab\\New"
    there = {"SOFTWARE\\Lab": {"Text": "one", "Number": 2, "List": ["a"]}}

    def case(about: str, *values: tuple[str, str, Any, str], set: Sequence[str], **more: Any) -> Case:
        given = [
            {"key": where, "name": name, "data": data, **({"type": kind} if kind else {})}
            for where, name, data, kind in values
        ]
        return Case(
            script="set_registry_values", about=about, parameters={"Value": given}, world={"registry": {**REGISTRY, **there}}, changed=bool(set),
            result={"set": list(set)}, **more,
        )  # fmt: skip

    return [
        case("as they are", (key, "text", "one", ""), (key, "Number", "2", "dword"), set=[]),
        case("other data", (key, "Text", "One", "string"), (key, "Number", 3, "dword"), set=["Text", "Number"]),
        case(
            "another type",
            (key, "Text", "1", "dword"),
            (key, "Number", "2", ""),
            (key, "List", "a", ""),
            set=["Text", "Number", "List"],
        ),
        case("nothing there", (key, "New", "ü", ""), (other, "Empty", "", ""), set=["New", "Empty"]),
        case("in check mode", (key, "Text", "two", ""), (other, "New", "1", "dword"), set=["Text", "New"], check=True),
    ]


ODD_VALUES = r"""
$noted = 'noted' | Add-Member -NotePropertyName x -NotePropertyValue 1 -PassThru
$list = New-Object -TypeName 'System.Collections.Generic.List[string]'
$Ansible.Result = @{
    one = @(1); none = @(); two = @('a', 'b'); null = $null; noted = $noted; list = $list; within = @(, @(1, 2)); sorted = (2, 1 | Sort-Object)
    date = ([datetime]'2020-01-02T03:04:05Z').ToUniversalTime(); plain = [datetime]'2020-01-02T03:04:05'; day = [System.DayOfWeek]::Monday
    yes = $true; half = 1.5; long = [long]5000000000; char = [char]'x'; decimal = [decimal]1.10; switch = [switch]$true; id = [guid]::Empty
    Keys = 'k'; Count = 3; object = [pscustomobject]@{ a = 1; b = @(@{ c = , @(1) }) }; deep = @{ a = @{ b = @{ c = @{ d = @{ e = 1 } } } } }
    text = "a`tb`n\`"'" + [char]0xE9 + [char]0x2028 + [char]::ConvertFromUtf32(0x1F4A9); empty = ''; table = @{}
    moment = [System.DateTimeOffset]'2020-01-02T03:04:05+02:00'
}
"""
ODD_ANSWER = {
    "one": [1], "none": [], "two": ["a", "b"], "null": None, "noted": "noted", "list": [], "within": [[1, 2]], "sorted": [1, 2],
    "date": "2020-01-02T03:04:05.0000000Z", "plain": "2020-01-02T03:04:05.0000000", "day": {"Type": "System.DayOfWeek", "String": "Monday", "Value": 1},
    "yes": True, "half": 1.5, "long": 5000000000, "char": "x", "decimal": 1.1, "switch": True, "id": "00000000-0000-0000-0000-000000000000",
    "Keys": "k", "Count": 3, "object": {"a": 1, "b": [{"c": [[1]]}]}, "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}},
    "text": "a\tb\n\\\"'\u00e9\u2028\U0001f4a9", "empty": "", "table": {}, "moment": "2020-01-02T03:04:05.0000000+02:00",
}  # fmt: skip
"""What win_powershell makes of those, and what of a session has to be the same."""


def joined_cases() -> list[Case]:
    """Other scripts through look_at_once: each of them has to find what it finds alone."""
    alone = {(case.script, case.about): case for case in CASES_ALONE}
    broken = "[CmdletBinding(SupportsShouldProcess)]param() "

    def case(about: str, *looks: tuple[str, str], seen: Mapping[str, Any] = {}, **more: Any) -> Case:
        cases = {f"look{number}": alone[look] for number, look in enumerate(looks)}
        world: dict[str, Any] = {}
        for one in cases.values():
            for part, content in one.world.items():
                world[part] = {**world.get(part, {}), **content} if isinstance(content, Mapping) else content
        return Case(
            script="look_at_once", about=about, world=world, check=any(one.check for one in cases.values()),
            parameters={"Look": [{"name": name, "script": f"{{{one.script}}}", "parameters": one.parameters} for name, one in cases.items()]},
            sensitive={"Secret": secrets({name: {"wanted": True, "secrets": one.sensitive} for name, one in cases.items() if one.sensitive})},
            changed=any(one.changed for one in cases.values()), result={name: {**_answer(one), **seen.get(name, {})} for name, one in cases.items()},
            only_real="".join({one.only_real for one in cases.values()}), **more,
        )  # fmt: skip

    def own(about: str, text: str, failed: bool, said: Sequence[str], result: Mapping[str, Any], **more: Any) -> Case:
        answer = {
            "failed": failed,
            "error": [{"exception": {"message": re.compile(words)}} for words in said],
            "result": result,
        }
        look = {"name": "one", "script": f"{broken} $Ansible.Changed = $false; {text}", "parameters": {}}
        return Case(script="look_at_once", about=about, parameters={"Look": [look]}, result={"one": answer}, only_real="the twin knows the roles' scripts alone", **more)  # fmt: skip

    return [
        case("Windows and an instance", ("inspect_server", "in check mode"), ("inspect_sql_instance", "one, in check mode")),
        case("one that does not fail, and one that does", ("inspect_sql_instance", "one"), ("inspect_server", "registry denied")),
        case("shares and IIS", ("inspect_paths", "a folder, a file, nothing"), ("inspect_protection", "nothing")),
        case("values that are set, and then seen", ("set_registry_values", "nothing there"), ("set_registry_values", "other data"),
             ("set_registry_values", "nothing there"), seen={"look2": {"changed": False, "result": {"set": []}}}),
        case("values that are not set in check mode", ("set_registry_values", "in check mode"), ("set_registry_values", "in check mode")),
        case("two certificates and a folder", ("import_certificate", "a new one, in check mode"), ("inspect_paths", "an archive"),
             ("import_certificate", "an international name")),
        case("a wrong password, and a folder", ("import_certificate", "a wrong password"), ("inspect_paths", "nothing")),
        case("a certificate that is imported", ("import_certificate", "a new one")),
        own("what fails, and goes on", "[int]::Parse('x'); $Ansible.Result = @{ on = 1 }", False, ["Parse"], {"on": 1}),
        own("what fails, and stops", "$ErrorActionPreference = 'Stop'; [int]::Parse('x'); $Ansible.Result = @{ on = 1 }", True, ["Parse"], {}),
        own("what throws after an error", "[int]::Parse('x'); throw 'own words'", True, ["Parse", "^own words$"], {}),
        own("what no parser takes", "if (", True, ["Missing"], {}, changed=True),
        own("a value that is missing", "$Ansible.Failed = $true; $Ansible.Result = @{ none = $null }", True, [], {"none": None}),
        own("values of every kind", ODD_VALUES, False, [], ODD_ANSWER),
        own("a Windows PowerShell, which tells no session state", "[int]::Parse('x'); $Ansible.Result = @{ on = 1 }", False, ["Parse"], {"on": 1},
            instead={"DefaultRunspace.InitialSessionState": "DefaultRunspace.NoSuchState"}),
    ]  # fmt: skip


def _answer(case: Case) -> dict[str, Any]:
    errors = [{"exception": {"message": re.compile(case.error)}}] if case.error else []
    return {"failed": bool(case.error), "changed": case.changed, "result": case.result, "error": errors}


CASES_ALONE = [
    *server_cases(), *instance_cases(), *login_cases(), *certificate_cases(), *page_cases(), *path_cases(), *protection_cases(),
    *web_server_cases(), *folder_cases(), *registry_cases(),
]  # fmt: skip
CASES = [*CASES_ALONE, *joined_cases()]
