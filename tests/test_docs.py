"""The documents say what the code does, and both READMEs say the same."""

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.adapters.words import LocaleWords
from bot.config import FreshPart, LimitsPart, Secrets, Settings
from bot.core import draft
from bot.core.failures import TRANSIENT_KINDS, FailureKind
from bot.core.fresh import CHECK_RETRY_WAIT
from bot.core.image import ImageRef
from bot.core.retry import REQUEUE_WAITS
from bot.core.tag_class import TagClass, tag_class
from bot.core.transfer import TRANSITIONS, State
from bot.dialog import outdated, questions
from bot.dialog.buttons import Verb
from bot.dialog.commands import COMMANDS, FILTER_LIMIT, REASON_LIMIT
from bot.dialog.language import Language
from bot.dialog.message import COPY_LIMIT, Phrase, say
from bot.engine.intake import rate_limit
from bot.engine.lanes import batches, chat_rate, fresh, fresh_news
from bot.engine.lanes import questions as question_lane
from bot.paste import FILE_LIMIT, MOST_IMAGES, lines
from bot.paste.yaml_tree import DEEPEST, MOST_DOCUMENTS

ROOT = Path(__file__).parents[1]
READMES = {
    Language.EN: (ROOT / "README.md").read_text("utf-8"),
    Language.ZH_CN: (ROOT / "README.zh-CN.md").read_text("utf-8"),
}
WORDS = LocaleWords()
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

every_language = pytest.mark.parametrize("language", list(Language))


def test_every_language_has_a_readme() -> None:
    assert set(READMES) == set(Language)


# -- what a README holds, as data ---------------------------------------------------------

Row = tuple[str, ...]


def prose(text: str) -> str:
    return BLOCK.sub("", text)


def tables(text: str) -> list[list[Row]]:
    """Every table, without its rule; the first row is its head."""
    found: list[list[Row]] = []
    before = False
    for line in prose(text).splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip()[1:-1])
            row = tuple(cell.strip().replace(r"\|", "|") for cell in cells)
            if not before:
                found.append([])
            if not set("".join(row)) <= set("-: "):
                found[-1].append(row)
        before = line.startswith("|")
    return found


def rows_by_code(text: str) -> dict[str, list[Row]]:
    """The rows of all tables, by each `code` in their first cell."""
    found: dict[str, list[Row]] = {}
    for table in tables(text):
        for row in table[1:]:
            for code in re.findall(r"`([^`]+)`", row[0]):
                found.setdefault(code, []).append(row)
    return found


def table_with(text: str, code: str) -> list[Row]:
    """The only table in which some first cell begins with the code."""
    found = [t for t in tables(text) if any(row[0].startswith(f"`{code}`") for row in t[1:])]
    assert len(found) == 1, f"{len(found)} tables have a row {code}"
    return found[0]


def codes(table: list[Row]) -> list[str]:
    return [code for row in table[1:] for code in re.findall(r"`([^`]+)`", row[0])]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"[0-9]+", text)]


# -- states, commands, buttons, failures --------------------------------------------------


@every_language
def test_the_picture_of_the_states_is_the_table(language: Language) -> None:
    pictures = [body for kind, body in BLOCK.findall(READMES[language]) if kind == "mermaid"]
    states = next(body for body in pictures if body.startswith("stateDiagram"))
    drawn = re.findall(r"^ *(\w+) --> (\w+): (\w+)$", states, re.MULTILINE)
    assert sorted(drawn) == sorted(
        (str(state), str(after), event.__name__)
        for state, row in TRANSITIONS.items()
        for event, afters in row.items()
        for after in afters
    )
    assert re.findall(r"^ *\[\*\] --> (\w+)$", states, re.MULTILINE) == [State.CHECKING]


