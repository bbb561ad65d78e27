"""Reading: the text of a story's file becomes stories, or faults with their lines and the nearest right form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from cartwake.rules.faults import Fault
from cartwake.times import parse_duration
from cartwake_cli.stories.forms import ACTS, FORMS, MOMENTS, PEOPLE, Form, Unfit
from cartwake_cli.stories.sentences import Line, Sentence, Story

_HEAD: Final = re.compile(r"[Ss]tory:\s*(.+)")
_AGO: Final = re.compile(r"(\d+ (?:minute|hour|day|week)s?) ago,? (.+)")
_BROWSER: Final = re.compile(r"(.+) in the browser")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\{.*\}')
_NUMBER: Final = re.compile(r"\d[\d:.-]*")
_MOMENT: Final = [re.compile(rf"(?P<moment>{form.pattern.pattern}),? (?P<rest>.+)") for form in MOMENTS]


@dataclass(frozen=True, slots=True)
class Read:
    """What is in a file."""

    stories: tuple[Story, ...]
    faults: tuple[Fault, ...]


def read_stories(file: str, text: str) -> Read:
    """Return the stories of a file; what stands before the first `Story:` is told at the start of each of them.

    Args:
        file: Its name, for faults and titles.
        text: What is in it.
    """
    faults: list[Fault] = []
    parts: list[tuple[str, int, list[Line]]] = [("", 1, [])]
    last = 1
    for number, raw in enumerate(text.split("\n"), 1):
        said = _strip(raw)
        if not said:
            continue
        last, head = number, _HEAD.fullmatch(said)
        if head is not None:
            parts.append((head[1], number, []))
            continue
        try:
            parts[-1][2].extend(_read_line(said, number))
        except Unfit as error:
            faults.append(_tell(file, number, said, error))
    (_, _, shared), *own = parts
    if not own:
        stem = file.rpartition("/")[2].rpartition(".")[0]
        return Read((Story(file, stem, 1, last, tuple(shared)),) if shared else (), tuple(faults))
    ends = [*(number - 1 for _, number, _ in own[1:]), last]
    stories = [
        Story(file, title, number, max([number, *(it.number for it in lines)]), (*shared, *lines))
        for (title, number, lines), _ in zip(own, ends, strict=True)
    ]
    return Read(tuple(stories), tuple(faults))


def _strip(raw: str) -> str:
    """Return a line without comment, spaces and full stop."""
    said = raw.strip()
    if said.startswith("#"):
        return ""
    if "#" in said:
        bare = _QUOTED.sub(lambda found: " " * len(found[0]), said)
        found = re.search(r"\s#", bare)
        said = said[: found.start()] if found else said
    return said.strip().removesuffix(".").rstrip()


def _read_line(said: str, number: int) -> list[Line]:
    """Return what a line says: a time may stand before what happens then."""
    for pattern in _MOMENT:
        found = pattern.fullmatch(said)
        if found is not None:
            head, rest = found["moment"], found["rest"]
            # the moment is a line of its own, under the same number
            return [Line(number, head, _read(head, MOMENTS)), *_read_line(rest, number)]
    ago = _AGO.fullmatch(said)
    ago_ms = parse_duration(ago[1]) if ago else 0
    text = ago[2] if ago else said
    in_browser = _BROWSER.fullmatch(text)
    forms = (*PEOPLE, *ACTS) if ago_ms or in_browser else FORMS
    sentence = _read(in_browser[1] if in_browser else text, forms)
    return [Line(number, said, sentence, ago_ms, in_browser is not None)]


def _read(text: str, forms: Sequence[Form]) -> Sentence:
    """Return the sentence that *text* is.

    Raises:
        Unfit: It is none.
    """
    for form in forms:
        for spoken in (text, text[:1].lower() + text[1:]):
            sentence: Sentence | None = form.read(spoken)
            if sentence is not None:
                return sentence
    raise Unfit("This sentence has no form that is known.")


def _tell(file: str, number: int, said: str, error: Unfit) -> Fault:
    nearest = max(FORMS, key=lambda form: max(_compare(said, form.example), _compare(said, form.shortest)))
    return Fault(
        file=file,
        path=f"line {number}",
        message=str(error),
        suggestion=error.nearest or nearest.shown,
        example=nearest.example,
    )


def _compare(said: str, example: str) -> float:
    """Return how alike two sentences are, word by word and letter by letter."""
    left, right = _mask(said), _mask(example)
    words = SequenceMatcher(None, left.split(), right.split()).ratio()
    return words + SequenceMatcher(None, left, right).ratio()


def _mask(said: str) -> str:
    """Return a sentence in which all texts and numbers are alike."""
    return _NUMBER.sub("1", _QUOTED.sub('""', said.lower()))
