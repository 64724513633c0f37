"""The accounts of the sandbox's GitHub: ids that stay, logins that can change hands, and roles."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bot.sandbox.github.http import not_found

ROLES: Final = ("", "read", "triage", "write", "maintain", "admin")
"""From few rights to many. Without a role one may read a public repository, and write issues."""


@dataclass(frozen=True, slots=True)
class Account:
    """`name` is what people of the sandbox call it. It stays when the login changes."""

    name: str
    id: int
    login: str
    kind: str = "User"
    role: str = ""

    @property
    def collaborates(self) -> bool:
        """An app may do what its installation says, and is no collaborator."""
        return self.role != "" and self.kind == "User"

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


OWNER: Final = "owner"
BOT: Final = "bot"
APP: Final = "app"
_PEOPLE: Final = (
    ("wei", 583229, "write"),
    ("li", 583230, "triage"),
    ("ana", 583231, "admin"),
    ("mallory", 583232, ""),
)


class Accounts:
    """All accounts, by name. The bot writes with the token of `bot`, or as the app."""

    def __init__(self, owner: str) -> None:
        made = [
            Account(OWNER, 1, owner, "Organization", "admin"),
            Account(BOT, 583200, "mirror-bot", role="write"),
            Account(APP, 583201, "mirror-bot[bot]", "Bot", "write"),
            *(Account(name, number, name, role=role) for name, number, role in _PEOPLE),
        ]
        self._by_name = {each.name: each for each in made}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Account:
        """Raises ValueError with the names that there are."""
        if name not in self._by_name:
            raise ValueError(f"nobody is called {name!r}; there are: {', '.join(self._by_name)}")
        return self._by_name[name]

    def numbered(self, number: int) -> Account:
        found = next((each for each in self if each.id == number), None)
        if found is None:
            raise not_found()
        return found

    def login(self, login: str) -> Account:
        """Who has this login now. GitHub ignores its case, and leads nowhere from a former one."""
        found = next((each for each in self if each.login.casefold() == login.casefold()), None)
        if found is None:
            raise not_found()
        return found

    def rename(self, name: str, login: str) -> None:
        """Give somebody another login, which may have been somebody else's. Raises ValueError."""
        if any(each.login.casefold() == login.casefold() and each.name != name for each in self):
            raise ValueError(f"the login {login!r} is taken")
        self._by_name[name] = replace(self.named(name), login=login)

    def give_role(self, name: str, role: str) -> None:
        if role not in ROLES:
            raise ValueError(f"no role is called {role!r}; there are: {', '.join(ROLES[1:])}")
        self._by_name[name] = replace(self.named(name), role=role)
