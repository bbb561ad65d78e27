"""Rules as marketers write them, compiled for tests."""

import json
from collections.abc import Mapping
from typing import Any

from cartwake.bundles import Bundle
from cartwake.rules.compile import link
from cartwake.rules.files import read_file

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
}
PREDICTIONS = {
    "fitted_at": "2026-11-20",
    "customers": 23_570,
    "buying": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
    "spending": {"p": 6.25, "q": 3.74, "v": 15.44},
}


def write_rules(files: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the bytes of each file; `segments/vip` is `segments/vip.json`, and settings are there."""
    return {
        f"{name}.json": json.dumps({"name": name.partition("/")[2]} | content if "/" in name else content).encode()
        for name, content in ({"settings": SETTINGS} | dict(files)).items()
    }


def compile_rules(files: Mapping[str, Any], *, previous: Bundle | None = None) -> Bundle:
    """Return the bundle that files make, which are right."""
    contents = {file: read_file(file, content) for file, content in write_rules(files).items()}
    linked = link(contents, previous=previous)
    assert not linked.conflicts, linked.conflicts
    return linked.bundle


def compile_segment(where: dict[str, Any], **files: Any) -> Bundle:
    """Return a bundle with one segment, `s`, and other files."""
    return compile_rules({"segments/s": {"where": where}} | files)
