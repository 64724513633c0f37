"""The JSON of the Bot API for what is in the chats. Pure: it reads the world and changes nothing.

The fields are those that a client of Bot API 10 requires, and those that this product may read.
"""

from typing import Any, assert_never

from bot.sandbox.telegram.chats import ChatWorld
from bot.sandbox.telegram.updates import Update
from bot.sandbox.telegram.values import (
    Button,
    ButtonKind,
    Chat,
    ChatKind,
    Document,
    Keyboard,
    Message,
    Origin,
    Person,
    Press,
    Role,
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


def update(world: ChatWorld, pending: Update) -> Json:
    body = pending.body
    shape = press(world, body) if isinstance(body, Press) else message(world, _message(body))
    return {"update_id": pending.id, pending.kind: shape}


def message(world: ChatWorld, shown: Message) -> Json:
    """A message with the one it answers, as the server nests it: one level deep."""
    shape = _plain(world, shown)
    if shown.answered is not None:
        shape["reply_to_message"] = _plain(world, shown.answered)
    elif shown.topic is not None and shown.reply_to is None:
        # The server lets every message in a topic answer the one that opened the topic.
        shape["reply_to_message"] = _opening(world, shown.chat, shown.topic)
    return shape


def press(world: ChatWorld, pressed: Press) -> Json:
    return {
        "id": pressed.id,
        "from": person(pressed.by),
        "message": message(world, pressed.message),
        "chat_instance": str(pressed.message.chat.id),
        "data": pressed.data,
    }


def bot(world: ChatWorld) -> Json:
    return {
        "id": world.bot_id,
        "is_bot": True,
        "first_name": "ImageTo",
        "username": world.bot_username,
    }


def person(somebody: Person) -> Json:
    return {
        "id": somebody.id,
        "is_bot": False,
        "first_name": somebody.first_name,
        "username": somebody.name,
        "language_code": somebody.language,
    }


def chat(world: ChatWorld, shown: Chat) -> Json:
    if shown.person is not None:
        name = {"first_name": shown.person.first_name, "username": shown.person.name}
        return {"id": shown.id, "type": "private", **name}
    shape: Json = {"id": shown.id, "type": shown.kind.value, "title": shown.title}
    if shown.kind is ChatKind.GROUP:
        shape["all_members_are_administrators"] = False
    if any(where == shown.id for where, _ in world.topics):
        shape["is_forum"] = True
    return shape


def full_chat(world: ChatWorld, shown: Chat) -> Json:
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
    return chat(world, shown) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": no_gifts,
    }


def member(somebody: Person) -> Json:
    if somebody.role is Role.ADMIN:
        rights = dict.fromkeys(_RIGHTS, True)
        flags = {"can_be_edited": False, "is_anonymous": False, "can_promote_members": False}
        return {"status": "administrator", "user": person(somebody), **rights, **flags}
    return {"status": "member", "user": person(somebody)}


def document(kept: Document) -> Json:
    return {
        "file_name": kept.name,
        "mime_type": kept.mime,
        "file_id": kept.file_id,
        "file_unique_id": f"AgAD{kept.number:08d}",
        "file_size": len(kept.content),
    }


def keyboard(shown: Keyboard) -> Json:
    return {"inline_keyboard": [[_button(button) for button in row] for row in shown]}


def _plain(world: ChatWorld, shown: Message) -> Json:
    shape: Json = {
        "message_id": shown.id,
        **_sender(world, shown),
        "chat": chat(world, shown.chat),
        "date": shown.date,
        **_content(shown),
    }
    if shown.origin is not None:
        shape["forward_origin"] = _origin(world, shown.origin)
    if shown.keyboard:
        shape["reply_markup"] = keyboard(shown.keyboard)
    if shown.topic is not None:
        shape |= {"message_thread_id": shown.topic, "is_topic_message": True}
    elif shown.thread is not None:
        shape["message_thread_id"] = shown.thread  # of a chain of replies: it names no topic
    if shown.edited is not None:
        shape["edit_date"] = shown.edited
    return shape


def _sender(world: ChatWorld, shown: Message) -> Json:
    if shown.anonymous:
        return {"from": _ANONYMOUS, "sender_chat": chat(world, shown.chat)}
    return {"from": _user(world, shown.sender)}


def _user(world: ChatWorld, somebody: Person | None) -> Json:
    return bot(world) if somebody is None else person(somebody)


def _content(shown: Message) -> Json:
    shape: Json = {}
    if shown.upgrade is not None:
        shape[shown.upgrade.direction] = shown.upgrade.id
    if shown.document is not None:
        shape["document"] = document(shown.document)
    if shown.text:
        text, found = ("caption", "caption_entities") if shown.document else ("text", "entities")
        shape[text] = shown.text
        if shown.entities:
            shape[found] = list(shown.entities)
    return shape


def _origin(world: ChatWorld, origin: Origin) -> Json:
    if origin.chat is not None:
        return {"type": "chat", "date": origin.date, "sender_chat": chat(world, origin.chat)}
    return {"type": "user", "date": origin.date, "sender_user": _user(world, origin.sender)}


def _opening(world: ChatWorld, where: Chat, topic: int) -> Json:
    opener = next(each for each in world.people.values() if each.role is Role.ADMIN)
    return {
        "message_id": topic,
        "from": person(opener),
        "chat": chat(world, where),
        "date": world.topics[where.id, topic],
        "message_thread_id": topic,
        "is_topic_message": True,
        "forum_topic_created": {"name": f"Topic {topic}", "icon_color": _TOPIC_BLUE},
    }


def _button(button: Button) -> Json:
    match button.kind:
        case ButtonKind.CALLBACK:
            return {"text": button.text, "callback_data": button.value}
        case ButtonKind.COPY:
            return {"text": button.text, "copy_text": {"text": button.value}}
        case ButtonKind.URL:
            return {"text": button.text, "url": button.value}
        case _:
            assert_never(button.kind)


def _message(body: object) -> Message:
    if not isinstance(body, Message):
        raise TypeError(f"an update holds a {type(body).__name__}")
    return body
