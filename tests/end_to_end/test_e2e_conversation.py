"""Conversations end to end: files, drafts, corrections, look-ups, places, languages.

They run against the real process, git, act, skopeo and registries, as in test_e2e.py. It is a file
of its own so that both can run at a time.
"""

import re
import time
from collections.abc import Iterator

import pytest
import yaml
from referrers_fixture import artifact, listed, signature
from registry_fixture import Registry
from sandbox_fixture import document
from sandbox_process import Asked, Message, Sandbox, start, stop

pytestmark = pytest.mark.e2e

COMPOSE = b"""\
# the shop, as it runs in our cluster
name: shop
services:
  web:
    image: nginx:${NGINX_TAG:-1.27}      # front
    depends_on: [cache, metrics]
  cache:
    image: "redis:7"
  probe:
    image: 'ghcr.io/stefanprodan/podinfo:6.7.0'
  metrics:
    image: quay.io/prometheus/node-exporter:v1.8.2
  pause: {image: registry.k8s.io/pause:3.10}
  tool:
    image: docker.io/library/busybox:1.36
  own:
    build: .
    image: shop/own:dev\r
"""
WANTED = {
    "web": "docker.io/library/nginx:1.27",
    "cache": "docker.io/library/redis:7",
    "probe": "ghcr.io/stefanprodan/podinfo:6.7.0",
    "metrics": "quay.io/prometheus/node-exporter:v1.8.2",
    "pause": "registry.k8s.io/pause:3.10",
    "tool": "docker.io/library/busybox:1.36",
}


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = start(tmp_path_factory.mktemp("sandbox"))
    yield sandbox
    if sandbox.process.poll() is None:
        assert stop(sandbox) == set()


def labels(message: Message) -> list[str]:
    return [button["text"] for row in message["buttons"] for button in row]


def test_a_compose_file_comes_back_with_the_images_of_our_registry(s: Sandbox) -> None:
    sign(s, WANTED["probe"])
    asked = s.send("wei", "compose.yaml", COMPOSE)
    draft = s.card(asked, "6 images found in compose.yaml")
    assert s.repository()["list"].count("\n") <= 1, "nothing is done before the person says so"
    assert labels(draft) == ["✅ Mirror all 6", "☑️ Choose…", "✖️ Cancel"]
    assert s.press("wei", draft, "Mirror all 6") == "On it: 6 images."
    s.until(lambda: s.answers(asked)[0]["text"].count("waits for an admin") == 3)
    s.say("ana", "/approve #1", chat="private")
    result = s.result(asked, "Done, 6 of 6")
    assert "With 2 signatures and attestations." in result["text"]
    answer = s.result(asked, "Your file for #1")
    number = answer["document"]["number"]
    content = s.api.get(f"/api/document/{number}").content
    services = yaml.safe_load(content)["services"]
    for service, image in WANTED.items():
        assert services[service]["image"] == f"{s.target()}/{image}"
    assert services["own"]["image"] == "shop/own:dev"
    assert_only_images_changed(COMPOSE, content, s.target())
    assert answer["document"]["name"] == "compose.yaml"


def sign(s: Sandbox, image: str) -> None:
    """Sign an image at its source, as its maker does: by a tag, and by a bundle."""
    source = s.data / "source"
    registry, name = Registry("", source / "log", source / "storage"), image.rpartition(":")[0]
    digest = s.digests("source")[image]
    signature(registry, name, digest, "of the maker")
    listed(registry, name, digest, artifact(registry, name, digest))


def assert_only_images_changed(before: bytes, after: bytes, target: str) -> None:
    """Line by line: what is not an image stays the same, byte for byte."""
    for old, new in zip(before.split(b"\n"), after.split(b"\n"), strict=True):
        if old != new:
            reference = re.search(target.encode() + rb"/[^\s\"'}]+", new)
            assert reference is not None
            start, end = reference.span()
            assert old.startswith(new[:start])
            assert old.endswith(new[end:])


