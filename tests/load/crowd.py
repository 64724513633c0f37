"""Who requests what, where and when: 200 people, in private chats and in ten groups.

The sandbox's four people are there too, but only the numbered members make requests. The same
seed gives the same plan.
"""

import random
from dataclasses import dataclass

from images import LoadImage, images

from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.values import ChatInfo, ChatKind, User

SEED = 4
IN_GROUPS = 10
"""One in so many requests is made in a group. A group may get 20 messages a minute."""


@dataclass(frozen=True)
class Size:
    """The size of a load."""

    people: int
    requests: int
    images: int
    seconds: float
    groups: int


FULL = Size(people=200, requests=1000, images=400, seconds=60, groups=10)
MINIATURE = Size(people=20, requests=40, images=16, seconds=10, groups=2)


@dataclass(frozen=True)
class Ask:
    """One request. `at` is in seconds after the start."""

    at: float
    person: str
    chat: int
    image: LoadImage


def chat_world(size: Size) -> TelegramState:
    people = [
        User(2001 + number, f"member-{number + 1}", language="zh-hans" if number % 2 else "en")
        for number in range(size.people)
    ]
    groups = [
        ChatInfo(-1_001_000_001_000 - number, f"Group {number + 1}", ChatKind.SUPERGROUP)
        for number in range(size.groups)
    ]
    return TelegramState(people=people, groups=groups)


def plan(size: Size, world: TelegramState) -> list[Ask]:
    """Request every image equally often. People and times are random."""
    lot = random.Random(SEED)  # noqa: S311 - the plan has to be reproducible
    members = [person for person in world.people.values() if person.name.startswith("member-")]
    groups = [chat for chat in world.chats.values() if chat.title.startswith("Group ")]
    pool = images(size.images)
    wanted = [pool[number % size.images] for number in range(size.requests)]
    lot.shuffle(wanted)
    times = sorted(lot.uniform(0, size.seconds) for _ in wanted)
    asks = []
    for number, (at, image) in enumerate(zip(times, wanted, strict=True)):
        person = members[number % len(members)]
        grouped = number % IN_GROUPS == 0
        chat = groups[number // IN_GROUPS % len(groups)].id if grouped else person.id
        asks.append(Ask(at, person.name, chat, image))
    return asks
