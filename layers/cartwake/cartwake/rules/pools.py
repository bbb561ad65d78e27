"""Pools: what journeys, templates and the files in coupons/ must say alike."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from cartwake import bundles
from cartwake.rules.codes import CodeFile
from cartwake.rules.conflicts import Conflict
from cartwake.rules.coupon_models import Coupons
from cartwake.rules.expressions import Findings, examine
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import Content, TemplateFile, name_of, walk
from cartwake.rules.models import EmailStep, Journey, SmsStep
from cartwake.times import parse_duration


def compile_pools(files: Mapping[str, Content]) -> dict[str, bundles.Pool]:
    """Return every pool by its name: of imported codes, or of generated ones."""
    names = {name_of(file) for file, it in files.items() if isinstance(it, Coupons | CodeFile)}
    return {name: _compile(files.get(f"coupons/{name}.json")) for name in sorted(names)}


def find_pool_conflicts(files: Mapping[str, Content], *, partial: bool) -> list[Conflict]:
    """Return what does not fit: a pool without codes, a step that names no pool, a template that needs a coupon.

    Args:
        files: What each file says.
        partial: Only a part of all files is there: of a folder without files nothing is missed.
    """
    pools = compile_pools(files)
    found = [conflict for name in pools for conflict in _check_pool(name, files, partial=partial)]
    for file, rule in sorted(files.items()):
        if isinstance(rule, Journey):
            found += _check_journey(file, rule, files, None if partial and not pools else pools)
    return found


def list_unshown(rule: Journey, files: Mapping[str, Content]) -> Iterator[tuple[str, str]]:
    """Yield the path and the template of each step that gives a coupon which its message does not show."""
    for path, step in walk(rule.steps):
        if isinstance(step, EmailStep | SmsStep) and step.coupon:
            templates = _find_templates(step, files)
            said = [findings for _, findings in templates] + _examine_subject(step)
            if templates and not any("code" in findings.coupon for findings in said):
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
    file: str, rule: Journey, files: Mapping[str, Content], pools: Mapping[str, bundles.Pool] | None
) -> Iterator[Conflict]:
    for path, step in walk(rule.steps):
        if isinstance(step, EmailStep | SmsStep):
            found = _check_with(step, files, pools) if step.coupon else _check_without(step, files)
            for fault, others in found:
                # what stands in a template is told there, and names the journey; all else is told in the journey
                place = f"{path}.{fault.path}" if fault.file == "" else fault.path
                message = fault.message.format(where=f"{file} ({path})")
                told = replace(fault, file=fault.file or file, path=place, message=message)
                yield Conflict(told, (file, *others))


def _check_with(
    step: EmailStep | SmsStep, files: Mapping[str, Content], pools: Mapping[str, bundles.Pool] | None
) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Yield what is wrong with a step that gives a coupon."""
    name = step.coupon or ""
    codes, settings = f"coupons/{name}.csv", f"coupons/{name}.json"
    if pools is not None and name not in pools:
        message = f'There is no pool "{name}" ({codes}, or {settings} that generates codes).'
        yield Fault(file="", path="coupon", message=message, suggestion=find_nearest(name, pools)), (codes, settings)
    pool = (pools or {}).get(name)
    if pool is not None and pool.length and not pool.valid_for_ms:
        for template, findings in _find_templates(step, files):
            if "expires_at" in findings.wants_coupon:
                place = f"line {findings.wants_coupon['expires_at']}"
                message = f"The codes of {settings} have no end; say how long they are good, or show it in an if."
                fault = Fault(file=template, path=place, message=message, example='"valid_for": "14 days"')
                yield fault, (settings, template)


def _check_without(step: EmailStep | SmsStep, files: Mapping[str, Content]) -> Iterator[tuple[Fault, tuple[str, ...]]]:
    """Yield a fault for each text that always shows a coupon, of a step that gives none."""
    example = '"coupon": "comeback-10"'
    for template, findings in _find_templates(step, files):
        if findings.wants_coupon:
            place = f"line {min(findings.wants_coupon.values())}"
            message = "It shows a coupon, and {where} sends it without one."
            yield Fault(file=template, path=place, message=message, example=example), (template,)
    for findings in _examine_subject(step):
        if findings.wants_coupon:
            message = "The subject shows a coupon, and the step has none."
            yield Fault(file="", path="subject", message=message, example=example), ()


def _find_templates(step: EmailStep | SmsStep, files: Mapping[str, Content]) -> list[tuple[str, Findings]]:
    """Return the files of a step's template with what they say: an email may have its plain text beside it."""
    name = _name_template(step)
    endings = ("mjml", "txt") if isinstance(step, EmailStep) else ("txt",)
    found = [(file, files.get(file)) for file in (f"templates/{name}.{ending}" for ending in endings)]
    return [(file, it.findings) for file, it in found if isinstance(it, TemplateFile)]


def _examine_subject(step: EmailStep | SmsStep) -> list[Findings]:
    return [examine(step.subject)] if isinstance(step, EmailStep) and step.subject else []


def _name_template(step: EmailStep | SmsStep) -> str:
    return step.email if isinstance(step, EmailStep) else step.sms
