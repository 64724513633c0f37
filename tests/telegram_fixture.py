"""Closes a Telegram bot that a test has made but never initialised."""

from bot.adapters.telegram.chat import PollingBot


async def shut(bot: PollingBot) -> None:
    """Close the connections. The library itself only closes an initialised bot."""
    for request in bot._request:
        await request.shutdown()
