"""The packages of bot/: what each may import, how much of the store each sees, and sizes."""

import ast
import importlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.adapters.store.unit import StoreUnit

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"
PACKAGE = BOT / "workflow" / "mirror"
MODULES = sorted(path for path in BOT.rglob("*.py"))
LONGEST_FUNCTION = 50
LONGEST_MODULE = 420
# How many methods of the store each is given, out of many more.
METHODS_OF_A_LANE = 31
METHODS_OF_A_USE_CASE = 17
METHODS_OF_INTAKE = 65

ALLOWED = {
    "core": {"core"},
    "paste": {"core", "paste"},
    "dialog": {"core", "paste", "dialog"},
    "engine": {"core", "paste", "dialog", "engine"},
    "adapters": {"core", "paste", "dialog", "engine", "adapters", "workflow"},
    "workflow": set(),
}
PURE = ("core", "paste", "dialog")
ONE_PLACE = {
    "telegram": "adapters/telegram/",
    "github": "adapters/github/",
    "requests": "adapters/github/",
    "urllib3": "adapters/github/transport.py",
    "aiohttp": "adapters/telegram/transport.py",
    "yaml": ("config_file.py", "paste/yaml_tree.py", "sandbox/github/issue_form.py"),
    "sqlalchemy": "adapters/store/",
    "alembic": "adapters/store/",
    "fluent": "adapters/words.py",
    "prometheus_client": "adapters/monitoring/",
    "cryptography": (
        "github_app_key.py",
        "sandbox/github/",
        "statement_key.py",
        "public_key.py",
        "adapters/registry/signatures.py",
        "adapters/registry/keyless.py",
    ),
    "sigstore": "adapters/registry/keyless.py",
}
# Shared by the adapters: the operator's proxies and certificates.
CLIENTS = {"github", "registry", "telegram"}
SHARED = {"words": {"telegram", "github"}, "network": {*CLIENTS, "sockets"}, "sockets": CLIENTS}
IMPURE = {
    "asyncio", "datetime.now", "httpx", "io", "os", "pathlib", "random", "secrets", "socket",
    "subprocess", "sys", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip


def name_of(path: Path) -> str:
    return path.relative_to(BOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> tuple[str, ...]:
    return tuple(imported(path))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            if node.level == 0:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:  # the workflow's package is installed elsewhere, under another name
                assert path.parent == PACKAGE, f"{name_of(path)}: a relative import"


def rooms(path: Path) -> set[str]:
    """Return the packages of bot/ that a module imports from."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("bot.")}


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_from_the_rooms_below_it(room: str) -> None:
    for path in (BOT / room).rglob("*.py"):
        assert rooms(path) <= ALLOWED[room], name_of(path)


def test_adapters_do_not_import_one_another() -> None:
    for path in (BOT / "adapters").rglob("*.py"):
        own = path.relative_to(BOT / "adapters").parts[0].removesuffix(".py")
        for name in imports(path):
            if name.startswith("bot.adapters."):
                other = name.split(".")[2]
                assert other == own or own in SHARED.get(other, set()), (
                    f"{name_of(path)} imports {name}"
                )


@pytest.mark.parametrize("library", sorted(ONE_PLACE))
def test_a_library_is_imported_in_one_place(library: str) -> None:
    for path in MODULES:
        if any(name.split(".")[0] == library for name in imports(path)):
            assert name_of(path).startswith(ONE_PLACE[library]), name_of(path)


@pytest.mark.parametrize("room", PURE)
def test_the_floors_that_decide_are_pure(room: str) -> None:
    for path in (BOT / room).rglob("*.py"):
        for name in imports(path):
            assert not any(name == bad or name.startswith(f"{bad}.") for bad in IMPURE), (
                f"{name_of(path)} imports {name}"
            )
        nodes = list(ast.walk(tree(path)))
        kinds = {type(node) for node in nodes}
        assert not kinds & {ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith}
        calls = {ast.unparse(n.func) for n in nodes if isinstance(n, ast.Call)}
        assert not calls & {"datetime.now", "datetime.utcnow", "open", "print", "input"}


@pytest.mark.parametrize("room", ["core", "dialog", "engine", "adapters/store"])
def test_no_service_where_people_talk_is_named_but_in_its_adapter(room: str) -> None:
    """What one of them takes, keeps and shows is a fact of its core/service.py:Service."""
    for path in (BOT / room).rglob("*.py"):
        if "migrations" not in path.parts:
            text = re.sub(r"https://\S+", "", path.read_text())
            found = re.search(r"telegram|html|\b4096\b", text, re.IGNORECASE)
            assert found is None, (name_of(path), found)


def test_nothing_of_the_product_imports_the_sandbox() -> None:
    for path in MODULES:
        if "sandbox" in rooms(path):
            assert name_of(path) == "cli.py" or name_of(path).startswith("sandbox/")


def test_the_workflows_package_imports_the_standard_library_alone() -> None:
    for path in PACKAGE.rglob("*.py"):
        for name in imports(path):
            assert name.split(".")[0] in sys.stdlib_module_names, name_of(path)


def test_no_module_of_the_workflows_package_has_the_name_of_one_of_the_standard_library() -> None:
    """A module `http` in the folder that Python starts from would hide the library's."""
    own = {path.stem for path in PACKAGE.rglob("*") if path.stem not in {"__init__", "__main__"}}
    assert not own & sys.stdlib_module_names


def methods(protocol: type) -> set[str]:
    return {name for name in dir(protocol) if not name.startswith("_")}


def units(room: str) -> dict[str, set[str]]:
    """Return the methods of each protocol of the store that the modules of a package declare."""
    found = {}
    for path in (BOT / "engine" / room).glob("*.py"):
        module = importlib.import_module(f"bot.engine.{room}.{path.stem}")
        for name, value in vars(module).items():
            if name.endswith("Unit") and value.__module__ == module.__name__:
                found[f"{path.stem}.{name}"] = methods(value)
    return found


def test_no_lane_and_no_use_case_sees_the_whole_store() -> None:
    """Intake combines the use cases, and even so sees none of the lanes' methods."""
    lanes, use_cases = units("lanes"), units("intake")
    for several in ("commands.CommandUnit", "presses.PressUnit"):
        del use_cases[several]
    whole = use_cases.pop("updates.IntakeUnit")
    assert {n: len(found) for n, found in lanes.items() if len(found) > METHODS_OF_A_LANE} == {}
    assert {n: len(f) for n, f in use_cases.items() if len(f) > METHODS_OF_A_USE_CASE} == {}
    assert len(whole) <= METHODS_OF_INTAKE
    for path in (BOT / "engine").rglob("*.py"):
        assert "StoreUnit" not in path.read_text(), name_of(path)


_PORTS_OF_THE_STORE = (
    *(
        "announcements",
        "card_versions",
        "decisions",
        "files",
        "follows",
        "fresh",
        "hand_written",
        "holds",
        "looks",
        "running",
    ),
    *("defects", "outbox", "private_cards", "retention", "sightings", "statements", "store"),
)


def test_the_store_offers_what_the_ports_name_and_no_more() -> None:
    ports = [importlib.import_module(f"bot.engine.ports.{m}") for m in _PORTS_OF_THE_STORE]
    named = {
        name
        for port in ports
        for value in vars(port).values()
        if getattr(value, "_is_protocol", False) and value.__module__ == port.__name__
        for name in methods(value)
    }
    of_the_store = {"begin", "empty_journal"}
    assert methods(StoreUnit) - {"notes"} == named - of_the_store  # only tests read all notes


def test_every_method_of_a_port_says_what_it_does() -> None:
    for path in (BOT / "engine" / "ports").glob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert ast.get_docstring(node), f"{name_of(path)}:{node.name}"


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{name_of(path)}:{node.name}", node.end_lineno - node.lineno + 1


def test_no_function_is_long() -> None:
    long = {n: size for path in MODULES for n, size in functions(path) if size > LONGEST_FUNCTION}
    assert long == {}


def test_no_module_is_crowded() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}


def test_every_module_says_why_it_exists() -> None:
    for path in MODULES:
        if path.name != "__init__.py" or path.read_text().strip():
            assert ast.get_docstring(tree(path)), name_of(path)


def test_there_is_no_attic() -> None:
    attics = {"util", "utils", "helper", "helpers", "common", "misc", "const", "constants"}
    assert not [name_of(path) for path in MODULES if path.stem in attics]


def test_no_two_files_of_tests_have_the_same_name() -> None:
    """Python imports each by its name alone, so a second one could not be collected beside it."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_no_line_of_the_log_is_given_the_id_of_a_person() -> None:
    """A private chat has the id of its person: `chat_name` is for chats."""
    for path in (*(BOT / "engine").rglob("*.py"), *(BOT / "adapters").rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log."):
                said = [ast.unparse(value) for value in node.args[1:]]
                ids = [each for each in said if each.endswith((".chat", ".person", "person.id"))]
                assert set(ids) <= {"moved.chat"}, (name_of(path), node.lineno)  # of a group