@every_language
def test_every_state_is_listed_with_the_icon_of_its_line(language: Language) -> None:
    rows = [(row[0], row[1]) for table in tables(READMES[language]) for row in table]
    listed = [row for row in rows if row[1] in {f"`{state}`" for state in State}]
    line = {state: say(f"line-{state}", image="", shape="", note="") for state in State}
    assert listed == [(spoken(line[state], language)[0], f"`{state}`") for state in State]


@every_language
def test_the_readme_lists_exactly_the_commands_there_are(language: Language) -> None:
    table = table_with(READMES[language], "/help")
    usages = [row[0].strip("`") for row in table[1:]]
    assert usages == [f"/{spec.name} {spec.arguments}".strip() for spec in COMMANDS]


@every_language
def test_commands_for_admins_are_told_apart(language: Language) -> None:
    table = table_with(READMES[language], "/help")
    who = {row[0].strip("`").split()[0][1:]: row[1] for row in table[1:]}
    admins = who["approve"]
    assert {name for name, cell in who.items() if cell == admins} == {
        str(spec.name) for spec in COMMANDS if spec.admins_only
    }


COUNT, IMAGE = 14, "nginx:1.27"
LABELS: dict[Verb | None, tuple[Phrase, ...]] = {
    Verb.APPROVE: (say("button-approve"),),
    Verb.REJECT: (say("button-reject"),),
    Verb.ALL: (
        say("button-all", count=COUNT),
        say("button-yes"),
        say("button-chosen", count=COUNT),
    ),
    Verb.PAGE: (say("button-choose"), say("button-page", page=2, pages=3)),
    Verb.TICK: tuple(say("button-tick", ticked=ticked, image=IMAGE) for ticked in (1, 0)),
    Verb.DROP: (say("button-drop"),),
    Verb.MEANT: (say("button-meant", image=IMAGE),),
    Verb.RETRY: (say("button-retry"),),
    Verb.FORM: tuple(say(f"form-{form}") for form in ("docker", "containerd", "kubernetes")),
    Verb.LIST: (say("button-page", page=2, pages=3),),
    Verb.WANT: (
        say("button-mirror-it"),
        say("button-meant", image=IMAGE),
        say("button-update", image=IMAGE),
    ),
    None: (
        say("button-copy"),
        say("button-copy-one", image=IMAGE),
        say("button-copy-part", first=1, last=4),
        say("button-copy-all"),
    ),
}
"""What stands on the buttons of each verb, in the order of the READMEs; None: nothing is sent."""


def spoken(phrase: Phrase, language: Language) -> str:
    return WORDS.plain(phrase, language)


def test_the_labels_are_those_of_all_buttons() -> None:
    english = (ROOT / "bot/locales/en.ftl").read_text("utf-8")
    named = {phrase.key for label in LABELS.values() for phrase in label} | {"button-form"}
    # `button-unknown` is the answer to a press that nothing is behind.
    keys = set(re.findall(r"^((?:button|form)-[a-z-]+) =", english, re.MULTILINE))
    assert named == keys - {"button-unknown", "form-shown", "form-already"}
    assert set(LABELS) - {None} == set(Verb)


@every_language
def test_the_readme_lists_every_button_by_its_label(language: Language) -> None:
    table = table_with(READMES[language], spoken(say("button-approve"), language))
    labels = [[spoken(phrase, language) for phrase in phrases] for phrases in LABELS.values()]
    listed = [re.findall(r"`([^`]+)`", row[0]) for row in table[1:]]
    assert [[code for code in codes if not code.startswith("/")] for codes in listed] == labels


@every_language
def test_the_readme_lists_every_failure_in_order(language: Language) -> None:
    table = table_with(READMES[language], FailureKind.UNKNOWN)
    assert codes(table) == [str(kind) for kind in FailureKind]
    assert all(all(row) for row in table), "a failure without a cause, a next step, or who"


