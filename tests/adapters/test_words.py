"""The texts of the locale files: in the right language, escaped, and never missing."""

import itertools
import re
from pathlib import Path

import pytest
from fluent.runtime import FluentBundle

from bot.adapters.telegram.rendering import ANSWER_LIMIT, TelegramWords
from bot.adapters.words import Maintainer
from bot.core.ids import PersonId
from bot.dialog.language import Language
from bot.dialog.mention import mention
from bot.dialog.message import Button, ButtonKind, Message, Phrase, say

WORDS = TelegramWords()
LOCALES = Path(__file__).parents[2] / "bot" / "locales"


@pytest.mark.parametrize(
    ("language", "words"), [(Language.EN, "✅ Approve"), (Language.ZH_CN, "✅ 批准")]
)
def test_one_object_speaks_every_language(language: Language, words: str) -> None:
    assert WORDS.plain(say("button-approve"), language) == words


def test_a_phrase_in_a_phrase_speaks_the_same_language() -> None:
    line = say("help-row", usage="/whoami", words=say("whoami-admin"))
    assert WORDS.plain(line, Language.EN) == "/whoami · admin"
    assert WORDS.plain(line, Language.ZH_CN) == "/whoami · 管理员"


def test_markup_is_the_words_own_and_values_are_escaped() -> None:
    line = say("pull", command="<b>&</b>")
    assert (
        WORDS.render(Message((line,)), Language.EN).html == "<code>&lt;b&gt;&amp;&lt;/b&gt;</code>"
    )


def test_a_value_within_a_phrase_is_escaped_once() -> None:
    line = say("help-row", usage="a & b", words=say("help-row", usage="<", words=">"))
    assert WORDS.render(Message((line,)), Language.EN).html == "a &amp; b · &lt; · &gt;"


def test_what_takes_no_markup_has_neither_tags_nor_escapes() -> None:
    assert WORDS.plain(say("help-row", usage="<a>", words="&amp;"), Language.EN) == "<a> · &amp;"
    line = say("nothing-found-file", file="<b>&lt;.yaml")
    assert WORDS.plain(line, Language.EN).startswith("I found no image in <b>&lt;.yaml.\n")
    assert WORDS.plain(say("a<b>"), Language.EN) == "a<b>"


def test_lines_stand_under_one_another_and_buttons_keep_their_rows() -> None:
    label = say("button-copy")
    copy, link = (Button(label, kind, "value") for kind in (ButtonKind.COPY, ButtonKind.URL))
    message = Message((say("whoami-admin"), say("whoami-member")), ((copy, link), (copy,)))
    rendered = WORDS.render(message, Language.ZH_CN)
    assert rendered.html == "管理员\n不是管理员"
    assert [[kind for _, kind, _ in row] for row in rendered.buttons] == [
        [ButtonKind.COPY, ButtonKind.URL],
        [ButtonKind.COPY],
    ]
    assert rendered.buttons[0][0] == ("📋 复制", ButtonKind.COPY, "value")


def test_a_button_that_carries_more_than_telegram_takes_is_left_out() -> None:
    label, most = say("button-copy"), {ButtonKind.CALLBACK: 64, ButtonKind.COPY: 256}
    for more, left in ((0, 1), (1, 0)):
        for kind, length in most.items():
            button = Button(label, kind, "x" * (length + more))
            assert len(WORDS.render(Message((), ((button,),)), Language.EN).buttons) == left


def test_an_answer_to_a_press_fits_telegrams_limit() -> None:
    long = WORDS.plain(say("already-approved", person="x" * 300), Language.EN)
    assert len(long) == ANSWER_LIMIT
    exact = WORDS.plain(say("help-row", usage="", words="x" * (ANSWER_LIMIT - 3)), Language.EN)
    assert len(exact) == ANSWER_LIMIT
    assert exact.endswith("x")


def test_people_of_telegram_are_linked_and_those_of_other_services_are_named() -> None:
    people = [mention(PersonId(f"{service}:7"), "<Bo>") for service in ("telegram", "github")]
    html = WORDS.render(Message((*people, mention(PersonId("github:7"), None))), Language.EN).html
    assert html.splitlines() == ['<a href="tg://user?id=7">&lt;Bo&gt;</a>', "&lt;Bo&gt;", "admin"]


