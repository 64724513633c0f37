"""Fuzz targets of core and of the workflow's script: each takes choices and asserts properties.

Any exception that a target lets through is a defect of the product. So is taking too long.
"""

import re
import time
from contextlib import redirect_stdout
from dataclasses import astuple, replace
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from generators import Choices, broken, command, image_list, paste, reference, repeated

from bot.adapters.telegram.rendering import DATA_LIMIT
from bot.core import batch, failures
from bot.core import image_list as lists
from bot.core.bad_image import BadImage, Correction
from bot.core.decision import Ground
from bot.core.ids import BatchId, RequestId, TransferId
from bot.core.image import BadReference, ImageRef, Naming, Target
from bot.core.request import PullFormat
from bot.core.seal import DecidedImage, sealed_block
from bot.dialog import buttons, command_values, commands
from bot.paste import IMAGES_PER_PASTE, REWRITABLE, Finding, extract, extract_file, rewrite
from bot.paste.correction import correct
from bot.paste.reference import read_image
from bot.workflow.mirror.github import entries
from bot.workflow.mirror.log import say
from bot.workflow.mirror.reference import Image, target_path
from bot.workflow.mirror.skopeo import cause

HOST: Final = "harbor.example.com"
ME: Final = "imageto_bot"
SECONDS: Final = 60.0
"""Seconds of CPU time: far more than any input takes, so that only what has no end fails."""

# A second copy of the grammar, so that a mistake in the product's own does not hide itself.
_HOST: Final = r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?"
_PATH: Final = r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})"
_ALPHABET: Final = re.compile(rb"[A-Za-z0-9._/:@-]+")
_NORMAL: Final = re.compile(rf"{_HOST}/{_PATH}(?=[:@])(?::{_TAG})?(?:@{_DIGEST})?")
_AT_TARGET: Final = re.compile(rf"{re.escape(HOST)}/{_PATH}(?::{_TAG}|@{_DIGEST})")
TARGETS: Final = tuple(
    Target(HOST, prefix, naming) for naming in Naming for prefix in ("", "mirror", "team/mirror")
)


def expect_image(image: ImageRef) -> None:
    """Properties of every image that the product accepts, whatever it was parsed from."""
    name = str(image)
    assert _ALPHABET.fullmatch(name.encode()), name
    assert _NORMAL.fullmatch(name), name
    assert ImageRef.parse(name) == image
    assert len(image.repository) <= 255


def expect_line(words: str) -> None:
    """An error's text fits in a log line."""
    assert words.isprintable(), words


def _by_the_bot(text: str) -> ImageRef | None:
    try:
        return ImageRef.parse(text)
    except BadReference as error:
        expect_line(str(error))
        return None


def references(choices: Choices) -> None:
    """The grammar and the script's accept the same references and make the same names of them."""
    text = reference(choices)
    image, script = _by_the_bot(text), Image.parse(text)
    if image is None or script is None:
        assert image is None, f"{text!r} is an image to the bot alone"
        assert script is None, f"{text!r} is an image to the script alone"
        return
    assert _ALPHABET.fullmatch(text.encode()), text
    expect_image(image)
    assert str(script) == str(image)
    assert text in image.spellings() or text != str(image)
    suffix = f":{script.tag}" if script.tag else f"@{script.digest}"
    for target in TARGETS:
        name = target.name_of(image)
        assert _AT_TARGET.fullmatch(name), name
        assert name == f"{HOST}/{target_path(script, target.prefix, target.naming)}{suffix}"


def targets_apart(choices: Choices) -> None:
    """No two images have the same name in the target, whatever the naming."""
    first = _by_the_bot(reference(choices))
    second = first and _by_the_bot(_neighbour(str(first), choices))
    if first is None or second is None or first == second:
        return
    for target in TARGETS:
        names = [target.name_of(image).lower() for image in (first, second)]
        same = names[0] == names[1]
        keys = [(i.registry.lower(), i.repository, (i.tag or i.digest or "").lower())
                for i in (first, second)]  # fmt: skip
        assert not same or keys[0] == keys[1], names