@every_language
def test_the_readme_says_how_long_it_waits_for_what_passes_by_itself(language: Language) -> None:
    [table] = [
        t for t in tables(READMES[language]) if set(codes(t)) == set(map(str, TRANSIENT_KINDS))
    ]
    unit = {FailureKind.RATE_LIMITED: timedelta(minutes=1), FailureKind.NETWORK: timedelta(0, 1)}
    assert set(REQUEUE_WAITS) == set(TRANSIENT_KINDS)
    for row in table[1:]:
        kind = FailureKind(row[0].strip("`"))
        assert [number * unit[kind] for number in numbers(row[1])] == list(REQUEUE_WAITS[kind])


@every_language
def test_the_chat_in_the_readme_says_what_the_bot_says(language: Language) -> None:
    chat = next(body for kind, body in BLOCK.findall(READMES[language]) if kind == "text")
    shape, time = say("shape", platforms=3), say("time-seconds", count=10)
    target, images = "harbor.example.com", ("docker.io/library/nginx:1.27",)
    image = "gcr.io/distroless/static:nonroot"
    for phrase in (
        say("card-head", request="41", person="Wei", count=2, bar="▓▓▓▓▓░░░░░", over=1),
        say("line-mirrored", image=images[0], shape="", note=say("note-identical")),
        say("line-waiting", image=image, shape=shape, note=say("note-waiting")),
        say("line-copying", image=image, shape=shape, note=say("note-copying", url="", time=time)),
        say("card-approved-by", person="Ana"),
        say("result-all", done=2, count=2),
        *(say("pull", command=f"docker pull {target}/{name}") for name in (*images, image)),
    ):
        assert spoken(phrase, language) in chat
    for key, values in (
        ("button-approve", {}),
        ("button-reject", {}),
        ("button-copy-one", {"image": IMAGE}),
        ("button-copy-all", {}),
        ("button-form", {"form": say("form-docker"), "on": 1}),
        ("button-form", {"form": say("form-kubernetes"), "on": 0}),
    ):
        assert f"[{spoken(say(key, **values), language)}]" in chat


