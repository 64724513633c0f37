"""What people type, and which command it is parsed as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.bad_image import BadImage
from bot.core.decision import Ground
from bot.core.ids import RequestId
from bot.core.image import ImageRef
from bot.core.nodes import NodeTool
from bot.core.policy import Role
from bot.core.version_range import parse_range
from bot.dialog.command_values import (
    Approve,
    BeginFollow,
    BeginWatch,
    Block,
    Cancel,
    CommandName,
    Confirm,
    EndFollow,
    EndWatch,
    History,
    List,
    Lookup,
    Mirror,
    Misuse,
    Nodes,
    Notify,
    Outdated,
    Pause,
    Reject,
    Remove,
    Replied,
    Resume,
    Retry,
    Rollback,
    Simple,
    Status,
    Unblock,
    Unknown,
    Unused,
    Why,
)
from bot.dialog.commands import COMMANDS, menu_for, parse

NGINX = ImageRef.parse("nginx:1.27")
REDIS = ImageRef.parse("redis:7")
R41 = RequestId(41)
BARE = ImageRef.parse("nginx")
OWN = {"cancel", "retry"}
DECIDING = {"approve", "reject"}
ASKING = {"mirror", "status", "lookup", "list", "outdated", "watch", "unwatch", "why"}
ASKING |= {"rollback", "remove", "nodes"}
ASKING |= {"follow", "unfollow"}
HOLDING = {"pause", "resume", "block", "unblock"}


def read(text: str) -> object:
    typed = parse(text, me="mirror_bot", target_host="harbor.example.com")
    return None if typed is None else typed.parsed


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/mirror nginx:1.27", Mirror("nginx:1.27")),
        ("/MIRROR@Mirror_Bot nginx:1.27", Mirror("nginx:1.27")),
        ("  /mirror nginx:1.27\nredis:7 ", Mirror("nginx:1.27\nredis:7")),
        ("/mirror\uff0cnginx:1.27", Mirror("nginx:1.27")),
        ("/mirror@mirror_bot\uff1a\nnginx:1.27", Mirror("nginx:1.27")),
        ("/mirror: nginx:1.27", Mirror("nginx:1.27")),
        ("/status\uff1a#41", Status(R41)),
        ("/mirror", Mirror("")),
        ("/mirror #41", Confirm(R41)),
        ("/mirror ＃41", Confirm(R41)),
        ("/mirror 41", Mirror("41")),
        ("/mirror #" + "9" * 19, Mirror("#" + "9" * 19)),
        ("/lookup nginx:1.27", Lookup((NGINX,))),
        ("/lookup nginx:1.27 nginx:1.27\nredis:7", Lookup((NGINX, REDIS))),
        ("/lookup nginx:1.27、redis:7", Lookup((NGINX, REDIS))),
        ("/lookup docker pull nginx:1.27", Lookup((NGINX,))),
        ("/lookup", Misuse()),
        ("/list", List("")),
        ("/list unused", Unused("cluster", "")),
        ("/list Unused prod", Unused("prod", "")),
        ("/list unused prod\nnginx:1.27\nredis", Unused("prod", "nginx:1.27\nredis")),
        ("/list unused nginx:1.27\nredis", Unused("cluster", "nginx:1.27\nredis")),
        ("/list unused\nnginx redis", Unused("cluster", "nginx redis")),
        ("/list unusedx", List("unusedx")),
        ("/list  GCR   io", List("GCR io")),
        ("/list " + "镜" * 16, List("镜" * 16)),
        ("/list " + "镜" * 17, Misuse()),
        ("/outdated", Outdated("")),
        ("/outdated gcr.io", Outdated("gcr.io")),
        ("/outdated " + "x" * 49, Misuse()),
        ("/watch", BeginWatch()),
        ("/watch nginx:1.27", BeginWatch((NGINX,))),
        ("/watch nginx:1.27 redis:7", BeginWatch((NGINX, REDIS))),
        ("/unwatch nginx:1.27", EndWatch((NGINX,))),
        ("/unwatch nginx:1.27, redis:7", EndWatch((NGINX, REDIS))),
        ("/unwatch", Misuse()),
        ("/follow", BeginFollow()),
        ("/follow nginx 1.27.x", BeginFollow(BARE, parse_range("1.27.x"))),
        ("/follow nginx:^1.27", BeginFollow(BARE, parse_range("^1.27"))),
        ("/follow nginx >= 1.2 < 2", BeginFollow(BARE, parse_range(">=1.2 <2"))),
        ("/follow nginx", BeginFollow(BARE)),
        ("/follow nginx latest", Misuse()),
        ("/unfollow nginx", EndFollow(BARE)),
        ("/unfollow nginx:1.x", EndFollow(BARE, parse_range("1.x"))),
        ("/unfollow", Misuse()),
        ("/why nginx:1.27", Why(NGINX)),
        ("/why", Misuse()),
        ("/rollback nginx:1.27", Rollback(NGINX)),
        ("/rollback", Misuse()),
        ("/remove nginx:1.27", Remove(NGINX)),
        ("/remove", Misuse()),
        ("/nodes", Nodes(NodeTool.CONTAINERD)),
        ("/nodes K3S", Nodes(NodeTool.K3S)),
        ("/nodes docker", Misuse()),
        ("/history", History(None)),
        ("/history #41", History(R41)),
        ("/history nginx:1.27", History(NGINX)),
        ("/status", Status(None)),
        ("/status #41", Status(R41)),
        ("/status 41", Status(R41)),
        ("/status nginx:1.27", Status(NGINX)),
        ("/approve #41", Approve(R41)),
        ("/approve 41 aB3_-x9Q", Approve(R41, "aB3_-x9Q")),
        ("/approve 41 aB3_-x9Q keep", Approve(R41, "aB3_-x9Q", Ground.KEPT)),
        ("/approve 41 aB3_-x9Q floats", Approve(R41, "aB3_-x9Q", Ground.FLOATS)),
        ("/approve 41 aB3_-x9Q keep it", Approve(R41, reason="aB3_-x9Q keep it")),
        ("/approve aB3_-x9Q", Misuse()),
        ("/reject 41 aB3_-x9Q too  old", Reject(R41, "aB3_-x9Q too old", "aB3_-x9Q")),
        ("/reject 41 outdated", Reject(R41, "outdated", "outdated")),
        ("/reject 41", Reject(R41, "")),
        ("/reject #41 not   this\none", Reject(R41, "not this one")),
        ("/cancel ＃41", Cancel(R41)),
        ("/retry #41", Retry(R41)),
        ("/help", Simple(CommandName.HELP)),
        ("/reload now", Simple(CommandName.RELOAD)),
        ("/notify", Notify(wanted=True)),
        ("/notify ON", Notify(wanted=True)),
        ("/notify 关", Notify(wanted=False)),
        ("/notify nginx", Misuse()),
        ("/pause", Pause()),
        ("/pause the registry\nmoves", Pause("the registry moves")),
        ("/resume now", Resume()),
        ("/block nginx:1.27 bad bytes", Block("docker.io/library/nginx:1.27", "bad bytes")),
        ("/block", Misuse()),
        ("/unblock quay.io", Unblock("quay.io/**")),
        ("/unblock", Misuse()),
        ("/start now", Simple(CommandName.START)),
        ("/whoami", Simple(CommandName.WHOAMI)),
        ("/approve", Replied(CommandName.APPROVE)),
        ("/cancel", Replied(CommandName.CANCEL)),
        ("/retry", Replied(CommandName.RETRY)),
        ("/approve #41  it is\nurgent", Approve(R41, reason="it is urgent")),
        ("/reject use  ours", Replied(CommandName.REJECT, "use ours")),
        ("/reject", Replied(CommandName.REJECT)),
        ("/cancel all", Misuse()),
        ("/retry #" + "9" * 19, Misuse()),
        ("/mirror@other_bot nginx", None),
        ("/unknown", Unknown("unknown", addressed=False)),
        ("/Foo_2@mirror_bot nginx", Unknown("Foo_2", addressed=True)),
        ("/foo@other_bot", None),
        ("/" + "x" * 33, None),
        ("/usr/bin/docker pull nginx", None),
        ("mirror nginx", None),
        ("", None),
    ],
)
def test_a_message_is_taken_for_its_command(text: str, command: object) -> None:
    assert read(text) == command


def test_a_single_image_is_read_with_its_slips() -> None:
    assert read("/status harbor.example.com/docker.io/library/nginx:1.27") == Status(NGINX)
    for name in ("status", "lookup"):
        parsed = read(f"/{name} Nginx:1.27")
        assert isinstance(parsed, BadImage)
        assert parsed.correction is not None
        assert parsed.correction.image == NGINX


def test_a_reason_is_bounded() -> None:
    parsed = read("/reject #41 " + "x" * 999)
    assert isinstance(parsed, Reject)
    assert len(parsed.reason) == 200


@given(st.text() | st.text().map("/mirror {}".format) | st.text().map("/status {}".format))
def test_no_text_whatever_raises(text: str) -> None:
    read(text)


def test_a_filter_that_is_no_unicode_raises_nothing_either() -> None:
    assert read("/list \ud800") == List("\ud800")


def test_the_table_names_each_command_once() -> None:
    assert sorted(COMMANDS) == sorted(CommandName)
    assert all(spec.name is name for name, spec in COMMANDS.items())


@pytest.mark.parametrize(
    ("text", "name"), [("/LookUp", "lookup"), ("/watch@mirror_bot x", "watch")]
)
def test_which_command_was_typed_is_known_whatever_its_arguments(text: str, name: str) -> None:
    typed = parse(text, me="mirror_bot", target_host="harbor.example.com")
    assert typed is not None
    assert typed.name == name


@pytest.mark.parametrize(
    ("role", "more"),
    [
        (Role.OUTSIDE, set()),
        (Role.NOBODY, set()),
        (Role.GUEST, {"whoami", "help"}),
        (Role.MEMBER, ASKING | OWN),
        (Role.ADMIN, DECIDING | HOLDING | {"history", "notify", "reload", "unkeep"}),
    ],
)
def test_the_menu_shows_what_somebody_may_do(role: Role, more: set[str]) -> None:
    less = {Role.MEMBER: Role.GUEST, Role.ADMIN: Role.MEMBER}.get(role)
    known = {spec.name for spec in menu_for(less)} if less else set[CommandName]()
    assert {spec.name for spec in menu_for(role)} - known == more


def test_of_several_images_those_that_are_none_are_named() -> None:
    parsed = read("/lookup nginx:1.27 REDIS:7")
    assert isinstance(parsed, Lookup)
    assert parsed.images == (NGINX,)
    assert [bad.text for bad in parsed.bad] == ["REDIS:7"]
    assert isinstance(read("/lookup !! ??"), BadImage)
    assert isinstance(read("/follow NGINX 1.x"), BadImage)
