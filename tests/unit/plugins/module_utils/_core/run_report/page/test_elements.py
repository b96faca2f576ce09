"""Nothing that a server said becomes markup."""

from __future__ import annotations

from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.page.elements import Html, join, tag


def test_texts_are_escaped_and_elements_are_not_escaped_again():
    assert tag("p", "a < b & c", tag("b", "<i>")) == "<p>a &lt; b &amp; c<b>&lt;i&gt;</b></p>"
    assert tag("p", ["x", ("<", tag("br"))]) == "<p>x&lt;<br></p>"
    assert join(Html("<b>"), None, 1) == "<b>1"


def test_attributes_are_escaped_and_empty_ones_left_out():
    made = tag("a", "x", href='"><script>', class_="", data_name="Loses", id=None)
    assert made == '<a href="&quot;&gt;&lt;script&gt;" data-name="Loses">x</a>'
