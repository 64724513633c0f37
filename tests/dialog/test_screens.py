"""Whole conversations as people see them, in every language, word for word.

The screens are in tests/dialog/screens/. After an intended change, write them anew with
UPDATE_SCREENS=1 pytest tests/dialog/test_screens.py, and read the difference before the commit.
"""

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, GROUP, LI, MALLORY, NGINX, POLICY, STATIC, WEI, digest_of, world
from screen import Screen

from bot.core.approvals import Approvals
from bot.core.attachments import NO_ATTACHMENTS, Attachments
from bot.core.decision import Verdict
from bot.core.errors import TransientError, UnsignedError
from bot.core.fresh import FreshPlan
from bot.core.gathering import MOST_PARTS
from bot.core.ids import ChatId, Place
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.previous import Previous
from bot.core.registry import ImageInfo, Scan
from bot.core.retry import TroubleKind
from bot.core.signature import Signer
from bot.core.tag_class import TagClass
from bot.dialog.language import Language
from bot.engine.intake.context import Attachment
from bot.engine.lanes.hand_written import HandWrittenLane
from bot.engine.lanes.reconciler import Reconciler

SCREENS = Path(__file__).parent / "screens"
UPDATE = os.environ.get("UPDATE_SCREENS") == "1"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
REDIS = ImageRef.parse("redis:7.4")
LATEST = ImageRef.parse("nginx:latest")
VERSION = ImageRef.parse("redis:7.4.1")
COMPOSE = b"""# The blog, and what watches it
services:
  proxy:
    image: traefik:v3.1
  blog:
    image: "wordpress:6.6-apache"   # waits for the database
    environment:
      WORDPRESS_DB_HOST: db
  db:
    image: mariadb:11.4
  cache:
    image: redis:7.4
  charts:
    image: grafana/grafana:11.2.0
  containers:
    image: gcr.io/cadvisor/cadvisor:v0.49.1
"""
SERVICES = [
    ImageRef.parse(name)
    for name in (
        "traefik:v3.1",
        "wordpress:6.6-apache",
        "mariadb:11.4",
        "redis:7.4",
        "grafana/grafana:11.2.0",
        "gcr.io/cadvisor/cadvisor:v0.49.1",
    )
]


SIGNER = Signer(key="PEM", fingerprint="5f2d0c9a71b3e684")
NOT_BY_SIGNER = UnsignedError(f"1 signature there, none by {SIGNER.name}")


async def from_question_to_pull(screen: Screen) -> None:
    screen.upstream(NGINX, 72_900_000)
    await screen.say(WEI, "/mirror nginx:1.27")
    await screen.wait()
    screen.copied(NGINX)
    await screen.wait()
    await screen.press(WEI, "form:1:containerd")
    await screen.wait(4)


async def an_admin_has_to_approve(screen: Screen) -> None:
    screen.upstream(LATEST, 72_900_000)
    screen.upstream(STATIC, 2_100_000, AMD64, ARM64, "linux/arm/v7", "linux/s390x")
    await screen.say(WEI, f"/mirror nginx\n{STATIC}")
    await screen.wait()
    await screen.press(WEI, "approve:1")
    await screen.press(ANA, "approve:1")
    screen.copied(LATEST)
    await screen.wait()
    screen.copied(STATIC)
    await screen.wait()
    await screen.press(WEI, "form:1:kubernetes")
    await screen.say(ANA, "/reject #1 too late")
    await screen.wait(4)


async def a_compose_file_comes_back_rewritten(screen: Screen) -> None:
    for number, image in enumerate(SERVICES, 1):
        screen.upstream(image, number * 30_000_000)
    await screen.send(WEI, "compose.yaml", COMPOSE)
    await screen.wait(4)
    await screen.press(WEI, "page:1:0")
    await screen.wait(4)
    await screen.press(WEI, "tick:1:3")
    await screen.wait(4)
    await screen.press(WEI, "all:1")
    await screen.wait()
    await screen.press(ANA, "approve:1")
    screen.copied(*SERVICES[:3])
    await screen.wait(12)
    screen.copied(*SERVICES[4:])
    await screen.wait(12)


async def a_slip_is_one_tap_away(screen: Screen) -> None:
    screen.upstream(NGINX, 72_900_000)
    await screen.say(WEI, "/mirror Nginx:1.27")
    await screen.wait(4)
    await screen.press(LI, "all:1")
    await screen.press(WEI, "all:1")
    await screen.wait()
    screen.copied(NGINX)
    await screen.wait()
    await screen.press(WEI, "form:1:docker")


