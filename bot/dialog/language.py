"""The languages the bot speaks, and which of them a person is answered in.

The texts are in `locales/`: one file per language, named after the enum's value.
"""

from enum import StrEnum


class Language(StrEnum):
    """Each value names a file in `locales/` and is a language tag (IETF, BCP 47)."""

    EN = "en"
    ZH_CN = "zh-CN"


def spoken(code: str, *, otherwise: Language) -> Language:
    """The language for a person whose app reports `code`, which is often empty.

    The first subtag decides. Apps report Chinese as zh, zh-hans, zh-hant or zh-TW, and readers of
    both scripts prefer zh-CN to English.
    """
    match code.partition("-")[0].lower():
        case "zh":
            return Language.ZH_CN
        case "en":
            return Language.EN
        case _:
            return otherwise