def test_only_what_is_ticked_goes(s: Sandbox) -> None:
    asked = s.whisper("wei", "/mirror nginx:1.26 nginx:latest alpine:3.20 hello-world:linux")
    draft = s.card(asked, "4 images found")
    s.press("wei", draft, "Choose")
    draft = s.card(asked, "Tap an image")
    for name in ("nginx:latest", "alpine:3.20"):
        s.press("wei", draft, f"☑️ {name}")
    draft = s.until(lambda: [m for m in s.answers(asked) if "✅ Mirror 2" in labels(m)])[0]
    assert s.press("wei", draft, "Mirror 2") == "On it: 2 images."
    result = s.result(asked, "Done, 2 of 2")
    assert "hello-world:linux" in result["text"]
    assert "alpine" not in result["text"]
    assert labels(result) == [
        *("📋 nginx:1.26", "📋 hello-world:linux", "📋 Copy all"),
        *("• docker", "containerd", "Kubernetes"),
    ]
    assert s.press("wei", result, "Kubernetes") == "Written for Kubernetes."
    s.until(lambda: f"image: {s.target()}/docker.io" in s.answers(asked)[1]["text"])


def test_a_slip_and_a_missing_tag_are_one_tap_away(s: Sandbox) -> None:
    asked = s.whisper("wei", "/mirror Alpine:3.20")
    draft = s.card(asked, "Did you mean docker.io/library/alpine:3.20?")
    s.press("wei", draft, "Yes, mirror it")
    s.result(asked, "Done, 1 of 1")
    asked = s.whisper("wei", "/mirror busybox:1.36.1")
    result = s.result(asked, "Not mirrored:")
    assert "➡️ busybox:1.36" in labels(result)
    s.press("wei", result, "busybox:1.36")
    s.result(asked, "Done, 1 of 1")


def test_a_look_up_reads_both_registries_and_copies_nothing(s: Sandbox) -> None:
    commits = len(s.repository()["commits"])
    text = s.answer("wei", "/lookup docker.io/library/redis:7")
    assert re.search(r"Digest: sha256:[0-9a-f]{64}\n", text)
    assert "Platforms: linux/amd64, linux/arm64, linux/arm/v7\n" in text
    assert re.search(r"Size: \d+ kB\nBuilt: 2026-01-01 00:00 UTC", text)
    assert f"exactly the same:\ndocker pull {s.target()}/docker.io/library/redis:7" in text
    text = s.answer("wei", "/lookup registry.k8s.io/coredns/coredns:v1.11.3")
    assert "Our registry does not have it." in text
    assert "Not found at the source" in s.answer("wei", "/lookup nginx:9.99")
    assert len(s.repository()["commits"]) == commits


def test_the_list_is_what_the_repository_holds(s: Sandbox) -> None:
    text = s.answer("wei", "/list REDIS")
    head, line = text.splitlines()
    assert head == "image.list holds 1 image with “REDIS” in it:"
    assert line.startswith("docker.io/library/redis:7 · mirrored · Wei, ")


def test_an_image_leaves_the_list_and_stays_in_our_registry(s: Sandbox) -> None:
    name = "docker.io/library/busybox:1.36"
    s.result(s.say("wei", f"/mirror {name}"), "Done, 1 of 1")
    runs = len(s.repository()["runs"])
    asked = s.say("wei", f"/remove {name}")
    card = s.card(asked, "leave image.list")
    assert s.press("wei", card, "Approve").startswith("Only an admin can do this.")
    s.press("ana", card, "Approve")
    s.result(asked, "Out of image.list")
    assert name not in s.repository()["list"]
    assert f"{s.target()}/{name}" in s.digests("target")
    (pushed,) = s.until(
        lambda: [r for r in s.repository()["runs"][: -runs or None] if r["conclusion"]]
    )
    assert pushed["conclusion"] == "success", "nothing was added, so nothing is copied"


def test_what_begins_is_acknowledged_and_survives_its_own_deletion(s: Sandbox) -> None:
    asked = s.whisper("wei", "/mirror nginx:1.27")
    (own,) = [m for m in s.messages(chat="private", **{"as": "wei"}) if m["id"] == asked.number]
    s.api.post("/api/chat", json={"as": "wei", "chat": "private", "delete": asked.number})
    assert own["reactions"] in ([], ["👀"])  # it may have been read before the bot saw it
    after = asked.number

    def told() -> list[Message]:
        said = s.messages(chat="private", **{"as": "wei"})
        return [m for m in said if m["id"] > after and "Done, 1 of 1" in m["text"]]

    assert s.until(told)[0]["reply_to"] is None
    other = s.whisper("wei", "/lookup nginx:1.27")
    seen = {"as": "wei"}
    s.until(
        lambda: [
            m
            for m in s.messages(chat="private", **seen)
            if m["id"] == other.number and m["reactions"] == ["👀"]
        ]
    )