async def a_missing_tag_has_neighbours(screen: Screen) -> None:
    tags = ("1.27", "1.26", "1.27-alpine", "1.27.5", "latest")
    screen.world.registries.tagged["docker.io/library/nginx"] = tags
    screen.upstream(NGINX, 72_900_000)
    await screen.say(WEI, "/mirror nginx:1.27.9")
    await screen.wait()
    await screen.press(WEI, "meant:1:1:1")
    await screen.wait()
    screen.copied(NGINX)
    await screen.wait()


async def partly_done_then_retried(screen: Screen) -> None:
    screen.upstream(NGINX, 72_900_000)
    screen.upstream(REDIS, 45_600_000)
    await screen.say(WEI, "/mirror nginx:1.27 redis:7.4")
    await screen.wait()
    screen.failed(REDIS, "target: exceeds the configured upper limit of project storage")
    screen.copied(NGINX)
    await screen.wait()
    await screen.press(WEI, "retry:1")
    await screen.wait(12)
    screen.copied(REDIS)
    await screen.wait()


async def a_rate_limit_passes_by_itself(screen: Screen) -> None:
    screen.upstream(NGINX, 72_900_000)
    await screen.say(WEI, "/mirror nginx:1.27")
    await screen.wait()
    screen.failed(NGINX, "source: toomanyrequests: You have reached your pull rate limit")
    screen.copied()
    await screen.wait()
    await screen.say(WEI, "/status #1")
    while len(screen.world.repository.runs) < 2:
        await screen.wait(30, step=5)
    screen.copied(NGINX)
    await screen.wait()


async def li_joins_what_is_on_its_way(screen: Screen) -> None:
    screen.upstream(NGINX, 72_900_000)
    screen.upstream(REDIS, 45_600_000)
    await screen.say(WEI, "/mirror nginx:1.27")
    await screen.wait()
    await screen.say(LI, "/mirror nginx:1.27 redis:7.4")
    await screen.wait(9)
    screen.copied(NGINX, run=0)
    await screen.wait(9)
    screen.copied(REDIS)
    await screen.wait()


async def looking_without_mirroring(screen: Screen) -> None:
    here, registries = screen.world, screen.world.registries
    created = here.clock.now - timedelta(days=40)
    here.upstream(NGINX)
    registries.shapes[str(NGINX)] = ImageInfo((AMD64, ARM64), 72_900_000, created)
    registries.tagged["docker.io/library/nginx"] = ("1.27", "1.26", "latest")
    await screen.say(WEI, "/lookup nginx:1.27")
    await screen.wait(2)
    there = registries.target[str(NGINX)] = digest_of("docker.io/library/nginx:1.27")
    page = "https://harbor.example.com/harbor/projects/7"
    registries.scans[f"{NGINX} {there}"] = Scan(critical=1, high=4, medium=12, low=30, url=page)
    await screen.say(WEI, "/lookup nginx:1.27")
    await screen.wait(2)
    registries.target[str(NGINX)] = digest_of("an older one")
    await screen.say(WEI, "/lookup nginx:1.27")
    await screen.wait(2)
    await screen.say(WEI, "/lookup nginx:1.72")
    await screen.wait(2)
    registries.source[str(REDIS)] = TransientError(
        "docker.io did not answer in time", kind=TroubleKind.SILENT, who="docker.io"
    )
    await screen.say(WEI, "/lookup redis:7.4")
    await screen.wait(12)
    here.repository.look(REDIS, f"{digest_of('redis')} none", f"40000000 {AMD64} {ARM64}")
    here.repository.finish()
    await screen.wait(6)
    await the_list_and_the_status(screen)


async def the_list_and_the_status(screen: Screen) -> None:
    here = screen.world
    lines = [f"docker.io/library/nginx:1.{minor}" for minor in range(9, 28)]
    lines += [str(image) for image in SERVICES]
    here.repository.content = "\n".join(["# ours", *lines]).encode()
    await screen.say(LI, "/list")
    await screen.wait(2)
    await screen.press(LI, "list:1:")
    await screen.wait(4)
    for person, text in ((LI, "/list grafana"), (LI, "/list jenkins"), (WEI, "/status")):
        await screen.say(person, text)
        await screen.wait(2)
    here.upstream(STATIC)
    await screen.say(WEI, f"/mirror {STATIC} nginx:9.9")
    await screen.wait(6)
    here.repository.look(ImageRef.parse("nginx:9.9"), "missing", "1.27 1.26 latest")
    here.repository.finish()
    await screen.wait()
    await screen.say(LI, "/mirror a/a:1 b/b:1 c/c:1 d/d:1")
    await screen.wait(30)
    here.registries.limited = True
    for person, text in (
        (WEI, "/status"),
        (ANA, "/status"),
        (WEI, f"/status {STATIC}"),
        (WEI, "/status #7"),
        (WEI, "/status redis:1"),
    ):
        await screen.say(person, text)
        await screen.wait(2)


