"""GitHub's issues as a service where people talk: what the others need to know of it.

An issue is a chat, with its number below zero: everybody who may read the repository reads it. A
comment is a message. So is the body of the issue, with the issue's number below zero.
"""

from datetime import timedelta
from typing import Final

from bot.core.ids import ChatId, MessageId, PersonId, chat_id, message_id, number_of, person_id
from bot.core.service import Pace, Room, Service

GITHUB: Final = "github"
PACE: Final = Pace(
    messages=19,
    cards=14,
    edit_interval=timedelta(seconds=10),
    burst=25,
    edits=20,
)
"""For one issue. How much one account may write in all is the business of budget.py."""
SERVICE: Final = Service(
    name=GITHUB,
    title="GitHub",
    pace=PACE,
    room=Room(characters=12_000, copied=1_000),
    has_buttons=False,
    is_public=True,
    private=False,
)


def chat_of(issue: int) -> ChatId:
    return chat_id(GITHUB, -issue)


def issue_of(chat: ChatId) -> int:
    return -number_of(chat)


def message_of(issue: int, comment: int) -> MessageId:
    """`comment` 0: the body of the issue."""
    return message_id(GITHUB, comment or -issue)


def person_of(account: int) -> PersonId:
    return person_id(GITHUB, account)
