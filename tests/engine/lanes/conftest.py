"""Gives a module's tests the event loop that the module names: see virtual_time.py."""

import asyncio
from collections.abc import Callable

import pytest


def pytest_asyncio_loop_factories(
    item: pytest.Function,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"loop": getattr(item.module, "LOOP_FACTORY", asyncio.new_event_loop)}
