"""Foreign text in a comment is read and does nothing: judged by a CommonMark parser."""

import html
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.adapters.github.issues.markdown import APART, code, code_block, escaped, link
from bot.adapters.github.issues.rendering import COMMENT_LIMIT, IssueWords, comment, line_of
from bot.core.ids import PersonId
from bot.dialog.buttons import Verb, callback_button
from bot.dialog.language import Language
from bot.dialog.mention import mention
from bot.dialog.message import Button, ButtonKind, Message, Text, say

GFM = MarkdownIt("gfm-like", {"linkify": False, "breaks": True})
"""Tables and strikethrough are on. Addresses are found in the finished text, see FOUND."""
FOUND = re.compile(
    r"(?<!\w)@\w|\w@\w|(?<!\w)#\w|(?<!\w)gh-[0-9]|[a-z]://\S|(?<!\w)www\.\w|[0-9a-f]{7}|:[\w+-]+:",
    re.IGNORECASE,
)
"""What GitHub looks for in text outside of code: mentions, issues, addresses, commits, emoji."""
OURS = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}
NASTY = (
    *("@ana", "wei@example.com", "#12", "GH-7", "owner/repo#1", "owner/repo@" + "a" * 40),
    *("0123456789abcdef0123", "https://evil.example/x", "http://a", "www.evil.example", ":tada:"),
    *("<b>x</b>", "<!-- x", "-->", "<img src=x>", "![x](http://a/b.png)", "[x](http://a)"),
    *(
        "[x]: http://a",
        "# x",
        "===",
        "---",
        "- x",
        "* x",
        "+ x",
        "1. x",
        "1) x",
        "> x",
        "| a | b |",
    ),
    *(
        "```",
        "````",
        "`",
        "~~~",
        "~~x~~",
        "**x**",
        "__x__",
        "_x_",
        "\\",
        "&copy;",
        "$x$",
        "$$",
        "!",
    ),
    *("<script>", "&#64;ana", "&lt;", "    x", "\t", "\n", "ftp://a.b/c", "mailto:a@b.cc", "|-|"),
)
foreign = st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=12).map("".join)


def tokens(markdown: str) -> Iterator[Token]:
    for token in GFM.parse(markdown):
        yield token
        yield from token.children or []


def expect_only_read(markdown: str, also: frozenset[str] = frozenset()) -> str:
    """Return the text that people read outside of code."""
    shown = ""
    for token in tokens(markdown.replace("<span>$</span>", "\ue000")):
        assert token.type in OURS | also, (token.type, markdown)
        shown += token.content if token.type == "text" else "\n" * (token.type[4:] == "break")
    assert FOUND.search(shown) is None, shown
    return shown.replace("\ue000", "$").replace(APART, "")


@given(foreign)
@example("a\n:-:\n")
@example("a\n-\n")
def test_foreign_text_is_read_as_it_is_and_does_nothing(text: str) -> None:
    shown = expect_only_read(escaped(text))
    assert "".join(shown.split()) == "".join(text.replace(APART, "").replace("\0", "�").split())


@given(foreign, foreign)
def test_code_holds_any_text_and_nothing_gets_out(before: str, text: str) -> None:
    one_line = " ".join(text.split())
    kinds = [t for t in tokens(f"{escaped(before)} {code(one_line)}") if t.type == "code_inline"]
    assert [t.content.strip() for t in kinds] == [one_line.replace("\0", "�").strip()][
        : bool(one_line)
    ]


@given(foreign)
def test_a_block_of_code_holds_any_text(text: str) -> None:
    found = [t for t in tokens(code_block(text, "yaml")) if t.type == "fence"]
    normal = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "�")
    assert [t.content for t in found] == [f"{normal}\n"]


@given(foreign, foreign)
@settings(max_examples=200)
def test_values_in_a_line_of_ours_cannot_act_around_code_links_and_bold(one: str, two: str) -> None:
    first, second = (html.escape(" ".join(each.split())) for each in (one, two))
    line = (
        f"{first}<b>{second}</b>{first} <code>{second}</code>{first} "
        f'<a href="https://github.example/runs/1">{second}</a>{first} '
        f'<a href="person:github:7">{second}</a> <a href="person:telegram:8">{second}</a>'
    )
    shown = line_of(line, {"github:7": "wei"})
    links = [t.attrs["href"] for t in tokens(shown) if t.type == "link_open"]
    assert links == ["https://github.example/runs/1"]
    read = "".join(t.content if t.type == "text" else "\n" for t in tokens(shown))
    assert FOUND.findall(read.replace("@wei", "", 1)) == []
    inline = {t.content for t in tokens(shown) if t.type == "html_inline"}
    assert inline <= {"<b>", "</b>", "<span>", "</span>"}
    assert not [t for t in tokens(shown) if t.type in {"image", "html_block", "em_open", "s_open"}]


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "tg://user?id=1", "https://a b", "https://a>b", "https://a\nb", ""],
)
def test_only_an_address_of_the_web_is_a_link(url: str) -> None:
    assert link("run", url) == "run"
    assert line_of(f'<a href="{html.escape(url)}">run</a>', {}) == "run"


def test_lines_that_are_code_are_one_block_to_copy() -> None:
    lines = [
        "Done, 1 of 1 (#41).",
        "<code>docker pull a/b</code>",
        "<code>x &amp; ``` y</code>",
        "#1",
    ]
    assert comment(lines, {}) == (
        f"Done, 1 of 1 (#{APART}41).\n\n````\ndocker pull a/b\nx & ``` y\n````\n\n\\#{APART}1"
    )


def test_a_comment_stays_below_githubs_limit() -> None:
    shown = comment([f"{n} {'x' * 996}" for n in range(100)], {})
    assert len(shown) <= COMMENT_LIMIT + 4
    assert shown.endswith("\n…")


def test_buttons_are_commands_to_copy_and_people_are_mentioned_by_their_login() -> None:
    rows = (
        (callback_button(Verb.APPROVE, "aB3_-x9Q"), callback_button(Verb.REJECT, "aB3_-x9Q")),
        (callback_button(Verb.SHOW, 41, 1),),
        (Button(say("button-retry"), ButtonKind.COPY, "docker pull x"),),
        (Button(say("button-retry"), ButtonKind.URL, "https://github.example/runs/1"),),
    )
    people = (mention(PersonId("github:7"), "Ana *x*"), mention(PersonId("telegram:8"), "@Li"))
    lines = [say("card-deciders", people=each) for each in people]
    head = say("no-request", request="41")
    text = Text(Message((head, *lines), rows), Language.EN)
    words = IssueWords()
    assert words.people(text) == {"github:7", "telegram:8"}
    shown = words.render(text, {"github:7": "ana"}).split("\n")
    assert shown[-3:] == [
        "- ✅ Approve: `/approve 41 aB3_-x9Q`",
        "- ❌ Reject: `/reject 41 aB3_-x9Q`",
        "- [🔁 Try again](<https://github.example/runs/1>)",
    ]
    assert "@ana" in shown[2]
    assert f"@{APART}Li" in shown[3]
