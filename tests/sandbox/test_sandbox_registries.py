"""The sandbox's registries: real servers, real skopeo, and no connection off this machine."""

import asyncio
import base64
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sandbox_process import alive
from starlette.applications import Starlette

from bot.config import GitHubSection
from bot.core.errors import ConfigError
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.faults.middleware import ArmedFaults
from bot.sandbox.github.server import GitHub
from bot.sandbox.registry.registries import Registries
from bot.sandbox.registry.seed import DOCKER_MANIFEST, OCI_INDEX, STAND_INS, build
from bot.sandbox.registry.storage import Storage
from bot.sandbox.repository_api import routes
from bot.sandbox.serve import served

pytestmark = pytest.mark.asyncio(loop_scope="module")

NGINX = "docker.io/library/nginx:1.27"
PATIENCE = 90.0


@dataclass(frozen=True, slots=True)
class World:
    registries: Registries
    faults: ArmedFaults
    logins: Path

    async def skopeo(self, *arguments: str, login: bool = False) -> tuple[int, str]:
        """Run skopeo as a run of the workflow would, and return its code and output."""
        auth = {"REGISTRY_AUTH_FILE": str(self.logins)} if login else {}
        process = await asyncio.create_subprocess_exec(
            "skopeo",
            *arguments,
            env={"PATH": os.environ["PATH"]} | self.registries.environment | auth,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        text = self.registries.password.encode()
        async with asyncio.timeout(PATIENCE):
            output, _ = await process.communicate(text)
        return process.returncode or 0, output.decode()

    async def copy(self, image: str, *, login: bool = True) -> tuple[int, str]:
        target = f"docker://{self.registries.target_address}/{image}"
        return await self.skopeo(
            "copy", "--all", "--preserve-digests", f"docker://{image}", target, login=login
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    data, faults = tmp_path_factory.mktemp("registries"), ArmedFaults()
    async with Registries(data=data, faults=faults) as registries:
        made = World(registries, faults, data / "auth.json")
        host = registries.target_address
        code, output = await made.skopeo(
            "login", "--username", registries.user, "--password-stdin", host, login=True
        )
        assert code == 0, output
        yield made


async def test_every_stand_in_is_seeded_under_its_well_known_name(world: World) -> None:
    names = {image["name"] for image in await world.registries.images("source")}
    expected = {f"{made.repository}:{tag}" for made in STAND_INS for tag in made.tags}
    assert names == expected
    assert {NGINX, "docker.io/bitnami/nginx:1.27", "gcr.io/distroless/static:nonroot"} <= names
    assert {name.partition("/")[0] for name in names} == {
        "docker.io",
        "gcr.io",
        "ghcr.io",
        "quay.io",
        "registry.k8s.io",
    }


async def test_an_index_is_found_by_head_at_the_address_of_its_registry(world: World) -> None:
    base = httpx.URL(world.registries.addresses["docker.io"])
    digests = {image["name"]: image["digest"] for image in await world.registries.images("source")}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.head(
            base.copy_with(path=f"/v2{base.path}/library/nginx/manifests/1.27"),
            headers={"Accept": OCI_INDEX},
        )
    assert answer.headers["Docker-Content-Digest"] == digests[NGINX]
    assert answer.headers["Content-Type"] == OCI_INDEX


async def test_an_image_is_copied_with_all_platforms_and_the_same_digest(world: World) -> None:
    code, output = await world.copy(NGINX)
    source = {image["name"]: image["digest"] for image in await world.registries.images("source")}
    target = {image["name"]: image["digest"] for image in await world.registries.images("target")}
    assert code == 0, output
    assert target[f"{world.registries.target_address}/{NGINX}"] == source[NGINX]


async def test_the_docker_schema_2_image_is_copied_unchanged(world: World) -> None:
    image = "docker.io/library/hello-world:linux"
    code, output = await world.copy(image)
    raw = await world.skopeo("inspect", "--raw", f"docker://{image}")
    assert code == 0, output
    assert DOCKER_MANIFEST in raw[1]


async def test_the_target_refuses_who_did_not_log_in(world: World) -> None:
    code, output = await world.copy("docker.io/library/redis:7", login=False)
    assert code == 1
    assert "unauthorized" in output


async def test_an_image_that_is_not_seeded_is_unknown(world: World) -> None:
    code, output = await world.skopeo("inspect", "docker://docker.io/library/nope:1")
    assert code == 1
    assert "manifest unknown" in output


@pytest.mark.parametrize("name", ["mcr.microsoft.com/a/b:1", "public.ecr.aws.dev:8443/a:1"])
async def test_a_usual_registry_that_is_not_mapped_is_blocked_by_name(
    world: World, name: str
) -> None:
    code, output = await world.skopeo("inspect", f"docker://{name}")
    assert code == 1
    assert "is blocked in" in output


@pytest.mark.parametrize("name", ["registry.museum/a/b:1", "192.0.2.1:5000/a:1"])
async def test_any_other_registry_meets_a_proxy_that_is_not_there(world: World, name: str) -> None:
    code, output = await world.skopeo("inspect", f"docker://{name}")
    assert code == 1
    assert "proxyconnect tcp: dial tcp 127.0.0.1:9" in output


async def test_a_fault_stands_between_the_client_and_a_registry(world: World) -> None:
    world.faults.arm(where="source", what="status 503")
    async with httpx.AsyncClient(trust_env=False) as client:
        address = f"http://{world.registries.source_address}/v2/"
        statuses = [(await client.get(address)).status_code for _ in range(2)]
    assert statuses == [503, 200]


async def test_the_api_tells_both_registries_and_the_repository(
    world: World, tmp_path: Path
) -> None:
    github = GitHub(
        data=tmp_path,
        name="ana/mirror",
        files={"image.list": b"# images\n"},
        faults=world.faults,
        environment=world.registries.environment,
    )
    section = GitHubSection(repository="ana/mirror")
    every = routes(github, section, world.registries, BotProcess())
    async with (
        github,
        served(Starlette(routes=every)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        repository = (await client.get("/api/repository")).json()
        registries = (await client.get("/api/registries")).json()
    assert repository == {
        "list": "# images\n",
        "commits": [repository["commits"][0] | {"message": "First commit"}],
        "runs": [],
    }
    assert registries["source"]["address"] == world.registries.source_address
    assert len(registries["source"]["images"]) == len(await world.registries.images("source"))
    assert registries["target"]["address"] == world.registries.target_address


async def test_a_tag_moves_at_the_source_and_is_another_image_each_time(tmp_path: Path) -> None:
    async with Registries(data=tmp_path, faults=ArmedFaults()) as registries:

        async def digest() -> str:
            images = {each["name"]: each["digest"] for each in await registries.images("source")}
            return images[NGINX]

        seen = [await digest()]
        for _ in range(2):
            seen.append(await registries.move(NGINX))
            assert await digest() == seen[-1]
        assert len(set(seen)) == 3


JSON = {"Content-Type": "application/json"}


async def test_a_tag_is_moved_through_the_api_and_mistakes_are_told(world: World) -> None:
    every = routes(None, None, world.registries, BotProcess())  # type: ignore[arg-type]
    async with (
        served(Starlette(routes=every)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        image = "quay.io/prometheus/node-exporter:v1.8.2"
        moved = await client.post("/api/registries", json={"move": image})
        unknown = await client.post("/api/registries", json={"move": "docker.io/library/no:1"})
        wrong = [
            await client.post("/api/registries", content=content, headers=JSON)
            for content in (b"", b"[]", b'{"to": 1}')
        ]
    images = {each["name"]: each["digest"] for each in await world.registries.images("source")}
    assert moved.json() == {"digest": images[image]}
    assert unknown.status_code == 404
    assert "docker.io/library/no:1" in unknown.json()["error"]
    assert {answer.status_code for answer in wrong} == {400}


async def test_two_worlds_stand_side_by_side_and_leave_no_process(tmp_path: Path) -> None:
    before = children()
    async with (
        Registries(data=tmp_path / "one", faults=ArmedFaults()) as one,
        Registries(data=tmp_path / "two", faults=ArmedFaults()) as two,
    ):
        assert len(children() - before) == 4
        assert one.target_address != two.target_address
        assert await one.images("source") == await two.images("source")
    assert children() == before


def children() -> set[str]:
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


async def test_a_failure_inside_stops_the_registries_too(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(RuntimeError, match="inside"):
        async with Registries(data=tmp_path, faults=ArmedFaults()):
            raise RuntimeError("inside")
    assert children() == before


async def test_with_internet_there_is_a_target_only_and_nothing_is_blocked(tmp_path: Path) -> None:
    async with Registries(data=tmp_path, faults=ArmedFaults(), internet=True) as registries:
        text = (registries.home / ".config/containers/registries.conf").read_text()
        assert registries.addresses == {
            registries.target_address: f"http://{registries.target_address}"
        }
        assert await registries.images("source") == []
    assert "blocked" not in text
    assert "HTTPS_PROXY" not in registries.environment


async def test_a_missing_program_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt-get install skopeo docker-registry"):
        async with Registries(data=tmp_path, faults=ArmedFaults()):
            pass


async def test_the_stand_ins_are_the_same_bytes_every_time() -> None:
    assert [build(made) for made in STAND_INS] == [build(made) for made in STAND_INS]


async def test_the_next_start_on_the_same_folder_keeps_addresses_and_images(tmp_path: Path) -> None:
    async with Registries(data=tmp_path, faults=ArmedFaults()) as first:
        before = first.addresses, await first.images("source")
    async with Registries(data=tmp_path, faults=ArmedFaults()) as second:
        assert (second.addresses, await second.images("source")) == before


async def test_a_process_ends_when_the_sandbox_is_killed() -> None:
    start = "import subprocess, sys; from bot.sandbox.lifetime import tied;"
    wait = "print(subprocess.Popen(tied(['sleep', '60'])).pid, flush=True); sys.stdin.read()"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", start + wait,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert parent.stdout is not None
    child = Path("/proc") / (await parent.stdout.readline()).decode().strip()
    await eventually(lambda: (child / "comm").read_text() == "sleep\n")
    parent.kill()
    await parent.wait()
    await eventually(lambda: not alive(int(child.name)))
    await parent.stdout.read()  # to its end: a pipe the loop leaves open fails another test


async def eventually(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.02)


async def test_what_is_attested_is_read_from_beside_the_image(tmp_path: Path) -> None:
    said = {"predicateType": "urn:imageto-bot:decision:v1"}
    envelope = json.dumps({"payload": base64.b64encode(json.dumps(said).encode()).decode()})
    storage, image = Storage(tmp_path), b'{"schemaVersion": 2}'
    storage.manifest("library/nginx", image, ("1.27",))
    assert storage.attestations("library/nginx:1.27") == []
    storage.blob("library/nginx", envelope.encode())
    layer = f"sha256:{hashlib.sha256(envelope.encode()).hexdigest()}"
    beside = json.dumps({"layers": [{"digest": layer}]}).encode()
    storage.manifest("library/nginx", beside, (f"sha256-{hashlib.sha256(image).hexdigest()}.att",))
    assert storage.attestations("library/nginx:1.27") == [said]
    assert storage.attestations("library/redis:7") == []