def _neighbour(name: str, choices: Choices) -> str:
    """Replace one separator by another, which a naming may confuse."""
    found = [match.span() for match in re.finditer(r"[-_./:]+", name)]
    start, end = choices.pick(found)
    return (
        name[:start] + choices.pick(("-", "/", "--", "---", "_", "__", ".", ":", "")) + name[end:]
    )


def corrections(choices: Choices) -> None:
    text = reference(choices) if choices.below(3) else paste(choices)[0][:4096]
    read = read_image(text, target_host=HOST)
    meant = correct(text, target_host=HOST)
    for each in (meant, read.correction if isinstance(read, BadImage) else None):
        if isinstance(each, Correction):
            expect_image(each.image)
    if isinstance(read, ImageRef):
        expect_image(read)
    else:
        assert read.problem is not None or read.correction is not None


def pulled_names(choices: Choices) -> None:
    """A reference to the target is read as the image that it is a copy of."""
    image = _by_the_bot(reference(choices))
    if image is None or (image.repository.startswith("library/") and "." in image.repository):
        return  # no official image has a full stop: the bot asks about such a name
    source = replace(
        image, registry=image.registry.lower(), digest=None if image.tag else image.digest
    )
    if not str(source)[-1].isalnum():
        return  # a full stop after a name ends a sentence
    if source.registry == HOST or _by_the_bot(str(source)) != source:
        return  # a copy of a copy, or a host in capitals, which no name in the target has
    for target in TARGETS:
        name = target.name_of(image)
        assert read_image(name, target_host=HOST) == source, name


def lines_of_the_list(choices: Choices) -> None:
    """Adding keeps the old bytes in front, adds one line per image, and is idempotent."""
    wanted = [_by_the_bot(reference(choices)) for _ in range(choices.below(4))]
    images = [image for image in wanted if image is not None]
    content = image_list(choices)
    listed = lists.listed_images(content)
    read = [Image.parse(line) for line in entries(content)]
    assert [str(i) for i in dict.fromkeys(listed)] == list(dict.fromkeys(str(i) for i in read if i))
    after = lists.with_images(content, images)
    assert after.startswith(content)
    assert lists.with_images(after, images) == after
    assert lists.unlisted(after, images) == ()
    added = lists.listed_images(after)
    assert added[: len(listed)] == listed
    assert set(added) == {*listed, *images}
    for line in after[len(content) :].split():
        expect_image(ImageRef.parse(line.decode("ascii")))


def typed_commands(choices: Choices) -> None:
    me = choices.pick((ME, "IMAGETO_BOT", "a", ""))
    found = commands.parse(command(choices), me=me, target_host=HOST)
    match found and found.parsed:
        case command_values.Lookup(images=images) | command_values.BeginWatch(images=images):
            for image in images:
                expect_image(image)
        case command_values.Status(about=ImageRef() as image):
            expect_image(image)
        case command_values.List(text=text):
            assert len(text.encode(errors="replace")) <= commands.FILTER_LIMIT
        case command_values.Reject(reason=reason):
            assert len(reason) <= commands.REASON_LIMIT
            assert "\n" not in reason
        case command_values.Approve(request=number) | command_values.Cancel(request=number):
            assert 0 <= number < 10**18


def _data_of(pressed: buttons.Pressed) -> str:
    verb = buttons.Verb
    match pressed:
        case command_values.List(text=text, page=page):
            return buttons.button_data(verb.LIST, page, text)
        case buttons.ShowPullFormat(request=request, form=form):
            return buttons.button_data(verb.FORM, request, form)
        case buttons.MirrorImage(image=image):
            return buttons.button_data(verb.MIRROR, image)
        case buttons.ShowWaitingPage(request=request, page=page, choosing=choosing):
            return buttons.button_data(verb.CHOOSE if choosing else verb.SHOW, request, page)
        case buttons.ApproveShown(version=version, later=later):
            return buttons.button_data(_OF_LATER[later], version)
        case buttons.TakeNews(key=key, approves=approves):
            return buttons.button_data(verb.ADMIT if approves else verb.TAKE, key)
        case buttons.RejectShown(version=version, reason=reason):
            return buttons.button_data(verb.REJECT, version, *filter(None, [reason]))
        case _:
            return buttons.button_data(_VERBS[type(pressed)], *astuple(pressed))