@pytest.mark.parametrize(("count", "words"), [(1, "1 image"), (2, "2 images"), (0, "0 images")])
def test_numbers_take_their_plural(count: int, words: str) -> None:
    assert f": {words} approved." in WORDS.plain(approved(count), Language.EN)
    assert f"批准 {count} 个镜像。" in WORDS.plain(approved(count), Language.ZH_CN)


def approved(count: int) -> Phrase:
    return say("approved", request="41", count=count)


def test_the_next_step_follows_its_line() -> None:
    line = say("no-request", request="7")
    said = "There is no request #7 here.\n/status lists what is under way."
    assert WORDS.render(Message((line,)), Language.EN).html == said
    assert WORDS.plain(line, Language.EN) == said


@pytest.mark.parametrize(
    ("maintainer", "english", "chinese"),
    [
        (None, "Ask the maintainer to add", "请维护者加"),
        (Maintainer("<Bo>"), "Ask &lt;Bo&gt; to add", "请 &lt;Bo&gt; 加"),
        (
            Maintainer("Bo", PersonId("telegram:7")),
            'Ask <a href="tg://user?id=7">Bo</a> to add',
            '请 <a href="tg://user?id=7">Bo</a> 加',
        ),
    ],
)
def test_whoever_runs_the_bot_is_named(
    maintainer: Maintainer | None, english: str, chinese: str
) -> None:
    words = TelegramWords(maintainer=maintainer)
    line = Message((say("guest", person="1"),))
    assert english in words.render(line, Language.EN).html
    assert chinese in words.render(line, Language.ZH_CN).html


def test_the_allowed_registries_are_named_up_to_a_few() -> None:
    words = TelegramWords(registries=[f"{letter}.example" for letter in "bacdefgh"])
    said = words.plain(say("denied-registry.next"), Language.EN)
    assert said.startswith("Allowed: a.example, b.example, c.example,")
    assert "f.example and 2 more." in said


def test_no_invisible_marks_stand_around_a_value() -> None:
    text = WORDS.plain(say("pull", command="docker pull x"), Language.ZH_CN)
    assert text == "docker pull x"


def test_words_that_a_language_lacks_are_english_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = TelegramWords()
    words._bundles[Language.ZH_CN] = FluentBundle([Language.ZH_CN])
    line = Message((say("pull", command="<"),))
    assert words.render(line, Language.ZH_CN).html == "<code>&lt;</code>"
    assert caplog.messages == ["no words for pull in zh-CN"]


@pytest.mark.parametrize("language", Language)
def test_a_phrase_without_words_anywhere_shows_its_key_and_is_logged(
    language: Language, caplog: pytest.LogCaptureFixture
) -> None:
    assert WORDS.render(Message((say("a<b"),)), language).html == "a&lt;b"
    assert caplog.messages == [
        f"no words for a<b in {tried}" for tried in dict.fromkeys((language, Language.EN))
    ]


def test_a_value_that_was_not_given_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert "command" in WORDS.plain(say("pull"), Language.ZH_CN)
    assert caplog.messages[0].startswith("the words of pull in zh-CN: ")


@pytest.mark.parametrize("value", ["x" * 5000, "<" * 1000, "'" * 2501])
def test_a_value_that_is_too_long_is_cut_and_the_words_around_it_stay(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = WORDS.plain(say("bad-line", text="x" * 180, reason=value), Language.EN)
    assert said.startswith("x" * 180 + ": ")
    whole = WORDS.render(Message((say("bad-line", text=value, reason=value),)), Language.EN).html
    assert whole.count("…") == 2
    assert "</code>: " in whole
    assert not caplog.messages


def test_nothing_is_read_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    words = TelegramWords()
    monkeypatch.delattr("bot.adapters.words.resources")
    assert [words.plain(say("button-copy"), language) for language in Language] == [
        "📋 Copy",
        "📋 复制",
    ]


@pytest.mark.parametrize("language", Language)
def test_every_message_can_be_said_with_any_number(
    language: Language, caplog: pytest.LogCaptureFixture
) -> None:
    source = (LOCALES / f"{language}.ftl").read_text("utf-8")
    names = set(re.findall(r"\$(\w+)", source))
    keys = re.findall(r"^([a-z][a-z0-9-]*) =", source, re.MULTILINE)
    for key, number in itertools.product(keys, (0, 1, 2, 1000)):
        assert WORDS.plain(say(key, **dict.fromkeys(names, number)), language) != key
    assert caplog.messages == []
