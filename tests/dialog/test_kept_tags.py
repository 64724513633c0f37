"""The list of tags that admins keep fresh: who counts, whose names are known, and its pages."""

from datetime import UTC, datetime, timedelta

from fakes import ANA, LI, NGINX, STATIC, WORDS

from bot.core.approvals import kept_tags
from bot.core.decision import Decision, Ground, Verdict
from bot.core.ids import PersonId, TransferId
from bot.core.image import ImageRef
from bot.dialog.kept_tags import kept_page
from bot.dialog.language import Language

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64


def said(
    image: ImageRef,
    person: str | None,
    minutes: int,
    *,
    ground: Ground = Ground.KEPT,
    verdict: Verdict = Verdict.APPROVE,
) -> Decision:
    return Decision(
        request=None,
        transfer=TransferId(1),
        image=image,
        digest=DIGEST,
        verdict=verdict,
        ground=ground,
        person=None if person is None else PersonId(person),
        at=NOW + timedelta(minutes=minutes),
    )


def shown(*decisions: Decision, page: int = 0) -> list[str]:
    tags = kept_tags(decisions)
    names = {ANA.id: "Ana", LI.id: "Li"}
    later = NOW + timedelta(hours=1)
    force = [tag.image for tag in tags]
    message = kept_page(tags, page, names, later, everywhere=True, in_force=force)
    return WORDS.render(message, Language.EN).html.splitlines()[1:]


def test_each_person_is_named_once_with_the_time_of_the_last_who_joined() -> None:
    (line,) = shown(
        said(STATIC, ANA.id, 0),
        said(STATIC, LI.id, 5),
        said(STATIC.at(DIGEST), ANA.id, 9),  # once more, for a request with its digest
    )
    assert line == f"🌱 <code>{STATIC}</code> · kept fresh by Ana, Li since 12:05 UTC"


def test_what_was_taken_back_is_not_listed_and_stands_again_after_that() -> None:
    ended = said(STATIC, LI.id, 5, verdict=Verdict.DENY)
    assert shown(said(STATIC, ANA.id, 0), ended, said(NGINX, ANA.id, 7)) == [
        f"🌱 <code>{NGINX}</code> · kept fresh by Ana since 12:07 UTC"
    ]
    (line,) = shown(said(STATIC, ANA.id, 0), ended, said(STATIC, ANA.id, 8))
    assert "since 12:08 UTC" in line


def test_both_grounds_of_a_tag_and_people_without_a_name_are_told() -> None:
    keeps, floats = shown(
        said(STATIC, "telegram:7", 0), said(STATIC, None, 2, ground=Ground.FLOATS)
    )
    assert "kept fresh by somebody whose name is no longer kept since 12:00 UTC" in keeps
    assert "🌊" in floats
    assert "marked as floating by somebody whose name is no longer kept" in floats


def test_a_page_beyond_the_end_is_the_last_one() -> None:
    many = [said(ImageRef.parse(f"bitnami/app{n}:1"), ANA.id, 0) for n in range(9)]
    assert shown(*many, page=7) == shown(*many, page=1)
    assert len(shown(*many, page=1)) == 1
