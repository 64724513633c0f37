"""`imageto-bot verify`: what is proved of images in a real registry, and by which exit code."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import FakeRegistries
from registry_fixture import INDEX, MANIFEST, Registry, digest_of, registry
from statement_fixture import NGINX, STATED
from test_cli import EXAMPLE, imageto_bot

from bot.adapters.registry.statements import TargetStatements
from bot.clients import make_registries
from bot.config import read_settings, read_target_secrets
from bot.core.errors import PullRefusedError
from bot.core.image import ImageRef
from bot.core.statement import Stated, StatementForm, envelope, payloads
from bot.statement_key import StatementKey, make_key, new_key, public_key, required_key
from bot.verify import Verifying

LOGIN = {"HARBOR_USER": "robot$mirror", "HARBOR_PWD": "a-password"}


@dataclass(frozen=True)
class Site:
    """A target with a config that names it. `key` is the bot's."""

    target: Registry
    config: Path
    key: StatementKey

    def push(self, image: ImageRef, what: str) -> str:
        """Push an image by hand."""
        name = f"mirror/{image.registry}/{image.repository}"
        kind = "application/vnd.oci.image.config.v1+json"
        config = self.target.blob(name, kind, what.encode())
        read = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}
        entry = self.target.put(name, "", read)
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
        return str(self.target.put(name, image.tag or "", index)["digest"])

    def state(self, image: ImageRef, digest: str, key: StatementKey, **more: Any) -> Stated:
        """Put statements beside it, as the bot of this key would."""
        settings, secrets = read_settings(self.config), read_target_secrets(LOGIN)
        name = settings.target_registry().name_of(image)
        stated = replace(STATED, image=image, digest=digest, name=name, **more)
        made = [envelope(each, key.sign) for each in payloads(stated)]

        async def attach() -> None:
            client = make_registries(settings, secrets)
            await TargetStatements(client).attach(image, digest, StatementForm.ATT, made)
            await client.aclose()

        asyncio.run(attach())
        return stated

    def litter(self, image: ImageRef, digest: str) -> None:
        """Put beside it what came along from elsewhere: it is longer than any statement of ours."""
        said = json.dumps({"predicateType": "https://spdx.dev/Document", "x": "x" * 200_000})
        long = envelope(said.encode(), new_key().sign)

        async def attach() -> None:
            client = make_registries(read_settings(self.config), read_target_secrets(LOGIN))
            await TargetStatements(client).attach(image, digest, StatementForm.ATT, [long])
            await client.aclose()

        asyncio.run(attach())

    def verify(self, *arguments: str) -> tuple[int, str]:
        done = imageto_bot("verify", "--config", str(self.config), *arguments, environment=LOGIN)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with registry(folder / "target", (LOGIN["HARBOR_USER"], LOGIN["HARBOR_PWD"])) as target:
        data = yaml.safe_load(EXAMPLE.read_text())
        data["target"] |= {"host": target.address, "prefix": "mirror"}
        data["addresses"] = {target.address: f"http://{target.address}"}
        data["database"] = str(folder / "bot.sqlite3")
        (folder / "config.yaml").write_text(yaml.safe_dump(data))
        make_key(folder / "bot.sqlite3")
        yield Site(target, folder / "config.yaml", required_key("", folder / "bot.sqlite3"))


