"""What was found in a text, or in several files that were sent together."""

from fakes import NGINX, STATIC
from screen import visible

from bot.adapters.telegram.rendering import TelegramWords
from bot.core.bad_image import Gap
from bot.core.gathering import Cut
from bot.dialog.language import Language
from bot.dialog.pieces import Piece, draft_of_pieces, found_together, why_nothing
from bot.paste import IMAGES_PER_PASTE, Finding, Flaw, extract, extract_file

HOST = "harbor.example.com"


def file(name: str, content: str, position: int = 0) -> Piece:
    return Piece(name, extract_file(content.encode(), target_host=HOST, name=name), position)


def text(content: str) -> Piece:
    return Piece("", extract(content, target_host=HOST))


def test_an_image_of_several_files_is_there_once_and_untagged_only_if_nobody_says_a_tag() -> None:
    pieces = [
        file("a.yaml", f"image: {NGINX}\n---\nimage: redis\n---\nimage: alpine\n"),
        file("b.yaml", f"image: {STATIC}\n---\nimage: redis:latest\n---\nimage: {NGINX}\n"),
    ]
    found = found_together(pieces)
    assert [str(image) for image in found.images] == [
        "docker.io/library/nginx:1.27",
        "docker.io/library/redis:latest",
        "docker.io/library/alpine:latest",
        "gcr.io/distroless/static:nonroot",
    ]
    assert [str(image) for image in found.untagged] == ["docker.io/library/alpine:latest"]


def test_all_files_together_give_no_more_images_than_one_text() -> None:
    lists = ["\n".join(f"a/{part}:{n}" for n in range(300)) for part in ("x", "y")]
    found = found_together([file(f"{n}.txt", each) for n, each in enumerate(lists)])
    assert len(found.images) == IMAGES_PER_PASTE


def test_a_draft_names_each_file_that_gave_nothing_unless_it_is_the_only_one() -> None:
    pieces = [
        file("a.yaml", f"image: {NGINX}\n"),
        file("notes.txt", "nothing", 1),
        Piece("gone.yaml", None, 2),
    ]
    draft = draft_of_pieces(pieces, cut=Cut.ALBUM)
    assert (draft.file, draft.more_files, draft.cut) == ("a.yaml", 2, Cut.ALBUM)
    assert [(bad.text, bad.problem) for bad in draft.bad] == [
        ("notes.txt", Gap.EMPTY_FILE),
        ("gone.yaml", Gap.UNREAD_FILE),
    ]
    assert draft_of_pieces([text("nothing")], cut=None).bad == ()


def test_why_nothing_was_found_is_said_of_each() -> None:
    pieces = [
        Piece("big.yaml", Finding(extract("", target_host=HOST).kind, flaw=Flaw.TOO_LARGE)),
        file("values.yaml", "image: ${REGISTRY}/web:${TAG}\n"),
        text("nothing here"),
    ]
    lines = visible(TelegramWords().render(why_nothing(pieces), Language.EN))
    assert lines[0].startswith("big.yaml is too large")
    assert "${REGISTRY}/web:${TAG}: it holds a variable" in "\n".join(lines)
    assert "I found no image in that." in lines