async def everything_that_goes_wrong(screen: Screen) -> None:
    await texts_that_name_no_image(screen)
    await files_that_hold_none(screen)
    await what_is_not_allowed(screen)
    await strangers(screen)


async def texts_that_name_no_image(screen: Screen) -> None:
    for text in (
        "/mirror",
        "/mirror please",
        "/mirror " + "a" * 64,
        "/mirror nginx:1.27 nginx@sha256:abc",
        "/lookup Redis:7",
        "/retry",
        "/cancel #99",
    ):
        await screen.say(WEI, text)
        await screen.wait(2)


async def files_that_hold_none(screen: Screen) -> None:
    await screen.send(WEI, "broken.yaml", b"services: {a: [\n")
    await screen.wait(2)
    await screen.send(WEI, "photo.bin", b"\x00\xff\xfe\x80")
    await screen.wait(2)
    await screen.send(WEI, "empty.yaml", b"services: {}\n")
    await screen.wait(2)
    await screen.send(WEI, "all.yaml", b"", size=3 << 20)
    await screen.wait(30)


async def what_is_not_allowed(screen: Screen) -> None:
    screen.world.upstream(NGINX)
    screen.world.registries.target[str(NGINX)] = digest_of(str(NGINX))
    await screen.say(WEI, f"/mirror quay.io/prometheus/node-exporter:v1.8.2 evil/miner:1 {NGINX}")
    await screen.wait()
    await screen.say(WEI, "/mirror quay.io/prometheus/node-exporter:v1.8.2 evil/miner:1")
    await screen.say(WEI, "/lookup quay.io/prometheus/node-exporter:v1.8.2")
    await screen.say(WEI, "/mirror " + " ".join(f"redis:{number}" for number in range(7)))
    await screen.wait(4)
    await screen.press(WEI, "all:6")
    await screen.press(WEI, "page:6:0")
    await screen.press(WEI, "drop:6")
    await screen.wait(30)


async def strangers(screen: Screen) -> None:
    await screen.say(MALLORY, "/mirror nginx:1.27")
    await screen.say(MALLORY, "/mirror nginx:1.27", chat=ChatId("telegram:-2002"))
    await screen.say(WEI, "/mirror nginx:1.27", faceless=True)
    await screen.say(WEI, "/approve #1")
    await screen.wait(2)
    await screen.say(MALLORY, "/whoami")
    await screen.say(ANA, "/whoami")
    await screen.say(WEI, "/help", chat=ChatId(WEI.id))
    await screen.say(ANA, "/help")
    await screen.wait(2)


def another(image: ImageRef) -> str:
    """Return the digest that the image's tag has after an upstream update."""
    return digest_of(f"later {image}")


async def copied_again(screen: Screen, image: ImageRef) -> None:
    world = screen.world
    digest = world.registries.source[str(image)]
    assert isinstance(digest, str)
    world.registries.target[str(image)] = digest
    world.repository.report(image, digest)
    world.repository.finish()
    await screen.wait(70)


async def tags_that_move(screen: Screen) -> None:
    world = screen.world
    world.repository.content = f"{LATEST}\n{VERSION}\n".encode()
    for image in (LATEST, VERSION):
        world.registries.source[str(image)] = digest_of(str(image))
        world.registries.target[str(image)] = digest_of(str(image))
    await screen.wait(300, step=20)
    await screen.say(WEI, "/watch")
    await screen.say(WEI, "/watch nginx")
    await screen.say(LI, f"/watch {VERSION}", chat=ChatId(LI.id))
    await screen.say(LI, "/watch nginx@sha256:" + "0" * 64)
    await screen.say(LI, "/watch redis:7")
    await screen.say(LI, "/watch")
    await screen.wait(2)
    world.registries.source[str(LATEST)] = another(LATEST)
    await screen.wait(130, step=2)
    await copied_again(screen, LATEST)
    world.registries.source[str(VERSION)] = another(VERSION)
    await screen.wait(250, step=2)
    await screen.press(WEI, "approve:1")
    await screen.press(ANA, "approve:1")
    await screen.wait(20)
    await copied_again(screen, VERSION)
    await screen.say(WEI, "/unwatch nginx")
    await screen.say(WEI, "/unwatch nginx")
    await screen.wait(2)


