"""Pools: what journeys, templates and the files in coupons/ must say alike."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from cartwake import bundles
from cartwake.rules.assembly import Place
from cartwake.rules.codes import CodeFile
from cartwake.rules.compile_templates import Templates
from cartwake.rules.conflicts import Conflict
from cartwake.rules.coupon_models import Coupons
from cartwake.rules.expressions import Findings
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import Content, name_of, walk
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.models import Journey
from cartwake.rules.outward_models import GiveStep
from cartwake.times import parse_duration


def compile_pools(files: Mapping[str, Content]) -> dict[str, bundles.Pool]:
    """Return every pool by its name: of imported codes, or of generated ones."""
    names = {name_of(file) for file, it in files.items() if isinstance(it, Coupons | CodeFile)}
    return {name: _compile(files.get(f"coupons/{name}.json")) for name in sorted(names)}


def find_pool_conflicts(files: Mapping[str, Content], made: Templates, *, partial: bool) -> list[Conflict]:
    """Return what does not fit: a pool without codes, a step that names no pool, a template that needs a coupon.

    Args:
        files: What each file says.
        made: The templates that they make.
        partial: Only a part of all files is there: of a folder without files nothing is missed.
    """
    pools = compile_pools(files)
    found = [conflict for name in pools for conflict in _check_pool(name, files, partial=partial)]
    for file, rule in sorted(files.items()):
        if isinstance(rule, Journey):
            found += _check_journey(file, rule, made, None if partial and not pools else pools)
    return found


def list_unshown(rule: Journey, made: Templates) -> Iterator[tuple[str, str]]:
    """Yield the path and the template of each step that gives a coupon which its message does not show."""
    for path, step in walk(rule.steps):
        if isinstance(step, EmailStep | SmsStep | PushStep) and step.coupon:
            templates = _find_templates(step, made)
            shown = {name for _, it in templates for name in it.coupon}
            shown |= {name for it in _examine_subject(step) for name in it.coupon}
            if templates and "code" not in shown:
                yield f"{path}.coupon", _name_template(step)


def _compile(rule: Content | None) -> bundles.Pool:
    if not isinstance(rule, Coupons):
        return bundles.Pool()
    generate = rule.generate
    return bundles.Pool(
        valid_for_ms=parse_duration(rule.valid_for) if rule.valid_for else 0,
        low_at=rule.low_at,
        prefix=(generate.prefix or "") if generate else "",
        length=generate.length if generate else 0,
    )


def _check_pool(name: str, files: Mapping[str, Content], *, partial: bool) -> Iterator[Conflict]:
    settings, codes = f"coupons/{name}.json", f"coupons/{name}.csv"
    rule = files.get(settings)
    if not isinstance(rule, Coupons):
        return
    if rule.generate is not None and codes in files:
        message = f'The codes are imported from {codes}, so there are none to "generate": keep one of the two.'
        yield Conflict(Fault(file=settings, path="generate", message=message), (settings, codes))
    # a folder that is checked before it is uploaded seldom has the codes in it
    if rule.generate is None and codes not in files and not partial:
        message = f'The pool has no codes: there is no {codes}, and no "generate".'
        fault = Fault(file=settings, message=message, example='"generate": {"prefix": "BACK-", "length": 8}')
        yield Conflict(fault, (settings, codes))


def _check_journey(
    file: str, rule: Journey, made: Templates, pools: Mapping[str, bundles.Pool] | None
) -> Iterator[Conflict]:
    for path, step in walk(rule.steps):
        if isinstance(step, EmailStep | SmsStep | PushStep):
            found = _check_with(step, made, pools) if step.coupon else _check_without(step, made)
            for fault, others in found:
                # what stands in a template is told there, and names the journey; all else is told in the journey
                place = f"{path}.{fault.path}" if fault.file == "" else fault.path
                message = fault.message.format(where=f"{file} ({path})")
                told = replace(fault, file=fault.file or file, path=place, message=message)
                yield Conflict(told, (file, *others))
        if isinstance(step, GiveStep):
            for fault, others in _check_name(step.give, pools):
                yield Conflict(replace(fault, file=file, path=f"{path}.give"), (file, *others))


def _check_name(name: str, pools: Mapping[str, bundles.Pool] | None) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Yield a fault where there is no such pool."""
    codes, settings = f"coupons/{name}.csv", f"coupons/{name}.json"
    if pools is not None and name not in pools:
        message = f'There is no pool "{name}" ({codes}, or {settings} that generates codes).'
        yield Fault(file="", path="coupon", message=message, suggestion=find_nearest(name, pools)), (codes, settings)


def _check_with(
    step: EmailStep | SmsStep | PushStep, made: Templates, pools: Mapping[str, bundles.Pool] | None
) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Yield what is wrong with a step that gives a coupon."""
    name = step.coupon or ""
    settings = f"coupons/{name}.json"
    yield from _check_name(name, pools)
    pool = (pools or {}).get(name)
    if pool is not None and pool.length and not pool.valid_for_ms:
        for _, it in _find_templates(step, made):
            if "expires_at" in it.wants_coupon:
                template, place = it.wants_coupon["expires_at"]
                message = f"The codes of {settings} have no end; say how long they are good, or show it in an if."
                fault = Fault(file=template, path=place, message=message, example='"valid_for": "14 days"')
                yield fault, (settings, *it.files)


def _check_without(step: EmailStep | SmsStep | PushStep, made: Templates) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Yield a fault for each text that always shows a coupon, of a step that gives none."""
    example = '"coupon": "comeback-10"'
    for _, it in _find_templates(step, made):
        if it.wants_coupon:
            template, place = min(it.wants_coupon.values(), key=_order_place)
            message = "It shows a coupon, and {where} sends it without one."
            yield Fault(file=template, path=place, message=message, example=example), it.files
    for findings in _examine_subject(step):
        if findings.wants_coupon:
            message = "The subject shows a coupon, and the step has none."
            yield Fault(file="", path="subject", message=message, example=example), ()


def _find_templates(step: EmailStep | SmsStep | PushStep, made: Templates) -> list[tuple[str, TemplateFile]]:
    """Return the files of a step's template and of its translations: an email may have its plain text beside it."""
    found = made.by_name.get(_name_template(step), {})
    ending = ".txt" if isinstance(step, SmsStep) else ".json"
    return [(file, it) for file, it in found.items() if isinstance(step, EmailStep) or file.endswith(ending)]


def _order_place(place: Place) -> tuple[str, int]:
    file, line = place
    return file, int(line.rpartition(" ")[2])


def _examine_subject(step: EmailStep | SmsStep | PushStep) -> list[Findings]:
    return [step.said] if isinstance(step, EmailStep) and step.subject else []


def _name_template(step: EmailStep | SmsStep | PushStep) -> str:
    match step:
        case EmailStep(email=name) | SmsStep(sms=name) | PushStep(push=name):
            return name
