"""The preference centre's page: one form that says what holds, and asks what should."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Final

from cartwake.bundles import Shop, Topic
from cartwake.choices import Choices, may_track
from cartwake.page_texts import LANGUAGES, MONTHS, pick_language
from cartwake.pages import Page, frame_page, link_home, translate
from cartwake.preferences import PAUSES, RESTS, name_box
from cartwake.statements import Channel
from cartwake.times import DAY, Instant, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the page shows.

    Attributes:
        channels: By channel, the address as its owner knows it, and whether marketing may go there.
        topics: Those of settings.json.
        tracking: The rule of settings.json.
        links: By purpose, `export` and `erase`, the address of the page, relative to this one.
        saved: It was just changed.
    """

    channels: dict[Channel, tuple[str, bool]]
    topics: dict[str, Topic] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    tracking: str = "never"
    language: str = "en"
    links: dict[str, str] = field(default_factory=dict)
    now: Instant = 0
    saved: bool = False


def render_preferences(picture: Picture, shop: Shop) -> Page:
    """Return the page, in the language that was chosen."""
    language = pick_language(picture.choices.language, picture.language)
    inner = "\n".join(_write(picture, shop, language))
    return frame_page(translate(shop, language)["choices_title"], inner, shop, language=language)


def _write(picture: Picture, shop: Shop, language: str) -> Iterator[str]:
    texts = {key: escape(text) for key, text in translate(shop, language).items()}
    yield f"<p>{texts['choices_intro']}</p>"
    if picture.saved:
        yield f'<p class="saved" role="status">{texts["saved"]}</p>'
    shown = "".join(f'<input type="hidden" name="shown" value="{channel}">' for channel in picture.channels)
    yield f'<form method="post">{shown}'
    yield _group(texts["channels"], _write_channels(picture, texts))
    if picture.topics:
        yield _group(texts["topics"], _write_topics(picture, language))
    yield _group(texts["pause"], _write_pauses(picture, texts, language))
    yield _group(texts["rest"], _write_rests(picture, texts))
    if picture.tracking != "never":
        yield '<input type="hidden" name="tracked_shown" value="1">'
        seen = _tick("tracked", "1", texts["tracked_words"], chosen=may_track(picture.choices, picture.tracking))
        yield _group(texts["tracked"], iter([seen]))
    yield f'<fieldset><legend><label for="language">{texts["language"]}</label></legend>'
    options = "".join(_option(code, name, chosen=code == language) for code, name in LANGUAGES.items())
    yield f'<select id="language" name="language">{options}</select></fieldset>'
    yield f'<button name="save" value="1">{texts["save"]}</button></form>'
    yield f'<form method="post">{shown}<button class="plain" name="leave" value="1">{texts["leave"]}</button></form>'
    yield f'<h2>{texts["data"]}</h2><p class="links">'
    yield "<br>".join(f'<a href="{escape(url)}">{texts[f"to_{name}"]}</a>' for name, url in picture.links.items())
    yield f"</p>{link_home(shop, translate(shop, language)['home'])}"


def _group(legend: str, lines: Iterator[str]) -> str:
    return f"<fieldset><legend>{legend}</legend>{''.join(lines)}</fieldset>"


def _write_channels(picture: Picture, texts: dict[str, str]) -> Iterator[str]:
    for channel, (address, wanted) in picture.channels.items():
        words = texts[f"by_{channel}"].replace("{address}", escape(address))
        yield _tick("want", channel, words, chosen=wanted)


def _write_topics(picture: Picture, language: str) -> Iterator[str]:
    for name, topic in picture.topics.items():
        words = topic.translations.get(language, topic)
        text = f"<small>{escape(words.text)}</small>" if words.text else ""
        yield f'<input type="hidden" name="topic_shown" value="{escape(name)}">'
        chosen = name not in picture.choices.refused_topics
        yield _tick("topic", name, escape(words.name) + text, chosen=chosen)


def _write_pauses(picture: Picture, texts: dict[str, str], language: str) -> Iterator[str]:
    paused = picture.now < picture.choices.paused_until
    yield _tick("pause", "0", texts["pause_none"], chosen=not paused)
    if paused:
        date = _write_date(picture.choices.paused_until - 1, language)
        yield _tick("pause", "keep", texts["pause_until"].replace("{date}", date), chosen=True)
    for days in PAUSES:
        yield _tick("pause", str(days), texts[f"pause_{days}"], chosen=False)


def _write_rests(picture: Picture, texts: dict[str, str]) -> Iterator[str]:
    for days in RESTS:
        yield _tick("rest", str(days), texts[f"rest_{days}"], chosen=picture.choices.rest_ms == days * DAY)


def _tick(name: str, value: str, words: str, *, chosen: bool) -> str:
    kind = "radio" if name in _ONE_OF else "checkbox"
    checked = " checked" if chosen else ""
    # so that it is known whether its reader ticked it, or found it ticked
    found = f'<input type="hidden" name="ticked" value="{name_box(name, escape(value))}">' if chosen else ""
    box = f'<label><input type="{kind}" name="{name}" value="{escape(value)}"{checked}><span>{words}</span></label>'
    return found + box if kind == "checkbox" else box


def _option(value: str, words: str, *, chosen: bool) -> str:
    selected = " selected" if chosen else ""
    return f'<option value="{value}" lang="{value}"{selected}>{escape(words)}</option>'


def _write_date(at: Instant, language: str) -> str:
    year, month, day = format_instant(at)[:10].split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]} {year}" if language == "en" else f"{day}.{month}.{year}"


_ONE_OF: Final = ("pause", "rest")