async def pages_of_what_waits(screen: Screen) -> None:
    """A long request for an admin: pages, a run of tags, a choice, digests and a reason."""
    screen.world.reasons = ("we have a base image for this", "not maintained upstream")
    screen.world.start()
    run = [ImageRef.parse(f"gcr.io/podinfo/podinfo:6.8.{n}") for n in range(1, 13)]
    teams = [ImageRef.parse(f"gcr.io/team-{n}/service:v{n}-stable") for n in range(1, 24)]
    for image in (*run, *teams):
        screen.upstream(image, 12_300_000)
    await screen.say(WEI, "/mirror " + " ".join(map(str, [*run, *teams])))
    await screen.wait(4)
    await screen.press(WEI, "all:1")
    await screen.wait(20)
    await screen.press(ANA, "show:1:1")
    await screen.wait(4)
    await screen.press(ANA, "choose:1:0")
    await screen.wait(4)
    await screen.press(ANA, "pick:1:2")
    await screen.wait(4)
    await screen.press(ANA, "reason:1")
    await screen.wait(4)
    await screen.press(ANA, "reject:1")
    await screen.wait(4)
    await screen.press(ANA, "digests:1")
    await screen.wait(4)
    await screen.say(ANA, "/approve #1")
    await screen.wait(4)
    await screen.press(ANA, "approve:1")


async def two_admins_approve(screen: Screen) -> None:
    screen.world.admins |= {LI.id}
    screen.world.start()
    screen.upstream(STATIC, 2_100_000)
    await screen.say(ANA, f"/mirror {STATIC}")
    await screen.wait()
    await screen.press(ANA, "approve:1")
    await screen.say(WEI, f"/mirror {STATIC}")
    await screen.wait()
    await screen.press(ANA, "approve:1")
    await screen.wait(4)
    await screen.press(ANA, "approve:1")
    await screen.press(LI, "approve:1")
    await screen.wait(4)


async def a_digest_under_another_tag(screen: Screen) -> None:
    old = another(NGINX)
    screen.upstream(NGINX, 72_900_000)
    screen.world.registries.source[f"docker.io/library/nginx@{old}"] = old
    await screen.say(WEI, f"/mirror nginx:1.27@{old}")
    await screen.wait()
    await screen.press(WEI, "meant:1:1:1")
    await screen.wait(4)
    await screen.say(LI, f"/mirror nginx:9.9-made-up@{old}")
    await screen.wait()


async def a_later_decision_replaces_a_question(screen: Screen) -> None:
    registries = screen.world.registries
    older = STATIC.at(digest_of("older"))
    registries.source[str(STATIC)] = registries.source[str(older)] = digest_of("older")
    await screen.say(WEI, f"/mirror {older}")
    await screen.wait()
    registries.source[str(STATIC)] = digest_of(str(STATIC))
    await screen.say(LI, f"/mirror {STATIC}")
    await screen.wait()
    await screen.press(ANA, "approve:2")
    await screen.wait()
    await screen.say(ANA, "/approve #1")
    await screen.wait(12)
    screen.failed(STATIC, f"source: the decided digest is gone: {digest_of(str(STATIC))}")
    screen.world.repository.finish("failure")
    await screen.wait()


async def a_tag_is_kept_fresh(screen: Screen) -> None:
    world = screen.world
    world.repository.content = f"{STATIC}\n".encode()
    world.registries.source[str(STATIC)] = digest_of(str(STATIC))
    world.registries.target[str(STATIC)] = digest_of(str(STATIC))
    await screen.wait(200, step=20)
    world.registries.source[str(STATIC)] = another(STATIC)
    await screen.wait(130, step=2)
    await screen.press(WEI, "keep:1")
    await screen.press(ANA, "keep:1")
    await screen.wait(20)
    await copied_again(screen, STATIC)
    await screen.say(ANA, f"/unkeep {STATIC}")
    await screen.say(ANA, f"/unkeep {STATIC}")
    await screen.wait(2)


Situation = Callable[[Screen], Awaitable[None]]


async def lines_written_by_hand(screen: Screen) -> None:
    here = screen.world
    here.lanes["hand_written"] = HandWrittenLane(
        store=here.store,
        repository=here.repository,
        policy=here.policy,
        place=Place(GROUP),
        language=here.language,
        clock=here.clock,
    )
    here.reconciler = Reconciler(here.lanes)
    names = ["gcr.io/li/tool:1", "docker.io/evil/miner:latest"]
    here.repository.content += "".join(f"{name}\n" for name in names).encode()
    await screen.wait(2)
    here.clock.pass_time(3600)
    here.repository.content += "".join(f"gcr.io/li/part-{n}:1\n" for n in range(12)).encode()
    await screen.wait(2)


