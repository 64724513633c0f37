"""The content of each marked block: rows of the code's own tables, words of its own files."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final

from doc_pages import BLOCK, PAIRS, ROOT, Row, table
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.adapters.telegram import COPY_LIMIT, PACE
from bot.adapters.telegram.rendering import TelegramWords
from bot.config import Secrets, Settings
from bot.core import draft
from bot.core.failures import FailureKind
from bot.core.retry import REQUEUE_WAITS
from bot.core.transfer import TRANSITIONS, State
from bot.dialog import outdated, questions
from bot.dialog.buttons import Verb
from bot.dialog.commands import ADMINS, COMMANDS, EVERYBODY, FILTER_LIMIT, REASON_LIMIT
from bot.dialog.language import Language
from bot.dialog.message import Phrase, say
from bot.engine.intake import rate_limit
from bot.engine.lanes import batch_forming
from bot.engine.lanes import questions as question_lane
from bot.paste import IMAGES_PER_PASTE, PASTE_SIZE_LIMIT, free_text
from bot.paste.yaml_tree import DEEPEST_NESTING, MOST_DOCUMENTS

WORDS: Final = TelegramWords()
EXAMPLE: Final = ROOT / "config.example.yaml"
FOLDED_AT: Final = 85
"""Characters of a line of code that GitHub shows without scrolling."""
SCREEN: Final = "tests/dialog/screens/02-an-admin-has-to-approve.{}.txt"
TERMS: Final = ("required", "comma", "minutes", "seconds", "admins", "all")
UNITS: Final = {
    Language.EN: dict(
        zip(TERMS, ("required", ", ", " minutes", " seconds", "admins", "all"), strict=True)
    ),
    Language.ZH_CN: dict(
        zip(TERMS, ("必填", "、", " 分钟", " 秒", "管理员", "所有人"), strict=True)
    ),
}


def plain(phrase: Phrase, language: Language) -> str:
    return WORDS.plain(phrase, language)


# -- settings and environment -------------------------------------------------------------


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield every key that can be set, with dots between its parts. A section is no key."""
    for name, field in model.model_fields.items():
        parts = (field.annotation, *getattr(field.annotation, "__args__", ()))
        inner = next((p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)), None)
        if inner is None or inner is not field.annotation:
            yield prefix + name, field
        if inner is not None:
            yield from settings(inner, f"{prefix}{name}.")


def default(field: FieldInfo) -> str:
    value: Any = field.default.value if isinstance(field.default, Enum) else field.default
    text = str(value).lower() if value is True else str(value)  # as YAML writes it
    return text if value and not field.is_required() else ""


def explained(example: str) -> dict[str, tuple[str, str]]:
    """Map each key to its default ("" if required) and to its first sentence in English."""
    found: dict[str, tuple[str, str]] = {}
    path: list[tuple[int, str]] = []
    said: list[str] = []
    for line in example.splitlines():
        comment = re.fullmatch(r" *# (.*)", line)
        key = re.match(r"( *(?:- )?)([a-z_]+):", line)
        if comment is not None:
            said.append(comment[1])
            continue
        if key is not None:
            path = [*((i, k) for i, k in path if i < len(key[1])), (len(key[1]), key[2])]
            words = re.match(
                r"(?:Required|Optional, default (.+?))\. (.+?)(?:\. |\.$)", " ".join(said)
            )
            if words is not None:
                found[".".join(k for _, k in path)] = (words[1] or "", words[2])
        said = []
    return found


def setting_rows(language: Language) -> Iterator[Row]:
    explanations = explained(EXAMPLE.read_text("utf-8"))
    for key, field in settings(Settings):
        if field.is_required():
            standard: str | None = UNITS[language]["required"]
        else:
            standard = f"`{default(field)}`" if default(field) else None
        if language is Language.EN:
            word, what = explanations[key]
            yield [f"`{key}`", standard or word, what]
        else:
            yield [f"`{key}`", standard, None]


def environment_rows(language: Language) -> Iterator[Row]:
    for name, field in Secrets.model_fields.items():
        required = UNITS[language]["required"] if field.is_required() else ""
        yield [f"`{name.upper()}`", required, None]


# -- commands and buttons -----------------------------------------------------------------


def command_rows(language: Language) -> Iterator[Row]:
    for spec in COMMANDS.values():
        usage = plain(say(f"command-{spec.name}.usage"), language)
        # What members may do to their own requests only is written by hand.
        who = {ADMINS: UNITS[language]["admins"], EVERYBODY: UNITS[language]["all"]}
        yield [
            f"`{usage}`",
            who.get(spec.audience),
            plain(say(f"command-{spec.name}"), language),
            None,
        ]


