"""Push texts: templates/<name>.json become templates as they are filled."""

from collections.abc import Mapping

from msgspec.structs import replace

from cartwake.bundles import Template
from cartwake.rules.absences import find_needed_of
from cartwake.rules.assembly import Flat, Place, Said
from cartwake.rules.faults import Faulty
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.push_models import PushText


def compile_push(file: str, rule: PushText) -> TemplateFile:
    """Return the compiled template of a push message.

    Raises:
        Faulty: It uses what is not there.
    """
    parts = {"title": rule.title, "body": rule.body, "link": rule.link, "image": rule.image or ""}
    said = {name: Flat.of(file, source).examine() for name, source in parts.items()}
    faults = [replace(it, path=f"{name}, {it.path}") for name, each in said.items() for it in each.faults]
    if faults:
        raise Faulty(faults)
    template = Template(subject=rule.title, text=rule.body, push=True, link=rule.link, image=rule.image or "")
    return TemplateFile(
        template,
        always=frozenset().union(*(each.always for each in said.values())),
        reads=_join(said, "reads"),
        scores=_join(said, "scores"),
        coupon=_join(said, "coupon"),
        wants_coupon=_join(said, "wants_coupon"),
        files=(file,),
        needed=find_needed_of(template),
    )


def _join(said: Mapping[str, Said], what: str) -> dict[str, Place]:
    """Return what all parts read, and in which of them it first stands."""
    found: dict[str, Place] = {}
    for part, each in said.items():
        for name, (file, place) in getattr(each, what).items():
            found.setdefault(name, (file, f"{part}, {place}"))
    return found
