"""Debian's Prometheus reads the metrics and the rules. An alert fires by a fault, and clears."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from debian import ROOT, done, ended, free_port, need
from test_cli import COMMAND, TOKENS, config

pytestmark = pytest.mark.packaging
RULES = ROOT / "deploy/prometheus"
SECONDS = 90


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A bot, and the address of its pages. No service that it needs is there."""
    address = f"127.0.0.1:{free_port()}"
    written = config(tmp_path, http=address)
    with (tmp_path / "bot.log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "run", "--config", str(written)],
            stderr=log,
            text=True,
            env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **TOKENS},
        )
    yield process, address
    process.send_signal(signal.SIGCONT)
    ended(process)


@pytest.fixture
def prometheus(bot: tuple[subprocess.Popen[str], str], tmp_path: Path) -> Iterator[httpx.Client]:
    """A Prometheus that looks each second, and tells of an alert after a second."""
    need("prometheus", "promtool")
    rules = re.sub(r"for: \d+[mh]", "for: 1s", (RULES / "alerts.yml").read_text())
    (tmp_path / "alerts.yml").write_text(rules)
    its = (RULES / "prometheus.yml").read_text().replace("127.0.0.1:9464", bot[1])
    quick = "scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s"
    (tmp_path / "prometheus.yml").write_text(its.replace("scrape_interval: 30s", quick))
    here = f"127.0.0.1:{free_port()}"
    with (tmp_path / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                *("prometheus", f"--config.file={tmp_path}/prometheus.yml"),
                *(f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address={here}"),
            ],
            stdout=log,
            stderr=log,
            text=True,
        )
    with httpx.Client(base_url=f"http://{here}/api/v1", trust_env=False, timeout=SECONDS) as api:
        yield api
    ended(process)


def test_prometheus_accepts_the_rules_and_the_names() -> None:
    need("promtool")
    done("promtool", "check", "config", RULES / "prometheus.yml")


def test_an_alert_fires_while_the_bot_hangs_and_clears_afterwards(
    bot: tuple[subprocess.Popen[str], str], prometheus: httpx.Client
) -> None:
    process, address = bot

    def up() -> str:
        found = query(prometheus, 'up{job="imageto-bot"}')
        return found[0]["value"][1] if found else ""

    until(lambda: up() == "1")
    assert query(prometheus, "imageto_bot_build_info")
    metrics = httpx.get(f"http://{address}/metrics", trust_env=False).text
    done("promtool", "check", "metrics", input_text=metrics)
    until(lambda: "ImageToBotDown" not in firing(prometheus))  # it may have fired at the start
    process.send_signal(signal.SIGSTOP)
    until(lambda: "ImageToBotDown" in firing(prometheus))
    process.send_signal(signal.SIGCONT)
    until(lambda: "ImageToBotDown" not in firing(prometheus))
    groups = prometheus.get("/rules").json()["data"]["groups"]
    health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
    assert set(health.values()) == {"ok"}, health


def query(prometheus: httpx.Client, what: str) -> list[dict[str, list[str]]]:
    try:
        found = prometheus.get("/query", params={"query": what}).json()
    except httpx.TransportError:  # it starts
        return []
    result: list[dict[str, list[str]]] = found.get("data", {}).get("result", [])
    return result


def firing(prometheus: httpx.Client) -> set[str]:
    alerts = prometheus.get("/alerts").json()["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.2)
