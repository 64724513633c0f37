"""Plays the conversations of screen.py as in issues: Markdown, and commands in place of presses.

The service has the facts of GitHub's issues, and the ids of the fakes.
"""

import re
from dataclasses import replace

from fakes import GROUP, World
from screen import Screen

from bot.adapters.github.issues import SERVICE as ISSUES
from bot.adapters.github.issues.rendering import IssueWords
from bot.adapters.telegram import TELEGRAM
from bot.core.ids import ChatId, MessageId, Person, RequestId
from bot.dialog.language import Language
from bot.dialog.message import Text
from bot.dialog.typed_buttons import typed_instead

WORDS = IssueWords(registries=["docker.io", "gcr.io"])
_KEY = re.compile(r"/(?:approve|reject) \d+ ([A-Za-z0-9_-]{8})\b")
_REQUEST = re.compile(r"<b>#(\d+)</b>")


class IssueScreen(Screen):
    def __init__(self, world: World, language: Language) -> None:
        world.service = replace(ISSUES, name=TELEGRAM)
        super().__init__(world, language)

    @property
    def text(self) -> str:
        """The transcript, with keys of versions that are the same each time."""
        shown = super().text
        for number, key in enumerate(dict.fromkeys(_KEY.findall(shown)), 1):
            shown = shown.replace(key, f"version{number}")
        return shown

    async def press(self, person: Person, data: str, *, chat: ChatId = GROUP) -> None:
        """Type the command that stands in place of the button. Not every button has one."""
        message, carried = self.world.chat.button(data)
        text = self.world.chat.messages[message].text
        request = RequestId(int((_REQUEST.findall(text) or ["1"])[0]))
        command = typed_instead(carried, request)
        if command is None:
            self._note(f"{person.name} has no command for {data.partition(':')[0]}", [])
        else:
            await self.say(person, command, chat=chat)

    def said(self, message: MessageId, text: Text, reply_to: MessageId | None) -> None:
        to = f", to ({self._number(reply_to)})" if reply_to in self._numbers else ""
        self._seen[message] = _markdown(text)
        self._note(f"({self._number(message)}) bot{to}", self._seen[message])

    def edited(self, message: MessageId, text: Text) -> None:
        lines = _markdown(text)
        if lines != self._seen[message]:
            self._seen[message] = lines
            self._note(f"({self._number(message)}) becomes", lines)


def _markdown(text: Text) -> list[str]:
    """Return the lines of a comment. A space without width is shown as a middle dot."""
    return WORDS.render(text, {}).replace("\u200b", "·").splitlines()
