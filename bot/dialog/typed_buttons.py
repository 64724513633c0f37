"""The command that does what a button does, for services that have no buttons.

Not every button has one: pages, ticks and forms only change what a card shows.
"""

from bot.core.bad_image import BadImage
from bot.core.ids import RequestId
from bot.dialog.buttons import ApproveShown, MirrorImage, RejectShown, Verb, parse_button
from bot.dialog.command_values import Cancel, CommandName, Confirm, List, Retry
from bot.dialog.commands import LATER_WORDS
from bot.dialog.message import Button
from bot.paste.reference import read_image


def command_of(button: Button, request: RequestId | None) -> str | None:
    """The command in place of a button, as in `typed_instead`, also for a suggested image.

    That image is asked for anew, by the name on the button.
    """
    name = next((value for key, value in button.label.values if key == "image"), None)
    if button.value.startswith(f"{Verb.SUGGESTION}:") and isinstance(name, str):
        read = read_image(name, target_host="")
        return None if isinstance(read, BadImage) else f"/{CommandName.MIRROR} {name}"
    return typed_instead(button.value, request)


def typed_instead(data: str, request: RequestId | None) -> str | None:
    """The command in place of a button with this data, ready to copy. None where there is none.

    `request`: the request of the message, which a decision names besides the version of its card.
    """
    match parse_button(data):
        case ApproveShown(version, later) if request is not None:
            word = next(word for word, ground in LATER_WORDS.items() if ground is later)
            return f"/{CommandName.APPROVE} {request} {version} {word}".rstrip()
        case RejectShown(version, "") if request is not None:
            return f"/{CommandName.REJECT} {request} {version}"
        case Confirm(number):
            return f"/{CommandName.MIRROR} #{number}"
        case Cancel(number):
            return f"/{CommandName.CANCEL} {number}"
        case Retry(number):
            return f"/{CommandName.RETRY} {number}"
        case MirrorImage(image):
            return f"/{CommandName.MIRROR} {image}"
        case List(text, 0):
            return f"/{CommandName.LIST} {text}".rstrip()
        case _:
            return None
