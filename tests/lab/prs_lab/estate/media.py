"""What lies on the media share: SQL Server's setup folder, the PRS ZIP and MSI, and a ZIP that is not PRS.

An installer of the lab is a file whose first line is ``PRSLAB-MEDIA {json}``; the Windows twin knows by it what running
it does. The PRS ZIP is a real ZIP of a plausible ASP.NET application. Equal input gives equal bytes.
"""

from __future__ import annotations

import io
import json
import zipfile

from ..application.assembly import Assembly, build
from .config import MediaConfig

__all__ = ["MARK", "PRODUCT_CODE", "application_files", "application_zip", "installer", "media_files"]

MARK = b"PRSLAB-MEDIA "
PRODUCT_CODE = "{6D1C0F54-3C3B-4C43-9E0B-5A2B6B1F5300}"
_EPOCH = (2024, 3, 1, 12, 0, 0)

# The line that names MockPhoneQuestionsCaller is a trap on purpose: the vendor's notes say never to leave it in.
_WEB_CONFIG = """<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <appSettings>
    <add key="ProductVersion" value="{version}" />
    <add key="SQLTimeout" value="15" />
    <add key="PhoneQuestionsCaller" value="Prs.Testing.MockPhoneQuestionsCaller, Prs.Core" />
  </appSettings>
  <system.web>
    <compilation debug="false" targetFramework="4.5.1" />
    <httpRuntime targetFramework="4.5.1" maxRequestLength="4096" />
    <customErrors mode="RemoteOnly" />
    <httpModules>
      <add name="PrsSession" type="Prs.Web.SessionModule, Prs.Web" />
    </httpModules>
  </system.web>
  <system.webServer>
    <defaultDocument>
      <files>
        <clear />
        <add value="Default.aspx" />
      </files>
    </defaultDocument>
    <security>
      <requestFiltering>
        <requestLimits maxAllowedContentLength="30000000" />
      </requestFiltering>
    </security>
  </system.webServer>
  <location path="InstallerCheckForUpdates.aspx">
    <system.web>
      <httpRuntime maxRequestLength="4096" executionTimeout="110" />
    </system.web>
  </location>
</configuration>
"""

_PAGE = '<%@ Page Language="C#" AutoEventWireup="true" Inherits="Prs.Web.{name}" %>\n'


def application_files(version: str) -> dict[str, bytes]:
    """The files of the application, by relative path with forward slashes."""
    assembly_version = _assembly_version(version)
    assemblies = {
        "Prs.Web": (("Prs.Core", "Prs.Data", "Prs.Ldap"), 96_000),
        "Prs.Core": (("Prs.Data",), 160_000),
        "Prs.Data": ((), 64_000),
        "Prs.Ldap": (("Prs.Core",), 48_000),
    }
    files = {
        f"bin/{name}.dll": build(Assembly(name=name, version=assembly_version, references=references), size=size)
        for name, (references, size) in assemblies.items()
    }
    files["web.config"] = _WEB_CONFIG.format(version=version).replace("\n", "\r\n").encode("utf-8")
    for page in ("Default", "Login", "Installer", "InstallerCheckForUpdates", "Backup"):
        files[f"{page}.aspx"] = _PAGE.format(name=page).encode()
    files["Global.asax"] = b'<%@ Application Language="C#" Inherits="Prs.Web.Global" %>\n'
    files["Content/site.css"] = b"body { font-family: Segoe UI, sans-serif; }\n"
    files["Scripts/site.js"] = b"// no script is needed to read the page\n"
    files["Upgrade/readme.txt"] = f"Password Reset Server {version}\r\n".encode()
    return dict(sorted(files.items()))


def application_zip(version: str) -> bytes:
    """The vendor's ZIP for a manual installation."""
    return _zip(application_files(version))


def installer(description: dict, *, payload: bytes = b"") -> bytes:
    """An installer of the lab: its first line says what it is."""
    return MARK + json.dumps(description).encode() + b"\n" + payload


def media_files(config: MediaConfig) -> dict[str, bytes]:
    """Everything for the media share, by relative Windows path."""
    version = config.application_version
    sql = {
        "product": "sql_server",
        "version": config.sql_version,
        "edition": config.sql_edition,
        "restart_required": config.sql_restart,
    }
    msi = {"product": "prs_msi", "product_code": PRODUCT_CODE, "name": "Password Reset Server", "version": version}
    product = f"PRSLAB {config.sql_version} {config.sql_edition}\r\n".encode()
    return {
        f"{config.sql_folder}\\setup.exe": installer(sql),
        f"{config.sql_folder}\\MediaInfo.xml": _media_info(config).encode(),
        f"{config.sql_folder}\\x64\\Setup\\sql_engine_core_inst_msi\\sql_engine_core_inst.msi": product,
        config.application_zip: application_zip(version),
        config.application_msi: installer(msi, payload=application_zip(version)),
        "NotPasswordResetServer.zip": _zip(
            {"index.html": b"<html>another product</html>\n", "readme.txt": b"not PRS\n"}
        ),
    }


def _media_info(config: MediaConfig) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\r\n<MediaInfo>\r\n  <Properties>\r\n'
        f'    <Property Id="Id" Value="SQL Server {config.sql_edition.split(" (")[0]}" />\r\n'
        f'    <Property Id="BaselineVersion" Value="{config.sql_version}" />\r\n'
        "  </Properties>\r\n</MediaInfo>\r\n"
    )


def _assembly_version(version: str) -> str:
    """``5.3.000020`` -> ``5.3.20.0``."""
    parts = [str(int(part)) for part in version.split(".")]
    return ".".join((parts + ["0"] * 4)[:4])


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=_EPOCH), data, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
