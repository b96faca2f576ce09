"""The page as a browser lays it out: on a telephone and on a wide screen, by day and by night."""

from __future__ import annotations

import json
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.run_report.page.page import page
from sample_run import failed, report, total_loss

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
SCHEMES = {"dark": 0, "light": 1}
LONG = "\\\\files.example.com\\backup\\application\\" + "PasswordResetServer_20260301T100000Z" * 4 + ".zip"

FRAME = """<!DOCTYPE html><meta charset="utf-8"><style>:root {{ color-scheme: light dark }}</style>
<iframe style="border: 0; width: {width}px; height: 1900px" srcdoc="{page}"></iframe>
"""
"""A window is at least 500 pixels wide, a frame as narrow as one wants."""
MEASURE = """
<script>
const channel = value => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = color => color.match(/[\\d.]+/g).map(Number);
const behind = element => {
  for (; element; element = element.parentElement) {
    const color = numbers(getComputedStyle(element).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
    if (color[3] !== 0) throw new Error("half transparent");
  }
  throw new Error("no background");
};
const ratio = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const contrasts = [];
const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
  contrasts.push([ratio(numbers(getComputedStyle(element).color), behind(element)), walker.currentNode.data]);
}
contrasts.sort((a, b) => a[0] - b[0]);
const page = document.documentElement;
const measured = {
  width: innerWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches, texts: contrasts.length,
  overflow: page.scrollWidth - page.clientWidth, least: contrasts[0],
  outside: [...document.querySelectorAll("main *")].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 0.5 || box.left < -0.5);
  }).map(element => element.outerHTML.slice(0, 200)),
};
parent.document.body.setAttribute("data-measured", JSON.stringify(measured));
</script>
"""


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: apt-get install chromium")
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", list(SCHEMES))
def test_the_page_can_be_read(width: int, scheme: str, tmp_path: Path):
    told = report([*total_loss(), failed(f"no room for {LONG}")], failed_hosts={"sql-a"}, long=LONG)
    inner = page(told, json_name="page.json").replace("</body>", f"{MEASURE}</body>")
    file = tmp_path / "page.html"
    file.write_text(FRAME.format(width=width, page=escape(inner)), encoding="utf-8")
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'browser'}",
        "--window-size=1600,2000",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    measured = json.loads(unescape(done.stdout.partition('data-measured="')[2].partition('"')[0]))
    assert (measured["width"], measured["dark"]) == (width, scheme == "dark")
    assert measured["overflow"] <= 0, measured
    assert measured["outside"] == []
    assert measured["texts"] > 50
    assert measured["least"][0] >= 4.5, measured["least"]
