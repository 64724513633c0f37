"""Which tags float, and which are versions: what is not surely floating is one."""

import pytest

from bot.core.image import ImageRef
from bot.core.tag_class import TagClass, is_version, tag_class

FLOATING = """
latest stable mainline main master edge nightly lts current dev develop devel rolling rawhide
canary beta alpha rc next unstable testing test tip trunk head snapshot weekly daily preview
debug nonroot debug-nonroot nonroot-amd64 latest-arm64v8 1 v1 1.27 v1.27 3.12 22.04 24.04 129.0
10.11 1.x 4.x 1.2.x 1.27-alpine 1.27-alpine3.19 1.27-alpine3.19-slim 1.27-bookworm-perl
mainline-alpine-slim stable-perl 1.27-alpine-otel alpine alpine-slim alpine3.20 slim bookworm
bookworm-slim bullseye trixie sid jammy focal noble buster stretch 12-slim 9-minimal stream9
ubi8 ubi9 8-ubi9 latest-ubi8 3.12-slim-bookworm 3-alpine 3-windowsservercore-ltsc2022 3.13-rc
3.13-rc-slim 20-bookworm-slim lts-slim current-alpine iron-alpine lts-alpine3.19 20-alpine3.20
1.22-bookworm go1.22 1-nanoserver 8-jdk-alpine 17-jre-jammy 21-jdk 17-jdk-slim jdk17
jdk17-alpine 3-eclipse-temurin-17 3.9-eclipse-temurin-21-alpine 3-amazoncorretto-17 8-jdk21
lts-jdk17 9-jre11 10.1-jdk17-temurin-jammy 16-alpine3.19 16-bookworm 8.0-debian 8-oracle 7-jammy
7-bookworm 3-management-alpine pg16 8.3-fpm-alpine3.19 8.3-cli 8.3-apache-bookworm 7.4-zts
6.5-php8.2-apache cli-php8.2 fpm 28-fpm-alpine 2.7-alpine 1.8-meta 1.8-data 1.36-glibc
stable-musl uclibc 24-dind dind-rootless 24-cli 24.0-git 8.0-jammy-chiseled 8.0-alpine3.19-amd64
8.0-preview 2022-latest ubuntu-latest main-ubuntu 2-builder 11.4-noble 1.22-rootless
nightly-rootless 12-debian-12 bionic xenial static base
"""
VERSIONS = """
1.27.3 v1.27.3 V1.2.3 v2.0.0-rc1 1.27.3-alpine 3.13.0rc2 3.13.0-rc2 3.13-rc2 1.23rc2
release-1.2.3 release-1.2 rel-1.2.3 sha-1a2b3c4 1a2b3c4d 0f7e5d main-1a2b3c4 main-123 pr-12
master-20240101 20240101 2024.01.15 2024-01-15 20240101-1 jammy-20240808 bookworm-20240812-slim
nightly-2024-01-01 nightly20240101 RELEASE.2024-01-01T00-00-00Z v20231011-8b53cabe0 go1.22.1
12.2.0-base-ubuntu22.04 alpine-1.2.3 alpine3.19.1 1.27.0-debian-12-r1 1.27-debian-12-r1
17.0.0-ce.0 2.440 2.440-jdk17 2024.1 2024 2023.10 12345 456 v456 1.2024 1.27.1.1 1.27-1 1-1
stable-1.2 stable-20240101 edge-123 beta1 beta-2 rc1 latest-20240101 latest-1.2.3 1.27-abc
saintmaure mytag LATEST Latest Stable 1.27_alpine 1.27-Alpine temurin-17.0.1 17.0.11_9-jdk
jdk-17.0.11 0.0.1 8.0.4-jammy 3.19.1 3.1-dev3 b123 x 1.27. .27 1..2 1.27- latest- -latest
1-alpine- ltsc2029 1.27-latest-5
"""


@pytest.mark.parametrize("tag", FLOATING.split())
def test_a_tag_that_surely_floats(tag: str) -> None:
    assert not is_version(tag)


@pytest.mark.parametrize("tag", [*VERSIONS.split(), "1\u0661", "1.\u0661"])
def test_every_other_tag_is_a_version(tag: str) -> None:
    assert is_version(tag)


def test_patterns_of_the_config_name_more_that_floats() -> None:
    assert not is_version("team-slim", ["*-slim", "mytag"])
    assert not is_version("mytag", ["*-slim", "mytag"])
    assert is_version("mytag2", ["*-slim", "mytag"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nginx", TagClass.FLOATING),
        ("nginx:1.27.3", TagClass.VERSION),
        ("nginx:team", TagClass.VERSION),
        ("nginx:team-slim", TagClass.FLOATING),
        (f"nginx:latest@sha256:{'a' * 64}", TagClass.DIGEST),
        (f"nginx@sha256:{'a' * 64}", TagClass.DIGEST),
    ],
)
def test_the_class_of_an_image(name: str, kind: TagClass) -> None:
    assert tag_class(ImageRef.parse(name), ["*-slim"]) is kind
