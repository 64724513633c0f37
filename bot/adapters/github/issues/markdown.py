"""Text for GitHub's Markdown (https://github.github.com/gfm) that does nothing but be read.

Names, reasons and the words of registries are foreign. None of it may be a mention, a reference to
an issue or a commit, a link, an image, a list, a heading or HTML. Our own text passes the same way:
`#41` is a request of the bot, and would link to an issue.

1. Characters that mean something to Markdown or HTML are escaped.
2. GitHub looks for mentions and references in the finished HTML, where an escape is gone. There a
   space without width parts what would be found.
3. What people copy is in code, where nothing is found and nothing is parted.
"""

import re
from typing import Final

APART: Final = "\u200b"
"""A space without width. Dependabot parts mentions by it too."""
_SPECIAL: Final = re.compile(r"[\\*_\[\]~|]|!$")
_ENTITIES: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "`": "&#96;", "$": "<span>$</span>"}
)
"""A dollar begins mathematics, and a span is what GitHub's manual has against it."""
_LINE_START: Final = re.compile(r"^([ \t]*(?:[0-9]{1,9}(?=[.)]))?)([-+=#:.)])", re.MULTILINE)
_FOUND: Final = re.compile(
    r"@(?=\w)"  # a person, a team, or an e-mail address
    r"|#(?=\w)|\bgh-(?=[0-9])"  # an issue
    r"|:(?=//)|www(?=\.)"  # an address
    r"|[0-9a-f]{6}(?=[0-9a-f])"  # a commit has 7 to 40 of these
    r"|:(?=[\w+-]+:)",  # an emoji such as :tada:
    re.IGNORECASE,
)
_FENCE: Final = re.compile(r"`+")
_URL: Final = re.compile(r"https?://[!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]{1,2000}")


def escaped(text: str, *, begins: bool = True) -> str:
    """The text of lines, in which only blanks and line ends mean something.

    `begins`: it begins a line. Otherwise it is a piece within one line.
    """
    parted = _FOUND.sub(lambda found: f"{found[0]}{APART}", text)
    shown = _SPECIAL.sub(r"\\\g<0>", parted).translate(_ENTITIES)
    return _LINE_START.sub(r"\1\\\2", shown) if begins else shown


def code(text: str) -> str:
    """The text as code within a line. Nothing for a blank text."""
    shown = " ".join(text.split("\n"))
    if not shown.strip():
        return shown
    marks = "`" * (_longest_run(shown) + 1)
    needs_blank = shown[0] in "` " or shown[-1] in "` "
    return f"{marks} {shown} {marks}" if needs_blank else f"{marks}{shown}{marks}"


def code_block(text: str, info: str = "") -> str:
    """The text as lines of code. It has to begin a line. `info` is our own word, such as yaml."""
    marks = "`" * max(3, _longest_run(text) + 1)
    return f"{marks}{info}\n{text}\n{marks}"


def link(label: str, url: str) -> str:
    """A link, whose label is escaped already. The label alone where the URL is none of the web."""
    if _URL.fullmatch(url) is None:
        return label
    return f"[{label}](<{url}>)"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _FENCE.findall(text)), default=0)
