"""Tags near to one that does not exist: tables of what people type, and general properties."""

import random
import string
from difflib import SequenceMatcher
from itertools import product
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.paste.nearest_tags import nearest_tags

NGINX = (
    *(f"1.{minor}.{patch}" for minor in range(25, 29) for patch in range(5)),
    *(f"1.{minor}.{patch}-alpine" for minor in range(25, 29) for patch in range(5)),
    *(f"1.{minor}{flavour}" for minor in range(25, 29) for flavour in ("", "-alpine", "-perl")),
    *("1", "1-alpine", "1.27-alpine3.19", "1.27-alpine3.20"),
    *("latest", "stable", "stable-perl", "mainline", "alpine", "alpine-slim"),
)
PYTHON = (
    *("3", "3.12", "3.12.9", "3.13", "3.13.1", "3.13.2", "3-slim", "3.12-slim", "3.13-slim"),
    *("3.13-slim-bookworm", "3.13-alpine", "slim", "slim-bookworm", "latest"),
)
SEMVER = ("v1.0.0", "v1.1.0", "v1.1.1", "v2.0.0-rc.1", "v2.0.0", "main", "develop", "20240501")
DISTROLESS = (
    *("latest", "nonroot", "debug", "debug-nonroot", "latest-amd64", "nonroot-arm64"),
    *(f"sha256-{'a' * 64}", f"sha256-{'b' * 64}.sig", f"sha256-{'c' * 64}.att"),
)
UBUNTU = (
    *("20.04", "22.04", "24.04", "24.10", "jammy", "noble", "rolling", "latest"),
    *("jammy-20240125", "noble-20240225"),
)
CUDA = tuple(
    f"12.4.{patch}-{kind}-{system}"
    for patch in range(2)
    for kind in ("base", "devel", "cudnn-devel")
    for system in ("ubuntu22.04", "ubuntu20.04", "rockylinux8")
)
BITNAMI = tuple(f"1.27.{patch}-debian-12-r{r}" for patch in range(4) for r in range(12))
COMMITS = ("main", "sha-1a2b3c4", "sha-9f8e7d6", "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d")
MINIO = ("RELEASE.2024-01-16T16-07-38Z", "RELEASE.2024-02-01T00-00-00Z", "latest", "edge")


