"""The issues of the sandbox's GitHub: what REST and GraphQL answer, and who may do what."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.act import Job
from bot.sandbox.github.server import GitHub
from bot.sandbox.github.triggers import WORKFLOW
from bot.sandbox.issue_people import issue_routes

SCHEMAS = json.loads((Path(__file__).parent / "github_schemas.json").read_text(encoding="utf-8"))
ISSUE_1 = '{ repository(owner: "ana", name: "mirror") { issue(number: 1) { %s } } }'
REPO = "/github/repos/ana/mirror"


@dataclass
class World:
    github: GitHub
    faults: ArmedFaults
    web: httpx.AsyncClient
    token: str = ""

    def log_in_as_app(self) -> None:
        self.token, _ = self.github.login.new_token()

    async def does(self, who: str, what: str, **given: Any) -> dict[str, Any]:
        """Let somebody act as on GitHub's page. Returns the answer, or {"error": words}."""
        answer = await self.web.post("/api/issues", json={"as": who, "do": what, **given})
        found: dict[str, Any] = answer.json()
        return found

    async def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        head = {"Authorization": f"Bearer {self.token or self.github.token}"}
        head |= given.pop("headers", {})
        path = path if path.startswith("/github") else f"{REPO}{path}"
        return await self.web.request(method, path, headers=head, **given)

    async def get(self, path: str, **params: Any) -> Any:
        return (await self.ask("GET", path, **({"params": params} if params else {}))).json()

    async def query(self, query: str, **variables: Any) -> Any:
        data = {"query": query, "variables": variables}
        return (await self.ask("POST", "/github/graphql", json=data)).json()


async def no_runner(act: str, job: Job) -> bool:
    return True


@asynccontextmanager
async def world_of(
    data: Path, more: Mapping[str, bytes] = MappingProxyType({})
) -> AsyncIterator[World]:
    faults = ArmedFaults()
    files = {"image.list": b"nginx:1.27\n", WORKFLOW: b"on: workflow_dispatch", **more}
    github = GitHub(
        data=data, name="ana/mirror", files=files, faults=faults, environment={}, runner=no_runner
    )
    app = Starlette(routes=[*issue_routes(github), Mount("/github", app=github.app)])
    transport = httpx.ASGITransport(app)
    async with github, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as web:
        yield World(github, faults, web)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_of(tmp_path) as made:
        yield made


def as_described(kind: str, answer: Any) -> None:
    schema = {"$ref": f"#/$defs/{kind}", "$defs": SCHEMAS["$defs"]}
    wrong = [
        f"{kind}{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(answer)
    ]
    assert wrong == []


async def test_answers_have_the_form_that_github_describes(world: World) -> None:
    for as_app in (False, True):
        if as_app:
            world.log_in_as_app()
        made = await world.ask(
            "POST", "/issues", json={"title": "Images", "labels": ["bug"], "assignees": ["wei"]}
        )
        issue = made.json()
        one = f"/issues/{issue['number']}"
        comment = (await world.ask("POST", f"{one}/comments", json={"body": "nginx"})).json()
        assert (comment["performed_via_github_app"] is not None) == as_app
        assert comment["id"] > 1 << 31
        reaction = await world.ask("POST", f"{one}/reactions", json={"content": "+1"})
        as_described("reaction", reaction.json())
        for method, path, kind in (
            ("GET", one, "issue"),
            ("PATCH", one, "issue"),
            ("GET", f"/issues/comments/{comment['id']}", "issue-comment"),
            ("GET", "/labels/bug", "label"),
            ("GET", "/collaborators/wei/permission", "repository-collaborator-permission"),
            ("GET", "/github/users/wei", "public-user"),
            ("GET", "/github/user/583231", "public-user"),
        ):
            body = {"json": {"state": "closed"}} if method == "PATCH" else {}
            as_described(kind, (await world.ask(method, path, **body)).json())
        for path, kind in (
            ("/issues?state=all", "issue"),
            (f"{one}/comments", "issue-comment"),
            ("/issues/comments", "issue-comment"),
            (f"{one}/labels", "label"),
            ("/labels", "label"),
            (f"{one}/reactions", "reaction"),
            ("/collaborators", "collaborator"),
            ("/assignees", "simple-user"),
        ):
            found = await world.get(path)
            assert found, path
            for each in found:
                as_described(kind, each)


