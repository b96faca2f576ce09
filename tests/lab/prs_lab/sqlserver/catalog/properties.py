"""SERVERPROPERTY and DATABASEPROPERTYEX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..instance import Instance
    from ..storage.database import Database

__all__ = ["database_property", "product_year", "server_property"]

_YEARS = {10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}


def product_year(major: int) -> str:
    return _YEARS.get(major, "2019")


def engine_edition(edition: str) -> int:
    """1 Personal, 2 Standard (also Web), 3 Enterprise (also Developer and Evaluation), 4 Express."""
    word = edition.split()[0].lower() if edition else ""
    return 4 if word == "express" else 3 if word in ("enterprise", "developer", "evaluation") else 2


def server_property(instance: Instance, name: str) -> Any:
    """None for a name that SERVERPROPERTY does not know."""
    settings, host = instance.settings, instance.host
    major, minor, build, _ = instance.version
    edition = settings.edition if "64-bit" in settings.edition else f"{settings.edition} (64-bit)"
    if name == "@@version":
        return (
            f"Microsoft SQL Server {product_year(major)} (RTM) - {settings.version} (X64) \n\tCopyright (C) "
            f"{product_year(major)} Microsoft Corporation\n\t"
            f"{edition} on Windows Server 2019 Standard 10.0 <X64> (Build 17763: ) (Hypervisor)\n"
        )
    named = instance.instance_name.upper() != "MSSQLSERVER"
    folder = lambda path: path.rstrip("\\") + "\\"  # noqa: E731
    return {
        "productversion": settings.version, "productlevel": "RTM", "productupdatelevel": None, "productmajorversion": str(major),
        "productminorversion": str(minor), "productbuild": str(build), "productbuildtype": None, "edition": edition,
        "editionid": {4: -1592396055, 3: 1804890536}.get(engine_edition(edition), -1534726760), "engineedition": engine_edition(edition),
        "servername": instance.name, "machinename": host.name, "computernamephysicalnetbios": host.name,
        "instancename": instance.instance_name if named else None, "collation": settings.collation, "sqlcharset": 1, "sqlcharsetname": "iso_1",
        "sqlsortorder": 52, "sqlsortordername": "nocase_iso", "lcid": 1033, "comparisonstyle": 196609, "isclustered": 0, "ishadrenabled": 0,
        "hadrmanagerstatus": 2, "isintegratedsecurityonly": int(not settings.mixed_mode), "issingleuser": 0, "isfulltextinstalled": 0,
        "isxtpsupported": 1, "isadvancedanalyticsinstalled": 0, "ispolybaseinstalled": 0, "islocaldb": 0, "filestreamconfiguredlevel": 0,
        "filestreameffectivelevel": 0, "filestreamsharename": instance.instance_name.upper(), "instancedefaultdatapath": folder(settings.data_dir),
        "instancedefaultlogpath": folder(settings.log_dir), "instancedefaultbackuppath": settings.backup_dir if major >= 15 else None,
        "processid": 4242, "resourceversion": f"{major:02d}.00.{build}", "resourcelastupdatedatetime": "2024-01-01 00:00:00.000000",
        "licensetype": "DISABLED", "numlicenses": None, "buildclrversion": "v4.0.30319", "isbigdatacluster": 0, "serverprocessortime": None,
    }.get(name.lower())  # fmt: skip


def database_property(instance: Instance, database: Database, name: str) -> Any:
    """None for a name that DATABASEPROPERTYEX does not know, and for most of them while the database cannot be opened."""
    options = database.options
    entry = instance.databases.entry(database)
    always = {
        "status": "RECOVERING" if database.state == "RECOVERY_PENDING" else database.state, "useraccess": entry["user_access"],
        "recovery": database.recovery_model, "updateability": "READ_ONLY" if options.get("is_read_only") or database.is_in_standby else "READ_WRITE",
        "isinstandby": int(database.is_in_standby), "lastgoodcheckdbtime": options.get("last_good_checkdb", "1900-01-01 00:00:00.000000"),
    }  # fmt: skip
    if name.lower() in always:
        return always[name.lower()]
    if not database.is_open:
        return None
    return {
        "collation": options.get("collation", instance.settings.collation), "version": database.boot.version, "comparisonstyle": 196609, "lcid": 1033,
        "sqlsortorder": 52, "isautoclose": int(options.get("auto_close") == "ON"), "isautoshrink": int(options.get("auto_shrink") == "ON"),
        "istornpagedetectionenabled": int(options.get("page_verify") == "TORN_PAGE_DETECTION"), "isfulltextenabled": 1, "ispublished": 0, "issubscribed": 0,
        "edition": None, "isclone": None, "isverifiedclone": None, "isxtpsupported": 1,
    }.get(name.lower())  # fmt: skip
