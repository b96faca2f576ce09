"""community.windows.win_xml, for the XPath that ``xpath`` understands."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from typing import Any

from ..models import Task, module
from ..xml_document import XmlDocument
from ..xpath import UnknownXPath, select

__all__: list[str] = []


@module("community.windows.win_xml")
def win_xml(task: Task) -> dict[str, Any]:
    params = task.params
    path = task.expand(params["path"])
    if params["type"] == "attribute" and not params["attribute"]:
        task.fail("Missing required argument: attribute")
    if not task.files.is_file(path):
        task.fail(f"Specified path {path} does not exist or is not a file.")
    data = task.files.read(path)
    try:
        document = XmlDocument(data)
    except ElementTree.ParseError as error:
        task.fail(f"Failed to parse file at '{path}' as an XML document: {error}")
    nodes = _find(task, document.root)
    result: dict[str, Any] = {"changed": False}
    if params["count"]:
        result["count"] = len(nodes)
        if not params["fragment"]:
            return result
    if not nodes:
        advice = "If this is unexpected, check your xpath is valid for the xml file at supplied path."
        return {**result, "msg": f"The supplied xpath did not match any nodes.  {advice}"}
    changed = {"element": _elements, "text": _texts, "attribute": _attributes}[params["type"]](
        task, document.root, nodes
    )
    if not changed:
        return {**result, "msg": "not changed"}
    summary = f"{params['type']} {'removed' if params['state'] == 'absent' else 'changed'}"
    if task.check_mode:
        return {**result, "changed": True, "msg": "not changed check mode"}
    if params["backup"]:
        result["backup_file"] = f"{path}.{os.getpid()}.{task.host.clock():%Y%m%d-%H%M%S}.bak"
        task.files.write(result["backup_file"], data)
    task.files.write(path, document.save())
    return {**result, "changed": True, "msg": summary}


def _find(task: Task, root: ElementTree.Element) -> list[ElementTree.Element]:
    try:
        return select(root, task.params["xpath"])
    except UnknownXPath as error:
        task.host.record.unmodelled(
            task.host.name, "module community.windows.win_xml: an XPath beyond what the lab understands", str(error)
        )
        task.fail(f"The lab's win_xml does not understand the XPath: {error}")


def _elements(task: Task, root: ElementTree.Element, nodes: list[ElementTree.Element]) -> bool:
    if task.params["state"] == "absent":
        # The real module removes nothing in check mode and then says that nothing changed.
        if task.check_mode:
            return False
        parents = {child: parent for parent in root.iter() for child in parent}
        for node in nodes:
            parents[node].remove(node)
        return True
    try:
        wanted = ElementTree.fromstring(task.params["fragment"] or "")
    except ElementTree.ParseError as error:
        task.fail(f"Failed to parse fragment as XML: {error}")
    changed = False
    for node in nodes:
        candidates = list(node) or [node]
        # The last node decides what the module reports.
        changed = not any(_equal(wanted, candidate) for candidate in candidates)
        if changed:
            node.append(wanted)
    return changed


def _texts(task: Task, root: ElementTree.Element, nodes: list[ElementTree.Element]) -> bool:
    changed = False
    for node in nodes:
        if "".join(node.itertext()) != (task.params["fragment"] or ""):
            for child in list(node):
                node.remove(child)
            node.text = task.params["fragment"] or ""
            changed = True
    return changed


def _attributes(task: Task, root: ElementTree.Element, nodes: list[ElementTree.Element]) -> bool:
    name, value = task.params["attribute"], task.params["fragment"] or ""
    changed = False
    for node in nodes:
        if task.params["state"] == "absent":
            # The real module compares the element's name with the attribute's before it removes anything.
            if node.tag == name:
                node.attrib.pop(name, None)
                changed = True
        elif (node.get(name) or "").lower() != value.lower() or node.get(name) is None:
            node.set(name, value)
            changed = True
    return changed


def _equal(left: ElementTree.Element, right: ElementTree.Element) -> bool:
    if not isinstance(right.tag, str):
        return False
    same_text = (left.text or "").strip() == (right.text or "").strip()
    return (
        left.tag == right.tag
        and list(left.attrib.items()) == list(right.attrib.items())
        and same_text
        and len(left) == len(right)
        and all(_equal(one, other) for one, other in zip(left, right, strict=True))
    )
