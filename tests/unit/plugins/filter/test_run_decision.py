from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.prs.recovery.plugins.filter.run_decision import (
    DECISIONS,
    DOCUMENTATION,
    PACKAGE,
    run_decision,
)
from ansible_collections.prs.recovery.plugins.plugin_utils._named_functions import named_function


def test_a_decision_is_asked_for_by_name():
    facts = {"ha": "mirror", "safety": "synchronous", "witness": "wit"}
    assert run_decision(facts, "estate.witness") == "wit"


def test_a_missing_fact_is_an_error_and_no_other_decision():
    with pytest.raises(AnsibleFilterError, match=r"estate\.page_url lacks the fact 'site'"):
        run_decision({}, "estate.page_url")


def test_an_unknown_decision_names_those_that_there_are():
    with pytest.raises(AnsibleFilterError, match=r"knows no estate\.page\. It is one of .*, estate\.page_url, "):
        run_decision({}, "estate.page")


def test_every_decision_is_documented():
    assert yaml.safe_load(DOCUMENTATION)["options"]["name"]["choices"] == list(DECISIONS)


@pytest.mark.parametrize("name", DECISIONS)
def test_every_name_is_one_of_a_function(name: str):
    assert callable(named_function(PACKAGE, name))
