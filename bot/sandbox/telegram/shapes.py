"""The JSON objects of the Bot API for what is in the chats. Reads the state and changes nothing.

Has the fields that a client of Bot API 10 requires, and those that this product may read.
"""

from typing import Any, assert_never

from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.updates import QueuedUpdate
from bot.sandbox.telegram.values import (
    BotPromotion,
    ButtonKind,
    CallbackQuery,
    ChatInfo,
    ChatKind,
    ChatMessage,
    InlineButton,
    Keyboard,
    MemberStatus,
    MessageOrigin,
    StoredDocument,
    User,
)

Json = dict[str, Any]

_ANONYMOUS: Json = {
    "id": 1_087_968_824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
_TOPIC_BLUE = 0x6FB9F0
_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
)


def update(state: TelegramState, pending: QueuedUpdate) -> Json:
    body = pending.body
    if isinstance(body, CallbackQuery):
        return {"update_id": pending.id, pending.kind: callback_query(state, body)}
    if isinstance(body, BotPromotion):
        return {"update_id": pending.id, pending.kind: _promotion(state, body)}
    return {"update_id": pending.id, pending.kind: message(state, _message(body))}


def message(state: TelegramState, shown: ChatMessage) -> Json:
    """Return a message with the one it answers nested one level deep, as the server does."""
    shape = _plain(state, shown)
    if shown.answered is not None:
        shape["reply_to_message"] = _plain(state, shown.answered)
    elif shown.topic is not None and shown.reply_to is None:
        # On the server every message in a topic answers the one that opened it.
        shape["reply_to_message"] = _opening(state, shown.chat, shown.topic)
    return shape


def callback_query(state: TelegramState, pressed: CallbackQuery) -> Json:
    return {
        "id": pressed.id,
        "from": person(pressed.by),
        "message": message(state, pressed.message),
        "chat_instance": str(pressed.message.chat.id),
        "data": pressed.data,
    }


def bot(state: TelegramState) -> Json:
    return {
        "id": state.bot_id,
        "is_bot": True,
        "first_name": "ImageTo",
        "username": state.bot_username,
    }


def person(somebody: User) -> Json:
    return {
        "id": somebody.id,
        "is_bot": False,
        "first_name": somebody.first_name,
        "username": somebody.name,
        "language_code": somebody.language,
    }


def chat(state: TelegramState, shown: ChatInfo) -> Json:
    if shown.person is not None:
        name = {"first_name": shown.person.first_name, "username": shown.person.name}
        return {"id": shown.id, "type": "private", **name}
    shape: Json = {"id": shown.id, "type": shown.kind.value, "title": shown.title}
    if shown.kind is ChatKind.GROUP:
        shape["all_members_are_administrators"] = False
    if any(where == shown.id for where, _ in state.topics):
        shape["is_forum"] = True
    return shape


def full_chat(state: TelegramState, shown: ChatInfo) -> Json:
    no_gifts = dict.fromkeys(
        (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        ),
        False,
    )
    return chat(state, shown) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": no_gifts,
    }


def member(somebody: User) -> Json:
    return _member(person(somebody), somebody.role)


def bot_member(state: TelegramState, role: MemberStatus) -> Json:
    return _member(bot(state), role)


def _member(user: Json, role: MemberStatus) -> Json:
    if role is MemberStatus.ADMIN:
        rights = dict.fromkeys(_RIGHTS, True)
        flags = {"can_be_edited": False, "is_anonymous": False, "can_promote_members": False}
        return {"status": "administrator", "user": user, **rights, **flags}
    return {"status": role.value, "user": user}


def _promotion(state: TelegramState, changed: BotPromotion) -> Json:
    return {
        "chat": chat(state, changed.chat),
        "from": person(changed.by),
        "date": changed.at,
        "old_chat_member": bot_member(state, changed.old),
        "new_chat_member": bot_member(state, changed.new),
    }


def document(kept: StoredDocument) -> Json:
    return {
        "file_name": kept.name,
        "mime_type": kept.mime,
        "file_id": kept.file_id,
        "file_unique_id": f"AgAD{kept.number:08d}",
        "file_size": len(kept.content),
    }


def keyboard(shown: Keyboard) -> Json:
    return {"inline_keyboard": [[_button(button) for button in row] for row in shown]}


def _plain(state: TelegramState, shown: ChatMessage) -> Json:
    shape: Json = {
        "message_id": shown.id,
        **_sender(state, shown),
        "chat": chat(state, shown.chat),
        "date": shown.date,
        **_content(shown),
    }
    if shown.origin is not None:
        shape["forward_origin"] = _origin(state, shown.origin)
    if shown.keyboard:
        shape["reply_markup"] = keyboard(shown.keyboard)
    if shown.topic is not None:
        shape |= {"message_thread_id": shown.topic, "is_topic_message": True}
    elif shown.thread is not None:
        shape["message_thread_id"] = shown.thread  # a chain of replies, not a topic
    if shown.edited is not None:
        shape["edit_date"] = shown.edited
    return shape


def _sender(state: TelegramState, shown: ChatMessage) -> Json:
    if shown.anonymous:
        return {"from": _ANONYMOUS, "sender_chat": chat(state, shown.chat)}
    return {"from": _user(state, shown.sender)}


def _user(state: TelegramState, somebody: User | None) -> Json:
    return bot(state) if somebody is None else person(somebody)


def _content(shown: ChatMessage) -> Json:
    shape: Json = {}
    if shown.upgrade is not None:
        shape[shown.upgrade.direction] = shown.upgrade.id
    if shown.document is not None:
        shape["document"] = document(shown.document)
    if shown.album:
        shape["media_group_id"] = shown.album
    if shown.text:
        text, found = ("caption", "caption_entities") if shown.document else ("text", "entities")
        shape[text] = shown.text
        if shown.entities:
            shape[found] = list(shown.entities)
    return shape


def _origin(state: TelegramState, origin: MessageOrigin) -> Json:
    if origin.chat is not None:
        return {"type": "chat", "date": origin.date, "sender_chat": chat(state, origin.chat)}
    return {"type": "user", "date": origin.date, "sender_user": _user(state, origin.sender)}


def _opening(state: TelegramState, where: ChatInfo, topic: int) -> Json:
    opener = next(each for each in state.people.values() if each.role is MemberStatus.ADMIN)
    return {
        "message_id": topic,
        "from": person(opener),
        "chat": chat(state, where),
        "date": state.topics[where.id, topic],
        "message_thread_id": topic,
        "is_topic_message": True,
        "forum_topic_created": {"name": f"Topic {topic}", "icon_color": _TOPIC_BLUE},
    }


def _button(button: InlineButton) -> Json:
    match button.kind:
        case ButtonKind.CALLBACK:
            return {"text": button.text, "callback_data": button.value}
        case ButtonKind.COPY:
            return {"text": button.text, "copy_text": {"text": button.value}}
        case ButtonKind.URL:
            return {"text": button.text, "url": button.value}
        case _:
            assert_never(button.kind)


def _message(body: object) -> ChatMessage:
    if not isinstance(body, ChatMessage):
        raise TypeError(f"an update holds a {type(body).__name__}")
    return body