COUNT, IMAGE = 14, "nginx:1.27"
LABELS: Final[Mapping[Verb | None, tuple[Phrase, ...]]] = {
    Verb.APPROVE: (
        say("button-approve"),
        say("button-approve-these", count=COUNT),
        say("button-offer", count=COUNT),
        say("button-offer-these", count=COUNT),
        say("button-removal"),
    ),
    Verb.KEEP: (say("button-keep", count=1),),
    Verb.FLOATS: (say("button-floats", count=1),),
    Verb.REJECT: (
        say("button-reject"),
        say("button-reject-these", count=COUNT),
        say("button-ask"),
        say("button-ask-these", count=COUNT),
        say("button-stay"),
        say("button-no-reason"),
        say("button-reason", reason="…"),
    ),
    Verb.REASON: (say("button-reject"),),
    Verb.DIGESTS: (say("button-digests"),),
    Verb.SHOW: (say("button-page", page=2, pages=3), say("button-back")),
    Verb.CHOOSE: (say("button-choose"), say("button-page", page=2, pages=3)),
    Verb.PICK: tuple(say("button-tick", ticked=ticked, image=IMAGE) for ticked in (1, 0)),
    Verb.ALL: (
        say("button-all", count=COUNT),
        say("button-yes"),
        say("button-chosen", count=COUNT),
    ),
    Verb.PAGE: (say("button-choose"), say("button-page", page=2, pages=3)),
    Verb.TICK: tuple(say("button-tick", ticked=ticked, image=IMAGE) for ticked in (1, 0)),
    Verb.DROP: (say("button-drop"),),
    Verb.SUGGESTION: (
        say("button-meant", image=IMAGE),
        say("button-digest-alone", count=1, image=IMAGE),
        say("button-tag-now", image=IMAGE),
    ),
    Verb.RETRY: (say("button-retry"),),
    Verb.FORM: tuple(say(f"form-{form}") for form in ("docker", "containerd", "kubernetes")),
    Verb.KEPT: (say("button-page", page=2, pages=3),),
    Verb.UNKEEP: (say("button-unkeep", image=IMAGE),),
    Verb.LIST: (say("button-page", page=2, pages=3),),
    Verb.MIRROR: (
        say("button-mirror-it"),
        say("button-meant", image=IMAGE),
        say("button-update", image=IMAGE),
    ),
    Verb.TAKE: (
        say("button-take", image="nginx 1.27.4"),
        say("button-ask-for", image="nginx 1.27.4"),
    ),
    Verb.FOLLOW: (say("button-follow"),),
    Verb.ADMIT: (say("button-admit", image="nginx 1.27.4"),),
    None: (
        say("button-copy"),
        say("button-copy-one", image=IMAGE),
        say("button-copy-part", first=1, last=4),
        say("button-copy-all"),
    ),
}
"""The labels of the buttons of each verb, in the order of docs/using.md. None sends nothing."""
_DRAFT: Final = {Language.EN: " (drafts)", Language.ZH_CN: "（草稿）"}
_CARD: Final = {Language.EN: " (what waits)", Language.ZH_CN: "（待审批）"}
PLACES: Final[Mapping[Verb, Mapping[Language, str]]] = {
    Verb.REASON: {Language.EN: " (with reasons)", Language.ZH_CN: "（配有理由时）"},
    Verb.SHOW: _CARD,
    Verb.CHOOSE: _CARD,
    Verb.PICK: _CARD,
    Verb.PAGE: _DRAFT,
    Verb.TICK: _DRAFT,
    Verb.KEPT: {Language.EN: " (`/unkeep`)", Language.ZH_CN: "（`/unkeep`）"},
    Verb.LIST: {Language.EN: " (`/list`)", Language.ZH_CN: "（`/list`）"},
    Verb.MIRROR: {
        Language.EN: " (`/lookup`, `/outdated`)",
        Language.ZH_CN: "（`/lookup`、`/outdated`）",
    },
}
"""Buttons with the same label are told apart by where they are."""


def button_rows(language: Language) -> Iterator[Row]:
    comma = UNITS[language]["comma"]
    for verb, phrases in LABELS.items():
        labels = comma.join(f"`{plain(phrase, language)}`" for phrase in phrases)
        place = PLACES[verb][language] if verb in PLACES else ""
        yield [labels + place, None, None, None]


# -- states, failures, waits, limits ------------------------------------------------------


def state_rows(language: Language) -> Iterator[Row]:
    for state in State:
        line = plain(say(f"line-{state}", image="", shape="", digest="", note=""), language)
        yield [f"`{state}`", line[0], None]


