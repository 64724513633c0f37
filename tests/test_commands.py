"""What people type, and what it is taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.commands import (
    COMMANDS,
    SPECS,
    Approve,
    BadImages,
    Cancel,
    Mirror,
    Misuse,
    Name,
    Plain,
    Reject,
    Retry,
    Status,
    Verb,
    button_data,
    parse,
    parse_button,
)
from bot.core.facts import RequestId
from bot.core.image import ImageRef

NGINX, REDIS = ImageRef.parse("nginx:1.27"), ImageRef.parse("redis:7")
R41 = RequestId(41)


def read(text: str) -> object:
    return parse(text, me="mirror_bot", target_host="harbor.example.com")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/mirror nginx:1.27", Mirror((NGINX,))),
        ("/MIRROR@Mirror_Bot nginx:1.27", Mirror((NGINX,))),
        ("  /mirror nginx:1.27\nredis:7", Mirror((NGINX, REDIS))),
        ("/mirror nginx:1.27, redis:7，nginx:1.27、redis:7", Mirror((NGINX, REDIS))),
        ("/status", Status(None)),
        ("/status #41", Status(R41)),
        ("/status 41", Status(R41)),
        ("/status nginx:1.27", Status(NGINX)),
        ("/approve #41", Approve(R41)),
        ("/reject 41", Reject(R41, "")),
        ("/reject #41 not   this\none", Reject(R41, "not this one")),
        ("/cancel ＃41", Cancel(R41)),
        ("/retry #41", Retry(R41)),
        ("/help", Plain(Name.HELP)),
        ("/start now", Plain(Name.START)),
        ("/whoami", Plain(Name.WHOAMI)),
        ("/mirror", Misuse(Name.MIRROR)),
        ("/mirror ,", Misuse(Name.MIRROR)),
        ("/approve", Misuse(Name.APPROVE)),
        ("/approve #41 please", Misuse(Name.APPROVE)),
        ("/cancel all", Misuse(Name.CANCEL)),
        ("/retry #" + "9" * 19, Misuse(Name.RETRY)),
        ("/mirror@other_bot nginx", None),
        ("/unknown", None),
        ("mirror nginx", None),
        ("", None),
    ],
)
def test_a_message_is_taken_for_its_command(text: str, command: object) -> None:
    assert read(text) == command


def test_one_bad_image_stops_all_and_the_good_ones_are_remembered() -> None:
    parsed = read("/mirror redis:7 Nginx:1.27")
    assert isinstance(parsed, BadImages)
    assert parsed.good == (REDIS,)
    assert parsed.bad[0].correction is not None
    assert parsed.bad[0].correction.image == NGINX


def test_a_pasted_command_line_is_one_mistake_not_three_images() -> None:
    parsed = read("/mirror docker pull nginx:1.27")
    assert isinstance(parsed, BadImages)
    assert [bad.text for bad in parsed.bad] == ["docker pull nginx:1.27"]
    assert parsed.bad[0].correction is not None
    assert parsed.bad[0].correction.image == NGINX


@pytest.mark.parametrize("text", ["nginx 1.27", "redis:7 nginx 1.27", "nginx v1.27"])
def test_a_blank_for_the_colon_is_one_mistake_not_two_images(text: str) -> None:
    parsed = read(f"/mirror {text}")
    assert isinstance(parsed, BadImages)
    assert len(parsed.bad) == 1
    assert parsed.bad[0].correction is not None
    assert parsed.bad[0].correction.image.repository == "library/nginx"


def test_an_image_called_docker_is_an_image() -> None:
    assert read("/mirror docker") == Mirror((ImageRef.parse("docker"),))


def test_a_copied_pull_reference_of_the_target_is_a_mistake_that_is_known() -> None:
    parsed = read("/status harbor.example.com/docker.io/library/nginx:1.27")
    assert isinstance(parsed, BadImages)
    assert parsed.bad[0].correction is not None
    assert parsed.bad[0].correction.image == NGINX


def test_a_reason_is_bounded() -> None:
    parsed = read("/reject #41 " + "x" * 999)
    assert isinstance(parsed, Reject)
    assert len(parsed.reason) == 200


@given(st.text() | st.text().map("/mirror {}".format) | st.text().map("/status {}".format))
def test_no_text_whatever_raises(text: str) -> None:
    read(text)


def test_buttons_say_verb_and_number_and_nothing_else_is_taken() -> None:
    assert parse_button(button_data(Verb.APPROVE, R41)) == Approve(R41)
    assert parse_button(button_data(Verb.REJECT, R41)) == Reject(R41)
    for data in ("", "approve:", "approve:x", "approve:41\n", "cancel:41", "approve:٤١"):
        assert parse_button(data) is None
    assert len(button_data(Verb.APPROVE, RequestId(10**18 - 1)).encode()) <= 64


def test_the_table_names_each_command_once() -> None:
    assert sorted(SPECS) == sorted(Name)
    assert len(COMMANDS) == len(Name)