async def test_what_is_older_here_has_that_form_too(world: World) -> None:
    await world.ask("POST", "/actions/workflows/mirror.yml/dispatches", json={"ref": "main"})
    async with asyncio.timeout(90):
        while not (runs := (await world.get("/actions/runs"))["workflow_runs"]):
            await asyncio.sleep(0.05)
    as_described("workflow-run", runs[0])
    assert len(json.dumps(runs[0])) > 10_000  # GitHub's own has 12,700 bytes
    tip = (await world.get("/git/ref/heads/main"))["object"]["sha"]
    status = await world.ask("POST", f"/statuses/{tip}", json={"state": "success"})
    as_described("status", status.json())
    for path, kind in (
        ("", "full-repository"),
        ("/git/ref/heads/main", "git-ref"),
        (f"/git/commits/{tip}", "git-commit"),
        (f"/commits/{tip}", "commit"),
        ("/contents/image.list", "content-file"),
        ("/actions/workflows/mirror.yml", "workflow"),
    ):
        as_described(kind, await world.get(path))
    jobs = (await world.get(f"/actions/runs/{runs[0]['id']}/jobs"))["jobs"]
    as_described("job", jobs[0])


async def test_a_renamed_repository_leads_on_and_an_archive_takes_nothing(world: World) -> None:
    await world.web.post("/api/github", json={"name": "ana/images"})
    old = "/github/repos/ana/mirror/issues"
    asked = await world.ask("GET", old, params={"state": "all"})
    assert (asked.status_code, asked.json()["message"]) == (301, "Moved Permanently")
    assert asked.headers["location"] == "http://127.0.0.1/github/repositories/1/issues?state=all"
    written = await world.ask("POST", old, json={"title": "Images"})
    assert written.status_code == 307
    at = written.headers["location"].removeprefix("http://127.0.0.1")
    made = await world.ask("POST", at, json={"title": "Images"})
    assert made.json()["url"].endswith("/repos/ana/images/issues/1")
    assert (await world.get("/github/repos/Ana/Images"))["full_name"] == "ana/images"
    assert (await world.ask("GET", "/github/repositories/2")).status_code == 404
    await world.web.post("/api/github", json={"archived": True})
    blob = await world.ask("POST", "/github/repos/ana/images/git/blobs", json={"content": "x"})
    assert (blob.status_code, "archived so is read-only" in blob.text) == (403, True)


async def test_a_collaborator_is_told_from_a_stranger_by_one_route_alone(world: World) -> None:
    for who, status, level in (
        ("wei", 204, "write"),
        ("li", 204, "read"),
        ("mallory", 404, "read"),
    ):
        assert (await world.ask("GET", f"/collaborators/{who}")).status_code == status
        assert (await world.get(f"/collaborators/{who}/permission"))["permission"] == level
    world.github.state.private = True
    assert (await world.get("/collaborators/mallory/permission"))["permission"] == "none"
    assert (await world.does("mallory", "open", title="hello"))["error"] == "Not Found"
    assert (await world.ask("GET", "/collaborators/nobody")).status_code == 404


async def test_a_login_changes_hands_and_the_id_stays(world: World) -> None:
    await world.does("wei", "open", title="mine")
    await world.web.post("/api/github", json={"person": "wei", "login": "wei-lin"})
    assert (await world.ask("GET", "/github/users/wei")).status_code == 404
    await world.web.post("/api/github", json={"person": "mallory", "login": "wei"})
    await world.does("mallory", "open", title="not wei's")
    newest, oldest = await world.get("/issues")
    assert (newest["user"]["login"], newest["author_association"]) == ("wei", "NONE")
    assert (oldest["user"]["login"], oldest["author_association"]) == ("wei-lin", "COLLABORATOR")
    assert (await world.get("/github/user/583229"))["login"] == "wei-lin"
    taken = await world.web.post("/api/github", json={"person": "li", "login": "Wei"})
    assert taken.json()["error"] == "the login 'Wei' is taken"