def picture(_language: Language) -> str:
    arrows = [
        f"    {state} --> {after}: {event.__name__}\n"
        for state, row in TRANSITIONS.items()
        for event, afters in row.items()
        for after in sorted(afters)
    ]
    first = next(iter(TRANSITIONS))
    return f"```mermaid\nstateDiagram-v2\n    [*] --> {first}\n{''.join(arrows)}```\n"


def failure_rows(language: Language) -> Iterator[Row]:
    for kind in FailureKind:
        cause = say(f"failure-{kind}", line="…", request=41)
        first, following = plain(cause, language).splitlines()
        yield [f"`{kind}`", first, following]


def put_off_rows(language: Language) -> Iterator[Row]:
    units = UNITS[language]
    for kind, waits in REQUEUE_WAITS.items():
        whole = all(wait % timedelta(minutes=1) == timedelta() for wait in waits)
        unit = timedelta(minutes=1) if whole else timedelta(seconds=1)
        numbers = units["comma"].join(str(wait // unit) for wait in waits)
        yield [f"`{kind}`", numbers + units["minutes" if whole else "seconds"]]


def limit_rows(_language: Language) -> Iterator[Row]:
    second, hour = timedelta(seconds=1), timedelta(hours=1)
    for numbers in (
        [PASTE_SIZE_LIMIT // 2**20],
        [free_text.FREE_TEXT_CHARACTERS, free_text.FREE_TEXT_LINES],
        [DEEPEST_NESTING, MOST_DOCUMENTS],
        [IMAGES_PER_PASTE],
        [draft.IMAGES_TAKEN_WITHOUT_ASKING],
        [draft.DRAFT_LIFETIME // hour],
        [COPY_LIMIT],
        [FILTER_LIMIT, REASON_LIMIT],
        [questions.LIST_LINES_PER_PAGE],
        [outdated.IMAGES_COMPARED, int(question_lane.COMPARE_SECONDS), outdated.OUTDATED_SHOWN],
        [PACE.messages, PACE.cards, PACE.private_factor],
        [rate_limit.ANSWERS_TO_STRANGERS],
        [PACE.edit_interval // second],
        [batch_forming.BATCH_INTERVAL // second],
    ):
        yield [None, numbers]


# -- a chat, and the map of modules -------------------------------------------------------


def chat(language: Language) -> str:
    """Four moments of a screen of test_screens.py: question, card, an admin's press, result."""
    moments = (ROOT / SCREEN.format(language)).read_text("utf-8").split("\n\n")
    shown = [next(m for m in moments if mark in m) for mark in ("/mirror", "[✅", "Ana", "pull ")]
    lines = "\n\n".join(moment.strip() for moment in shown).splitlines()
    return "```text\n" + "\n".join(map(_folded, lines)) + "\n```\n"


def _folded(line: str) -> str:
    """Break a line behind its dots where it is wider than a page, as a phone would."""
    first, *parts = line.split(" · ")
    lines = [first]
    for part in parts:
        if len(lines[-1]) + len(part) < FOLDED_AT:
            lines[-1] += f" · {part}"
        else:
            lines[-1] += " ·"
            lines.append(f"         {part}")
    return "\n".join(lines)


def module_map(_language: Language) -> str:
    """Yield a row per module of the product: its path in bot/, the first line of its docstring."""
    rows = ["| module | what it is for |\n|---|---|\n"]
    for path in sorted((ROOT / "bot").rglob("*.py"), key=lambda path: (path.parent, path)):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        if said and not {"versions", "sandbox"} & set(path.parts):
            name = path.relative_to(ROOT / "bot").as_posix()
            rows.append(f"| `{name}` | {said.partition(chr(10))[0].rstrip('.')} |\n")
    return "".join(rows)


# -- all of them --------------------------------------------------------------------------

Rows = Callable[[Language], Iterator[Row]]
TABLES: Final[Mapping[str, Rows]] = {
    "settings": setting_rows,
    "environment": environment_rows,
    "commands": command_rows,
    "buttons": button_rows,
    "states": state_rows,
    "failures": failure_rows,
    "put-offs": put_off_rows,
    "limits": limit_rows,
}
TEXTS: Final[Mapping[str, Callable[[Language], str]]] = {
    "chat": chat,
    "picture": picture,
    "modules": module_map,
}


def rewritten(page: Path) -> str:
    """Return the page with each of its marked blocks as the code has it now."""
    chinese = page in [second for _, second in PAIRS]
    language = Language.ZH_CN if chinese else Language.EN

    def block(match: re.Match[str]) -> str:
        name, body = match["name"], match["body"]
        if name in TEXTS:
            return match[1] + TEXTS[name](language)
        return match[1] + table(body, list(TABLES[name](language)))

    return BLOCK.sub(block, page.read_text("utf-8"))