_OF_LATER: Final = {
    None: buttons.Verb.APPROVE,
    Ground.KEPT: buttons.Verb.KEEP,
    Ground.FLOATS: buttons.Verb.FLOATS,
}
_VERBS: Final = {
    buttons.AskReason: buttons.Verb.REASON,
    buttons.ShowDigests: buttons.Verb.DIGESTS,
    buttons.PickWaiting: buttons.Verb.PICK,
    command_values.Confirm: buttons.Verb.ALL,
    command_values.Cancel: buttons.Verb.DROP,
    command_values.Retry: buttons.Verb.RETRY,
    buttons.ShowDraftPage: buttons.Verb.PAGE,
    buttons.ToggleImage: buttons.Verb.TICK,
    buttons.TakeSuggestion: buttons.Verb.SUGGESTION,
    buttons.ShowKept: buttons.Verb.KEPT,
    buttons.TakeBack: buttons.Verb.UNKEEP,
    buttons.FollowImages: buttons.Verb.FOLLOW,
}


def pressed_buttons(choices: Choices) -> None:
    """Data that parses as a press is written as data that parses to the same press."""
    verb = choices.pick((*buttons.Verb, "no", ""))
    arguments = choices.several(_argument, 4)
    data = broken(":".join((str(verb), *arguments)), choices, choices.pick((0, 0, 1, 2)))
    pressed = buttons.parse_button(data)
    if pressed is None:
        return
    written = _data_of(pressed)
    assert buttons.parse_button(written) == pressed
    if isinstance(pressed, buttons.MirrorImage):
        expect_image(pressed.image)
    elif not isinstance(pressed, command_values.List):
        assert len(written) <= DATA_LIMIT


def _argument(choices: Choices) -> str:
    match choices.below(5):
        case 0:
            return choices.pick(("0", "1", "41", "9" * 18, "9" * 19, "-1", "\uff11", "01", ""))
        case 1:
            return choices.pick((*PullFormat, "a-Z_09xy", "nginx", "a b", "é", "x" * 60))
        case 2:
            return reference(choices)
        case _:
            return str(choices.below(10**4))


def sent_buttons(choices: Choices) -> None:
    """The data of the bot's own buttons fits the limit and parses to what was meant."""
    first, second, third = (10 ** choices.below(18) + choices.below(9) for _ in range(3))
    request = RequestId(first)
    for pressed in (
        buttons.ApproveShown("a-Z_09xy", choices.pick((None, Ground.KEPT, Ground.FLOATS))),
        buttons.RejectShown("a-Z_09xy", buttons.reason_key(str(third))),
        buttons.PickWaiting(request, TransferId(second)),
        buttons.ShowWaitingPage(request, third, choosing=bool(choices.below(2))),
        command_values.Confirm(request),
        buttons.ToggleImage(request, second),
        buttons.TakeSuggestion(request, TransferId(second), third % 1000),
        buttons.ShowPullFormat(request, choices.pick(tuple(PullFormat))),
    ):
        data = _data_of(pressed)
        assert len(data.encode()) <= DATA_LIMIT
        assert buttons.parse_button(data) == pressed


def commits(choices: Choices) -> None:
    """A commit names its batch and holds no word that a person chose."""
    names = [_by_the_bot(reference(choices)) for _ in range(1 + choices.below(3))]
    decided = [
        DecidedImage(
            image=image.at("sha256:" + "a" * 64),
            asked=[f"p:{choices.below(9999):08x}"] * choices.below(3),
            approved=f"p:{choices.below(9999):08x}" if choices.below(2) else "rule **",
        )
        for image in names
        if image is not None
    ]
    if decided:
        at = datetime.fromtimestamp(choices.below(9999), UTC)
        block = sealed_block(BatchId("b41"), at, decided, key=bytes(32))
        written = batch.commit_message([each.image for each in decided], block)
        assert batch.batch_of(written) == "b41"
        assert re.fullmatch(rb"[A-Za-z0-9 ._/:@;,*\n-]+", written.encode())
        assert all(re.match(r"[A-Z][a-z-]+: ", line) for line in written.split("\n")[2:-1])
    text = broken("Mirror x\n\nBatch: b41\nRequest: 1\n", choices, choices.below(4))
    found = batch.batch_of(text)
    assert found is None or (found and found == found.strip() and "\n" not in found)


