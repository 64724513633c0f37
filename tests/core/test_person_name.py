"""Names are chosen by people: none may look like a part of the bot's line, or disturb it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.ids import Person, PersonId
from bot.core.person_name import NAME_CHARACTERS, safe_name, safe_text

ZALGO = "A" + "\u0301\u0302\u0303\u0304\u0305" * 9 + "na"


@pytest.mark.parametrize(
    "name",
    [
        "Wei",
        "Ana María",
        "李雷",
        "Nguyễn Thị Hồng",
        "Müller",
        "让·吕克",
        "أحمد",
        "संजय",
        "O'Neill 3rd",
        "🤖",
    ],
)
def test_names_of_people_stay_as_they_are(name: str) -> None:
    assert safe_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ana\n✅ docker.io/evil/miner · mirrored", "Ana ✅ docker.io/evil/miner · mirrored"),
        ("Ana\u2028#2\u2029for\x85Li", "Ana 2 for Li"),
        ("Wei: 1 image  ▓▓▓▓▓▓▓▓▓▓ 1 of 1", "Wei 1 image 1 of 1"),
        ("Wei\uff1a1 image ■■■□ \uff031", "Wei 1 image 1"),
        ("Wei\u2236 1 image █░", "Wei 1 image"),
        ("\u202eangA\u202c", "angA"),
        ("\u2067Ana\u2069\u200f\u061c", "Ana"),
        ("A\u200bn\u200da\ufeff\u00ad\u2060", "Ana"),
        ("\u3164\uffa0\u115f\u2800", "?"),
        ("A\U000e0041\U000e0042na\ufe0f\u034f", "Ana"),
        ("\u0336\u0336Ana", "Ana"),
        (ZALGO, "\u00c1\u0302\u0303na"),
        ("A\u20dd\u20e0na", "Ana"),
        ("Ana\u00a0\u2003\u3000 Li", "Ana Li"),
        ("", "?"),
        ("A" * 300, "A" * (NAME_CHARACTERS - 1) + "…"),
        ("\ue000\U000f0000Ana\U0010ffff", "Ana"),
    ],
)
def test_what_could_forge_a_line_is_taken_out(name: str, shown: str) -> None:
    assert safe_name(name) == shown
    assert Person(PersonId("telegram:1"), name).name == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("docker.io/library/nginx:1.27  x", "docker.io/library/nginx:1.27  x"),
        ("a\r\nb", "a b"),
        ("not\u202eyet", "notyet"),
        ("אבג 1", "\u2068אבג 1\u2069"),
        ("a\u3000b", "a b"),
        ("reason: see #4", "reason: see #4"),
    ],
)
def test_other_texts_stay_on_their_line_and_in_their_direction(text: str, shown: str) -> None:
    assert safe_text(text) == shown


@given(st.text())
def test_whatever_the_name_it_is_one_short_line(name: str) -> None:
    shown = safe_name(name)
    assert shown == safe_name(shown)
    assert 0 < len(shown) <= NAME_CHARACTERS
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Zl", "Zp", "Me", "Co"}
    assert not set(shown) & set("#:▓░")