async def test_only_graphql_tells_an_edit_from_other_changes(world: World) -> None:
    issue = (await world.does("wei", "open", title="Images", body="nginx\nredis"))["issue"]
    comment = (await world.does("li", "comment", issue=issue, body="/status"))["comment"]
    assert (await world.get(f"/issues/{issue}"))["body"] == "nginx\r\nredis"  # as browsers send it
    by_node = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Comment { lastEditedAt } } }"
    by_number = ISSUE_1 % (
        "lastEditedAt comments(first: 100) { nodes { fullDatabaseId lastEditedAt } }"
    )
    nodes = [
        (await world.get(path))["node_id"]
        for path in (f"/issues/{issue}", f"/issues/comments/{comment}")
    ]

    async def edited() -> tuple[bool, bool]:
        first, second = (await world.query(by_node, ids=nodes))["data"]["nodes"]
        same = (await world.query(by_number))["data"]["repository"]["issue"]
        assert same["lastEditedAt"] == first["lastEditedAt"]
        assert same["comments"]["nodes"] == [
            {"fullDatabaseId": str(comment), "lastEditedAt": second["lastEditedAt"]}
        ]
        return first["lastEditedAt"] is not None, second["lastEditedAt"] is not None

    await world.does("ana", "touch", comment=comment)
    await world.does("ana", "react", comment=comment, content="rocket")
    await world.does("ana", "label", issue=issue, labels=["bug"])
    assert await edited() == (False, False)
    # Whoever may write to the repository may put words into somebody's mouth.
    await world.does("wei", "edit", comment=comment, body="/approve 1")
    assert await edited() == (False, True)
    await world.does("wei", "edit", issue=issue, body="other")
    assert await edited() == (True, True)


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ('{ node(id: "IC_1") { id } }', "NOT_FOUND"),
        ('{ repository(owner: "ana", name: "other") { nameWithOwner } }', "NOT_FOUND"),
        ('{ repository(owner: "ana", name: "mirror") { issue(number: 9) { id } } }', "NOT_FOUND"),
        (ISSUE_1 % "comments { totalCount }", "MISSING_PAGINATION_BOUNDARIES"),
        (ISSUE_1 % "comments(first: 101) { totalCount }", "EXCESSIVE_PAGINATION"),
        (f"{{ nodes(ids: {json.dumps(['I_1'] * 101)}) {{ id }} }}", "ARGUMENT_LIMIT"),
        ("{ viewer { password } }", None),
    ],
)
async def test_a_wrong_query_is_refused_in_graphql_words(
    world: World, query: str, kind: str | None
) -> None:
    await world.does("wei", "open", title="Images")
    assert (await world.query(query))["errors"][0].get("type") == kind


async def test_an_app_learns_who_it_is_by_graphql_alone(world: World) -> None:
    assert (await world.get("/github/user"))["login"] == "mirror-bot"
    world.log_in_as_app()
    assert (await world.ask("GET", "/github/user")).status_code == 403
    world.github.login.permissions["issues"] = "read"
    refused = await world.ask("POST", "/issues", json={"title": "Images"})
    assert refused.headers["x-accepted-github-permissions"] == "issues=write"
    viewer = (await world.query("{ viewer { login databaseId } }"))["data"]["viewer"]
    assert viewer == {"login": "mirror-bot[bot]", "databaseId": 583201}


async def test_lists_are_filtered_sorted_and_paged(world: World) -> None:
    for number in range(1, 6):
        await world.does("wei", "open", title=f"n{number}", pull=number == 5)
    await world.does("ana", "close", issue=2, reason="not_planned")
    await world.does("ana", "label", issue=3, labels=["Mirror"])
    await world.does("li", "comment", issue=1, body="more")

    async def numbers(**asked: Any) -> list[int]:
        return [each["number"] for each in await world.get("/issues", **asked)]

    assert await numbers() == [5, 4, 3, 1]
    assert "pull_request" in (await world.get("/issues"))[0]
    assert await numbers(direction="asc", state="all") == [1, 2, 3, 4, 5]
    assert await numbers(state="closed") == [2]
    assert await numbers(labels="mirror") == [3]
    assert (await numbers(sort="comments"))[0] == 1
    assert await numbers(creator="ana") == []
    assert await numbers(since="2199-01-01T00:00:00Z") == []
    assert await numbers(since="2020-01-01T08:00:00+08:00", per_page=2, page=2) == [3, 1]
    first = await world.ask("GET", "/issues", params={"per_page": 2})
    assert 'page=2>; rel="next"' in first.headers["link"]
    for wrong in ({"sort": "size"}, {"direction": "up"}, {"since": "soon"}, {"state": "ajar"}):
        assert (await world.ask("GET", "/issues", params=wrong)).status_code == 422


