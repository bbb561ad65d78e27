"""The starter files for tests: a few of the journeys with their mails, or all of them."""

import re
from pathlib import Path
from typing import Final

STARTER: Final = Path(__file__).resolve().parents[1] / "infra" / "starter"
_MANY: Final = re.compile("(journeys|campaigns|templates)/")
_FEW: Final = re.compile(
    r"journeys/(abandoned-cart|welcome\.|confirm)|templates/(layouts|parts|cart|welcome-[12]|confirm)"
)


def read_starter(*, whole: bool = False) -> dict[str, bytes]:
    """Return what a shop starts with, by its names: the live journeys of the first day, or every one."""
    names = {path.relative_to(STARTER).as_posix(): path for path in sorted(STARTER.rglob("*")) if path.is_file()}
    few = {name for name in names if _FEW.match(name) or not _MANY.match(name)}
    return {name: path.read_bytes() for name, path in names.items() if whole or name in few}
