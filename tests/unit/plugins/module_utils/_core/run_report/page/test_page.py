"""The page: what it shows, and that what it shows is text."""

from __future__ import annotations

from html.parser import HTMLParser

from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.page.page import page
from sample_run import HOSTILE, failed, report, total_loss


class Reader(HTMLParser):
    """The names of all elements, where they lead, and all texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given[name] or "" for name in ("href", "src") if name in given]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_what_servers_say_stays_text():
    read = Reader(page(report([*total_loss(), failed()], failed_hosts={"sql-a"}), json_name="x.json"))
    assert set(read.names).isdisjoint({"script", "link", "img", "iframe", "object"})
    assert read.open == []
    places = (f"web-{HOSTILE}-b", f"no room on D: {HOSTILE}", f"bind a certificate to the site {HOSTILE}")
    for text in places:
        assert text in read.texts


def test_every_link_leads_somewhere_and_nothing_comes_from_elsewhere():
    text = page(report(total_loss()), json_name="a b#c.json")
    read = Reader(text)
    inside = [link.removeprefix("#") for link in read.links if link.startswith("#")]
    assert set(inside) == set(read.ids)
    assert [link for link in read.links if not link.startswith("#")] == ["./a b%23c.json"]
    assert "url(" not in text
    assert "@import" not in text


def test_a_failed_run_begins_with_what_failed():
    text = "".join(Reader(page(report([*total_loss(), failed()], failed_hosts={"sql-a"}), json_name="x")).texts)
    assert text.index("What failed") < text.index("What was found")
    assert "Rebuild of site_a failed" in text


def test_a_check_run_says_that_nothing_was_touched():
    text = "".join(Reader(page(report(total_loss(), check_mode=True), json_name="x")).texts)
    assert "check run: nothing was touched" in text
    assert "the best one" in text


def test_a_run_of_which_nothing_is_known_has_a_page():
    assert "Rebuild of site_a" in page(report([]), json_name="x")


def test_a_failed_run_has_lost_only_what_it_restored_over():
    restored = [*total_loss(), failed()]
    before = [entry for entry in restored if not entry.action.endswith("sql_restore")]
    for events, lost in ((restored, "Lost"), (before, "Would be lost")):
        assert lost in Reader(page(report(events, failed_hosts={"sql-a"}), json_name="x")).texts