async def who_decided(screen: Screen) -> None:
    """Members ask why an image is here, and admins what was decided lately."""
    screen.upstream(NGINX, 72_900_000)
    screen.upstream(STATIC, 2_100_000)
    await screen.say(WEI, f"/mirror nginx:1.27\n{STATIC}")
    await screen.wait()
    await screen.press(ANA, "approve:1")
    screen.copied(NGINX, STATIC)
    await screen.wait()
    await screen.say(LI, f"/mirror {VERSION}", chat=ChatId(LI.id))
    await screen.wait(20)
    for image in (NGINX, STATIC, VERSION):
        await screen.say(WEI, f"/why {image}")
        await screen.wait(2)
    await screen.say(LI, "/history")
    await screen.say(ANA, "/history")
    await screen.wait(2)
    await screen.say(ANA, "/history #2")
    await screen.wait(2)
    await screen.say(ANA, f"/history {STATIC}", chat=ChatId(ANA.id))
    await screen.wait(2)


async def a_digest_is_put_back(screen: Screen) -> None:
    """What a tag had before is kept, and comes back by an admin who sees both digests."""
    kept, refused = Previous("before-2026-03-01"), Previous(refusal="the target answers 412")
    attached = {"6.2": Attachments(3), "6.3": Attachments(1, "2: target: denied")}
    for name, previous in {"6.1": None, "6.2": kept, "6.3": refused}.items():
        digest = digest_of(name)
        screen.upstream(NGINX, 72_900_000)
        screen.world.registries.source[str(NGINX)] = digest
        await screen.say(WEI, "/mirror nginx:1.27")
        await screen.wait()
        screen.world.registries.target[str(NGINX)] = digest
        came = attached.get(name, NO_ATTACHMENTS)
        screen.world.repository.report(NGINX, digest, previous=previous, attachments=came)
        screen.world.repository.finish()
        await screen.wait()
    await screen.say(WEI, "/why nginx:1.27")
    await screen.wait(2)
    await screen.say(LI, f"/rollback {STATIC}")
    await screen.say(WEI, "/rollback nginx:1.27")
    await screen.wait(4)
    await screen.say(LI, "/rollback nginx:1.27")
    await screen.press(ANA, "approve:4")
    await screen.wait()
    await screen.say(ANA, "/history nginx:1.27")
    await screen.wait(2)


async def what_no_cluster_runs(screen: Screen) -> None:
    """What clusters run is compared with the list, each cluster by its name and day."""
    listed = [f"docker.io/team/app{number}:1" for number in range(33)]
    listed += ["nginx:1.26", "nginx:1.27", f"busybox@{digest_of('bare')}"]
    screen.world.repository.content = "".join(f"{line}\n" for line in listed).encode()
    await screen.say(WEI, "/list unused")
    await screen.wait(4)
    await screen.say(WEI, "/list unused prod\nnginx:1.27\nredis:7")
    await screen.wait(4)
    running = "\n".join(listed[:34])
    await screen.say(WEI, f"/list unused test\n{running}")
    await screen.wait(4)
    screen.world.clock.pass_time(86_400)
    await screen.say(LI, f"/list unused prod\n{listed[0]}")
    await screen.wait(4)


async def an_image_leaves_the_list(screen: Screen) -> None:
    """A member asks, an admin decides, and who watched it hears that this ends."""
    screen.world.repository.content = f"nginx:1.27  # web\n{STATIC}\nredis:7\n".encode()
    screen.upstream(NGINX, 72_900_000)
    await screen.wait(200, step=20)
    await screen.say(WEI, "/mirror nginx:1.27")
    await screen.wait(20)
    screen.world.copied(NGINX)
    await screen.wait(20)
    await screen.say(LI, "/list")
    await screen.wait(4)
    await screen.say(LI, "/watch nginx:1.27")
    await screen.say(WEI, "/remove nginx:1.26")
    await screen.say(WEI, "/remove busybox")
    await screen.say(WEI, "/remove nginx:1.27")
    await screen.wait(4)
    await screen.press(WEI, "approve:2")
    await screen.press(ANA, "approve:2")
    await screen.wait(20)
    await screen.say(WEI, f"/remove {STATIC}")
    await screen.wait(4)
    await screen.say(ANA, "/reject #3 we still need it")
    await screen.wait(4)
    await screen.say(ANA, "/history")
    await screen.wait(2)


