"""The metrics, in the words of Prometheus. Only this module knows them.

Labels have few values: states, kinds of failures, lanes, levels, and registries of the config. No
image, person, chat or token is in a label. https://prometheus.io/docs/practices/naming/
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bot.core.failures import FailureKind
from bot.core.transfer import State
from bot.engine.ports.measures import Measures, Vitals
from bot.engine.ports.repository import WorkflowState

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
PREFIX: Final = "imageto_bot_"
_OPEN: Final = [state for state in State if not state.is_final]
_FINAL: Final = [state for state in State if state.is_final]
_LEVELS: Final = ("warning", "error", "critical")
_BUCKETS: Final = (5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
Values: TypeAlias = float | datetime | Mapping[str, float | datetime] | None
"""None where it is not known: then there is no sample. A mapping has a sample for each label."""


def _ages(its: Measures, now: datetime) -> Mapping[str, float]:
    return {s: _age(its.transfers[s][1] if s in its.transfers else None, now) for s in _OPEN}


def _age(since: datetime | None, now: datetime) -> float:
    """Seconds, 0 where there is nothing."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


_OF_THE_DATABASE: Final[Mapping[str, tuple[str, str, Callable[[Measures, datetime], Values]]]] = {
    "open_transfers": (
        "Images on their way, by state.",
        "state",
        lambda its, _: {s: its.transfers.get(s, (0,))[0] for s in _OPEN},
    ),
    "oldest_transfer_age_seconds": ("How long the oldest is in this state.", "state", _ages),
    "open_batches": ("Commits and dispatches that are not over.", "", lambda its, _: its.batches),
    "oldest_batch_age_seconds": (
        "Age of the oldest open batch.",
        "",
        lambda its, now: _age(its.oldest_batch, now),
    ),
    "open_requests": ("Requests whose result is not told yet.", "", lambda its, _: its.requests),
    "unsent_messages": ("Answers that Telegram has not got yet.", "", lambda its, _: its.messages),
    "tracked_images": ("Listed images that are kept fresh.", "", lambda its, _: its.tracked),
    "fresh_lag_seconds": (
        "How late the next check of freshness is.",
        "",
        lambda its, now: _age(its.next_check, now),
    ),
    "telegram_last_answer_timestamp_seconds": (
        "When Telegram answered last, as stored.",
        "",
        lambda its, _: its.last_answer,
    ),
    "database_size_bytes": ("Size of the database file.", "", lambda its, _: its.size),
}
"""By name: the help, the label, and the values."""
_OF_THE_PARTS: Final[Mapping[str, tuple[str, str, Callable[[Vitals], Values]]]] = {
    "lane_last_tick_timestamp_seconds": (
        "When each loop of the engine ended its last round.",
        "lane",
        lambda its: its.last_ticks,
    ),
    "rate_limit_remaining": (
        "Requests that GitHub, or pulls that a registry, still allows.",
        "service",
        lambda its: {name: each.remaining for name, each in its.budgets.items()},
    ),
    "rate_limit": (
        "What the same allow in a window.",
        "service",
        lambda its: {name: each.limit for name, each in its.budgets.items()},
    ),
    "github_token_expiry_timestamp_seconds": (
        "When GitHub's token ends. Missing for a token without an end.",
        "",
        lambda its: its.token_expires,
    ),
    "workflow_outdated": (
        "1 while the mirror repository's workflow is not the one that this bot ships.",
        "",
        lambda its: None if its.workflow is None else its.workflow is WorkflowState.DIFFERS,
    ),
    "paused": ("1 while an admin holds all commits.", "", lambda its: its.paused),
}


class Exposition(logging.Handler):
    """All metrics. As a handler of the log it counts the records from warnings on."""

    def __init__(self, version: str) -> None:
        super().__init__(logging.WARNING)
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._version = version
        self._ended = self._counter("transfers_ended", "Images that are done with.", "state")
        self._failed = self._counter("transfers_failed", "Failed ones, by cause.", "failure")
        self._logged = self._counter("log_records", "Warnings and errors of the log.", "level")
        self._copies = self._histogram("copy", "From the approval to the verified copy.")
        self._runs = self._histogram("run", "From the start of a run to its last result.")
        for counter, values in (
            (self._ended, _FINAL),
            (self._failed, list(FailureKind)),
            (self._logged, _LEVELS),
        ):
            for value in values:
                counter.labels(value)  # a series that begins at 0 shows its first increase
        self._gauges: list[GaugeMetricFamily] = []
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def _counter(self, name: str, about: str, label: str) -> Counter:
        return Counter(f"{PREFIX}{name}", about, [label], registry=self._registry)

    def _histogram(self, name: str, about: str) -> Histogram:
        name = f"{PREFIX}{name}_duration_seconds"
        return Histogram(name, about, buckets=_BUCKETS, registry=self._registry)

    def emit(self, record: logging.LogRecord) -> None:
        self._logged.labels(record.levelname.lower()).inc()

    def render(self, measures: Measures, vitals: Vitals, now: datetime) -> bytes:
        """The page that Prometheus reads. `measures` are counted, so pass each reading once."""
        for each in measures.ended:
            self._ended.labels(each.state).inc()
            if each.failure is not None:
                self._failed.labels(each.failure).inc()
            if each.copying is not None and each.state is State.MIRRORED:
                self._copies.observe(each.copying.total_seconds())
        for run in measures.runs:
            self._runs.observe(run.total_seconds())
        self._gauges = list(self._families(measures, vitals, now))
        return generate_latest(self._registry)

    def collect(self) -> list[GaugeMetricFamily]:
        """What `generate_latest` calls for the gauges."""
        return self._gauges

    def _families(
        self, measures: Measures, vitals: Vitals, now: datetime
    ) -> Iterator[GaugeMetricFamily]:
        yield from _family("build_info", "The version.", "version", {self._version: 1})
        for name, (about, label, values) in _OF_THE_DATABASE.items():
            yield from _family(name, about, label, values(measures, now))
        for name, (about, label, found) in _OF_THE_PARTS.items():
            yield from _family(name, about, label, found(vitals))


def _family(name: str, about: str, label: str, values: Values) -> Iterator[GaugeMetricFamily]:
    if values is None:
        return
    family = GaugeMetricFamily(f"{PREFIX}{name}", about, labels=[label] if label else [])
    several = values if isinstance(values, Mapping) else {"": values}
    for of, value in several.items():
        seconds = value.timestamp() if isinstance(value, datetime) else float(value)
        family.add_metric([of] if label else [], seconds)
    yield family
