"""Tests the traps of test_ssrf.py: without the network guard they must see a connection."""

from collections import Counter

import pytest
from test_ssrf import client, everything_asked, resolving, trap

from bot.adapters.network import Network
from bot.adapters.registry import network_guard
from bot.adapters.registry.network_guard import GuardedTransport
from bot.core.image import ImageRef


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
async def test_a_guard_that_calls_every_address_public_is_noticed(
    host: str, monkeypatch: pytest.MonkeyPatch, tally: Counter[str]
) -> None:
    """Disable both checks: of an address as written, and of what a name resolves to."""
    monkeypatch.setattr(network_guard, "is_public", lambda address: True)
    async with trap() as t:
        network = GuardedTransport(resolve=resolving(["127.0.0.1"]), network=Network({}))
        image = ImageRef.parse(f"{host}:{t.port}/a/b:1")
        asking = client(network, allowed=[image.registry])
        await everything_asked(asking, image)
        await asking.aclose()
        assert t.heard
    tally["mutations noticed"] += 1
