"""Checks of Telegram: the token, a webhook in the way, each served chat, and each admin."""

from collections.abc import Callable, Sequence

from bot.adapters.telegram import TELEGRAM
from bot.adapters.telegram.inspection import BotFacts, Inspection, Standing
from bot.check.report import CheckLine, CheckLines, failed, not_tried, ok, part, unanswered, warning
from bot.config import Settings, TelegramSection
from bot.core.errors import BotError, ChatMovedError, RefusedError
from bot.core.ids import ChatId, PersonId, is_private, number_of, person_id


async def telegram(
    inspection: Inspection, settings: Settings, section: TelegramSection
) -> CheckLines:
    try:
        me = await inspection.me()
    except BotError as error:
        yield unanswered("telegram", error, "@BotFather shows the one that is valid")
        yield not_tried("chats", "they are asked with the token")
        return
    yield ok("telegram", f"the bot is @{me.name}")
    async for found in part("webhook", _webhook(inspection)):
        yield found
    watched = list[ChatId]()
    for chat in section.chats:
        name = f"chat {number_of(chat)}"
        async for found in part(name, _chat(name, inspection, chat, me, watched)):
            yield found
    for admin in section.admins:
        name = f"admin {number_of(admin)}"
        async for found in part(name, _admin(name, inspection, admin, watched)):
            yield found
    async for found in part("private chats", _private(inspection, settings, me)):
        yield found


async def _private(inspection: Inspection, settings: Settings, me: BotFacts) -> CheckLines:
    """Whether those can be written to who are to be told something in private."""
    maintainer, plan = settings.maintainer, settings.fresh_plan()
    advice = f"let this person send /start to @{me.name}"
    if maintainer is not None and maintainer.id:
        person = person_id(TELEGRAM, maintainer.id)
        yield await _reached("maintainer", inspection, person, warning, advice)
    if plan is not None and is_private(plan.alarms):
        yield await _reached("fresh.alarms", inspection, PersonId(plan.alarms), failed, advice)


async def _reached(
    name: str,
    inspection: Inspection,
    person: PersonId,
    otherwise: Callable[[str, str, str], CheckLine],
    advice: str,
) -> CheckLine:
    try:
        await inspection.try_private(person)
    except RefusedError as refusal:
        return otherwise(name, str(refusal), advice)
    return ok(name, "can be written to in private")


async def _webhook(inspection: Inspection) -> CheckLines:
    address = await inspection.webhook()
    if address:
        text = f"the messages go to {address[:120]} and not to this bot"
        yield warning("webhook", text, "another program uses this token. `run` takes it away")
    else:
        yield ok("webhook", "none is in the way")


async def _chat(
    name: str, inspection: Inspection, chat: ChatId, me: BotFacts, watched: list[ChatId]
) -> CheckLines:
    """`watched` gets the chat where the bot is an admin: Telegram tells it who is a member."""
    try:
        facts = await inspection.chat(chat)
        standing = await inspection.own_standing(chat, facts, me)
    except ChatMovedError as error:
        number = number_of(error.chat)
        yield failed(name, "it became a supergroup", f"write {number} in telegram.chats")
        return
    except RefusedError as error:
        advice = "add the bot to the group, and compare the id with what /whoami says there"
        yield failed(name, error, advice)
        return
    title = facts.title
    if not facts.is_group:
        yield failed(name, f"“{title}” is no group", "name a group: nobody can send commands there")
        return
    match standing:
        case Standing.ADMIN:
            watched.append(chat)
            yield ok(name, f"“{title}”, the bot is an admin and hears everything")
        case Standing.MEMBER if me.hears_all:
            yield ok(name, f"“{title}”, the bot is a member and hears everything")
        case Standing.MEMBER:
            heard = f"commands such as /mirror@{me.name} and replies to it"
            yield ok(name, f"“{title}”, the bot is a member. By its privacy mode it hears {heard}")
        case Standing.FILELESS:
            text = f"the bot may send no files in “{title}”, so none goes back with its new names"
            yield warning(name, text, "let it send files there")
        case Standing.MUTED:
            yield failed(name, f"the bot may not write in “{title}”", "let it send messages there")
        case _:
            yield failed(name, f"the bot is not in “{title}”", "add it to the group")


async def _admin(
    name: str, inspection: Inspection, admin: PersonId, watched: Sequence[ChatId]
) -> CheckLines:
    if not watched:
        yield not_tried(name, "Telegram tells only bots that are admins who is in a group")
        return
    standings = [await inspection.standing_of(chat, admin) for chat in watched]
    if Standing.BOT in standings:
        yield failed(name, "is a bot, and no bot may decide", "name a person: /whoami tells the id")
    elif set(standings) <= {Standing.OUTSIDE}:
        advice = "compare the id with what /whoami tells this person"
        yield failed(name, "is in none of these chats", advice)
    else:
        yield ok(name, "is in a served chat")