# -- settings and limits ------------------------------------------------------------------


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key that can be written, with dots between its parts; a section is no key."""
    for name, field in model.model_fields.items():
        parts = (field.annotation, *getattr(field.annotation, "__args__", ()))
        inner = next((p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)), None)
        if inner is None or inner is not field.annotation:
            yield prefix + name, field
        if inner is not None:
            yield from settings(inner, f"{prefix}{name}.")


def default(field: FieldInfo) -> Any:
    return field.default.value if isinstance(field.default, Enum) else field.default


@every_language
def test_the_readme_lists_every_setting_in_order(language: Language) -> None:
    table = table_with(READMES[language], "telegram.chats")
    assert codes(table) == [key for key, _ in settings(Settings)]


@every_language
def test_the_readme_names_the_defaults(language: Language) -> None:
    table = table_with(READMES[language], "telegram.chats")
    written = {row[0].strip("`"): row[1] for row in table[1:]}
    required = written["telegram.chats"]
    for key, field in settings(Settings):
        assert (written[key] == required) is field.is_required(), key
        if default(field):
            expected = "" if field.is_required() else f"`{default(field)}`"
            assert written[key] == (expected or required), key


@every_language
def test_the_readme_names_every_variable_of_the_environment(language: Language) -> None:
    table = table_with(READMES[language], "GITHUB_TOKEN")
    assert codes(table) == [name.upper() for name in Secrets.model_fields]


@every_language
def test_the_limits_are_those_of_the_code(language: Language) -> None:
    table = tables(READMES[language])[-1]
    assert [numbers(row[1]) for row in table[1:]] == [
        [FILE_LIMIT // 2**20, 8, 16, 18030],
        [lines.MOST_TEXT, lines.MOST_LINES],
        [DEEPEST, MOST_DOCUMENTS],
        [MOST_IMAGES],
        [draft.IMAGES_TAKEN_WITHOUT_ASKING],
        [draft.DRAFT_LIFETIME // timedelta(hours=1)],
        [COPY_LIMIT],
        [FILTER_LIMIT, REASON_LIMIT],
        [questions.PAGE],
        [outdated.MOST, question_lane.COMPARE_SECONDS, outdated.SHOWN],
        [chat_rate.MESSAGES, chat_rate.CARDS, chat_rate.IN_PRIVATE],
        [rate_limit.STRANGERS],
        [chat_rate.BETWEEN_EDITS // timedelta(seconds=1)],
        [batches.SPACING // timedelta(seconds=1)],
    ]


@every_language
def test_the_readme_tells_of_keeping_fresh_what_is_so(language: Language) -> None:
    table = table_with(READMES[language], "nginx@sha256:…")
    assert [tag_class(ImageRef.parse(f"nginx:{tag}")) for tag in ("latest", "1.27", "1.27.3")] == [
        TagClass.FLOATING,
        TagClass.FLOATING,
        TagClass.VERSION,
    ]
    assert numbers(table[1][1]) == [FreshPart.model_fields["floating"].default]
    assert FreshPart.model_fields["versions"].default == 7 * 24
    section = READMES[language].partition("`/watch IMAGE`")[0]
    before = section.rpartition("\n\n")[2]
    assert fresh_news.ASKED_WITHIN.days in numbers(before)


def test_the_document_of_keeping_fresh_names_the_numbers_of_the_code() -> None:
    text = " ".join((ROOT / "docs/keeping-fresh.md").read_text("utf-8").split())
    watches = LimitsPart.model_fields["watches"].default
    for words in (
        f"({watches} images a person",
        f"within {fresh_news.ASKED_WITHIN.days} days",
        f"and {fresh_news.ASKERS} requests of it",
        f"({fresh.BATCH} at most",
        f"after {CHECK_RETRY_WAIT // timedelta(minutes=1)} min",
        f"floating: {FreshPart.model_fields['floating'].default} ",
        f"versions: {FreshPart.model_fields['versions'].default} ",
        f"looks: {FreshPart.model_fields['looks'].default} ",
    ):
        assert words in text


# -- both READMEs, and the rest of the documents ------------------------------------------


def test_both_readmes_have_the_same_shape() -> None:
    shapes = [
        {
            "headings": [len(level) for level, _ in HEADING.findall(prose(text))],
            "tables": [[len(row) for row in table] for table in tables(text)],
            "blocks": [kind for kind, _ in BLOCK.findall(text)],
            "steps": re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE),
            "leads": len(re.findall(r"^\*\*[^*]+\*\*", text, re.MULTILINE)),
            "links": re.findall(r"\]\(([^)]+)\)", text)[1:],
        }
        for text in READMES.values()
    ]
    assert shapes[0] == shapes[1]


def test_both_readmes_hold_the_same_commands_to_type() -> None:
    typed = [
        [re.sub(r"\s*#.*", "", line) for line in body.splitlines()]
        for text in READMES.values()
        for kind, body in BLOCK.findall(text)
        if kind in {"sh", "mermaid"}
    ]
    assert typed[: len(typed) // 2] == typed[len(typed) // 2 :]


@every_language
def test_each_readme_begins_with_the_way_to_the_other(language: Language) -> None:
    other = {Language.EN: "README.zh-CN.md", Language.ZH_CN: "README.md"}[language]
    assert f"]({other})" in READMES[language].splitlines()[0]


@every_language
def test_the_readme_names_only_targets_that_there_are(language: Language) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", READMES[language], re.MULTILINE))
    assert {"demo", "test", "sandbox"} <= named <= targets


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


def test_the_map_of_modules_is_the_tree() -> None:
    text = (ROOT / "docs/design.md").read_text("utf-8")
    rooms = {"bot/core", "bot/paste", "bot/dialog", "bot/engine", "bot/adapters"}
    listed = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    tree = {
        (path.parent if path.name == "__init__.py" else path).relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts and path.read_text("utf-8").strip()
    }
    there = {name for name in listed if name.startswith(tuple(f"{room}/" for room in rooms))}
    assert there == tree - rooms
