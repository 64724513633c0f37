"""Turns an update of Telegram into a value of the engine: an Incoming, a Press, a moved chat …

Pure. polling.py receives the updates. What a message means is up to engine/intake.
"""

from typing import Final

from telegram import ChatMember, MaybeInaccessibleMessage, Update
from telegram import Message as TelegramMessage

from bot.adapters.telegram import ANONYMOUS_ADMIN, TELEGRAM
from bot.adapters.telegram.hearing import Hearing
from bot.core.ids import (
    ChatId,
    MessageId,
    Person,
    Place,
    UpdateKey,
    chat_id,
    message_id,
    number_of,
    person_id,
)
from bot.engine.intake.context import Added, Attachment, Incoming, Press

NAME_LIMIT: Final = 120
_AWAY: Final = frozenset({ChatMember.LEFT, ChatMember.BANNED})


def key_of(number: int) -> UpdateKey:
    """The key of an update. Numbers grow, but after a week without updates they begin anew.

    https://core.telegram.org/bots/api#update
    """
    return UpdateKey(f"{TELEGRAM}:{number}")


def parse_press(update: Update) -> Press | None:
    """A press of a button, or None where there is no message to answer."""
    query = update.callback_query
    if query is None or query.message is None:  # None for inline messages, which we never send
        return None
    user = query.from_user
    return Press(
        update=key_of(update.update_id),
        person=Person(person_id(TELEGRAM, user.id), user.full_name, user.language_code or ""),
        place=Place(chat_id(TELEGRAM, query.message.chat.id), _topic(query.message)),
        message=message_id(TELEGRAM, query.message.message_id),
        data=query.data or "",
        faceless=user.id == number_of(ANONYMOUS_ADMIN),
    )


def parse_message(update: Update, hearing: Hearing) -> Incoming | None:
    """A text or a file of a person, or None for what is ignored.

    What is forwarded to a group is not meant for the bot.
    """
    message = update.message
    if message is None or message.from_user is None or message.via_bot or _is_of_a_bot(message):
        return None
    forwarded, private = message.forward_origin is not None, message.chat.id > 0
    text = message.text or message.caption or ""
    if (forwarded and not private) or not (text or message.document):
        return None
    user = message.from_user
    return Incoming(
        update=key_of(update.update_id),
        person=Person(person_id(TELEGRAM, user.id), user.full_name, user.language_code or ""),
        place=Place(chat_id(TELEGRAM, message.chat.id), _topic(message)),
        message=message_id(TELEGRAM, message.message_id),
        text=text,
        sent_at=message.date,
        hears_all=hearing.of(message.chat.id),
        forwarded=forwarded,
        faceless=message.sender_chat is not None,
        file=_attachment(message),
        quoted=_quoted(message),
        quoted_file=_attachment(message.reply_to_message),
        quoted_buttons=_buttons_of(message.reply_to_message),
        replies_to=_replied_to(message),
    )


def _is_of_a_bot(message: TelegramMessage) -> bool:
    """Whether another bot wrote it, also one that writes for a person's business account.

    Anonymous admins and channels come with a bot of Telegram's as their sender, and `sender_chat`.
    """
    user = message.from_user
    by_itself = user is not None and user.is_bot and message.sender_chat is None
    return by_itself or message.sender_business_bot is not None


def _quoted(message: TelegramMessage) -> str:
    """The part that the person quoted, else the whole text of the message replied to.

    Empty for a message with a file, unless a part of its caption was quoted: the file is meant.
    """
    if message.quote is not None and message.quote.is_manual:
        return message.quote.text
    answered = message.reply_to_message
    if answered is None or answered.document is not None:
        return ""
    return answered.text or answered.caption or ""


def _replied_to(message: TelegramMessage) -> MessageId | None:
    """The message of the same chat. Numbers of messages mean nothing in another one."""
    answered = message.reply_to_message
    if answered is None or answered.chat.id != message.chat.id:
        return None
    return message_id(TELEGRAM, answered.message_id)


def _attachment(message: TelegramMessage | None) -> Attachment | None:
    document = message.document if message is not None else None
    if message is None or document is None:
        return None
    name = (document.file_name or "file")[:NAME_LIMIT]
    album = message.media_group_id or ""
    return Attachment(document.file_id, name, document.file_size or 0, album)


def _buttons_of(message: TelegramMessage | None) -> tuple[str, ...]:
    """What the buttons of a message carry. Telegram shows a bot those of its own messages."""
    if message is None or message.reply_markup is None:
        return ()
    buttons = [button for row in message.reply_markup.inline_keyboard for button in row]
    return tuple(str(button.callback_data) for button in buttons if button.callback_data)


def _topic(message: MaybeInaccessibleMessage) -> int | None:
    """The topic, or None. A chain of replies has a thread id too, but is no topic."""
    if not isinstance(message, TelegramMessage) or not message.is_topic_message:
        return None
    return message.message_thread_id


def parse_added(update: Update, hearing: Hearing) -> Added | None:
    """The bot was added to a group. None for any other change of what it is there."""
    changed = update.my_chat_member
    if changed is None or changed.chat.id > 0:
        return None
    if changed.old_chat_member.status not in _AWAY or changed.new_chat_member.status in _AWAY:
        return None
    user = changed.from_user
    return Added(
        update=key_of(update.update_id),
        person=Person(person_id(TELEGRAM, user.id), user.full_name, user.language_code or ""),
        chat=chat_id(TELEGRAM, changed.chat.id),
        hears_all=hearing.of(changed.chat.id),
    )


def parse_move(update: Update) -> tuple[ChatId, ChatId] | None:
    """The old and the new id of a group that became a supergroup. Both chats announce it."""
    message = update.message
    if message is None:
        return None
    if message.migrate_to_chat_id is not None:
        return chat_id(TELEGRAM, message.chat.id), chat_id(TELEGRAM, message.migrate_to_chat_id)
    if message.migrate_from_chat_id is not None:
        return chat_id(TELEGRAM, message.migrate_from_chat_id), chat_id(TELEGRAM, message.chat.id)
    return None
