"""What a command cannot do and the person who ran it can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console


class Fault(Exception):
    """A foreseen failure of a tool; its text says what happened and what to do."""


@contextmanager
def tell_faults(*, code: int = 1) -> Iterator[None]:
    """Print a fault as one plain message and leave with this exit code."""
    try:
        yield
    except Fault as fault:
        Console(stderr=True, highlight=False).print(f"cartwake: {fault}", style="red", markup=False)
        raise typer.Exit(code) from fault
