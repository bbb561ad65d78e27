"""Doubts about coupons: codes that nobody sees, and lines of code files that are passed over."""

from collections.abc import Iterator, Mapping

from cartwake.rules.codes import CodeFile
from cartwake.rules.compile_templates import Templates
from cartwake.rules.coupon_models import Coupons
from cartwake.rules.faults import Fault
from cartwake.rules.files import Content, name_of
from cartwake.rules.models import Journey
from cartwake.rules.pools import list_unshown


def doubt_coupons(file: str, files: Mapping[str, Content], made: Templates) -> Iterator[Fault]:
    """Yield what is doubtful about the coupons of a file."""
    content = files[file]
    if isinstance(content, Journey):
        for path, template in list_unshown(content, made):
            message = f'The step takes a code for each shopper, and the template "{template}" does not show it.'
            yield Fault(file=file, path=path, message=message, example="{{ coupon.code }}", severity="warning")
    if isinstance(content, CodeFile):
        for line in content.refused:
            message = f"The line is passed over. {line.message}"
            yield Fault(file=file, path=f"line {line.line}", message=message, severity="warning")
        more = content.refused_count - len(content.refused)
        if more:
            yield Fault(file=file, message=f"{more} more lines are passed over.", severity="warning")
        settings = files.get(f"coupons/{name_of(file)}.json")
        # whoever wants no alarm when none is left knows that there may be none
        if not content.codes and not (isinstance(settings, Coupons) and not settings.low_at):
            yield Fault(file=file, message="There are no codes in it.", example="SPRING-7HK2", severity="warning")
