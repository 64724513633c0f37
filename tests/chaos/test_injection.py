"""Texts that strangers choose, in each place that they reach: they stay plain text there.

Shells, HTML, commit messages, commands of GitHub's runner, Markdown. The log is in test_logs.py.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import ANA, MALLORY, NGINX, STATIC, TARGET, WEI, Clock, digest_of, world
from registry_fixture import POLICY, Quiet, registries, serving
from registry_fixture import World as Runner
from registry_fixture import world as runner

from bot.adapters.telegram.rendering import TelegramWords
from bot.core.errors import RefusedError
from bot.core.image import BadReference, ImageRef
from bot.core.retry import Trouble, TroubleKind
from bot.dialog.commands import parse
from bot.dialog.language import Language
from bot.dialog.message import Message, say
from bot.dialog.questions import QuestionKind, list_page, unanswered
from bot.sandbox.telegram.entities import parsed
from bot.workflow.mirror import log as workflow_log
from bot.workflow.mirror.copying import Result
from bot.workflow.mirror.github import summarise
from bot.workflow.mirror.log import one_line
from bot.workflow.mirror.main import log_line
from bot.workflow.mirror.reference import Image

BOT = Path(__file__).parents[2] / "bot"

__all__ = ["registries", "runner"]  # fixtures: pytest finds them by these names

# How the runner reads commands out of a step's output:
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
COMMAND = re.compile(r"^\s*::[^:]*|##\[", re.MULTILINE)
HOSTILE = (
    "::error::x",
    "  ::set-output name=a::b",
    "::add-mask::docker.io",
    "::stop-commands::x",
    "x##[error]y",
    "##[add-mask]docker.io",
    "a\n::error::b",
    "a\r::error::b",
    "a\u2028::error::b",
    "a\x85##[group]b",
    "\x1b[2J\x1b[31mred",
    "\u202egnp",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example www.evil.example a@evil.example @wei",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</b></code><a href='https://evil.example'>x</a>",
    "&lt;b&gt;&#60;b&#62;",
    "`a` | b || `",
    "``` a \\| b \\",
    "**bold** _it_ ~~no~~ # head",
    "$(touch owned)",
    "`touch owned`",
    "${{ secrets.HARBOR_PWD }}",
    "; touch owned #",
    "[skip ci]",
    "nginx\n\nBatch: 0123456789abcdef",
    "Image: docker.io/evil/miner:1; approved p:00000000",
    "x" * 300,
    "\u2067ok\u2069",
    "{ $person } { image }",
)
each = pytest.mark.parametrize("text", HOSTILE, ids=ascii)
some_or_all = pytest.mark.parametrize(
    "texts",
    [
        pytest.param(HOSTILE[4::7], id="some"),
        pytest.param(HOSTILE, id="all", marks=pytest.mark.chaos),
    ],
)


# ---- the runner: its log, its summary, its environment


def plain_cells(summary: str) -> list[list[str]]:
    """Return the cells of the summary's rows, each of which is empty or only code."""
    rows = [row for row in summary.splitlines() if row.startswith(("| `", "||"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def is_harmless(summary: str) -> bool:
    cells = plain_cells(summary)
    code = re.compile(r"`[^`|\n]*`")
    return all(len(row) == 4 and all(not c or code.fullmatch(c) for c in row) for row in cells)


@each
def test_no_text_becomes_a_command_of_the_runner(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = Image.parse("docker.io/library/nginx:1")
    assert image is not None
    workflow_log.say(text)
    workflow_log.say(log_line(Result(image, "failure", text)))
    workflow_log.say(f"invalid {one_line(text)!r}: not an image reference")
    told = capsys.readouterr().out
    assert COMMAND.search(told) is None
    assert told.count("\n") == len(told.splitlines()) == 3
    assert all(line.isprintable() for line in told.splitlines())


@each
def test_no_text_becomes_markdown_in_the_summary(text: str, tmp_path: Path) -> None:
    place = tmp_path / "summary.md"
    image = Image.parse("docker.io/library/nginx:1")
    assert image is not None
    result = Result(image, "failure", text, ground=text, more=text, note=text)
    summarise({"GITHUB_STEP_SUMMARY": str(place)}, [result], [text])
    written = place.read_text(encoding="utf-8")
    assert len(plain_cells(written)) == 2
    assert is_harmless(written)


class Insolent(Quiet):
    """A registry that has everything and refuses to serve it, with hostile text."""

    words = ""

    def reply(self) -> None:
        if self.path == "/v2/":
            self.answer(200)
        elif self.command == "HEAD":
            self.answer(200, Docker_Content_Digest=digest_of("a"))
        else:
            error = {"errors": [{"code": "DENIED", "message": self.words, "detail": self.words}]}
            self.answer(403, json.dumps(error).encode(), Content_Type="application/json")


def test_what_a_registry_answers_stays_a_text_in_log_summary_and_status(
    runner: Runner, tally: Counter[str]
) -> None:
    words = [t for t in HOSTILE if len(t) < 100]
    for text in ("\n".join(words[:10]), "\r".join(words[10:20]), " ".join(words[20:])):
        Insolent.words = text
        with serving(Insolent) as address:
            addresses = json.loads(runner.environment()["REGISTRY_ADDRESSES"])
            addresses["evil.example"] = address
            host = address.removeprefix("http://")
            conf = runner.directory / ".config" / "containers" / "registries.conf"
            mapped = f'prefix = "evil.example"\nlocation = "{host}"\ninsecure = true\n'
            conf.write_text(f"{conf.read_text()}\n[[registry]]\n{mapped}")
            env = {"REGISTRY_ADDRESSES": json.dumps(addresses)}
            env["POLICY"] = json.dumps({**POLICY, "registries": ["evil.example"]})
            ran = runner.run("evil.example/a/b:1\n", **env)
            conf.write_text(conf.read_text().rpartition("\n[[registry]]")[0])
        tally["inputs"] += len(words)
        said = ran.statuses["mirror/evil.example/a/b:1"]["description"]
        assert said.isprintable()
        assert len(said) <= 140
        assert said.startswith("source: ")
        assert "denied" in said.lower()  # so the hostile text did arrive
        assert COMMAND.search(ran.output) is None, ran.output
        assert is_harmless(ran.summary)
        assert len(plain_cells(ran.summary)) == 1


SHELL = ("$(touch owned)", "`touch owned`", "a;touch owned", "a\ntouch owned", "a|touch owned")
shell = pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "a$(touch owned)`touch owned`;touch owned\ntouch owned|touch owned",
            marks=pytest.mark.sample,
            id="all",
        ),
        *(pytest.param(text, marks=pytest.mark.chaos, id=ascii(text)) for text in SHELL),
    ],
)


@pytest.mark.sweep(kept=3)
@shell
@pytest.mark.parametrize(
    "name",
    [
        *("HARBOR_HOST", "HARBOR_PREFIX", "NAMING", "MIRROR_USER", "MIRROR_SOURCE_AUTH"),
        *("PARALLEL", "PATIENCE", "SHARD", "SHARDS", "POLICY", "DECISION_KEY", "GITHUB_ACTOR"),
    ],
)
def test_no_value_of_the_workflow_reaches_a_shell(
    name: str, text: str, runner: Runner, tally: Counter[str]
) -> None:
    tally["inputs"] += 1
    ran = runner.run("docker.io/wei/none:1\n", None, **{name: text})
    assert ran.code == 1
    assert not list(runner.directory.glob("**/owned"))
    assert COMMAND.search(ran.output) is None


@shell
@pytest.mark.parametrize("name", ["images", "decision"])
def test_no_input_of_a_dispatch_reaches_a_shell(
    name: str, text: str, runner: Runner, tally: Counter[str]
) -> None:
    tally["inputs"] += 1
    inputs = {"inputs": {name: text}}
    ran = runner.run("", inputs, GITHUB_EVENT_NAME="workflow_dispatch")
    assert ran.code == 1
    assert not list(runner.directory.glob("**/owned"))
    assert COMMAND.search(ran.output) is None


def test_no_workflow_of_ours_puts_an_expression_into_a_script() -> None:
    root = Path(__file__).parents[2]
    files = [BOT / "workflow" / "mirror.yml", *(root / ".github" / "workflows").glob("*.yml")]
    assert len(files) > 1
    for file in files:
        for job in yaml.safe_load(file.read_text("utf-8"))["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in str(step.get("run", "")), file
                assert "script" not in step.get("with", {}), file


def test_every_subprocess_is_given_a_list_of_arguments() -> None:
    import ast  # noqa: PLC0415 - only here

    starts = {"run", "Popen", "call", "check_call", "check_output", "system", "popen"}
    found = 0
    for path in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            assert not name.endswith("create_subprocess_shell"), path
            assert not [k for k in node.keywords if k.arg == "shell"], path
            assert name not in {"os.system", "os.popen", "os.execl", "eval", "exec"}, path
            found += name.rpartition(".")[2] in starts | {"create_subprocess_exec"}
    assert found > 3


# ---- the chat


def values_of(phrase_key: str, text: str) -> dict[str, Any]:
    """Return a value for each variable that a pattern names."""
    pattern = BOT / "locales" / "en.ftl"
    body = re.split(r"\n(?=[a-z#])", pattern.read_text("utf-8"))
    own = next(part for part in body if part.startswith(f"{phrase_key} ="))
    numeric = re.findall(r"\{ ?\$(\w+) ->", own)
    named = re.findall(r"\$(\w+)", own)
    return {name: 2 if name in numeric else text for name in named}


def keys() -> list[str]:
    pattern = BOT / "locales" / "en.ftl"
    return re.findall(r"^([a-z][a-z0-9-]*) =", pattern.read_text("utf-8"), re.MULTILINE)


@some_or_all
def test_every_message_shows_any_text_as_it_is(texts: Sequence[str], tally: Counter[str]) -> None:
    words = TelegramWords()
    calm = {key: values_of(key, "calm") for key in keys()}
    for key, language in product(calm, Language):
        text, entities = parsed(words.render(Message((say(key, **calm[key]),)), language).html)
        tags = [entity["type"] for entity in entities]
        for hostile in texts:
            tally["inputs"] += 1
            values = {k: hostile if v == "calm" else v for k, v in calm[key].items()}
            rendered = words.render(Message((say(key, **values),)), language)
            shown, found = parsed(rendered.html)  # raises where Telegram would refuse it
            assert [entity["type"] for entity in found] == tags, (key, hostile)
            assert len(shown.splitlines()) <= len(text.splitlines()), (key, hostile)
            plain = words.plain(say(key, **values), language)
            assert all(c.isprintable() or c == "\n" for c in plain), (key, hostile)


@pytest.mark.sweep(kept=6)
@each
def test_a_list_that_is_searched_for_hostile_words_is_shown_as_it_is(text: str) -> None:
    words = TelegramWords()
    page = list_page([NGINX], {}, text=text, page=0, target=TARGET, now=Clock().now)
    shown, entities = parsed(words.render(page, Language.EN).html)
    assert len(shown.splitlines()) == 2
    assert {entity["type"] for entity in entities} <= {"code", "bold"}
    for question in QuestionKind:
        trouble = Trouble(TroubleKind.OTHER, line=text)
        shown, entities = parsed(words.render(unanswered(question, trouble), Language.EN).html)
        assert "text_link" not in {entity["type"] for entity in entities}


@some_or_all
async def test_a_conversation_among_hostile_names_reasons_and_files_stays_one(
    texts: Sequence[str], tmp_path: Path, tally: Counter[str]
) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX, STATIC)
        for text in texts:
            tally["inputs"] += 1
            w.registries.source[str(STATIC)] = RefusedError(f"gcr.io answers 403: {text}"[:200])
            w.registries.tagged["docker.io/library/nginx"] = ("1.27",)
            wei, ana = replace(WEI, name=text), replace(ANA, name=text)
            await w.say(wei, f"/mirror gcr.io/distroless/base:{len(text)}")
            await w.say(wei, f"/mirror {text}")
            await w.say(ana, f"/reject #1 {text}")
            await w.say(wei, f"/lookup {STATIC}")
            await w.say(wei, f"/list {text[:16]}")
            await w.say(replace(MALLORY, name=text), "/mirror x")
            await w.send(wei, text[:100], b"FROM nginx:1.27\n")
            await w.settle(90, step=15)
        for said in w.chat.messages.values():
            for version in said.texts:
                _, entities = parsed(version)
                links = [e for e in entities if e["type"] == "text_link"]
                assert not links, version


# ---- commit messages


CHOSEN = ("[skip ci]", "[ci skip]", "[no ci]", "skip-checks: true", "***NO_CI***")


async def test_no_text_that_a_person_chose_gets_into_a_commit(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        w.upstream(NGINX, STATIC)
        for mark in CHOSEN:
            name = f"Wei {mark}\n\nBatch: forged\nSeal: {'0' * 64}"
            await w.say(replace(WEI, name=name), f"/mirror {NGINX} {STATIC}")
            await w.settle(10, step=5)
            await w.say(replace(ANA, name=name), "/approve #1")
            await w.say(replace(ANA, name=name), f"/reject #2 {mark}")
            await w.settle(40, step=5)
        assert w.repository.commits
        allowed = re.compile(
            r"Mirror (2 images|[a-z./]+:[a-z0-9.]+)\n\nBatch: \w+\nTime: [0-9TZ:-]+\n"
            r"(Image: [a-z./]+:[a-z0-9.]+@sha256:[0-9a-f]{64}; asked p:[0-9a-f]{8};"
            r" approved (p:[0-9a-f]{8}|rule [a-z./*]+)\n)+Seal: [0-9a-f]{64}\n"
        )
        for _, message in w.repository.commits:
            assert allowed.fullmatch(message), message


@pytest.mark.parametrize(
    "text",
    ["a/b:[skip", "nginx:1\nx", "nginx:1\n\nBatch: x", "a[skip ci]b", "nginx:1 [skip ci]", "a/b\r"],
)
def test_no_image_holds_what_a_commit_message_must_not(text: str) -> None:
    with pytest.raises(BadReference):
        ImageRef.parse(text)


def test_a_reason_is_one_line_from_the_start() -> None:
    rejected = parse("/reject #4 no\n\nBatch: x\r\n[skip ci]", me="b", target_host="h")
    assert rejected is not None
    assert "\n" not in getattr(rejected.parsed, "reason", "\n")
