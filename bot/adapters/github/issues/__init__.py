"""GitHub's issues as a service where people talk: what the others need to know of it.

An issue is a chat, with its number below zero: everybody who may read the repository reads it. A
comment is a message. So is the body of the issue, with the issue's number below zero.
"""

from typing import Final

from bot.core.ids import ChatId, MessageId, PersonId, chat_id, message_id, number_of, person_id

GITHUB: Final = "github"


def chat_of(issue: int) -> ChatId:
    return chat_id(GITHUB, -issue)


def issue_of(chat: ChatId) -> int:
    return -number_of(chat)


def message_of(issue: int, comment: int) -> MessageId:
    """`comment` 0: the body of the issue."""
    return message_id(GITHUB, comment or -issue)


def person_of(account: int) -> PersonId:
    return person_id(GITHUB, account)
