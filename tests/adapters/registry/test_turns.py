"""Requests that wait for a turn at a registry. Time is virtual, see virtual_time.py.

test_client.py has everything else that the client does.
"""

import asyncio

import httpx
from virtual_time import VirtualTimeLoop

from bot.adapters.registry.client import RegistryClient
from bot.adapters.registry.transport import RegistryBounds
from bot.core.image import ImageRef, Target

LOOP_FACTORY = VirtualTimeLoop
DIGEST = "sha256:" + "a" * 64


async def test_waiting_for_a_turn_does_not_count_as_the_registrys_time() -> None:
    async def answer(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.05)
        return httpx.Response(200, headers={"Docker-Content-Digest": DIGEST})

    client = RegistryClient(
        addresses={},
        target=Target("harbor.example.com"),
        allowed=frozenset({"gcr.io"}),
        target_login=None,
        source_logins={},
        transport=httpx.MockTransport(answer),
        bounds=RegistryBounds(whole=0.2),
    )
    images = [ImageRef.parse(f"gcr.io/a/b{number}:1") for number in range(48)]
    digests = await asyncio.gather(*(client.source_digest(image) for image in images))
    assert digests == [DIGEST] * 48
