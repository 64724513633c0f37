"""The bot's costs as a picture: each as a part of its limit, in the style of picture.py."""

from collections.abc import Sequence
from html import escape

from bot_cost import Cost
from picture import STYLE, WIDTH

LEFT, ROOM, BAR, TOP = 290, 280, 18, 64
LONGEST = 1.25
"""Bars are cut off at this multiple of the limit. The number beside them has the value."""
_STYLE = f"""\
{STYLE}
.over {{ fill: #cf222e }} .limit {{ stroke: #59636e; stroke-dasharray: 3 3 }}
@media (prefers-color-scheme: dark) {{ .over {{ fill: #f85149 }} .limit {{ stroke: #9198a1 }} }}"""


def picture(costs: Sequence[Cost]) -> str:
    parts, y = [], TOP
    for cost in costs:
        parts.append(_bar(cost, y))
        y += BAR + 8
    edge, bottom = LEFT + ROOM, y + 8
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}" width="{WIDTH}"'
        f' height="{bottom}" role="img" aria-label="Each cost as a part of what is allowed">'
    )
    title = (
        '<text class="title" x="16" y="26">The bot\'s own cost, less is better</text>'
        '<text class="note" x="16" y="44">the dashed line is the most that is allowed</text>'
    )
    page = f'<rect class="page" width="{WIDTH}" height="{bottom}" rx="8"/>'
    limit = f'<line class="limit" x1="{edge}" y1="{TOP - 8}" x2="{edge}" y2="{y}"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", page, title, *parts, limit, "</svg>", ""])


def _bar(cost: Cost, y: int) -> str:
    share = cost.found / cost.limit if cost.limit else LONGEST * bool(cost.found)
    width = max(2, round(ROOM * min(share, LONGEST)))
    beside = LEFT + max(width, ROOM) + 8
    return (
        f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(cost.what)}</text>'
        f'<rect class="{"ours" if cost.good else "over"}" x="{LEFT}" y="{y}" width="{width}"'
        f' height="{BAR}" rx="3"/>'
        f'<text x="{beside}" y="{y + 13}">{cost.told} <tspan class="note">{cost.bar}</tspan></text>'
    )