async def what_was_kept_fresh_is_offered(screen: Screen) -> None:
    """After an upgrade, admins say once what is kept fresh as before."""
    world = screen.world
    images = [STATIC, *(ImageRef.parse(f"bitnami/{name}") for name in ("redis:7", "nginx:1.27"))]
    world.repository.content = "".join(f"{image}\n" for image in images).encode()
    for image in images:
        world.registries.source[str(image)] = digest_of(str(image))
        world.registries.target[str(image)] = digest_of(str(image))
    await screen.wait(200, step=20)
    world.upgrade()
    await screen.wait(4)
    await screen.press(WEI, "approve:1")
    await screen.press(ANA, "choose:1")
    await screen.wait(4)
    await screen.press(ANA, "pick:1:2")
    await screen.wait(4)
    await screen.press(ANA, "approve:1")
    await screen.wait(4)
    await screen.press(ANA, "reject:1")
    await screen.wait(4)
    await screen.say(WEI, "/unkeep")
    await screen.say(ANA, "/unkeep")
    await screen.wait(4)
    await screen.press(ANA, "✖️ bitnami/nginx:1.27")
    await screen.wait(4)
    await screen.press(ANA, "✖️ gcr.io/distroless/static:nonroot")
    await screen.wait(4)
    await screen.say(ANA, f"/history {images[2]}")
    await screen.wait(2)


async def several_messages_are_one(screen: Screen) -> None:
    """A long text, and an album: where all of it arrives, and where only a part does."""
    files = {"web.yaml": b"image: nginx:1.27\n", "cache.yaml": b"image: redis:7.4\n"}
    screen.world.chat.files |= files | {"notes.txt": b"nothing\n"}
    album = [Attachment(name, name, 20, "one") for name in (*files, "notes.txt")]
    remark = f"# {'what it is for, in many words ' * 125}"
    mine = ChatId(LI.id)
    for image in (NGINX, REDIS):
        screen.upstream(image, 72_900_000)
    await screen.say(WEI, f"/mirror {NGINX}\n{remark}")
    await screen.wait(4)
    await screen.say(WEI, "/mirror", file=album[0])
    await screen.wait(4)
    await screen.say(LI, f"/mirror {NGINX}\n{remark}", chat=mine, hears_all=True)
    await screen.say(LI, str(REDIS), chat=mine)
    await screen.wait(4)
    for position, file in enumerate(album):
        await screen.say(LI, "" if position else "/mirror", file=file, chat=mine, hears_all=True)
    await screen.wait(4)
    await screen.press(LI, "all:4", chat=mine)
    await screen.wait()
    screen.copied(NGINX, REDIS)
    await screen.wait()
    await screen.say(LI, "/mirror", quoted=f"{NGINX}\n{remark}", chat=mine)
    await screen.say(LI, "/mirror", quoted_file=replace(album[1], album="two"), chat=mine)
    await screen.wait(4)


async def too_many_messages(screen: Screen) -> None:
    """A text that never ends, and a press while it goes on."""
    remark = f"# {'what it is for, in many words ' * 125}"
    await screen.say(WEI, f"/mirror {NGINX}\n{remark}", hears_all=True)
    for _ in range(MOST_PARTS):
        await screen.world.say(WEI, remark, hears_all=True)
    later = screen.world.clock.now + timedelta(seconds=2)
    await screen.say(WEI, "/mirror #1", sent_at=later)
    await screen.wait(4)
    await screen.say(WEI, "/mirror", file=Attachment("gone.yaml", "gone.yaml", 9))
    await screen.say(
        LI, "/mirror", file=Attachment("gone.yaml", "gone.yaml", 9, "one"), hears_all=True
    )
    await screen.say(LI, "", file=Attachment("lost.yaml", "lost.yaml", 9, "one"), hears_all=True)
    await screen.wait(4)


async def a_conversation_without_numbers(screen: Screen) -> None:
    """Plain texts in private, commands in replies, several images, and an unknown command."""
    mine = ChatId(LI.id)
    screen.upstream(NGINX, 72_900_000)
    screen.upstream(STATIC, 2_100_000)
    screen.upstream(REDIS, 45_600_000)
    await screen.say(LI, "nginx:1.27", chat=mine)
    await screen.wait(4)
    await screen.say(LI, "thank you", chat=mine)
    await screen.say(LI, "/mirorr nginx:1.27", chat=mine)
    await screen.say(LI, "/lookup nginx:1.27 redis:7.4 REDIS:7 evil/miner:1", chat=mine)
    await screen.wait(6)
    await screen.say(LI, f"/watch nginx:1.27 {REDIS}", chat=mine)
    await screen.wait(4)
    await screen.say(WEI, f"/mirror {STATIC} gcr.io/wei/tool:1")
    screen.upstream(ImageRef.parse("gcr.io/wei/tool:1"), 9_000_000)
    await screen.wait()
    card = next(n for n, said in screen.world.chat.messages.items() if "<b>#2</b>" in said.text)
    await screen.say(LI, "/cancel", replies_to=card)
    await screen.say(ANA, "/status", replies_to=card)
    await screen.wait(4)
    await screen.say(ANA, "/approve", replies_to=card)
    await screen.wait(4)
    await screen.say(ANA, "/reject too late", replies_to=card)
    await screen.say(ANA, "/approve")
    await screen.wait(4)


