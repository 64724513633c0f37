"""Which corrections are made silently, and which the person has to confirm."""

import pytest

from bot.core.bad_image import BadImage, Gap, Mistake
from bot.core.image import ImageRef, Problem
from bot.paste.reference import likely_meaning, read_image

HOST = "harbor.example.com"
NGINX = ImageRef.parse("nginx:1.27")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "nginx:1.27",
            "nginx\u200b:1.27",
            '"nginx:1.27"',
            "docker pull nginx:1.27",
            "nginx:1.27,",
        ),
        *("nginx:1.27.", "docker://nginx:1.27", "https://hub.docker.com/_/nginx:1.27"),
        *(f"{HOST}/docker.io/library/nginx:1.27", "docker.m.daocloud.io/library/nginx:1.27"),
        f"（`https://{HOST}/docker.io/library/nginx:1.27`）。",
    ],
)
def test_what_only_stands_around_a_name_is_taken_away_without_a_word(text: str) -> None:
    assert read_image(text, target_host=HOST) == NGINX


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("nginx：1.27", Mistake.FULL_WIDTH),
        ("nginx 1.27", Mistake.BLANK),
        ("Nginx:1.27", Mistake.UPPERCASE),
        ('"Nginx:1.27".', Mistake.UPPERCASE),
        ("`nginx：1.27`，", Mistake.FULL_WIDTH),
        ("https://nginx/1.27", Mistake.SLASH_FOR_COLON),
        ("docker pull nginx 1.27", Mistake.BLANK),
    ],
)
def test_what_changes_the_name_is_confirmed_and_named_after_the_change(
    text: str, mistake: Mistake
) -> None:
    read = read_image(text, target_host=HOST)
    assert isinstance(read, BadImage)
    assert read.text == text
    assert read.problem is None
    assert read.correction is not None
    assert (read.correction.mistake, read.correction.image) == (mistake, NGINX)


@pytest.mark.parametrize("text", ["nginx/1.27", "library/bitnami/nginx"])
def test_what_reads_as_a_reference_stays_one(text: str) -> None:
    assert read_image(text, target_host=HOST) == ImageRef.parse(text)


def test_what_cannot_be_read_says_why() -> None:
    assert read_image("a$b", target_host=HOST) == BadImage("a$b", Problem.CHARACTER, None)


def test_the_words_of_gaps_are_told_from_those_of_problems() -> None:
    assert not {gap.value for gap in Gap} & {problem.value for problem in Problem}


@pytest.mark.parametrize(("typed", "meant"), [("nginx/1.27", NGINX), ("nginx:1.27", None)])
def test_a_name_that_leads_nowhere_may_be_a_slip(typed: str, meant: ImageRef | None) -> None:
    assert likely_meaning(ImageRef.parse(typed), target_host=HOST) == meant
