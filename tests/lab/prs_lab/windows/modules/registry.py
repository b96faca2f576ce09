"""ansible.windows.win_regedit and win_reg_stat."""

from __future__ import annotations

import re
from typing import Any

from ..models import Task, module

_PATH = re.compile(r"^HK(CC|CR|CU|LM|U):\\", re.IGNORECASE)
_NAMES = {
    "binary": "Binary", "dword": "DWord", "expandstring": "ExpandString", "multistring": "MultiString", "none": "None", "qword": "QWord",
    "string": "String",
}  # fmt: skip
_REG_NAMES = {
    "binary": "REG_BINARY", "string": "REG_SZ", "dword": "REG_DWORD", "qword": "REG_QWORD", "multistring": "REG_MULTI_SZ", "expandstring": "REG_EXPAND_SZ",
    "none": "REG_NONE",
}  # fmt: skip


def _resolve(task: Task, path: str) -> str:
    """HKCU is the hive of the account that runs the module."""
    return f"HKU\\{task.token.sid}\\{path[6:]}" if path[:5].upper() == "HKCU:" else path


@module("ansible.windows.win_regedit")
def win_regedit(task: Task) -> dict[str, Any]:
    path, name, kind = task.params["path"], task.params["name"] or None, task.params["type"]
    if name is None and task.params["name"] is None and kind != "string":
        task.warn(
            "the data type when name is not specified can only be 'string', the type has automatically been converted"
        )
        kind = "string"
    if not _PATH.match(path):
        task.fail(f"path: {path} is not a valid powershell path, see module documentation for examples.")
    if task.params["hive"]:
        task.fail("The lab's Windows twin does not model hives loaded from files")
    data = _data(task, kind, named=name is not None)
    if task.params["state"] == "present":
        return _present(task, path, name, kind, data)
    return _absent(task, path, name)


def _data(task: Task, kind: str, *, named: bool) -> Any:
    data = task.params["data"]
    if kind in ("binary", "none"):
        return _bytes(task, data)
    if kind in ("dword", "qword"):
        return _number(task, kind, data)
    if kind == "multistring":
        return [] if data is None else [str(entry) for entry in (data if isinstance(data, list) else [data])]
    if data is None:
        return "" if named else None
    return " ".join(map(str, data)) if isinstance(data, list) else str(data)


def _bytes(task: Task, data: Any) -> list[int]:
    if isinstance(data, list):
        return [int(str(byte), 0) for byte in data]
    if isinstance(data, int):
        if data > 255:
            task.fail(
                f"cannot convert binary data '{data}' to byte array, please specify this value as a yaml byte array "
                "or a comma separated hex value string"
            )
        return [data]
    text = re.sub(r"[^a-f0-9,:]", "", str(data or "").lower().removeprefix("hex:")).replace(",", ":")
    if ":" in text:
        return [int(part, 16) for part in text.split(":") if part]
    return [int(text[start : start + 2], 16) for start in range(0, len(text), 2)]


def _number(task: Task, kind: str, data: Any) -> int:
    number = 0 if data is None else int(str(data), 0)
    limit = 0xFFFFFFFF if kind == "dword" else 0xFFFFFFFFFFFFFFFF
    if number > limit:
        task.fail(f"data cannot be larger than 0x{limit:x} when type is {kind}")
    return number & limit


def _present(task: Task, path: str, name: str | None, kind: str, data: Any) -> dict[str, Any]:
    registry, key = task.host.registry, _resolve(task, path)
    result = {"changed": False, "data_changed": False, "data_type_changed": False}
    existed = registry.exists(key)
    before: dict[str, Any] = {path: {}} if existed else {}
    after: dict[str, Any] = {path: {}}
    result["changed"] = not existed
    if not existed and not task.check_mode:
        registry.create(key)
    if data is not None and (existed or not task.check_mode):
        old = registry.value(key, name)
        result["data_type_changed"] = old is not None and old[0] != kind
        result["data_changed"] = old is not None and old[1] != data
        if old is None or result["data_type_changed"] or result["data_changed"]:
            result["changed"] = True
            if not task.check_mode:
                registry.set(key, name, data, kind)
        if old is not None:
            before[path][name or ""] = _diff(*old)
        after[path][name or ""] = _diff(kind, data)
    return {**result, "diff": {"before": before, "after": after}}


def _absent(task: Task, path: str, name: str | None) -> dict[str, Any]:
    registry, key = task.host.registry, _resolve(task, path)
    result: dict[str, Any] = {
        "changed": False,
        "data_changed": False,
        "data_type_changed": False,
        "diff": {"before": "", "after": ""},
    }
    if not registry.exists(key):
        return result
    if task.params["delete_key"] and name is None:
        if not task.check_mode:
            registry.delete_key(key)
        return {**result, "changed": True, "diff": {"before": {path: {}}, "after": {}}}
    old = registry.value(key, name)
    if old is None:
        return result
    if not task.check_mode:
        registry.delete_value(key, name)
    return {**result, "changed": True, "diff": {"before": {path: {name: _diff(*old)}}, "after": {path: {}}}}


def _diff(kind: str, data: Any) -> dict[str, Any]:
    shown = data
    if kind in ("binary", "none"):
        shown = [f"0x{byte:02x}" for byte in data]
    elif kind in ("dword", "qword"):
        shown = f"0x{data:0{8 if kind == 'dword' else 16}x}"
    return {"type": _NAMES[kind], "value": shown}


@module("ansible.windows.win_reg_stat")
def win_reg_stat(task: Task) -> dict[str, Any]:
    path, name = task.params["path"], task.params["name"]
    if not _PATH.match(path):
        task.fail(f"path: {path} is not a valid registry path, see module documentation for examples.")
    registry, key = task.host.registry, _resolve(task, path)
    if not registry.exists(key):
        return {"exists": False}
    if name is None:
        properties = {known: _shown(task, *value) for known, value in registry.values(key).items()}
        return {"exists": True, "properties": properties, "sub_keys": registry.subkeys(key)}
    value = registry.value(key, name)
    return {"exists": True, **_shown(task, *value)} if value else {"exists": False}


def _shown(task: Task, kind: str, data: Any) -> dict[str, Any]:
    raw = [f"0x{byte:02x}" for byte in data] if kind in ("binary", "none") else data
    value = task.expand(data) if kind == "expandstring" else data
    return {"type": _REG_NAMES[kind], "value": value, "raw_value": raw}
