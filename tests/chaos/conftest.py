"""The fixtures of the tests of the real process: each test gets its own servers and people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bot_site import Site, bot_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with bot_site(tmp_path) as made:
        yield made