@pytest.mark.parametrize(
    ("tags", "wanted", "nearest"),
    [
        # The version does not exist: its sibling, its line, the next line.
        (NGINX, "1.27.99", ("1.27.4", "1.27", "1.28")),
        (NGINX, "1.27.99-alpine", ("1.27.4-alpine", "1.27-alpine", "1.28-alpine")),
        (NGINX, "1.29", ("1.28", "1", "1.27")),
        (NGINX, "2", ("1", "1.28", "1.27")),
        (PYTHON, "3.14", ("3.13", "3", "3.12")),
        (PYTHON, "3.13.5-slim", ("3.13-slim", "3.12-slim", "3-slim")),
        (UBUNTU, "25.04", ("24.10", "24.04", "22.04")),
        (("7", "8", "8.1"), "99", ("8", "7", "8.1")),
        # A line without a tag of its own, and the other way round.
        (SEMVER, "v1.1", ("v1.1.1", "v1.1.0", "v1.0.0")),
        (("1.27.0", "1.26.0"), "1.27", ("1.27.0", "1.26.0")),
        (("1.27", "1.26", "1"), "1.27.0", ("1.27", "1", "1.26")),
        (SEMVER, "v3", ("v2.0.0", "v1.1.1", "v1.1.0")),
        # Another spelling of the same tag.
        (SEMVER, "1.1.0", ("v1.1.0", "v1.1.1", "v1.0.0")),
        (("1.2", "1.3"), "v1.2", ("1.2", "1.3")),
        (SEMVER, "v2.0.0-rc1", ("v2.0.0-rc.1", "v2.0.0", "v1.1.1")),
        (NGINX, "127", ("1.27", "1", "1.28")),
        (NGINX, "1.72", ("1.27", "1.28", "1")),
        (UBUNTU, "24.40", ("24.04", "24.10", "22.04")),
        (UBUNTU, "24.4", ("24.04", "24.10", "22.04")),
        (NGINX, "Latest", ("latest",)),
        (MINIO, "release.2024-01-16T16-07-38Z", MINIO[:2]),
        # A typo in the flavour, or a flavour that does not exist.
        (NGINX, "1.27-alpin", ("1.27-alpine", "1.27.4-alpine", "1.27.0-alpine")),
        (NGINX, "1.27alpine", ("1.27-alpine", "1.27.4-alpine", "1.27.0-alpine")),
        (NGINX, "1.27-alpine3.99", ("1.27-alpine3.19", "1.27-alpine3.20", "1.27-alpine")),
        (NGINX, "1.27-slim", ("1.27", "1.27.4", "1.27.0")),
        (PYTHON, "3.13-slim-bokworm", ("3.13-slim-bookworm", "3.13-slim", "3.13")),
        (PYTHON, "3.8-slim-buster", ("3.13-slim-bookworm", "3.12-slim", "3-slim")),
        # Each version once where all tags have a flavour.
        (BITNAMI, "1.27.9", tuple(f"1.27.{patch}-debian-12-r11" for patch in (3, 2, 1))),
        (BITNAMI, "latest", tuple(f"1.27.{patch}-debian-12-r11" for patch in (3, 2, 1))),
        # The same letters come first, and no letters are swapped across a dot.
        (("v1.31.0", "v1.30.1", "v1.31.1"), "1.31.0", ("v1.31.0", "v1.31.1", "v1.30.1")),
        (("1.2.13", "1.21.3"), "1.2.31", ("1.2.13", "1.21.3")),
        (("1.27-slim", "1.27-alpine"), "1.27-slmi", ("1.27-slim",)),
        # A flavour that goes on.
        (
            (*CUDA, "12.4.0-devel"),
            "12.4.1-devel",
            ("12.4.1-devel-ubuntu22.04", "12.4.1-devel-ubuntu20.04", "12.4.1-devel-rockylinux8"),
        ),
        (NGINX, "1.27-alpine3", ("1.27-alpine3.20", "1.27-alpine3.19", "1.27-alpine")),
        # Dates, however they are written.
        (MINIO, "RELEASE.2024-01-20T00-00-00Z", MINIO[:2]),
        (MINIO, "RELEASE.2024-02-02T10-11-12Z", (MINIO[1], MINIO[0])),
        (("2024-05-01", "2024-04-30", "1.0"), "20240501", ("2024-05-01", "2024-04-30")),
        (("2024-05-31", "2024-06-09"), "2024-06-01", ("2024-05-31", "2024-06-09")),
        (
            ("1.26-alpine", "1.27-alpine3.19", "1.27-alpine3.20"),
            "1.27-alpine",
            ("1.27-alpine3.20", "1.27-alpine3.19", "1.26-alpine"),
        ),
        # Words.
        (DISTROLESS, "lates", ("latest",)),
        (DISTROLESS, "nonrot", ("nonroot", "debug-nonroot")),
        (DISTROLESS, "non-root", ("nonroot", "debug-nonroot")),
        (UBUNTU, "nobel", ("noble",)),
        (NGINX, "slim", ("alpine-slim",)),
        (("3.9-alpine", "3.20-alpine", "3.20"), "alpin", ("3.20-alpine", "3.9-alpine")),
        # No `latest`: the newest versions. A date is no version.
        (SEMVER, "latest", ("v2.0.0", "v1.1.1", "v1.1.0")),
        # Commits, at any length.
        (COMMITS, "1a2b3c4", (COMMITS[3], "sha-1a2b3c4")),
        (COMMITS, "sha-1a2b3c5", ("sha-1a2b3c4",)),
        # Nothing is near.
        (NGINX, "foo", ("latest",)),
        (DISTROLESS, "1.0", ("latest",)),
        (MINIO, "2024", ("latest",)),
        (("main",), "1.0", ("main",)),
        (SEMVER, "qqqq", ()),
        (("20240501", "20240601"), "1.0", ("20240501", "20240601")),
        (("20240501", "20240601", "1.0"), "20240502", ("20240501", "20240601")),
        ((), "1.0", ()),
    ],
)  # fmt: skip
def test_the_nearest_tags_are_those_that_were_probably_meant(
    tags: tuple[str, ...], wanted: str, nearest: tuple[str, ...]
) -> None:
    assert nearest_tags(wanted, tags) == nearest