def test_what_the_bot_decided_is_proved_by_any_name(site: Site, tmp_path: Path) -> None:
    digest = site.push(NGINX, "decided")
    site.state(NGINX, digest, site.key)
    (tmp_path / "key.pub").write_text(site.key.public)
    with closing(sqlite3.connect(site.config.parent / "bot.sqlite3")) as file, file:
        file.execute("CREATE TABLE pseudonyms (person, pseudonym)")
        file.execute("CREATE TABLE people (id, name)")
        file.execute("INSERT INTO pseudonyms VALUES ('telegram:1003', 'p:c01d2e44')")
        file.execute("INSERT INTO people VALUES ('telegram:1003', 'Ana')")
    code, told = site.verify("nginx:1.27")
    assert code == 0
    assert told.splitlines() == [
        "docker.io/library/nginx:1.27: proved",
        f"  digest: {digest}",
        "  decided: 2026-12-01T01:31:00Z by p:c01d2e44 (Ana)",
        "  asked: 2026-12-01T01:30:00Z by p:7f3a91c2",
        "  verified: 2026-12-01T01:32:00Z",
        "  batch: 2938cb00044e118d",
        f"  commit: {'c' * 40}",
        "  run: https://github.com/example/mirror/actions/runs/7",
    ]
    inside = f"{site.target.address}/mirror/docker.io/library/nginx"
    names = [f"{inside}:1.27", f"nginx@{digest}", f"nginx:1.27@{digest}"]
    assert site.verify("--key", str(tmp_path / "key.pub"), *names)[0] == 0
    code, told = site.verify("--json", "nginx:1.27")
    [found] = json.loads(told)
    assert (found["proved"], found["held"], found["digest"]) == (True, True, digest)
    assert found["names"] == {"p:c01d2e44": "Ana"}
    assert found["decision"]["reference"] == "docker.io/library/nginx:1.27"


def test_what_is_not_proved_says_why(site: Site, tmp_path: Path) -> None:
    images = {name: ImageRef.parse(f"quay.io/team/{name}:1") for name in "abcde"}
    digests = {name: site.push(image, name) for name, image in images.items() if name != "e"}
    site.state(images["b"], digests["b"], new_key())
    site.state(images["c"], digests["c"], site.key)
    moved = site.push(images["c"], "written over by hand")
    site.state(replace(images["d"], tag="2"), digests["d"], site.key)
    expected = {
        "quay.io/team/a:1": "there is no statement beside it",
        "quay.io/team/b:1": "none of 2 documents beside it is a statement of this key about it",
        "quay.io/team/c:1": "there is no statement beside it",
        f"quay.io/team/c:1@{digests['c']}": f"the target holds {moved} under this name now",
        "quay.io/team/d:1": "what was decided on is quay.io/team/d:2, not this name",
        "quay.io/team/e:1": "the target has no such image",
    }
    code, told = site.verify(*expected)
    assert code == 1
    heads = [line for line in told.splitlines() if not line.startswith(" ")]
    assert heads == [f"{image}: NOT PROVED: {why}" for image, why in expected.items()]
    other = tmp_path / "other.pub"
    other.write_text(new_key().public)
    site.state(images["a"], digests["a"], site.key)
    assert site.verify("quay.io/team/a:1")[0] == 0
    assert site.verify("--key", str(other), "quay.io/team/a:1")[0] == 1


def test_what_came_along_is_passed_over_however_long_it_is(site: Site) -> None:
    image = ImageRef.parse("quay.io/team/sbom:1")
    digest = site.push(image, "with an SBOM")
    site.litter(image, digest)
    assert site.verify(str(image))[0] == 1
    site.state(image, digest, site.key)
    assert site.verify(str(image))[0] == 0


async def test_a_tag_that_nobody_may_pull_is_not_held_to_be_the_digest() -> None:
    class Refusing(FakeRegistries):
        async def target_digest(self, image: ImageRef) -> str | None:
            raise PullRefusedError("not scanned yet")

    settings = read_settings(EXAMPLE)
    verifying = Verifying(settings, Refusing(), public_key(new_key().public, "a key"))  # type: ignore[arg-type]
    found = await verifying.image(f"nginx:1.27@{STATED.digest}")
    assert (found.code, found.held, found.why_not) == (2, False, "not scanned yet")


def test_what_cannot_be_asked_is_code_2(site: Site, tmp_path: Path) -> None:
    code, told = site.verify("nginx:1.27 ", "no image!")
    assert code == 2
    assert "cannot be asked: " in told
    code, told = site.verify("--key", str(tmp_path / "none.pub"), "nginx:1.27")
    assert (code, told) == (2, f"imageto-bot: {tmp_path}/none.pub: No such file or directory\n")
    done = imageto_bot("verify", "--config", str(site.config), "nginx:1.27")
    assert (done.returncode, "cannot be asked" in done.stdout) == (2, True)
    assert digest_of(b"") not in done.stdout
