"""What is wrong with secrets, without the secrets."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.filter.secret_states import secret_states


def test_no_value_is_in_the_result():
    states = secret_states({"a": "", "b": "CHANGE-ME", "c": "s3cret"})
    assert states == {"a": "missing", "b": "placeholder", "c": "set"}
