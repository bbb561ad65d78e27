"""Doubts about templates: what a translation lacks, and subjects that are in no language but one."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cartwake.rules.absences import Needed, write
from cartwake.rules.compile_templates import Templates
from cartwake.rules.faults import Fault, name_all
from cartwake.rules.files import EMAILS, Content, is_email, list_subjects, name_of, walk
from cartwake.rules.message_models import EmailStep
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.models import Journey
from cartwake.rules.pieces import Piece, list_blocks
from cartwake.rules.translations import read_locale


def doubt_template(file: str, files: Mapping[str, Content], made: Templates) -> Iterator[Fault]:
    """Yield what is doubtful in a template, or in the subjects of a journey.

    Args:
        file: The one that is looked at.
        files: What all of them say.
        made: The templates that they make.
    """
    content = files[file]
    if isinstance(content, Journey):
        yield from _doubt_subjects(file, content, made)
        for path, step in list_subjects(content):
            yield from _doubt_needed(file, step.needed, own="email", path=path)
    elif file in made.files:
        yield from _doubt_preheader(file, files, made.files[file])
        own = "email" if is_email(file) else "phone" if file.endswith(".txt") else ""
        yield from _doubt_needed(file, made.files[file].needed, own=own)
        if not read_locale(file):
            return
        endings = EMAILS if is_email(file) else (f".{file.rpartition('.')[2]}",)
        originals = [f"templates/{name_of(file)}{ending}" for ending in endings]
        for original in [it for it in originals if it in made.files]:
            yield from _doubt_blocks(file, content, files[original])
            yield from _doubt_shown(file, made.files[file], made.files[original])


def _doubt_preheader(file: str, files: Mapping[str, Content], content: TemplateFile) -> Iterator[Fault]:
    """Warn of marketing of which inboxes show whatever stands first in it."""
    if content.has_preheader or not is_email(file):
        return
    for rule in files.values():
        steps = walk(rule.steps) if isinstance(rule, Journey) and rule.kind == "marketing" else []
        if any(isinstance(step, EmailStep) and step.email == name_of(file) for _, step in steps):
            message = "There is no preheader, so inboxes show whatever stands first beside the subject."
            yield _warn(file, message, example=_PREHEADERS[file.rpartition(".")[2]])
            return


def _doubt_needed(file: str, needed: Needed, *, own: str = "", path: str = "") -> Iterator[Fault]:
    """Warn of what may be absent, and without which nothing would be sent; *own* is known of whoever is reached."""
    told: set[str] = set()
    for name, written in sorted({**needed.always, **needed.each}.items()):
        documented = _find_lackable(name)
        if documented and documented not in (f"profile.{own}", *told):
            told.add(documented)
            shown = write(written[: len(written) - len(name) + len(documented)])
            message = f"{{{{ {shown} }}}} is needed: who has none is sent nothing (template_error)."
            example = f"{{{{ {shown}|default('…') }}}}"
            yield Fault(file=file, path=path, message=message, example=example, severity="warning")


def _find_lackable(name: str) -> str:
    """Return under which of the documented names something may be absent; "" where it is there."""
    found = _LACKABLE.match(name)
    return found[0] if found and found[0] not in ("profile.tags", "profile.scores") else ""


def _doubt_blocks(file: str, content: Content, original: Content) -> Iterator[Fault]:
    """Tell the blocks that only the original fills: there the layout's own words are shown."""
    if isinstance(content, Piece) and isinstance(original, Piece) and content.extends and original.extends:
        filled = {block.name for block in list_blocks(content.nodes)}
        missing = [block.name for block in list_blocks(original.nodes) if block.name not in filled]
        if missing:
            plural = "s" if len(missing) > 1 else ""
            message = (
                f"The original fills the block{plural} {name_all(missing)}; here the layout's own words are shown."
            )
            yield _warn(file, message, example=f"{{% block {missing[0]} %}}…{{% endblock %}}")


def _doubt_shown(file: str, content: TemplateFile, original: TemplateFile) -> Iterator[Fault]:
    missing = sorted(name for name in original.always - content.always if "." in name)
    if missing:
        yield _warn(file, f"The original always shows {name_all(missing)}; this translation does not.")


def _doubt_subjects(file: str, rule: Journey, made: Templates) -> Iterator[Fault]:
    """Tell the subjects that stand before those of translations."""
    found = made.by_name
    steps = {f"{path}.subject": step for path, step in walk(rule.steps) if isinstance(step, EmailStep)}
    for path, _ in list_subjects(rule):
        translated = [read_locale(it) for it in found.get(steps[path].email, {}) if read_locale(it)]
        if translated:
            message = (
                f"This subject is used in every language, though there are translations ({', '.join(translated)})."
            )
            example = f"<mj-title> in templates/{steps[path].email}.{translated[0]}.mjml, and no subject here"
            yield Fault(file=file, path=path, message=message, example=example, severity="warning")


_LACKABLE: Final = re.compile(
    r"(?:profile\.scores|profile|event)\.[^.\[]+|cart\.items\[\]\.(?:currency|variant|brand|category|sku|image_url)(?![^.\[])"
)
"""What may be absent, as `template_data.SEEN` says; what depends on the message alone is refused, and not doubted."""
_PREHEADERS: Final = {
    "mjml": "<mj-head><mj-preview>What it is about</mj-preview></mj-head>",
    "html": '<body><div style="display:none">What it is about</div>',
}


def _warn(file: str, message: str, *, example: str = "") -> Fault:
    return Fault(file=file, message=message, example=example, severity="warning")
