"""`imageto-bot history` and `imageto-bot policy diff`: the past as rows, and under other rules."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import ANA, NGINX, POLICY, STATIC, TARGET, WEI, FakeRepository, World, digest_of, world
from test_cli import config, imageto_bot

from bot import policy_diff
from bot.adapters.store.past import decisions_since, images_asked_for_since
from bot.config import Secrets, read_settings
from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.policy import Rule
from bot.core.signature import Signer
from bot.history_export import COLUMNS, write_csv, write_json, write_statements
from bot.policy_diff import changes

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


async def past(w: World) -> Path:
    """Two decisions by a rule and by Ana on what arrived, and one that rejects by a formula."""
    w.upstream(NGINX, STATIC)
    await w.say(WEI, f"/mirror {NGINX} {STATIC}")
    await w.settle(20)
    w.copied(NGINX)
    await w.press(ANA, "approve:1")
    await w.settle(20)
    w.copied(STATIC)
    await w.settle(20)
    w.registries.source[str(STATIC)] = digest_of("new")
    await w.say(WEI, f"/mirror {STATIC}")
    await w.settle(8)
    await w.say(ANA, "/reject #2 =HYPERLINK(1)")
    await w.settle(8)
    return w.store._path


async def test_each_decision_is_a_row_with_what_came_of_it(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        rows = list(decisions_since(await past(w), LONG_AGO))
        assert [(row["verdict"], row["ground"], row["outcome"]) for row in rows] == [
            ("approve", "rule", "mirrored"),
            ("approve", "person", "mirrored"),
            ("deny", "person", "rejected"),
        ]
        assert [bool(row["by"]) for row in rows] == [False, True, True]
        assert [row["batch"] for row in rows] == ["batch1", "batch2", None]
        assert [row["commit"] for row in rows[:2]] == [sha for sha, _ in w.repository.commits]
        assert list(decisions_since(w.store._path, w.clock() + timedelta(days=1))) == []
        asked = {
            row["image"]: row["requests"] for row in images_asked_for_since(w.store._path, LONG_AGO)
        }
        assert asked == {str(NGINX): 1, str(STATIC): 2}


async def test_the_forms_say_the_same_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        path = await past(w)
        table, lines, statements = io.StringIO(newline=""), io.StringIO(), io.StringIO()
        write_csv(decisions_since(path, LONG_AGO), table)
        head, *rows = csv.reader(io.StringIO(table.getvalue()))
        assert tuple(head) == COLUMNS
        assert rows[2][head.index("reason")] == "'=HYPERLINK(1)"
        write_json(decisions_since(path, LONG_AGO), lines)
        read = [json.loads(line) for line in lines.getvalue().splitlines()]
        assert [each["image"] for each in read] == [row[1] for row in rows]
        assert read[1]["asked"] == [rows[1][head.index("asked")]]
        assert "telegram:" not in table.getvalue() + lines.getvalue()
        write_statements(
            decisions_since(path, LONG_AGO, by_transfer=True), TARGET, "https://h/r", statements
        )
        found = [json.loads(line) for line in statements.getvalue().splitlines()]
        said = {each["subject"][0]["name"]: each["predicate"] for each in found}
        assert set(said) == {TARGET.name_of(NGINX), TARGET.name_of(STATIC)}
        assert said[TARGET.name_of(STATIC)]["approved"] == [rows[1][head.index("by")]]
        assert said[TARGET.name_of(NGINX)]["rule"] == "docker.io/library/**"


def test_what_changes_is_counted_and_named_with_what_is_asked_for_most_first() -> None:
    new = replace(
        POLICY,
        registries=frozenset({"docker.io", "gcr.io"}),
        rules=(
            Rule("docker.io/library/**", Verdict.APPROVE),
            Rule("gcr.io/**", Verdict.ASK, approvals=Approvals(count=2, own=False)),
            Rule("**", Verdict.DENY, "no"),
        ),
    )
    others = [replace(STATIC, tag=f"v{number}") for number in range(3)]
    images = {NGINX: 9, **{each: number for number, each in enumerate(others)}}
    images[replace(NGINX, repository="bitnami/nginx")] = 1
    change = "ask -> ask (2 approvals, not by who asks alone)"
    assert changes("image.list", images, POLICY, new, named=2) == [
        "image.list: 5 images, 1 as before",
        f"  {change}: 3",
        f"    {others[2]}",
        f"    {others[1]}",
        "    … and 1 more, see --all",
        "  ask -> deny: 1",
        "    docker.io/bitnami/nginx:1.27",
    ]
    signer = Signer(identity="ana@example.com", issuer="https://login.example.com")
    rule = Rule("docker.io/library/**", Verdict.APPROVE)
    stricter = replace(rule, signer=signer, wait=timedelta(days=3))
    old, new = (replace(POLICY, rules=(each,)) for each in (rule, stricter))
    change = f"approve -> approve (signed by {signer.name}, known for 3d)"
    assert changes("x", {NGINX: 1}, old, new, named=0)[1] == f"  {change}: 1"
    assert changes("x", images, POLICY, POLICY, named=None) == ["x: 5 images, 5 as before"]


def _settings(folder: Path, **changed: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = config(folder)
    data = yaml.safe_load(path.read_text())
    data["policy"].update(changed)
    path.write_text(yaml.safe_dump(data))
    return path


async def test_the_list_and_the_requests_are_compared_beside_a_running_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Listed(FakeRepository):
        content = b"nginx:1.27\n"

        def close(self) -> None:
            pass

    async with world(tmp_path) as w:
        await past(w)
        old = read_settings(_settings(tmp_path / "old"))
        old = old.model_copy(update={"database": str(w.store._path)})
        deny = [{"images": "**", "then": "deny", "reason": "no"}]
        new = read_settings(_settings(tmp_path / "new", rules=deny))
        repository = Listed()
        repository.content = b"nginx:1.27\n"
        monkeypatch.setattr(policy_diff, "make_repository", lambda *_: repository)
        said: list[str] = []
        secrets: Secrets = None  # type: ignore[assignment]
        assert await policy_diff.compare(old, secrets, new, said.append, everything=True)
        assert said[0] == "image.list: 1 images, 0 as before"
        assert not await policy_diff.compare(old, secrets, old, said.append, everything=True)


def test_a_missing_database_and_a_bad_day_are_named(tmp_path: Path) -> None:
    path = str(config(tmp_path))
    done = imageto_bot("history", "--config", path, "--since", "2026-01-01")
    assert (done.returncode, done.stderr) == (
        1,
        f"imageto-bot: {tmp_path}/bot.sqlite3: there is no database\n",
    )
    assert "2026-13-01" in imageto_bot("history", "--since", "2026-13-01").stderr
