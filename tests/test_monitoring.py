"""/healthz, /readyz and /metrics of a bot, and that deploy/ names only metrics that there are."""

import asyncio
import json
import logging
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot import monitoring
from bot.adapters.monitoring.server import Page
from bot.adapters.telegram import TELEGRAM
from bot.build import Adapters, open_adapters
from bot.build_lanes import make_reconciler
from bot.config import read_secrets, read_settings
from bot.core.fresh import TrackedImage
from bot.core.image import ImageRef
from bot.core.registry import PullLimit
from bot.engine.lanes.lane import TickResult
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.ports.repository import WorkflowState
from bot.engine.shutdown import Shutdown
from bot.monitoring import Kept, Monitoring, monitored

ROOT = Path(__file__).parents[1]
SECRETS = read_secrets({"TELEGRAM_TOKEN": "1:a", "GITHUB_TOKEN": "b", "DECISION_KEY": "0" * 64})
RULES = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
BOARD = (ROOT / "deploy/grafana/imageto-bot.json").read_text()


class Lane:
    """Ends its first tick, and hangs in the second until it is let go."""

    def __init__(self) -> None:
        self.hangs = asyncio.Event()
        self.free = asyncio.Event()

    async def tick(self, _stopped: object = None) -> TickResult:
        self.hangs.set()
        await self.free.wait()
        return TickResult.IDLE


@pytest.fixture
async def adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Adapters]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(monitoring, "KEPT_SECONDS", 0.0)
    settings = read_settings(ROOT / "config.example.yaml")
    settings = settings.model_copy(update={"database": str(tmp_path / "bot.sqlite3")})
    async with open_adapters(settings, SECRETS) as adapters:
        yield adapters


@pytest.fixture
def its(adapters: Adapters, tmp_path: Path) -> Monitoring:
    return Monitoring(tmp_path / "bot.sqlite3", adapters, Reconciler({}), [TELEGRAM])


async def page(its: Monitoring, path: str) -> tuple[int, str]:
    found = await its.pages[path]()
    return found.status.value, found.body.decode()


async def test_a_lane_that_hangs_is_not_healthy(adapters: Adapters, tmp_path: Path) -> None:
    lane = Lane()
    reconciler, shutdown = Reconciler({"chat": lane}), Shutdown()
    its = Monitoring(tmp_path / "bot.sqlite3", adapters, reconciler, [TELEGRAM])
    running = asyncio.create_task(reconciler.run(shutdown))
    await lane.hangs.wait()
    assert await page(its, "/healthz") == (200, "ok\n")
    reconciler._ticked["chat"] -= 901
    assert await page(its, "/healthz") == (503, "lane chat: no tick for 901 s\n")
    lane.free.set()
    while (await page(its, "/healthz"))[0] != 200:
        await asyncio.sleep(0.01)
    shutdown.request()
    await running