async def a_rule_demands_a_signature(screen: Screen) -> None:
    screen.upstream(NGINX, 72_900_000)
    screen.upstream(REDIS, 40_100_000)
    screen.upstream(LATEST, 72_900_000)
    signed = screen.world.registries.signed
    signed |= {str(NGINX): SIGNER.name, str(REDIS): "", str(LATEST): NOT_BY_SIGNER}
    await screen.say(WEI, "/mirror nginx:1.27\nredis:7.4\nnginx")
    await screen.wait()
    await screen.press(ANA, "approve:1")
    screen.copied(NGINX, REDIS)
    await screen.wait()
    await screen.say(WEI, "/why nginx:1.27")
    await screen.wait(4)
    await screen.say(WEI, "/why redis:7.4")
    await screen.wait(4)


async def gone_upstream_and_there_again(screen: Screen) -> None:
    world = screen.world
    for image in (VERSION, REDIS):
        world.registries.source[str(image)] = world.registries.target[str(image)] = "sha256:a"
        world.repository.content += f"{image}\n".encode()
    await screen.say(WEI, f"/mirror {VERSION}")
    await screen.wait(3600, step=600)
    world.registries.source.pop(str(VERSION))
    await screen.wait(36 * 3600, step=3600)
    world.registries.source[str(VERSION)] = "sha256:a"
    await screen.wait(2 * 3600, step=600)


async def a_chart_is_pulled_by_helm(screen: Screen) -> None:
    chart = ImageRef.parse("docker.io/bitnamicharts/redis:20.1.0_b2")
    screen.world.policy = replace(POLICY, rules=(Rule("**", Verdict.APPROVE),))
    screen.world.start()
    screen.upstream(chart, 98_000)
    screen.upstream(NGINX, 72_900_000)
    await screen.say(
        WEI, "/mirror helm install cache oci://registry-1.docker.io/bitnamicharts/redis"
    )
    await screen.wait(4)
    await screen.say(
        WEI,
        "/mirror nginx:1.27\n"
        "helm pull oci://registry-1.docker.io/bitnamicharts/redis --version 20.1.0+b2",
    )
    await screen.wait()
    screen.copied(chart, NGINX)
    await screen.wait()
    await screen.say(LI, "/mirror oci://registry-1.docker.io/bitnamicharts/redis:20.1.0_b2")
    await screen.wait()
    await screen.say(LI, f"/status {chart}")
    await screen.wait(4)


async def newer_versions(screen: Screen) -> None:
    """A chat follows ranges, and is told of newer versions once a day."""
    here = screen.world
    nginx, static = "docker.io/library/nginx", "gcr.io/distroless/static"
    here.registries.tagged = {nginx: ("1.27.2", "1.27.3", "1.27"), static: ("2.1.0",)}
    await screen.say(WEI, "/follow")
    await screen.say(WEI, "/follow nginx 1.27.x")
    await screen.say(LI, f"/follow {static} ^2")
    await screen.say(LI, "/follow traefik v3.x")
    for wrong in ("/follow nginx", "/follow evil.example.com/a 1.x", "/unfollow redis"):
        await screen.say(WEI, wrong)
    await screen.wait(3)
    await screen.say(WEI, "/follow")
    await screen.wait(2)
    here.registries.tagged = {nginx: ("1.27.3", "1.27.4"), static: ("2.1.0", "2.2.0")}
    screen.upstream(ImageRef.parse(f"{nginx}:1.27.4"), 72_900_000)
    screen.upstream(ImageRef.parse(f"{static}:2.2.0"), 2_100_000)
    for image in (f"{nginx}:1.27.4", f"{static}:2.2.0"):
        here.registries.source[f"{image.rpartition(':')[0]}@{digest_of(image)}"] = digest_of(image)
    await screen.wait(86400, step=1200)
    await screen.press(ANA, "static 2.2.0")
    await screen.press(WEI, "nginx 1.27.4")
    await screen.press(LI, "nginx 1.27.4")
    await screen.wait(4)
    await screen.say(WEI, "/unfollow nginx")
    await screen.wait(2)


