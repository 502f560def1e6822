"""How the page of a report looks: light and dark, on narrow and wide screens."""

CSS = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1b1f24; --soft: #57606a; --line: #d8dee4;
  --first: #0b62b0; --second: #b6480a; --bar: #6ba3d6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --card: #181e25; --text: #e8ecf0; --soft: #a3adb8; --line: #333c46;
    --first: #6cb2f5; --second: #f2994a; --bar: #3f79ad;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 74rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
header p { margin: .35rem 0 0; color: var(--soft); }
.heads { display: grid; gap: 1rem; margin-top: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); }
.card, figure, .table { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; }
.card { padding: .9rem 1.1rem; }
.card b { display: block; font-size: 2rem; line-height: 1.25; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: .875rem; }
.columns, .charts { display: grid; gap: 1rem; }
.charts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.columns { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  column-gap: 1.5rem; }
.columns > section > h2 { margin-top: 1.25rem; }
figure { margin: 0; padding: .8rem .9rem .5rem; }
figcaption { font-weight: 600; font-size: .925rem; margin-bottom: .35rem; }
figcaption div { font-weight: 400; font-size: .85rem; min-height: 1.5em; }
.key { color: var(--soft); margin-right: .9rem; white-space: nowrap; }
.key i { display: inline-block; width: 1.1em; height: 3px; border-radius: 2px;
  vertical-align: middle; margin-right: .35em; background: var(--first); }
.key i.second { background: var(--second); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
@media (min-width: 58rem) { svg text { font-size: 9.5px; } }
.grid { fill: none; stroke: var(--line); stroke-width: 1; }
.axis { fill: none; stroke: var(--soft); stroke-width: 1; }
.grid, .axis, .line { vector-effect: non-scaling-stroke; }
.line { fill: none; stroke: var(--first); stroke-width: 2; stroke-linejoin: round; }
.line.second { stroke: var(--second); stroke-dasharray: 6 3; }
circle { fill: var(--first); }
circle.second { fill: var(--second); }
.bar { fill: var(--bar); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
th, td { text-align: left; padding: .42rem 1rem; vertical-align: middle; }
tr + tr th, tr + tr td, tbody tr:first-child > *
  { border-top: 1px solid var(--line); }
table.plain tbody tr:first-child > * { border-top: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: .85rem; }
tbody th { font-weight: 400; }
td { font-variant-numeric: tabular-nums; }
td.number, th.number { text-align: right; white-space: nowrap; }
small { color: var(--soft); font-size: .85em; }
td small { color: var(--soft); white-space: nowrap; }
td.picture { width: 40%; min-width: 7rem; }
.whisker { width: 100%; max-width: 22rem; }
.span { stroke: var(--bar); stroke-width: 5; }
.mean { stroke: var(--text); stroke-width: 1.6; }
dl { margin: 0; padding: .35rem 1rem .7rem; font-size: .925rem; display: grid;
  column-gap: 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
dt { color: var(--soft); margin-top: .45rem; font-size: .85rem; }
dd { margin: 0; }
footer { margin-top: 2.25rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 34rem) {
  main { padding: 1.25rem .8rem 2rem; }
  th, td { padding: .42rem .6rem; }
  td.picture, th.picture { display: none; }
  .heads { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .card b { font-size: 1.5rem; }
}
@media print {
  body { background: #fff; }
  .card, figure, .table { break-inside: avoid; }
}
"""