async def test_what_did_not_change_is_a_304_and_costs_nothing(world: World) -> None:
    await world.does("wei", "open", title="Images")
    first = await world.ask("GET", "/issues/comments", params={"since": "2020-01-01T00:00:00Z"})
    tag = {"If-None-Match": first.headers["etag"]}
    again = await world.ask("GET", "/issues/comments", headers=tag)
    assert again.status_code == 304
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]
    await world.does("li", "comment", issue=1, body="hello")
    assert (await world.ask("GET", "/issues/comments", headers=tag)).status_code == 200


async def test_what_github_refuses_is_refused_in_its_words(world: World) -> None:
    await world.does("wei", "open", title="Images")
    await world.does("wei", "open", title="Gone")
    await world.does("ana", "delete", issue=2)
    long = "x" * 65_537
    for method, path, body, status, words in (
        ("GET", "/issues/2", None, 410, "This issue was deleted"),
        ("POST", "/issues/2/comments", {"body": "hi"}, 410, "This issue was deleted"),
        ("GET", "/issues/9", None, 404, "Not Found"),
        ("POST", "/issues", {"body": "no title"}, 422, "title"),
        ("POST", "/issues", {"title": "x" * 257}, 422, "title is too long"),
        (
            "POST",
            "/issues",
            {"title": "x", "body": long},
            422,
            "body is too long (maximum is 65536",
        ),
        ("POST", "/issues/1/comments", {"body": long}, 422, "Body is too long (maximum is 65536"),
        ("POST", "/issues/1/comments", {"body": " "}, 422, "Body cannot be blank"),
        ("PATCH", "/issues/1", {"state": "ajar"}, 422, "Validation Failed"),
        ("POST", "/issues/1/reactions", {"content": "clap"}, 422, "Validation Failed"),
        ("POST", "/labels", {"name": "BUG"}, 422, "already_exists"),
        ("DELETE", "/issues/1/labels/bug", None, 404, "Label does not exist"),
    ):
        answer = await world.ask(method, path, **({} if body is None else {"json": body}))
        assert (answer.status_code, words in answer.text) == (status, True), (path, answer.text)
    ok = await world.ask("POST", "/issues/1/comments", json={"body": "鏡" * 65_536})
    assert ok.status_code == 201


async def test_a_locked_or_archived_place_takes_no_words(world: World) -> None:
    await world.does("wei", "open", title="Images")
    await world.does("ana", "lock", issue=1)
    locked = {"error": "Unable to create comment because issue is locked."}
    assert await world.does("mallory", "comment", issue=1, body="hi") == locked
    assert "comment" in await world.does("wei", "comment", issue=1, body="hi")
    await world.web.post("/api/github", json={"archived": True})
    answer = await world.ask("POST", "/issues/1/comments", json={"body": "hi"})
    assert (answer.status_code, "archived so is read-only" in answer.text) == (403, True)
    await world.web.post("/api/github", json={"archived": False, "issues": False})
    for method in ("GET", "POST"):
        asked = {"json": {"title": "x"}} if method == "POST" else {}
        assert (await world.ask(method, "/issues", **asked)).status_code == 410


async def test_of_what_others_wrote_only_some_may_change_something(world: World) -> None:
    await world.does("wei", "open", title="Images")
    no = {"error": "Must have admin rights to Repository."}
    for who, what, allowed in (
        ("mallory", "close", False),
        ("li", "close", True),
        ("mallory", "label", False),
        ("li", "edit", False),
        ("ana", "edit", True),
        ("wei", "delete", False),
    ):
        assert (await world.does(who, what, issue=1) != no) == allowed, (who, what)


async def test_new_content_has_a_limit_and_edits_have_none(world: World) -> None:
    await world.does("wei", "open", title="Images")
    statuses = [
        (await world.ask("POST", "/issues/1/comments", json={"body": "hi"})).status_code
        for _ in range(81)
    ]
    assert statuses == [201] * 80 + [403]
    first = (await world.get("/issues/1/comments"))[0]["id"]
    for text in ("one", "two"):
        edit = await world.ask("PATCH", f"/issues/comments/{first}", json={"body": text})
        assert edit.status_code == 200
    assert "comment" in await world.does("wei", "comment", issue=1, body="another account")


