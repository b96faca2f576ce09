from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.filter.awx_credential_types import awx_credential_types

USER = {"id": "user", "label": "User", "variable": "prs_share_user"}
PASSWORD = {
    "id": "password",
    "label": "Password",
    "variable": "ansible_password",
    "secret": True,
    "from": "windows_password",
}


def made(**changed: Any) -> dict[str, Any]:
    return awx_credential_types(
        [{"name": "share", "description": "An account", "fields": [USER, PASSWORD], **changed}]
    )[0]


def test_a_line_becomes_a_question_a_requirement_and_a_variable_of_the_job():
    assert made() == {
        "name": "share",
        "description": "An account",
        "used": True,
        "inputs": {
            "fields": [
                {"id": "user", "label": "User", "type": "string"},
                {"id": "password", "label": "Password", "type": "string", "secret": True},
            ],
            "required": ["user", "password"],
        },
        "injectors": {"extra_vars": {"prs_share_user": "{{ user }}", "ansible_password": "{{ password }}"}},
        "variables": {"user": "prs_share_user", "password": "windows_password"},
    }


@pytest.mark.parametrize("used", [True, False])
def test_a_type_may_be_unused(used: bool):
    assert made(used=used)["used"] is used
