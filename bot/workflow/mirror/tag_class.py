"""Whether a tag is surely updated with each release, as far as its spelling shows.

The same rules as bot/core/tag_class.py. A test compares both. What is not surely floating is a
version, which a run of the whole list does not overwrite. Pure: no I/O.
"""

import re

# A major or minor release: 1, v1, 1.27, 22.04, 1.x. A longer number is a date or a build.
_RELEASE = re.compile(
    r"v?([0-9]{1,2}|[0-9]{1,3}\.[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{1,2})?\.x)", re.ASCII
)
# The release of what an image is made of: the 3.19 of alpine3.19, the 17 of jdk-17.
_SMALL = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2})?")
_WORD = re.compile(r"([a-z]+)([0-9]{1,2}(?:\.[0-9]{1,2})?)?")
_LATEST = re.compile(r"([0-9]{4}|[a-z]+)-latest")  # 2022-latest, ubuntu-latest


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CHANNELS = _words(
    "alpha beta canary current daily dev devel develop development ea edge experimental head latest"
    " lts main mainline master next nightly oldstable preview rawhide rc release rolling snapshot"
    " stable staging test testing tip trunk unstable weekly"
)
_CODE_NAMES = _words(
    "bionic bookworm bullseye buster focal forky gallium hydrogen iron jammy jod jessie krypton"
    " noble oracular plucky sid stretch trixie trusty xenial"
)
_FLAVOURS = _words(
    "aarch64 all aot apache aspnet backports base builder buildpack chiseled cli composer cpu data"
    " debug default dind distroless extended extra fips fpm full git glibc gpu headless jammy jvm"
    " lite management meta minimal mini musl nanoserver nonroot onbuild openshift oracle otel perl"
    " playground rootless root runtime sdk server shell slim static tiny uclibc ubi unit"
    " windowsservercore zts"
)
# What a release may follow, with a dash or without.
_WITH_RELEASE = _words(
    "almalinux alpine amazoncorretto amazonlinux arm azurelinux centos clang corretto cuda debian"
    " deno dotnet eclipse erlang fedora gcc go golang graal graalvm ibmjava java jdk jre liberica"
    " mariner node nodejs openj openjdk opensuse oraclelinux otp php pg postgres postgresql python"
    " rocky rockylinux ruby rust sapmachine semeru stream temurin ubi ubuntu zulu"
)
_PLATFORMS = _words(
    "amd64 arm64 arm64v8 arm32v6 arm32v7 armv7 i386 linux ltsc2019 ltsc2022 ltsc2025 ppc64le"
    " riscv64 s390x windows x64 x86"
)
_WORDS = _CHANNELS | _CODE_NAMES | _FLAVOURS | _WITH_RELEASE | _PLATFORMS


def floats(tag: str) -> bool:
    """Return whether it is a release or a known word, and so is all that follows by dashes."""
    if _LATEST.fullmatch(tag):
        return True
    head, *rest = tag.split("-")
    follows = all(
        _is_known(part, before) for before, part in zip([head, *rest], rest, strict=False)
    )
    return follows and (_RELEASE.fullmatch(head) is not None or _is_known(head))


def _is_known(part: str, before: str = "") -> bool:
    """Return whether a part of a tag is a word from above: alpine, alpine3.19, or 17 after jdk."""
    if part in _WORDS:
        return True
    word = _WORD.fullmatch(part)
    if word is None:
        return before in _WITH_RELEASE and _SMALL.fullmatch(part) is not None
    return word[2] is not None and word[1] in _WITH_RELEASE