def causes(choices: Choices) -> None:
    """Any text of skopeo or of a status has a class. The script makes one harmless line of it."""
    start = choices.pick(("source: ", "target: ", "login to the target: ", "", "mismatch: "))
    words = choices.several(lambda c: c.pick(_SAID), 6)
    text = broken(start + " ".join(words), choices, choices.below(4))
    assert failures.classify(text) in failures.FailureKind
    line = cause(f'time="t" level=fatal msg="{text}"' if choices.below(2) else text)
    assert len(line) <= 140
    assert line.isprintable()
    with redirect_stdout(StringIO()) as printed:
        say(line)
    assert "##[" not in printed.getvalue()
    assert not printed.getvalue().startswith("::")
    assert failures.classify(line) in failures.FailureKind


_SAID: Final = (
    *("unauthorized", "denied", "manifest unknown", "toomanyrequests: ", "StatusCode: 503", "EOF"),
    *("initializing source docker://a.io/b:x: reading manifest x in a.io/b: ", "quota", "tls: "),
    *("writing blob: uploading layer chunked: ", "at destination: ", "context deadline exceeded"),
    *('pinging container registry a.io: Get \\"https://a.io/v2/\\": dial tcp: ', "\\n::error::x"),
    *("sha256:" + "a" * 64, "no image found in manifest list for architecture amd64", 'level="'),
    *(
        "project x not found",
        "not match, expected ",
        "a: a",
        "in b: ",
        "to c: ",
        "\\",
        '\\"',
        "level=fatal msg=",
    ),
)


_AT: Final = Target("zz.example.com", "p")


def _in_time(began: float, what: object) -> None:
    took = time.process_time() - began
    assert took < SECONDS, f"{took:.1f} s: {what!r}"


def _expect_finding(finding: Finding) -> None:
    assert len(set(finding.images)) == len(finding.images) <= IMAGES_PER_PASTE
    for image in finding.images:
        expect_image(image)
    for bad in finding.bad:
        assert bad.problem is not None or bad.correction is not None
        if bad.correction is not None:
            expect_image(bad.correction.image)


def pastes(choices: Choices) -> None:
    text, name = paste(choices)
    began = time.process_time()
    _expect_finding(extract(text, target_host=HOST, name=name))
    _in_time(began, text)


def repeats(choices: Choices) -> None:
    """Nothing is slow, however often it is repeated. A longest message is no slower than a file."""
    text, name = repeated(choices)
    began = time.process_time()
    extract(text, target_host=HOST, name=name)
    rewrite(text.encode(errors="replace"), name=name, target=_AT, images=())
    commands.parse(f"/lookup {text}"[:4096], me=ME, target_host=HOST)
    failures.classify(text)
    cause(text)
    _in_time(began, (text[:40], text[-40:], name))


_ENCODINGS: Final = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030")


def files(choices: Choices) -> None:
    """A rewritten file differs only in its images, and rewriting it again changes nothing."""
    encoding = choices.pick(_ENCODINGS)
    text, name = paste(choices)
    content = text.encode(encoding, errors="replace")
    began = time.process_time()
    found = extract_file(content, target_host="", name=name)
    _expect_finding(found)
    assert rewrite(content, name=name, target=_AT, images=()).content == content
    after = rewrite(content, name=name, target=_AT, images=found.images).content
    _in_time(began, content)
    assert rewrite(after, name=name, target=_AT, images=found.images).content == after
    if found.kind not in REWRITABLE or not found.images:
        assert after == content
    if b"zz" not in content and encoding.startswith("utf-8"):
        _expect_only_names_changed(content.decode(), after.decode())


def _expect_only_names_changed(before: str, after: str) -> None:
    """The text between the new names is the old text between them, in the same order."""
    assert before.count("\n") == after.count("\n")
    position = 0
    for piece in re.split(r"zz\.example\.com|p/[A-Za-z0-9._/:@-]+", after):
        at = before.find(piece.lstrip("/"), position)
        assert at >= 0, f"{piece!r} is new"
        position = at + len(piece.lstrip("/"))
