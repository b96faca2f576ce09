# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page looks: on a screen by day and by night, on a telephone, on paper. Nothing is fetched from elsewhere."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --ink: #1b2330; --soft: #535e6e; --line: #d9dee6; --link: #0b57a4;
  --good: #116335; --good-back: #e3f4ea; --warn: #7a4a00; --warn-back: #fdf1d8;
  --bad: #a11824; --bad-back: #fde8e9; --quiet: #4c5563; --quiet-back: #eceff3;
  --bar-ok: #8aa0bd; --bar-changed: #2f6fb7; --bar-failed: #c0303c; --bar-rescued: #b9770e; }
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #12161c; --card: #1b212a; --ink: #e8ecf2; --soft: #a9b4c2; --line: #323c49; --link: #8cc2ff;
  --good: #7fdca4; --good-back: #153524; --warn: #f5c76b; --warn-back: #3a2c0e;
  --bad: #ff9ea5; --bad-back: #43191d; --quiet: #bcc6d3; --quiet-back: #29313c;
  --bar-ok: #62758f; --bar-changed: #5a9de6; --bar-failed: #e2616b; --bar-rescued: #d79b3a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 20px 16px 48px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.15rem; margin: 0 0 12px; }
h3 { font-size: 1rem; margin: 0; }
table + h3 { margin: 14px 0 4px; }
p { margin: 0; }
.span + p { margin-top: 10px; }
a { color: var(--link); }
ul, ol { margin: 0; padding-left: 1.3em; }
li { margin: 5px 0; }
code { font: 0.92em ui-monospace, "Cascadia Mono", Consolas, "Liberation Mono", monospace; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px;
  margin-top: 16px; }
.head { border-left: 8px solid var(--good); }
.head.failed { border-left-color: var(--bad); }
.head .by { color: var(--soft); margin-top: 6px; }
nav { margin-top: 12px; display: flex; flex-wrap: wrap; gap: 4px 18px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; margin-top: 16px; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.figure .name { color: var(--soft); font-size: 0.86rem; }
.figure .value { font-size: 1.12rem; font-weight: 650; line-height: 1.35; }
.mark { display: inline-block; border-radius: 99px; padding: 1px 10px; font-size: 0.84rem; font-weight: 650;
  white-space: nowrap; background: var(--quiet-back); color: var(--quiet); }
.mark.good { background: var(--good-back); color: var(--good); }
.mark.warn { background: var(--warn-back); color: var(--warn); }
.mark.bad { background: var(--bad-back); color: var(--bad); }
.alert { border-left: 8px solid var(--bad); }
.attention { border-left: 8px solid var(--warn); }
.alert h2 { color: var(--bad); }
.alert .message { white-space: pre-wrap; margin-top: 4px; }
.alert .where { color: var(--soft); font-size: 0.9rem; }
.sites { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 14px; }
.site { border: 2px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.site.active { border-color: var(--bar-changed); }
.site > h3 { display: flex; justify-content: space-between; gap: 8px; flex-wrap: wrap; }
.server { border: 1px solid var(--line); border-left: 6px solid var(--bar-ok); border-radius: 8px; padding: 9px 12px;
  margin-top: 10px; }
.server.good { border-left-color: var(--good); }
.server.warn { border-left-color: var(--warn); }
.server.bad { border-left-color: var(--bad); }
.server .name { display: flex; justify-content: space-between; gap: 8px; flex-wrap: wrap; font-weight: 650; }
.server .parts, .server .notes { color: var(--soft); font-size: 0.9rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; color: var(--soft); font-size: 0.86rem; font-weight: 600; padding: 4px 12px 4px 0; }
td { padding: 8px 12px 8px 0; border-top: 1px solid var(--line); vertical-align: top; }
tr.chosen td { background: var(--good-back); }
tr.chosen td:first-child { box-shadow: inset 5px 0 var(--good); padding-left: 14px; font-weight: 650; }
tr.closed { color: var(--soft); }
.under { color: var(--soft); font-size: 0.9rem; font-weight: 400; }
tr.chosen .under { color: var(--ink); }
.scale { display: flex; justify-content: space-between; color: var(--soft); font-size: 0.82rem; }
.span { display: grid; grid-template-columns: minmax(0, 30%) minmax(0, 1fr) 76px; gap: 2px 12px; align-items: center;
  padding: 5px 0; border-top: 1px solid var(--line); }
.scale-row { border-top: 0; }
.span .phase { font-size: 0.92rem; line-height: 1.3; }
.span .long { text-align: right; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
.track { position: relative; height: 16px; background: var(--quiet-back); border-radius: 4px; }
.bar { position: absolute; top: 0; bottom: 0; min-width: 3px; border-radius: 4px; background: var(--bar-ok); }
.bar.changed, .key.changed { background: var(--bar-changed); }
.bar.failed, .bar.unreachable, .key.failed { background: var(--bar-failed); }
.bar.rescued { background: var(--bar-rescued); }
.key { display: inline-block; width: 14px; height: 12px; border-radius: 3px; margin: 0 6px 0 14px;
  background: var(--bar-ok); }
.key:first-child { margin-left: 0; }
details summary { cursor: pointer; color: var(--link); }
footer { color: var(--soft); font-size: 0.88rem; margin-top: 18px; }
@media (max-width: 640px) {
  h1 { font-size: 1.4rem; }
  .card { padding: 14px; }
  .figures { grid-template-columns: 1fr 1fr; }
  .span { grid-template-columns: minmax(0, 1fr) auto; }
  .span .track { grid-column: 1 / -1; grid-row: 2; }
  .scale-row .phase, .scale-row .long { display: none; }
  .scale-row .scale { grid-column: 1 / -1; }
  table, tbody, tr, td { display: block; width: 100%; }
  thead { display: none; }
  tr { border-top: 1px solid var(--line); padding: 8px 0; }
  td { border: 0; padding: 1px 8px; }
  tr.chosen td:first-child { box-shadow: none; padding-left: 8px; }
  tr.chosen { box-shadow: inset 5px 0 var(--good); padding-left: 8px; background: var(--good-back); }
  td[data-name]::before { content: attr(data-name) ": "; color: var(--soft); font-weight: 400; }
  tr.chosen td[data-name]::before { color: var(--ink); }
}
@media print {
  :root { --page: #ffffff; --card: #ffffff; }
  body { font-size: 11pt; }
  nav { display: none; }
  .card, .figure, .server, .span, tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