def test_a_command_that_is_forwarded_or_edited_in_is_not_obeyed(s: Sandbox) -> None:
    asked = s.whisper("wei", "/whoami")
    s.until(lambda: s.answers(asked))
    given = {"as": "wei", "chat": "private"}
    forwarded = s.api.post("/api/chat", json={**given, "forward": asked.number}).json()["id"]
    s.api.post("/api/chat", json={**given, "edit": asked.number, "text": "/help"})
    later = s.whisper("wei", "/whoami")
    s.until(lambda: s.answers(later))
    (answer,) = s.answers(Asked("wei", "private", forwarded))
    assert "/whoami: images are not written like that" in answer["text"]
    assert len(s.answers(asked)) == 1


def test_a_person_is_answered_in_their_own_language_in_private(s: Sandbox) -> None:
    asked = s.whisper("li", "/mirror nginx:1.27")
    result = s.result(asked, "docker pull")
    assert re.search("[\u4e00-\u9fff]", result["text"])
    assert "Done" not in result["text"]


def test_answers_stay_in_their_topic(s: Sandbox) -> None:
    answer = s.api.post("/api/chat", json={"as": "wei", "text": "/mirror redis:7", "topic": 5})
    asked = Asked("wei", "group", answer.json()["id"])
    s.result(asked, "Done, 1 of 1")
    assert {m["topic"] for m in s.answers(asked)} == {5}


def test_a_group_that_becomes_a_supergroup_takes_its_requests_along(s: Sandbox) -> None:
    asked = s.say("wei", "/mirror bitnami/nginx:1.27", chat="team")
    s.card(asked, "waits for an admin")
    new = s.api.post("/api/chat", json={"as": "ana", "upgrade": True}).json()["chat"]

    def said(words: str) -> list[Message]:
        return [m for m in s.messages(chat=str(new)) if words in m["text"] and m["from"] == "bot"]

    card = s.until(lambda: said("waits for an admin"))[0]
    assert s.press("ana", card, "Approve").endswith("1 image approved.")
    s.until(lambda: said("Done, 1 of 1"))
    later = s.say("wei", "/status", chat=str(new))
    s.until(lambda: [m for m in s.messages(chat=str(new)) if m["reply_to"] == later.number])


def test_several_messages_are_one_and_a_reply_needs_no_number(s: Sandbox) -> None:
    """A long text in two parts, an album, and an approval in a reply to its card."""
    names = "\n".join(f"registry.k8s.io/no-such/part-{n:03}:1.0" for n in range(140))
    asked = s.whisper("li", f"/mirror {names}")
    s.card(asked, "找到 140 个镜像")
    s.api.post("/api/chat", json={"as": "ana", "bot": "administrator"}).raise_for_status()
    files = {
        "a.yaml": b"image: busybox:1.36\n",
        "b.yaml": b"image: registry.k8s.io/coredns/coredns:v1.11.3\n",
    }
    album = [document(name, content) for name, content in files.items()]
    sent = {"as": "wei", "text": "/mirror", "documents": album, "caption_on": 1}
    asked = Asked("wei", "group", s.api.post("/api/chat", json=sent).json()["ids"][1])
    draft = s.card(asked, "2 images found in a.yaml and 1 more file")
    s.press("wei", draft, "Mirror all 2")
    s.until(lambda: "waits for an admin" in s.answers(asked)[0]["text"])
    reply = {"as": "ana", "text": "/approve", "reply_to": draft["id"]}
    s.api.post("/api/chat", json=reply).raise_for_status()
    s.until(
        lambda: [m["document"]["name"] for m in s.answers(asked) if "document" in m] == [*files]
    )
    s.api.post("/api/chat", json={"as": "ana", "bot": "member"}).raise_for_status()


def test_the_log_holds_no_traceback(s: Sandbox) -> None:
    time.sleep(0.5)
    assert "Traceback" not in s.log()
