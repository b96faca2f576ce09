"""What ODBC drivers ask on their own account."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..wire.items import Item, ReturnStatus
from .batch import Batch
from .procedures import Arguments
from .registry import procedure

__all__: list[str] = []

_INFO_COLUMNS = [
    ("TYPE_NAME", "nvarchar(128)"), ("DATA_TYPE", "smallint"), ("PRECISION", "int"), ("LITERAL_PREFIX", "varchar(32)"), ("LITERAL_SUFFIX", "varchar(32)"),
    ("CREATE_PARAMS", "varchar(32)"), ("NULLABLE", "smallint"), ("CASE_SENSITIVE", "smallint"), ("SEARCHABLE", "smallint"),
    ("UNSIGNED_ATTRIBUTE", "smallint"), ("MONEY", "smallint"), ("AUTO_INCREMENT", "smallint"), ("LOCAL_TYPE_NAME", "nvarchar(128)"),
    ("MINIMUM_SCALE", "smallint"), ("MAXIMUM_SCALE", "smallint"), ("SQL_DATA_TYPE", "smallint"), ("SQL_DATETIME_SUB", "smallint"),
    ("NUM_PREC_RADIX", "int"), ("INTERVAL_PRECISION", "smallint"), ("USERTYPE", "smallint"),
]  # fmt: skip
_TYPES = (
    # name, ODBC type, precision, prefix, suffix, parameters, unsigned, highest scale
    ("bit", -7, 1, None, None, None, None, None), ("tinyint", -6, 3, None, None, None, 1, 0), ("bigint", -5, 19, None, None, None, 0, 0),
    ("varbinary", -3, 8000, "0x", None, "max length", None, None), ("binary", -2, 8000, "0x", None, "length", None, None),
    ("char", 1, 8000, "'", "'", "length", None, None), ("numeric", 2, 38, None, None, "precision,scale", 0, 38),
    ("decimal", 3, 38, None, None, "precision,scale", 0, 38), ("money", 3, 19, "$", None, None, 0, 4), ("int", 4, 10, None, None, None, 0, 0),
    ("smallint", 5, 5, None, None, None, 0, 0), ("float", 6, 53, None, None, None, 0, None), ("real", 7, 24, None, None, None, 0, None),
    ("varchar", 12, 8000, "'", "'", "max length", None, None), ("nvarchar", -9, 4000, "N'", "'", "max length", None, None),
    ("nchar", -8, 4000, "N'", "'", "length", None, None), ("uniqueidentifier", -11, 36, "'", "'", None, None, None),
    ("datetime2", 93, 27, "'", "'", "scale", None, 7), ("datetime", 93, 23, "'", "'", None, None, 3), ("date", 91, 10, "'", "'", None, None, 0),
    ("time", -154, 16, "'", "'", "scale", None, 7), ("datetimeoffset", -155, 34, "'", "'", "scale", None, 7),
    ("sql_variant", -150, 8000, None, None, None, None, 0),
)  # fmt: skip


@procedure("sp_datatype_info", "sp_datatype_info_90", "sp_datatype_info_100")
def _datatype_info(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    wanted = arguments.positional[0] if arguments.positional else arguments.named.get("@data_type", 0)
    rows = []
    for name, code, precision, prefix, suffix, parameters, unsigned, scale in _TYPES:
        if wanted in (0, None, code):
            text = int(code in (1, 12, -8, -9))
            rows.append(
                (
                    name,
                    code,
                    precision,
                    prefix,
                    suffix,
                    parameters,
                    1,
                    text,
                    3,
                    unsigned,
                    int(name == "money"),
                    0 if unsigned is not None else None,
                    name,
                    0 if scale is not None else None,
                    scale,
                    9 if code in (91, 93) else code,
                    3 if code == 93 else None,
                    10 if unsigned is not None else None,
                    None,
                    0,
                )
            )
    yield from batch.result(_INFO_COLUMNS, rows)
    yield ReturnStatus(0)


_UNDECLARED = [
    ("parameter_ordinal", "int"), ("name", "nvarchar(128)"), ("suggested_system_type_id", "int"), ("suggested_system_type_name", "nvarchar(256)"),
    ("suggested_max_length", "smallint"), ("suggested_precision", "tinyint"), ("suggested_scale", "tinyint"), ("suggested_user_type_id", "int"),
    ("suggested_user_type_database", "nvarchar(128)"), ("suggested_user_type_schema", "nvarchar(128)"), ("suggested_user_type_name", "nvarchar(128)"),
    ("suggested_assembly_qualified_type_name", "nvarchar(4000)"), ("suggested_xml_collection_id", "int"),
    ("suggested_xml_collection_database", "nvarchar(128)"), ("suggested_xml_collection_schema", "nvarchar(128)"),
    ("suggested_xml_collection_name", "nvarchar(128)"), ("suggested_is_xml_document", "bit"), ("suggested_is_case_sensitive", "bit"),
    ("suggested_is_fixed_length_clr_type", "bit"), ("suggested_is_input", "bit"), ("suggested_is_output", "bit"), ("formal_parameter_name", "nvarchar(128)"),
    ("suggested_tds_type_id", "int"), ("suggested_tds_length", "int"),
]  # fmt: skip


@procedure("sp_describe_undeclared_parameters")
def _undeclared(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    """Every parameter is suggested as nvarchar(4000): enough for a driver that sends a NULL without a type."""
    text = str(arguments.positional[0] if arguments.positional else arguments.named.get("@tsql", ""))
    names = sorted(set(re.findall(r"@P\d+", text)), key=lambda name: int(name[2:]))
    rows = [
        (place, name, 231, "nvarchar(4000)", 8000, 0, 0, *[None] * 9, False, False, False, True, False, None, 231, 8000)
        for place, name in enumerate(names, 1)
    ]
    yield from batch.result(_UNDECLARED, rows)
    yield ReturnStatus(0)


@procedure("sp_tables")
def _tables(batch: Batch, arguments: Arguments) -> Iterator[Item]:
    database = batch.instance.databases.get(batch.session.database)
    rows = [
        (database.name, table["schema"], table["name"], "TABLE", None)
        for table in batch.workspace.metadata(database).all("table")
    ]
    columns = [(name, "nvarchar(128)") for name in ("TABLE_QUALIFIER", "TABLE_OWNER", "TABLE_NAME")] + [
        ("TABLE_TYPE", "varchar(32)"),
        ("REMARKS", "varchar(254)"),
    ]
    yield from batch.result(columns, rows)
    yield ReturnStatus(0)
