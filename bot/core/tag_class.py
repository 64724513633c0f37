"""Whether a tag is expected to be updated upstream, as far as its spelling shows.

Only the people who publish an image know what they mean by a tag. So this fails closed: what is not
surely floating is a version, which is never written over without a decision. Patterns of the config
(`fresh.floating`) name other tags that float.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from bot.core.image import ImageRef
from bot.core.pattern import fits

_RELEASE: Final = re.compile(
    r"v?([0-9]{1,2}|[0-9]{1,3}\.[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{1,2})?\.x)", re.ASCII
)
"""A major or minor release: 1, v1, 1.27, 22.04, 1.x. A longer number is a date or a build."""
_SMALL: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?")
"""The release of what an image is made of: the 3.19 of alpine3.19, the 17 of jdk-17."""
_WORD: Final = re.compile(r"([a-z]+)([0-9]{1,2}(?:\.[0-9]{1,2})?)?")
_LATEST: Final = re.compile(r"([0-9]{4}|[a-z]+)-latest")
"""2022-latest, ubuntu-latest."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CHANNELS: Final = _words(
    "alpha beta canary current daily dev devel develop development ea edge experimental head latest"
    " lts main mainline master next nightly oldstable preview rawhide rc release rolling snapshot"
    " stable staging test testing tip trunk unstable weekly"
)
_CODE_NAMES: Final = _words(
    "bionic bookworm bullseye buster focal forky gallium hydrogen iron jammy jod jessie krypton"
    " noble oracular plucky sid stretch trixie trusty xenial"
)
_FLAVOURS: Final = _words(
    "aarch64 all aot apache aspnet backports base builder buildpack chiseled cli composer cpu data"
    " debug default dind distroless extended extra fips fpm full git glibc gpu headless jammy jvm"
    " lite management meta minimal mini musl nanoserver nonroot onbuild openshift oracle otel perl"
    " playground rootless root runtime sdk server shell slim static tiny uclibc ubi unit"
    " windowsservercore zts"
)
_WITH_RELEASE: Final = _words(
    "almalinux alpine amazoncorretto amazonlinux arm azurelinux centos clang corretto cuda debian"
    " deno dotnet eclipse erlang fedora gcc go golang graal graalvm ibmjava java jdk jre liberica"
    " mariner node nodejs openj openjdk opensuse oraclelinux otp php pg postgres postgresql python"
    " rocky rockylinux ruby rust sapmachine semeru stream temurin ubi ubuntu zulu"
)
"""What a release may follow, with a dash or without."""
_PLATFORMS: Final = _words(
    "amd64 arm64 arm64v8 arm32v6 arm32v7 armv7 i386 linux ltsc2019 ltsc2022 ltsc2025 ppc64le"
    " riscv64 s390x windows x64 x86"
)
_WORDS: Final = _CHANNELS | _CODE_NAMES | _FLAVOURS | _WITH_RELEASE | _PLATFORMS


class TagClass(StrEnum):
    """The kinds of tags. The config has an interval for each of the first two."""

    FLOATING = "floating"
    """`latest`, `stable`, `1.27`: updated with each release."""
    VERSION = "version"
    """`1.27.3`, `20240101`, and everything whose meaning is not known: not to be updated."""
    DIGEST = "digest"
    """An image with a digest, which never changes."""


def tag_class(image: ImageRef, floating: Iterable[str] = ()) -> TagClass:
    """The class of an image's tag. With a digest, the tag does not count.

    `floating` are patterns of tags that float besides those that are known here.
    """
    if image.digest is not None:
        return TagClass.DIGEST
    return TagClass.VERSION if is_version(image.tag or "", floating) else TagClass.FLOATING


def is_version(tag: str, floating: Iterable[str] = ()) -> bool:
    """Whether a tag is not surely updated with each release: 1.27.3, 20240101, sha-1a2b3c4."""
    return not (any(fits(pattern, tag) for pattern in floating) or _floats(tag))


def _floats(tag: str) -> bool:
    """Whether it is a release or a known word, and all that follows by dashes is known too."""
    if _LATEST.fullmatch(tag):
        return True
    head, *rest = tag.split("-")
    follows = all(
        _is_known(part, before) for before, part in zip([head, *rest], rest, strict=False)
    )
    return follows and (_RELEASE.fullmatch(head) is not None or _is_known(head))


def _is_known(part: str, before: str = "") -> bool:
    """Whether a part of a tag is a word from above: alpine, alpine3.19, or 17 after jdk."""
    if part in _WORDS:
        return True
    word = _WORD.fullmatch(part)
    if word is None:
        return before in _WITH_RELEASE and _SMALL.fullmatch(part) is not None
    return word[2] is not None and word[1] in _WITH_RELEASE