async def a_new_digest_waits(screen: Screen) -> None:
    """A rule lets digests wait until they are known for three days. An admin knows better."""
    screen.upstream(NGINX, 72_900_000)
    await screen.say(WEI, "/mirror nginx:1.27")
    await screen.wait(8)
    await screen.say(ANA, "/approve #1")
    await screen.say(ANA, "/approve #1 closes a hole that is being used")
    await screen.wait(16)
    screen.copied(NGINX)
    await screen.wait(10)
    await screen.say(ANA, "/history #1")
    await screen.wait(2)


SITUATIONS: dict[str, Situation] = {
    "01-from-question-to-pull": from_question_to_pull,
    "02-an-admin-has-to-approve": an_admin_has_to_approve,
    "03-a-compose-file-comes-back-rewritten": a_compose_file_comes_back_rewritten,
    "04-a-slip-is-one-tap-away": a_slip_is_one_tap_away,
    "05-a-missing-tag-has-neighbours": a_missing_tag_has_neighbours,
    "06-partly-done-then-retried": partly_done_then_retried,
    "07-a-rate-limit-passes-by-itself": a_rate_limit_passes_by_itself,
    "08-li-joins-what-is-on-its-way": li_joins_what_is_on_its_way,
    "09-looking-without-mirroring": looking_without_mirroring,
    "10-everything-that-goes-wrong": everything_that_goes_wrong,
    "11-tags-that-move": tags_that_move,
    "12-pages-of-what-waits": pages_of_what_waits,
    "13-two-admins-approve": two_admins_approve,
    "14-a-digest-under-another-tag": a_digest_under_another_tag,
    "15-a-tag-is-kept-fresh": a_tag_is_kept_fresh,
    "16-lines-written-by-hand": lines_written_by_hand,
    "17-a-later-decision-replaces-a-question": a_later_decision_replaces_a_question,
    "18-who-decided": who_decided,
    "19-a-digest-is-put-back": a_digest_is_put_back,
    "20-what-was-kept-fresh-is-offered": what_was_kept_fresh_is_offered,
    "21-several-messages-are-one": several_messages_are_one,
    "22-too-many-messages": too_many_messages,
    "23-a-conversation-without-numbers": a_conversation_without_numbers,
    "24-a-chart-is-pulled-by-helm": a_chart_is_pulled_by_helm,
    "25-an-image-leaves-the-list": an_image_leaves_the_list,
    "28-what-no-cluster-runs": what_no_cluster_runs,
    "26-a-rule-demands-a-signature": a_rule_demands_a_signature,
    "27-newer-versions": newer_versions,
    "28-gone-upstream-and-there-again": gone_upstream_and_there_again,
    "29-a-new-digest-waits": a_new_digest_waits,
}
POLICIES = {
    "29-a-new-digest-waits": replace(
        POLICY, rules=(Rule("**", Verdict.APPROVE, wait=timedelta(days=3)),)
    ),
    "12-pages-of-what-waits": replace(POLICY, open_limit=99, daily_limit=99, request_limit=99),
    "13-two-admins-approve": replace(
        POLICY, rules=(Rule("**", Verdict.ASK, approvals=Approvals(count=2, own=False)),)
    ),
    "26-a-rule-demands-a-signature": replace(
        POLICY, rules=(Rule("**", Verdict.APPROVE, signer=SIGNER),)
    ),
}
MINUTE = timedelta(minutes=1)
PLAN = FreshPlan(
    intervals={TagClass.FLOATING: MINUTE, TagClass.VERSION: 3 * MINUTE},
    looks=600,
    budgets={},
    alarms=GROUP,
)
PLANS = {
    "11-tags-that-move": PLAN,
    "15-a-tag-is-kept-fresh": PLAN,
    "20-what-was-kept-fresh-is-offered": PLAN,
    "25-an-image-leaves-the-list": PLAN,
    "28-gone-upstream-and-there-again": PLAN,
}


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_situation_looks_as_it_was_read_and_found_good(
    situation: str, language: Language, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policy = POLICIES.get(situation, POLICY)
    async with world(tmp_path, policy, language=language, plan=PLANS.get(situation)) as here:
        screen = Screen(here, language)
        await SITUATIONS[situation](screen)
    spoken = [record for record in caplog.records if record.name == "bot.adapters.words"]
    assert not [record for record in spoken if record.levelno >= logging.ERROR]
    kept = SCREENS / f"{situation}.{language}.txt"
    if UPDATE:
        kept.write_text(screen.text, "utf-8")
    assert screen.text == kept.read_text("utf-8")


def test_no_screen_is_kept_that_nobody_plays() -> None:
    wanted = {f"{situation}.{language}.txt" for situation in SITUATIONS for language in Language}
    assert {path.name for path in SCREENS.iterdir()} == wanted
