"""The documents say what the code does, and both languages say the same."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from doc_pages import HOLE, PAGES, PAIRS, ROOT, rows_of
from doc_tables import EXAMPLE, LABELS, default, explained, rewritten, settings

from bot.config import Settings
from bot.config_policy import EverySection, LimitsSection
from bot.core.fresh import CHECK_RETRY_WAIT
from bot.core.image import ImageRef
from bot.core.tag_class import TagClass, tag_class
from bot.dialog.buttons import Verb
from bot.engine.lanes import fresh_news, fresh_updates

ENGLISH = {chinese: english for english, chinese in PAIRS}
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

every_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


# -- what is written from the code ---------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text == rewritten(page), "the code says something else by now: run `make docs`"
    assert HOLE not in text, f"a row is new: write what it needs in place of {HOLE}"


def test_every_button_has_a_row() -> None:
    english = (ROOT / "bot/locales/en.ftl").read_text("utf-8")
    named = {phrase.key for label in LABELS.values() for phrase in label} | {"button-form"}
    keys = set(re.findall(r"^((?:button|form)-[a-z-]+) =", english, re.MULTILINE))
    # The last three are answers, not labels.
    assert named == keys - {"button-unknown", "form-shown", "form-already"}
    assert set(LABELS) - {None} == set(Verb)


def test_the_example_names_the_default_of_every_setting() -> None:
    explanations = explained(EXAMPLE.read_text("utf-8"))
    for key, field in settings(Settings):
        word, _ = explanations[key]
        assert (not word) is field.is_required(), key
        assert not default(field) or word == default(field), key


# -- numbers in prose ----------------------------------------------------------------------


def test_the_documents_name_the_numbers_of_the_code() -> None:
    floating, version = EverySection.model_fields["floating"], EverySection.model_fields["versions"]
    watches = LimitsSection.model_fields["watches"].default
    for page, words in (
        ("docs/settings.md", f"| `latest`, `1.27` | every {floating.default} hours |"),
        ("docs/settings.md", f"within {fresh_news.REQUEST_AGE.days} days"),
        ("docs/keeping-fresh.md", f"({watches} images per person"),
        ("docs/keeping-fresh.md", f"within {fresh_news.REQUEST_AGE.days} days"),
        ("docs/keeping-fresh.md", f"and {fresh_news.REQUESTS_PER_IMAGE} requests of it"),
        ("docs/keeping-fresh.md", f"({fresh_updates.IMAGES_OPENED_TOGETHER} at most"),
        ("docs/keeping-fresh.md", f"after {CHECK_RETRY_WAIT // timedelta(minutes=1)} min"),
        ("docs/keeping-fresh.md", f"floating: {floating.default} "),
        ("docs/keeping-fresh.md", f"versions: {version.default} "),
    ):
        assert words in " ".join((ROOT / page).read_text("utf-8").split())
    assert version.default == timedelta(days=7) / timedelta(hours=1), "once a week"
    assert [tag_class(ImageRef.parse(f"nginx:{tag}")) for tag in ("latest", "1.27", "1.27.3")] == [
        TagClass.FLOATING,
        TagClass.FLOATING,
        TagClass.VERSION,
    ]


# -- both languages ------------------------------------------------------------------------


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_both_languages_have_the_same_shape(english: Path, chinese: Path) -> None:
    assert _shape(english) == _shape(chinese)


def _shape(page: Path) -> dict[str, object]:
    """What a translation has to keep: headings, tables, steps, links, commands, diagrams."""
    text = page.read_text("utf-8")
    prose = FENCED.sub("", text)
    return {
        "headings": re.findall(r"^(#{1,6}) ", prose, re.MULTILINE),
        "columns": [len(row) for row in rows_of(prose)],
        "steps": re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE),
        "leads": len(re.findall(r"^\*\*[^*]+\*\*", text, re.MULTILINE)),
        "links": [_target(page, link) for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text)[1:]],
        "blocks": [kind for kind, _ in FENCED.findall(text)],
        "typed": [
            [re.sub(r"\s*#.*", "", line) for line in body.splitlines()]
            for kind, body in FENCED.findall(text)
            if kind == "sh"
        ],
    }


def _target(page: Path, link: str) -> str | Path:
    """Return the English page that is linked, or the link where it leads elsewhere."""
    if ":" in link:
        return link
    path = (page.parent / link).resolve()
    return ENGLISH.get(path, path)


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda page: page.name)
def test_each_page_begins_with_the_way_to_its_translation(english: Path, chinese: Path) -> None:
    for page, other in ((english, chinese), (chinese, english)):
        link = re.search(r"\]\(([^)]+)\)", page.read_text("utf-8").splitlines()[0])
        assert link is not None
        assert (page.parent / link[1]).resolve() == other


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 900


# -- what documents refer to ---------------------------------------------------------------


@every_document
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    for link in re.findall(r"""\]\(([^)#:]+)(?:#[^)]*)?\)|src="([^":]+)\"""", text):
        assert (path.parent / "".join(link)).exists(), link


@every_document
def test_targets_of_make_exist(path: Path) -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"(?:^|`)make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= set(targets)


@every_document
def test_named_files_and_what_is_named_in_them_exist(path: Path) -> None:
    """`bot/core/image.py` is a file, `bot/core/image.py:ImageRef.parse` a definition in it."""
    for name in re.findall(r"`((?:bot|tests|docs)/[^`\s…*]*)`", path.read_text("utf-8")):
        file, _, definition = name.partition(":")
        assert (ROOT / file).exists(), name
        scope: ast.AST = ast.parse((ROOT / file).read_text("utf-8")) if definition else ast.Module()
        for part in filter(None, definition.split(".")):
            scope = next((n for n in ast.iter_child_nodes(scope) if part in _names(n)), None)  # type: ignore[assignment]
            assert scope is not None, name


def _names(node: ast.AST) -> set[str]:
    match node:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            return {name}
        case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
            return {name}
    return set()
