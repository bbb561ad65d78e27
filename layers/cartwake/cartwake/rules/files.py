"""Files: which of them are rules, and what each says by itself."""

import re
from datetime import UTC
from functools import lru_cache
from typing import Final

from cartwake.rules.assembly import Flat
from cartwake.rules.base import check
from cartwake.rules.campaign_models import Campaign
from cartwake.rules.codes import CodeFile, read_codes
from cartwake.rules.coupon_models import Coupons
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.hypertext import compile_html
from cartwake.rules.message_models import EmailStep
from cartwake.rules.mjml import TemplateFile, compile_mjml, compile_text, to_fault
from cartwake.rules.models import Journey, Segment
from cartwake.rules.pieces import LAYOUTS, PARTS, Piece, read_piece
from cartwake.rules.prediction_models import Predictions
from cartwake.rules.push_models import PushText
from cartwake.rules.push_texts import compile_push
from cartwake.rules.score_models import Score
from cartwake.rules.settings_models import Settings
from cartwake.rules.step_models import AnyStep, list_sides
from cartwake.rules.texts import read_json, read_text
from cartwake.rules.translations import is_locale, mend_locale, split_locale
from cartwake.rules.words import NAME

SETTINGS: Final = "settings.json"
PREDICTIONS: Final = "predictions.json"
SINGLE: Final = (SETTINGS, PREDICTIONS)
"""Files that stand in no folder."""
FOLDERS: Final = {
    "segments": (".json",),
    "scores": (".json",),
    "journeys": (".json",),
    "campaigns": (".json",),
    "templates": (".mjml", ".html", ".txt", ".json"),
    "coupons": (".json", ".csv"),
}
EMAILS: Final = (".html", ".mjml")
_MODELS: Final[dict[str, type[Settings | Predictions | Segment | Score | Journey | Campaign | Coupons | PushText]]] = {
    SETTINGS: Settings,
    PREDICTIONS: Predictions,
    "segments": Segment,
    "scores": Score,
    "journeys": Journey,
    "campaigns": Campaign,
    "coupons": Coupons,
    "templates": PushText,
}


type Content = Settings | Predictions | Segment | Score | Journey | Campaign | Coupons | CodeFile | TemplateFile | Piece


def is_rule(file: str) -> bool:
    """Say whether *file* is one that is read; what does not begin like one is nobody's business."""
    folder, slash, name = file.partition("/")
    hidden = not name or name.endswith("/") or name.startswith(".")
    return file in SINGLE or (bool(slash) and folder in FOLDERS and not hidden)


def is_email(file: str) -> bool:
    """Say whether a template is an email, and not a text."""
    return file.endswith(EMAILS)


def name_of(file: str) -> str:
    """Return the name by which other files call it: `vip` for `segments/vip.json`, `a` for `templates/a.de.mjml`."""
    return split_locale(file.rpartition("/")[2].rpartition(".")[0])[0]


@lru_cache(maxsize=1_024)
def read_file(file: str, content: bytes) -> Content:
    """Return what a file says; a warm function, and whoever asks again, is told of so many files what was read.

    Args:
        file: For example `segments/vip.json`.
        content: Its bytes.

    Raises:
        Faulty: It has faults; all of them are told.
    """
    try:
        return _read(file, content)
    except Faulty:
        raise
    except Exception as error:  # whatever it is: the files of everybody else still go live
        raise Faulty([tell_unexpected(file, error)]) from error


def tell_unexpected(file: str, error: Exception) -> Fault:
    """Return the fault of a file that no check foresaw."""
    return Fault(file=file, message=f"The file cannot be understood ({type(error).__name__}: {str(error)[:200]}).")


def _read(file: str, content: bytes) -> Content:
    _check_name(file)
    if file.endswith(".csv"):
        return read_codes(file, content, UTC)
    text = read_text(file, content)
    if file.endswith(".mjml"):
        piece = read_piece(file, text)
        return compile_mjml(Flat.of(file, text)) if piece.is_whole else piece
    if file.endswith(".html"):
        return compile_html(Flat.of(file, text))
    if file.endswith(".txt"):
        return compile_text(file, text)
    read = check(_MODELS[file.partition("/")[0]], read_json(file, text), file)
    faults = read if isinstance(read, list) else _check_subjects(file, read)
    if isinstance(read, list) or faults:
        raise Faulty(faults)
    return compile_push(file, read) if isinstance(read, PushText) else read


def _check_name(file: str) -> None:
    if file in SINGLE:
        return
    below = next((folder for folder in (LAYOUTS, PARTS) if file.startswith(folder)), "")
    folder, name = (below.removesuffix("/"), file.removeprefix(below)) if below else _split(file)
    endings = (".mjml",) if below else FOLDERS[folder]
    stem, dot, ending = name.rpartition(".")
    if f"{dot}{ending}" not in endings:
        message = f"Files in {folder}/ end in {' or '.join(endings)}."
        raise Faulty([Fault(file=file, message=message, suggestion=f"{folder}/{(stem or name).lower()}{endings[0]}")])
    if folder.startswith("templates"):
        stem, locale = split_locale(stem)
        if locale and not is_locale(locale):
            message = f'"{locale}" is not a locale: a language, and a country where it matters.'
            mended = mend_locale(locale)
            nearest = f"{folder}/{stem}.{mended}.{ending}" if mended else ""
            raise Faulty(
                [Fault(file=file, message=message, suggestion=nearest, example=f"{folder}/{stem}.de.{ending}")]
            )
    if not re.fullmatch(NAME, stem):
        better = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:63] or "name"
        message = "The name of a file has lower-case letters, digits and hyphens, at most 63, and no folders below."
        raise Faulty([Fault(file=file, message=message, suggestion=f"{folder}/{better}.{ending}")])


def _split(file: str) -> tuple[str, str]:
    folder, _, name = file.partition("/")
    return folder, name


def _check_subjects(file: str, read: object) -> list[Fault]:
    if not isinstance(read, Journey | Campaign):
        return []
    return [to_fault(file, problem, path=path) for path, step in list_subjects(read) for problem in step.said.problems]


def list_subjects(rule: Journey | Campaign) -> list[tuple[str, EmailStep]]:
    """Return every step of a journey or a campaign that says a subject, with the path of that."""
    return [
        (f"{path}.subject", step) for path, step in walk(rule.steps) if isinstance(step, EmailStep) and step.subject
    ]


def walk(steps: list[AnyStep], path: str = "steps") -> list[tuple[str, AnyStep]]:
    """Return every step with its path, those inside of one after it."""
    found: list[tuple[str, AnyStep]] = []
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        found.append((here, step))
        for side, inner in list_sides(step):
            found += walk(inner, f"{here}.{side}")
    return found