async def test_a_read_can_be_behind_a_write(world: World) -> None:
    clock = 100.0
    world.github.issues._clock = lambda: clock
    await world.does("wei", "open", title="Images")
    clock += 0.5
    world.faults.arm(where="github", what="lag 1", times=2, path="GET ")
    assert await world.get("/issues") == []
    clock += 1
    assert len(await world.get("/issues")) == 1
    assert len(await world.get("/issues")) == 1


async def test_labels_are_made_by_use_and_reactions_are_one_of_a_kind(world: World) -> None:
    await world.does("wei", "open", title="Images")
    added = await world.ask("POST", "/issues/1/labels", json={"labels": ["Mirrored", "bug"]})
    assert [each["name"] for each in added.json()] == ["Mirrored", "bug"]
    assert (await world.get("/labels/mirrored"))["color"] == "ededed"
    await world.ask("PATCH", "/labels/mirrored", json={"color": "#00ff00"})
    left = await world.ask("DELETE", "/issues/1/labels/MIRRORED")
    assert [each["name"] for each in left.json()] == ["bug"]
    set_ = await world.ask("PUT", "/issues/1/labels", json={"labels": [{"name": "mirrored"}]})
    assert [(each["name"], each["color"]) for each in set_.json()] == [("Mirrored", "00ff00")]
    await world.ask("DELETE", "/labels/Mirrored")
    assert (await world.get("/issues/1"))["labels"] == []
    first, again = [
        await world.ask("POST", "/issues/1/reactions", json={"content": "eyes"}) for _ in range(2)
    ]
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert (await world.get("/issues/1"))["reactions"]["eyes"] == 1
    await world.ask("DELETE", f"/issues/1/reactions/{first.json()['id']}")
    assert (await world.get("/issues/1"))["reactions"]["total_count"] == 0


FORM = b"""\
name: Images
description: Ask for images
title: "Mirror: "
labels: [mirror]
body:
  - {type: markdown, attributes: {value: "One a line"}}
  - {type: textarea, id: images, attributes: {label: Images}, validations: {required: true}}
  - {type: textarea, id: file, attributes: {label: A file, render: yaml}}
  - {type: input, attributes: {label: Why}}
"""


async def test_a_form_of_the_repository_is_filled_in_as_on_githubs_page(tmp_path: Path) -> None:
    files = {".github/ISSUE_TEMPLATE/images.yml": FORM}
    async with world_of(tmp_path, files) as world:
        (form,) = (await world.web.get("/api/issues/forms")).json()["forms"]
        assert [each["id"] for each in form["fields"]] == ["field0", "images", "file", "field3"]
        given = {"title": "Mirror: nginx", "form": form["file"]}
        wrong = await world.does("mallory", "open", **given, values={"images": " "})
        assert wrong == {"error": "Images must be filled in"}
        values = {"images": "nginx\nredis", "file": "services: {}"}
        await world.does("mallory", "open", **given, values=values)
        issue = await world.get("/issues/1")
        assert [each["name"] for each in issue["labels"]] == ["mirror"]
        assert issue["body"] == (
            "### Images\n\nnginx\nredis\n\n### A file\n\n```yaml\nservices: {}\n```\n\n"
            "### Why\n\n_No response_"
        )


async def test_the_tracker_is_kept_over_a_restart(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        await world.does("wei", "open", title="Images", labels=["mine"])
        await world.does("wei", "comment", issue=1, body="hello")
        await world.does("ana", "react", issue=1, content="heart")
        await world.does("wei", "open", title="Gone")
        await world.does("ana", "delete", issue=2)
        before = await world.get("/issues/1")
    async with world_of(tmp_path) as world:
        assert await world.get("/issues/1") == before
        assert (await world.ask("GET", "/issues/2")).status_code == 410
        assert (await world.does("li", "open", title="next"))["issue"] == 3


async def test_a_mistake_of_a_person_is_told_with_what_there_is(world: World) -> None:
    for given, words in (
        ({"as": "eve", "do": "open"}, "nobody is called 'eve'"),
        ({"as": "wei", "do": "fly"}, '"do" is one of: open, comment'),
        ({"as": "wei", "do": "comment", "issue": "one"}, "issue must be a number"),
    ):
        answer = await world.web.post("/api/issues", json=given)
        assert (answer.status_code, words in answer.text.replace("\\", "")) == (400, True)
    shown = (await world.web.get("/api/issues")).json()
    assert [each["name"] for each in shown["people"] if each["role"] == "admin"] == ["ana"]
