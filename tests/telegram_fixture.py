"""What the tests do with a bot of the library that no call was made with."""

from bot.adapters.telegram.chat import PollingBot


async def shut(bot: PollingBot) -> None:
    """The library closes only what was introduced to Telegram."""
    for request in bot._request:
        await request.shutdown()
