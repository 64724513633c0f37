"""Names near to a repository that does not exist."""

import pytest

from bot.core.image import ImageRef
from bot.paste.nearest_names import nearest_names

LISTED = (
    "docker.io/grafana/grafana:11.2.0",
    "docker.io/library/nginx:1.27",
    "quay.io/prometheus/prometheus:v2.54.1",
    "quay.io/prometheus/node-exporter@sha256:" + "0f" * 32,
    "docker.io/bitnami/redis:7.4",
    "not an image",
)


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        ("ngnix:1.27", ("nginx:1.27",)),
        ("postgress:17", ("postgres:17",)),
        ("pyhton", ("python", "photon")),
        ("nginx:1", ()),
        ("grafana:11", ("grafana/grafana:11",)),
        ("quay.io/promtheus/prometheus:v2", ("quay.io/prometheus/prometheus:v2",)),
        ("quay.io/prometheus/node-exproter:v1", ("quay.io/prometheus/node-exporter:v1",)),
        ("ghcr.io/acme/redsi:7", ("bitnami/redis:7",)),
        ("ghcr.io/acme/pyhton:3", ()),
        ("qqqqqq:1", ()),
    ],
)
def test_a_wrong_name_is_near_to_a_known_one(wanted: str, nearest: tuple[str, ...]) -> None:
    found = nearest_names(ImageRef.parse(wanted), LISTED)
    assert found == tuple(map(ImageRef.parse, nearest))


def test_only_a_few_are_suggested() -> None:
    listed = [f"quay.io/a{n}/server:1" for n in range(9)]
    assert len(nearest_names(ImageRef.parse("quay.io/x/servre:1"), listed)) == 2