def test_as_many_as_asked_for_are_given() -> None:
    assert nearest_tags("1.27.99", NGINX, count=1) == ("1.27.4",)
    assert nearest_tags("1.27.99", NGINX, count=6) == (
        *("1.27.4", "1.27", "1.28", "1.27.3", "1", "1.28.4"),
    )


def test_digests_and_signatures_are_never_shown() -> None:
    assert nearest_tags(f"sha256-{'a' * 63}", DISTROLESS) == ("latest",)
    assert nearest_tags("x", DISTROLESS[-3:]) == ()


TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True)
LIKELY = st.from_regex(
    r"v?[0-3](\.[0-3]){0,3}(-(alpine|slim|rc[0-9]))?|latest|alpine|sha-[0-9a-f]{7}", fullmatch=True
)


@given(TAG | LIKELY, st.lists(TAG | LIKELY, max_size=12), st.integers(1, 5))
def test_what_is_shown_exists_once_is_not_what_was_typed_and_hangs_on_no_order(
    wanted: str, tags: list[str], count: int
) -> None:
    found = nearest_tags(wanted, tags, count=count)
    assert len(found) == len(set(found)) <= count
    assert set(found) <= set(tags) - {wanted}
    assert nearest_tags(wanted, tags[::-1], count=count) == found


@given(st.integers(0, 30), st.lists(st.integers(0, 30), min_size=1))
def test_of_one_line_the_nearest_patch_comes_first(patch: int, there: list[int]) -> None:
    tags = [f"1.2.{number}" for number in there if number != patch]
    found = nearest_tags(f"1.2.{patch}", tags, count=1)
    distances = [abs(number - patch) for number in there if number != patch]
    if not any(sorted(str(patch)) == sorted(str(number)) for number in there):
        assert [abs(int(tag[4:]) - patch) for tag in found] == sorted(distances)[:1]


class CountedMatcher(SequenceMatcher[str]):
    """Records the pairs of texts that are compared exactly, which is the expensive step."""

    compared: ClassVar[list[tuple[str, str]]] = []

    def ratio(self) -> float:
        self.compared.append((self.a, self.b))
        return super().ratio()


@pytest.mark.parametrize("wanted", ["1.27.99-alpine", "nonroot", "a" * 128, "1" * 128])
@pytest.mark.no_cover  # it is long, and its lines are reached elsewhere
def test_of_five_thousand_tags_few_are_compared_exactly_even_when_chosen_to_take_long(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    draw = random.Random(7)  # noqa: S311 - test data
    letters = string.ascii_lowercase + string.digits + "._-"
    long = ["x" + "".join(draw.choices(letters, k=127)) for _ in range(5000)]
    same = [f"a{'1' * 120}{number}" for number in range(5000)]
    alike = [f"{wanted[:125]}{''.join(end)}" for end in product(letters[:18], repeat=3)][:5000]
    usual = [f"1.{number // 9}.{number % 9}-alpine" for number in range(5000)]
    monkeypatch.setattr("bot.paste.nearest_tags.SequenceMatcher", CountedMatcher)
    for tags in (long, same, alike, usual):
        CountedMatcher.compared.clear()
        nearest_tags(wanted, tags)
        assert len(CountedMatcher.compared) <= 3 * 64  # three lists of texts at most, 64 of each
        assert all(len(text) <= 40 for pair in CountedMatcher.compared for text in pair)
