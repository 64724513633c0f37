"""The seconds of every way as a picture: plain SVG, readable on light and on dark pages.

The scale is logarithmic, since the ways differ by more than a factor of a hundred. The numbers are
beside the bars.
"""

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby

from comparing import Result
from over_tls import Found

WIDTH, LEFT, BAR, GAP, TOP = 760, 190, 18, 30, 64
SHORTEST = 0.1
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 } .work { font-weight: 600 } .note { fill: #59636e }
.page { fill: #ffffff } .ours { fill: #1a7f37 } .other { fill: #8c959f } .floor { fill: #54aeff }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .note { fill: #9198a1 }
  .page { fill: #0d1117 } .ours { fill: #3fb950 } .other { fill: #656c76 } .floor { fill: #1f6feb }
}"""


def picture(results: Sequence[Result | Found]) -> str:
    shown = [each for each in results if each.measures and not each.failed]
    longest = max((each.wall for each in shown), default=1)
    parts, y = [], TOP
    for work, group in groupby(shown, key=lambda each: each.work.name):
        parts.append(f'<text class="work" x="16" y="{y}">{escape(work)}</text>')
        y += 10
        for each in group:
            parts.append(_bar(each, y, longest))
            y += BAR + 4
        y += GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}"'
        f' height="{y}" role="img" aria-label="Seconds of each way, by kind of work">'
    )
    title = (
        '<text class="title" x="16" y="26">Seconds, less is better</text>'
        '<text class="note" x="16" y="44">logarithmic; medians of one run of make bench</text>'
    )
    page = f'<rect class="page" width="{WIDTH}" height="{y}" rx="8"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", page, title, *parts, "</svg>", ""])


def _bar(result: Result | Found, y: int, longest: float) -> str:
    room = WIDTH - LEFT - 80
    share = math.log(max(result.wall, SHORTEST) / SHORTEST) / math.log(
        max(longest, 2 * SHORTEST) / SHORTEST
    )
    width = max(2, round(room * share))
    kind = {"this workflow": "ours", "floor (curl)": "floor"}.get(result.contender, "other")
    return (
        f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(result.contender)}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width}" height="{BAR}" rx="3"/>'
        f'<text x="{LEFT + width + 6}" y="{y + 13}">{result.wall:.2f} s</text>'
    )