async def test_a_bot_is_ready_while_telegram_answers_and_the_database_can_be_written(
    its: Monitoring, adapters: Adapters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = (503, "telegram: no answer for 3 minutes. The log says why\n")
    assert await page(its, "/readyz") == silent
    await adapters.store.beat(TELEGRAM, datetime.now(UTC))
    assert await page(its, "/readyz") == (200, "ok\n")
    await adapters.store.beat(TELEGRAM, datetime.now(UTC) - timedelta(minutes=4))
    assert await page(its, "/readyz") == silent
    monkeypatch.setattr(adapters.store._database, "busy_seconds", 0.0)
    with closing(sqlite3.connect(tmp_path / "bot.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        broken = (503, "database: cannot be written. The log says why\n")
        assert await page(its, "/readyz") == broken


async def metrics(its: Monitoring) -> dict[str, list[Any]]:
    status, text = await page(its, "/metrics")
    assert status == 200
    return {each.name: each.samples for each in text_string_to_metric_families(text)}


async def test_the_metrics_follow_the_conventions_and_say_nothing_of_anybody(
    its: Monitoring, adapters: Adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    monkeypatch.setattr(adapters.registries, "budgets", lambda: {"docker.io": PullLimit(7, 100)})
    monkeypatch.setattr(adapters.repository, "last_workflow", lambda: WorkflowState.DIFFERS)
    monkeypatch.setattr(adapters.repository, "_token_ends", "2027-01-02 08:00:00 UTC")
    monkeypatch.setattr(its._reconciler, "_ticked", {"chat": asyncio.get_running_loop().time()})
    await adapters.store.beat(TELEGRAM, now)
    logging.getLogger().addHandler(its.exposition)
    logging.getLogger("bot").error("one")
    logging.getLogger().removeHandler(its.exposition)
    found = await metrics(its)
    for name, samples in found.items():
        assert name.startswith(("imageto_bot_", "process_"))
        for sample in samples:
            assert set(sample.labels) <= {
                *("state", "failure", "lane", "service", "level", "le", "version"),
            }
    values = {(s.name, *s.labels.values()): s.value for samples in found.values() for s in samples}
    bot = "imageto_bot_"
    assert values[f"{bot}rate_limit_remaining", "docker.io"] == 7
    assert values[f"{bot}workflow_outdated",] == 1
    assert values[f"{bot}paused",] == 0
    assert values[f"{bot}log_records_total", "error"] == 1
    assert values[f"{bot}github_token_expiry_timestamp_seconds",] == 1798876800
    assert values[f"{bot}telegram_last_answer_timestamp_seconds",] == int(now.timestamp())
    assert values[f"{bot}open_transfers", "waiting"] == 0
    assert values[f"{bot}transfers_failed_total", "target-quota"] == 0
    assert values[f"{bot}lane_last_tick_timestamp_seconds", "chat"] >= now.timestamp() - 1


async def test_the_list_is_late_only_where_it_is_kept_fresh(
    its: Monitoring, adapters: Adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = datetime.now(UTC) - timedelta(hours=2)
    async with adapters.store.begin() as unit:
        await unit.track([TrackedImage(image=ImageRef.parse("nginx:1"), not_before=due)])

    async def lag() -> float:
        (sample,) = (await metrics(its))["imageto_bot_fresh_lag_seconds"]
        return float(sample.value)

    assert await lag() == 0
    monkeypatch.setattr(its._reconciler, "_ticked", {"fresh": asyncio.get_running_loop().time()})
    assert await lag() >= 7200


async def test_a_page_that_takes_long_is_made_once_though_its_first_reader_has_left() -> None:
    begun, free = list[None](), asyncio.Event()

    async def make() -> Page:
        begun.append(None)
        await free.wait()
        return Page(HTTPStatus.OK, b"")

    kept = Kept(make)
    left = asyncio.create_task(kept())
    while not begun:
        await asyncio.sleep(0)
    left.cancel()  # as the time limit of the server does
    await asyncio.wait([left])
    again = asyncio.create_task(kept())
    await asyncio.sleep(0)
    free.set()
    assert (await again).status is HTTPStatus.OK
    assert len(begun) == 1


async def test_without_a_readable_database_there_are_no_metrics(
    its: Monitoring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(its._measures, "_path", tmp_path / "none.sqlite3")
    assert await page(its, "/metrics") == (503, "database: cannot be read. The log says why\n")


def named(text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(r"\b(?:imageto_bot|process)_[a-z_]+", text))


async def test_alerts_and_dashboard_name_only_metrics_and_labels_that_there_are(
    its: Monitoring, adapters: Adapters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.registries, "budgets", lambda: {"docker.io": PullLimit(7, 100)})
    monkeypatch.setattr(adapters.repository, "last_workflow", lambda: WorkflowState.ACTIVE)
    monkeypatch.setattr(adapters.repository, "_token_ends", "2027-01-02 08:00:00 UTC")
    await adapters.store.beat(TELEGRAM, datetime.now(UTC))
    found = await metrics(its)
    there = {sample.name for samples in found.values() for sample in samples}
    there |= {"imageto_bot_lane_last_tick_timestamp_seconds"}  # no lane runs here
    expressions = [target["expr"] for panel in json.loads(BOARD)["panels"]
                   for target in panel["targets"]]  # fmt: skip
    expressions += [rule["expr"] for rule in RULES]
    for expression in expressions:
        names = list(named(expression))
        assert names or "up{" in expression
        assert set(names) <= there, expression
    for name in there:
        assert name.startswith(("process_", "imageto_bot_")), name
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")


async def test_a_port_that_is_taken_is_told_and_stops_nobody(
    adapters: Adapters, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = read_settings(ROOT / "config.example.yaml")
    reconciler = make_reconciler(settings, SECRETS, adapters, lambda: None)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    path = tmp_path / "bot.sqlite3"
    async with monitored(("127.0.0.1", port), path, adapters, reconciler, [TELEGRAM]):
        said = caplog.records[-1]
    assert said.levelname == "ERROR"
    assert f"http: cannot listen on 127.0.0.1 port {port}: " in said.getMessage()
    server.close()
    async with monitored(("127.0.0.1", port), path, adapters, reconciler, [TELEGRAM]):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")
        with suppress(ConnectionError):
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
