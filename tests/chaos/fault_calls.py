"""Every outside call of the product, each with a short conversation in which it is made.

A conversation runs until just before the call and yields the message. This file knows neither
the faults nor their expected effects: see fault_measures.py and fault_table.py.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from faults_world import FaultsWorld

from bot.core.retry import TroubleKind
from bot.core.transfer import Transfer

Conversation = Callable[[FaultsWorld, str], AsyncIterator[int]]


@dataclass(frozen=True, slots=True)
class Call:
    """`path` is part of the call's request lines, `again` is what a retry's lines may hold instead.

    `kind` is what the message gets in the end: the result of a "request", or an "answer". `before`
    are the troubles that are needed to come to this call.
    """

    service: str
    name: str
    path: str
    conversation: Conversation
    again: tuple[str, ...] = ()
    kind: str = "request"
    before: frozenset[TroubleKind] = frozenset()

    def tries(self, line: str) -> bool:
        return any(part in line for part in (self.path, *self.again))


def _image(name: str, *, place: str = "library") -> str:
    return f"docker.io/{place}/{name}:1"


def _there(world: FaultsWorld, name: str, *, place: str = "library") -> str:
    """Add an image that the target already has, so that nothing has to be copied."""
    image = _new(world, name, place=place)
    manifest = world.source.manifests[f"{place}/{name}", "1"]
    digest = world.target.hold(f"docker.io/{place}/{name}", "1", manifest)
    world.target_before[image] = digest
    return image


def _new(world: FaultsWorld, name: str, *, place: str = "library") -> str:
    world.source.put(f"{place}/{name}", "1")
    return _image(name, place=place)


def _mirror(world: FaultsWorld, image: str) -> int:
    return world.say(f"/mirror {image}", images=[image])


async def transfers(world: FaultsWorld, message: int) -> tuple[Transfer, ...]:
    request = await world.request(message)
    if request is None:
        return ()
    async with world.store.begin() as unit:
        return await unit.transfers_of(request.id)


async def is_over(world: FaultsWorld, message: int) -> bool:
    found = await transfers(world, message)
    return bool(found) and all(transfer.state.is_final for transfer in found)


# -- Telegram -----------------------------------------------------------------------------------


async def _before_all(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    yield _mirror(world, _there(world, name))


async def _before_the_result(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    message = _mirror(world, _there(world, name))
    while not await is_over(world, message):
        await world.step()
    yield message


async def _with_the_card(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    message = _mirror(world, _there(world, name))
    while not world.replies(message):
        await world.step()
    yield message


async def _status(world: FaultsWorld, _name: str) -> AsyncIterator[int]:
    yield world.say("/status")


async def _file(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    image = _there(world, name)
    # Longer than any page that a fault puts in its place, so that the size tells them apart.
    text = f"services:\n  a:\n    image: {image}\n{'#' * 80}\n".encode()
    yield world.send_file(f"{name}.yaml", text)


async def _file_read(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    async for message in _file(world, name):
        while not await confirmed(world, message):
            await world.step()
        yield message


async def confirmed(world: FaultsWorld, message: int) -> bool:
    """Confirm a draft. Return False while its card is missing, else True."""
    request = await world.request(message)
    if request is None or request.card is None:
        return False
    if request.is_draft:
        world.say(f"/mirror #{request.id}", answered=False)
    return True


async def _pressed(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    message = _mirror(world, _new(world, name, place="other"))
    while not any(reply.keyboard for reply in world.replies(message)):
        await world.step()
    world.press(world.replies(message)[0].id, "Approve")
    yield message


# -- GitHub -------------------------------------------------------------------------------------


async def _copied(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    yield _mirror(world, _new(world, name))


async def _write_lost(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    world.faults.arm(where="github", what="lost", path="PUT ")
    yield _mirror(world, _new(world, name))


def _listed(world: FaultsWorld) -> str:
    world.listed += 1
    return _new(world, f"listed-{world.listed}")


async def _dispatched(world: FaultsWorld, _name: str) -> AsyncIterator[int]:
    yield _mirror(world, _listed(world))


async def _dispatch_lost(world: FaultsWorld, _name: str) -> AsyncIterator[int]:
    world.faults.arm(where="github", what="lost", path="/dispatches")
    yield _mirror(world, _listed(world))


async def _list(world: FaultsWorld, _name: str) -> AsyncIterator[int]:
    yield world.say("/list")


# -- registries ---------------------------------------------------------------------------------


async def _lookup(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    yield world.say(f"/lookup {_there(world, name)}")


async def _wrong_tag(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    _new(world, name)
    image = _image(name).removesuffix(":1") + ":2"
    yield world.say(f"/mirror {image}", images=[image])


async def _before_the_verdict(world: FaultsWorld, name: str) -> AsyncIterator[int]:
    message = _mirror(world, _new(world, name))
    while not [t for t in await transfers(world, message) if t.batch is not None]:
        await world.step()
    yield message


_REPO: Final = "/github/repos/ana/mirror"
_RUNS: Final = f"GET {_REPO}/actions/runs"
_LOST: Final = frozenset({TroubleKind.UNREACHABLE})
CALLS: Final = (
    Call("telegram", "card", "/sendMessage", _before_all),
    Call("telegram", "edit", "/editMessageText", _with_the_card),
    Call("telegram", "result", "/sendMessage", _before_the_result),
    Call("telegram", "answer", "/sendMessage", _status, kind="answer"),
    Call("telegram", "file back", "/sendDocument", _file_read),
    Call("telegram", "file", "/getFile", _file),
    Call("telegram", "download", "/telegram/file/", _file),
    Call("telegram", "updates", "/getUpdates", _before_all),
    Call("telegram", "press", "/answerCallbackQuery", _pressed),
    Call("telegram", "reaction", "/setMessageReaction", _before_all),
    Call("github", "workflow", f"GET {_REPO}/actions/workflows/", _copied),
    Call("github", "read", f"GET {_REPO}/contents/", _copied),
    Call("github", "write", "PUT ", _copied, again=(f"GET {_REPO}/commits",)),
    Call("github", "find commit", f"GET {_REPO}/commits", _write_lost, before=_LOST),
    Call("github", "find run", _RUNS, _copied),
    Call("github", "run", f"{_RUNS}/", _copied),
    Call("github", "results", f"GET {_REPO}/commits/", _copied),
    Call("github", "dispatch", "/dispatches", _dispatched, again=(_RUNS,)),
    Call("github", "find dispatch", _RUNS, _dispatch_lost, before=_LOST),
    Call("github", "list", f"GET {_REPO}/contents/", _list, kind="answer"),
    Call("source", "check", "HEAD /v2/", _before_all),
    Call("source", "login", "GET /token", _before_all),
    Call("source", "details", "GET /v2/library/", _copied),
    Call("source", "tags", "/tags/list", _wrong_tag),
    Call("source", "lookup", "HEAD /v2/", _lookup, kind="answer"),
    Call("target", "check", "HEAD /v2/", _before_all),
    Call("target", "verify", "HEAD /v2/", _before_the_verdict),
    Call("target", "lookup", "HEAD /v2/", _lookup, kind="answer"),
)
COMMON: Final = (
    "refused", "silent", "unanswered", "lost", "cut", "endless", "huge 3", "packed 3",
    "malformed", "garbage", "page 403", "page 404",
    "status 400", "status 401", "status 403", "status 404", "status 409", "status 422",
    "status 500", "status 502", "status 503", "status 429", "retry-after 30",
)  # fmt: skip
OWN: Final = {
    "telegram": ("status 413",),
    "github": (
        "says permission", "says primary-limit", "says secondary-limit",
        "says secondary-limit-429", "says secondary-limit-silent",
        "says secondary-limit-429-silent",
    ),
    "source": (),
    "target": (),
}  # fmt: skip


def faults_of(service: str) -> tuple[str, ...]:
    return (*COMMON, *OWN[service])
