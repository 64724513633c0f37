"""The languages the bot speaks, and which of them a person is answered in.

Only the choice is here; the words are in `locales/`, one file a language, under its value.
"""

from enum import StrEnum


class Language(StrEnum):
    """Each value names a file in `locales/` and is a language tag (IETF, BCP 47)."""

    EN = "en"
    ZH_CN = "zh-CN"


def spoken(code: str, *, otherwise: Language) -> Language:
    """The language for somebody whose app says `code`: Telegram's language_code, often empty.

    The first subtag decides. Apps write Chinese as zh, zh-hans, zh-hant or zh-TW, and readers of
    either script are nearer to zh-CN than to any other language there is.
    """
    match code.partition("-")[0].lower():
        case "zh":
            return Language.ZH_CN
        case "en":
            return Language.EN
        case _:
            return otherwise
