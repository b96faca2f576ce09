from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.prs.recovery.plugins.filter.run_summary import (
    DOCUMENTATION,
    PACKAGE,
    SUMMARIES,
    run_summary,
)
from ansible_collections.prs.recovery.plugins.plugin_utils._named_functions import named_function


def test_a_summary_is_asked_for_by_name():
    assert run_summary({"failed": ["gone"]}, "backup.problems") == ["gone"]


def test_a_missing_fact_is_an_error_and_no_other_sentence():
    with pytest.raises(AnsibleFilterError, match=r"backup\.problems lacks the fact 'failed'"):
        run_summary({}, "backup.problems")


def test_an_unknown_summary_names_those_that_there_are():
    with pytest.raises(AnsibleFilterError, match=r"knows no backup\.sumary\. It is one of backup\.problems, "):
        run_summary({}, "backup.sumary")


def test_every_summary_is_documented():
    assert yaml.safe_load(DOCUMENTATION)["options"]["name"]["choices"] == list(SUMMARIES)


@pytest.mark.parametrize("name", SUMMARIES)
def test_every_name_is_one_of_a_function(name: str):
    assert callable(named_function(PACKAGE, name))
