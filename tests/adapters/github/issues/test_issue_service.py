"""Issues as a service, over the sandbox's GitHub: what is heard, what is written, and what not."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from store_fixture import fresh_store

from bot.adapters.github.issues import chat_of, message_of
from bot.adapters.github.issues.api import IssueRepository
from bot.adapters.github.issues.budget import ContentBudget
from bot.adapters.github.issues.chat import Accounts, IssueChat
from bot.adapters.github.issues.client import IssueTracker
from bot.adapters.github.issues.polling import Collaborators, IssuePolling
from bot.adapters.github.issues.rendering import IssueWords
from bot.adapters.store import SqliteStore
from bot.check.issues import issues as check_issues
from bot.config import IssuesSection
from bot.core.errors import RefusedError, TransientError
from bot.core.ids import Place, UpdateKey
from bot.core.standing import Standing
from bot.dialog.language import Language
from bot.dialog.message import Message, Text, say
from bot.engine.intake.context import Incoming
from bot.engine.ports.chat import Document
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.server import GitHub
from bot.sandbox.issue_people import issue_routes
from bot.sandbox.serve import served

FORM = {"Images": False, "File": True}
REPO = "/github/repos/team/mirror"
WORDS = Text(Message((say("no-request", request="41"),)), Language.EN)


@dataclass
class Heard:
    """Takes every update once, as intake does. `trouble` is raised once each."""

    incoming: list[Incoming] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)
    seen: set[UpdateKey] = field(default_factory=set)

    async def receive(self, incoming: Incoming) -> bool:
        if self.trouble:
            raise self.trouble.pop(0)
        if incoming.update not in self.seen:
            self.seen.add(incoming.update)
            self.incoming.append(incoming)
        return True

    async def pass_over(self, update: UpdateKey) -> None:
        self.seen.add(update)

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.incoming]


@dataclass
class Site:
    github: GitHub
    faults: ArmedFaults
    web: httpx.AsyncClient
    repository: IssueRepository
    tracker: IssueTracker
    store: SqliteStore
    heard: Heard
    clock: list[float]
    polling: IssuePolling
    chat: IssueChat

    async def does(self, who: str, what: str, **given: Any) -> dict[str, Any]:
        answer = await self.web.post("/api/issues", json={"as": who, "do": what, **given})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def opens(self, who: str = "wei", body: str = "/mirror nginx:1.27") -> int:
        return int((await self.does(who, "open", title="Images", body=body))["issue"])

    def restart(self, *, now: datetime | None = None) -> None:
        """Begin with nothing in memory."""
        accounts = Accounts(self.tracker, lambda: self.clock[0])
        self.polling = IssuePolling(
            tracker=self.tracker,
            accounts=accounts,
            collaborators=Collaborators(self.tracker, lambda: self.clock[0]),
            receiver=self.heard,
            store=self.store,
            form=FORM,
            language=Language.EN,
            clock=lambda: now or datetime.now(UTC),
            alive=_nothing,
        )
        budget = ContentBudget(lambda: self.clock[0])
        words = IssueWords()
        self.chat = IssueChat(self.tracker, words, accounts=accounts, budget=budget, form=FORM)

    def comments(self, issue: int = 1) -> list[str]:
        return [each.body for each in self.github.issues.seen().comments_of(issue)]


async def _nothing() -> None: ...


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("NO_PROXY", "*")
    faults = ArmedFaults()
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(
            GitHub(
                data=tmp_path,
                name="team/mirror",
                files={"image.list": b"nginx:1.26\n"},
                faults=faults,
                environment={"HOME": str(tmp_path)},
            )
        )
        app = Starlette(routes=[*issue_routes(github), Mount("/github", app=github.app)])
        port = await stack.enter_async_context(served(app))
        repository = IssueRepository(
            api=f"http://127.0.0.1:{port}/github",
            token=github.token,
            repository="team/mirror",
            branch="main",
            path="image.list",
            workflow="mirror.yml",
            between=(0.0, 0.0),
        )
        stack.callback(repository.close)
        web = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        await stack.enter_async_context(web)
        store = await fresh_store(tmp_path / "bot.db")
        stack.push_async_callback(store.close)
        made: dict[str, Any] = {"polling": None, "chat": None}
        tracker = IssueTracker(repository)
        here = Site(
            github, faults, web, repository, tracker, store, Heard(), [time.monotonic()], **made
        )
        here.restart()
        await here.polling.poll()
        yield here


async def test_an_issue_and_its_comments_are_heard_in_order_and_once(site: Site) -> None:
    number = await site.opens("wei", "### Images\n\nnginx:1.27\n\n### File\n\n_No response_")
    await site.does("wei", "comment", issue=number, body="/status #1")
    await site.does("li", "comment", issue=number, body="looks good")
    for _ in range(2):
        await site.polling.poll()
        site.restart()
    await site.polling.poll()
    assert [text.split() for text in site.heard.texts] == [
        ["/mirror", "nginx:1.27"],
        ["/status", "#1"],
    ]
    first = site.heard.incoming[0]
    assert (first.person.id, first.person.name) == ("github:583229", "wei")
    assert (first.place, first.message) == (Place(chat_of(1)), message_of(1, 0))
    assert first.stranger is False


async def test_what_was_there_before_the_first_start_starts_nothing(site: Site) -> None:
    number = await site.opens()
    async with site.store.begin() as unit:
        await unit.save_cursor("github-issues", int(time.time()) + 300)
    await site.polling.poll()
    await site.does("wei", "touch", issue=number)
    await site.polling.poll()
    assert site.heard.texts == []


@pytest.mark.parametrize("who", ["bot", "app"])
async def test_bots_and_the_own_account_are_nobody(site: Site, who: str) -> None:
    number = await site.opens("wei", "hello")
    await site.does(who, "comment", issue=number, body="/approve 41 aB3_-x9Q")
    await site.polling.poll()
    assert site.heard.texts == []


async def test_an_edited_text_starts_nothing_and_is_told_once(site: Site) -> None:
    number = await site.opens("ana", "hello")
    comment = (await site.does("ana", "comment", issue=number, body="/status"))["comment"]
    await site.does("ana", "edit", comment=comment, body="/approve 41 aB3_-x9Q")
    for _ in range(2):
        await site.polling.poll()
        site.restart()
    assert site.heard.texts == []
    async with site.store.begin() as unit:
        notes = await unit.notes()
    assert [note.text.message.lines[0].key for note in notes] == ["issue-edited"]


async def test_a_text_that_is_edited_after_it_was_taken_is_not_told(site: Site) -> None:
    number = await site.opens("wei", "/status")
    await site.polling.poll()
    await site.does("wei", "edit", issue=number, body="/status now")
    await site.does("wei", "touch", issue=number)
    await site.polling.poll()
    assert site.heard.texts == ["/status"]


async def test_a_change_that_is_no_edit_hinders_nothing(site: Site) -> None:
    number = await site.opens("wei", "/status")
    await site.does("wei", "touch", issue=number)
    await site.does("li", "react", issue=number, content="+1")
    await site.polling.poll()
    assert site.heard.texts == ["/status"]


async def test_a_stranger_and_a_pull_request_are_known(site: Site) -> None:
    await site.opens("mallory", "/mirror nginx")
    await site.does("wei", "open", title="x", body="/mirror nginx", pull=True)
    await site.polling.poll()
    assert [(each.person.name, each.stranger) for each in site.heard.incoming] == [
        ("mallory", True)
    ]


async def test_nothing_is_lost_while_the_store_or_github_fails(site: Site) -> None:
    await site.opens("wei", "/status")
    site.heard.trouble = [TransientError("the disk is full")]
    with pytest.raises(TransientError):
        await site.polling.poll()
    site.heard.trouble = [ValueError("a bug")]
    await site.opens("wei", "/help")
    await site.polling.poll()
    assert site.heard.texts == ["/help"]  # what hit the bug is skipped, and the rest goes on


async def test_an_outage_after_a_quiet_day_loses_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(site.polling, "_clock", lambda: now)
    await site.opens(body="nothing for the bot")
    for _ in range(2):
        await site.polling.poll()
    await site.does("wei", "comment", issue=1, body="/mirror redis:7")
    now += timedelta(hours=25)  # GitHub's own clock stays
    with monkeypatch.context() as broken:
        broken.setattr(site.tracker, "_listed", _unreachable)
        with pytest.raises(TransientError):
            await site.polling.poll()
    await site.polling.poll()

    assert site.heard.texts == ["/mirror redis:7"]


async def _unreachable(*_: object) -> None:
    raise TransientError("GitHub cannot be reached")


async def test_no_comment_is_passed_over_while_others_change_between_two_pages() -> None:
    start = datetime(2026, 12, 1, tzinfo=UTC)
    changed = {number: start + timedelta(seconds=number) for number in range(250)}

    class Changing:
        """Lists comments as GitHub does. Somebody edits an old one after each page."""

        async def api(self, method: str, path: str, body: object = None) -> list[dict[str, Any]]:
            assert (method, body) == ("GET", None)
            asked = httpx.URL(path).params
            since, page = datetime.fromisoformat(asked["since"]), int(asked["page"])
            listed = sorted((at, n) for n, at in changed.items() if at >= since)
            some = listed[100 * (page - 1) : 100 * page]
            oldest = min(changed, key=lambda n: changed[n])
            changed[oldest] = max(changed.values()) + timedelta(seconds=1)
            return [_listed_comment(number, at) for at, number in some]

        exists = query = None

    found = await IssueTracker(Changing()).comments(start)  # type: ignore[arg-type]

    assert sorted(post.comment for post in found) == [*range(250)]


async def test_a_page_of_one_second_does_not_hold_up_what_follows() -> None:
    start = datetime(2026, 12, 1, tzinfo=UTC)

    class OneSecond:
        async def api(self, method: str, path: str, body: object = None) -> list[dict[str, Any]]:
            assert (method, body) == ("GET", None)
            page = int(httpx.URL(path).params["page"])
            numbers = range(100 * (page - 1), min(100 * page, 250))
            return [_listed_comment(number, start) for number in numbers]

        exists = query = None

    found = await IssueTracker(OneSecond()).comments(start)  # type: ignore[arg-type]

    assert sorted(post.comment for post in found) == [*range(250)]


def _listed_comment(number: int, at: datetime) -> dict[str, Any]:
    time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": number,
        "node_id": f"IC_{number}",
        "issue_url": "https://api.github.com/repos/team/mirror/issues/1",
        "user": {"id": 583231, "login": "wei", "type": "User"},
        "created_at": time,
        "updated_at": time,
    }


async def test_an_idle_hour_costs_no_call_that_counts(site: Site) -> None:
    await site.opens("wei", "/status")
    await site.polling.poll()
    await site.polling.poll()
    before = site.repository.budget()
    for _ in range(40):
        await site.polling.poll()
    assert site.repository.budget() == before
    assert before is not None


async def test_a_file_is_fetched_unless_it_was_edited(site: Site) -> None:
    fence = "```yaml compose.yaml\nservices: {}\n```"
    number = await site.opens("wei", f"/mirror\n{fence}")
    await site.polling.poll()
    file = site.heard.incoming[0].file
    assert file is not None
    assert file.name == "compose.yaml"
    assert await site.chat.fetch(file.file_id, limit=100) == b"services: {}"
    with pytest.raises(RefusedError, match="too large"):
        await site.chat.fetch(file.file_id, limit=5)
    await site.does("wei", "edit", issue=number, body="/mirror\n```yaml\nservices: {a: {}}\n```")
    for lost in (file.file_id, file.file_id.replace(":0:", ":1:"), "nonsense"):
        with pytest.raises(RefusedError):
            await site.chat.fetch(lost, limit=100)


async def test_two_files_are_two_requests(site: Site) -> None:
    await site.opens("wei", "/mirror\n```yaml\na: 1\n```\n```dockerfile\nFROM nginx\n```")
    await site.polling.poll()
    assert [(each.text, each.file and each.file.name) for each in site.heard.incoming] == [
        ("/mirror", "file.yaml"),
        ("/mirror", "Dockerfile"),
    ]
    assert len({each.update for each in site.heard.incoming}) == 2


async def test_a_comment_whose_answer_was_lost_is_not_posted_twice(site: Site) -> None:
    place = Place(chat_of(await site.opens()))
    site.faults.arm(where="github", what="lost", times=1, path="POST /github/repos")
    with pytest.raises(TransientError):
        await site.chat.send(place, WORDS, reply_to=None, key="card 41")
    assert len(site.comments()) == 1
    site.restart()
    other = replace(WORDS, language=Language.ZH_CN)
    found = await site.chat.send(place, other, reply_to=None, key="card 41")
    assert len(site.comments()) == 1
    assert "没有" in site.comments()[0]
    await site.does("mallory", "comment", issue=1, body=site.comments()[0])
    assert await site.chat.send(place, other, reply_to=None, key="card 41") == found
    assert await site.chat.send(place, WORDS, reply_to=None, key="card 42") != found


async def test_a_result_mentions_who_asked_and_a_card_nobody(site: Site) -> None:
    place = Place(chat_of(await site.opens()))
    await site.chat.send(place, WORDS, reply_to=message_of(1, 0), key="card 41")
    await site.chat.send(place, WORDS, reply_to=message_of(1, 0), key="result 41")
    card, result = site.comments()
    assert "@" not in card
    assert result.startswith("@wei ")
    await site.chat.edit(place, message_of(1, 3_100_000_001), WORDS)
    await site.chat.delete(place, message_of(1, 3_100_000_001))
    await site.chat.delete(place, message_of(1, 3_100_000_001))
    with pytest.raises(RefusedError):
        await site.chat.edit(place, message_of(1, 3_100_000_001), WORDS)


async def test_a_file_comes_back_as_a_block_unless_it_is_too_long(site: Site) -> None:
    place = Place(chat_of(await site.opens()))
    for size, key in ((10, "file 1"), (61_000, "file 2")):
        document = Document("compose.yaml", b"`" * size)
        await site.chat.send_file(place, document, WORDS, reply_to=None, key=key)
    short, long = site.comments()
    assert f"{'`' * 11}yaml\n{'`' * 10}\n" in short
    assert "too long" in long


async def test_the_budget_leaves_room_for_results_and_waits(site: Site) -> None:
    place = Place(chat_of(await site.opens()))
    budget = ContentBudget(lambda: site.clock[0])
    for _ in range(64):
        budget.count()
    assert budget.wait(card=True) == pytest.approx(60)
    assert budget.wait(card=False) == 0
    for _ in range(16):
        budget.count()
    assert budget.wait(card=False) == pytest.approx(60)
    site.chat._budget = budget
    with pytest.raises(TransientError) as waits:
        await site.chat.send(place, WORDS, reply_to=None, key="result 1")
    assert waits.value.retry_after == pytest.approx(60)
    site.clock[0] += timedelta(minutes=1).total_seconds()
    await site.chat.send(place, WORDS, reply_to=None, key="result 1")


async def test_check_says_who_reads_who_decides_and_refuses_the_bots_own_account(
    site: Site,
) -> None:
    def settings(**section: Any) -> Any:
        issues = IssuesSection.model_validate_json(json.dumps(section))
        github = SimpleNamespace(issues=issues, repository="team/mirror")
        return SimpleNamespace(github=github)

    async def told(**section: Any) -> list[str]:
        repository: Any = site.repository
        lines = [line async for line in check_issues(repository, settings(**section))]
        return [f"{line.name}: {line.text}" for line in lines]

    me = await site.tracker.me()
    public = await told(admins=[583231, 999], anybody=True)
    assert "issues: the repository is public: everybody on the internet may ask" in public
    assert "admin in issues: 583231 is ana" in public
    assert any(line.startswith("admin in issues: 999: GitHub: Not Found") for line in public)
    assert "form of issues: the form is not in the repository" in public
    own = await told(admins=[me.id])
    assert any("and the account that the bot writes by" in line for line in own)
    await site.web.post("/api/github", json={"private": True})
    assert "issues: who may read the repository reads what is asked and decided" in await told()
    off: Any = SimpleNamespace(github=SimpleNamespace(issues=None))
    assert [line async for line in check_issues(off, off)] == []


async def test_an_issue_is_labelled_closed_and_opened_again_as_its_requests_stand(
    site: Site,
) -> None:
    issue = await site.opens()
    await site.does("wei", "label", issue=issue, labels=["bug"])
    chat, asked = chat_of(issue), [message_of(issue, 0)]
    for standing, state in (
        (Standing.WAITING, "open"),
        (Standing.DONE, "closed"),
        (Standing.WORKING, "open"),
        (Standing.FAILED, "closed"),
    ):
        await site.chat.show_standing(chat, standing, asked)
        found = site.github.issues.seen().issue(issue)
        assert (sorted(found.labels), found.state) == (["bug", f"mirror: {standing}"], state)
    other = await site.opens("li", "a discussion")
    await site.chat.show_standing(chat_of(other), Standing.DONE, [message_of(other, 7)])
    assert site.github.issues.seen().issue(other).state == "open"


FAULTS = ("lost", "status 502", "status 403", "lag 2", "reset")


@pytest.mark.sweep(kept=1)
@pytest.mark.parametrize("seed", range(12))
async def test_whatever_fails_and_whenever_it_is_killed_nothing_is_lost_or_twice(
    site: Site, seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - no secret is made of it
    place = Place(chat_of(await site.opens("li", "a discussion")))
    asked: list[str] = []
    sent = {f"note {number}": False for number in range(4)}
    for step in range(12):
        if chance.random() < 0.6:
            asked.append(f"/status #{step}")
            await site.does("wei", "comment", issue=1, body=asked[-1])
        with suppress(ValueError):  # a fault that this version of the sandbox does not know
            site.faults.arm(
                where="github",
                what=chance.choice(FAULTS),
                path=chance.choice(["GET ", "POST ", ""]),
            )
        with suppress(TransientError, RefusedError):
            await site.polling.poll()
        key = chance.choice([*sent])
        with suppress(TransientError, RefusedError):
            await site.chat.send(place, WORDS, reply_to=None, key=key)
            sent[key] = chance.random() < 0.5  # or it is killed before it is stored
        if chance.random() < 0.4:
            site.restart()
    site.faults.clear()
    for key in sent:
        await site.chat.send(place, WORDS, reply_to=None, key=key)
    for _ in range(2):
        await site.polling.poll()
        site.restart()
    assert sorted(site.heard.texts) == sorted(asked)
    own = [body for body in site.comments() if "imageto-bot" in body]
    assert len(own) == len(sent)
    assert len(set(own)) == len(sent)
