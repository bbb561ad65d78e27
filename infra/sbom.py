"""The bill of materials: all that is pinned, as CycloneDX JSON; the same pins give the same bytes.

`python infra/sbom.py` writes docs/sbom.cdx.json; with `--check` it says whether that file is the bill of these pins.

What the layer ships comes first, with licences and who needs whom, read from the installed packages. What only builds,
checks and tests follows as `excluded`: none of it is deployed.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
BILL: Final = ROOT / "docs" / "sbom.cdx.json"
LAYER: Final = ROOT / "layers" / "cartwake" / "requirements.txt"
NPM: Final = ROOT / "locks" / "editor" / "package-lock.json"

READ: Final = {
    "aws-lambda-powertools": "MIT-0",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "mrml": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "s3transfer": "Apache-2.0",
}
"""Licences of packages that do not tell theirs by its SPDX name; read in the package, or where it is developed."""

type Json = dict[str, Any]


def read_pins(path: Path) -> dict[str, str]:
    """Read the names and versions of a lock."""
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", path.read_text(), re.MULTILINE | re.IGNORECASE))


def make_bill() -> Json:
    """Make the bill."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = read_pins(LAYER)
    dists = {name: _find(name, version) for name, version in pins.items()}
    own = f"pkg:pypi/cartwake@{project['version']}"
    needs = {name: _read_needs(dist, pins) for name, dist in dists.items()}
    direct = sorted(read_names(LAYER.with_name("requirements.in")))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "cartwake",
                "version": project["version"],
                "licenses": [{"expression": project["license"]}],
                "purl": own,
            }
        },
        "components": [*_list_shipped(dists), *_list_others(pins)],
        "dependencies": [
            {"ref": own, "dependsOn": [_name(each, pins[each]) for each in direct]},
            *({"ref": _name(name, pins[name]), "dependsOn": needs[name]} for name in sorted(pins)),
        ],
    }


def read_names(path: Path) -> list[str]:
    """Read the names that a list of wishes begins its lines with."""
    return re.findall(r"^[a-z0-9._-]+", path.read_text(), re.MULTILINE | re.IGNORECASE)


def read_licence(dist: Distribution) -> str:
    """Return the SPDX expression of a package's licence.

    Raises:
        SystemExit: It does not tell one, and nobody has read it yet.
    """
    told = dist.metadata
    found = told.get("License-Expression") or READ.get(_plain(told["Name"])) or told.get("License") or ""
    if not found or len(found) > 100:
        raise SystemExit(f"{told['Name']} does not tell its licence by an SPDX name; read it, and add it to {__file__}")
    return str(found)


def write(bill: Json) -> str:
    """Return the bill as text, a component in each line, so that a change of a pin is a change of a line."""
    lists = ("components", "dependencies")
    head = json.dumps({key: value for key, value in bill.items() if key not in lists}, indent=2)[:-2]
    parts = [
        f'  "{name}": [\n' + ",\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in bill[name]) + "\n  ]"
        for name in lists
    ]
    return ",\n".join([head, *parts]) + "\n}\n"


def _list_shipped(dists: Mapping[str, Distribution]) -> Iterator[Json]:
    for name, dist in sorted(dists.items()):
        yield {
            "type": "library",
            "bom-ref": _name(name, dist.version),
            "name": name,
            "version": dist.version,
            "scope": "required",
            "licenses": [{"expression": read_licence(dist)}],
            "purl": _name(name, dist.version),
        }


def _list_others(shipped: Mapping[str, str]) -> Iterator[Json]:
    """Yield what other environments hold, each version once, with the locks that name it."""
    where: dict[str, tuple[str, str, list[str]]] = {}
    for lock in sorted((ROOT / "locks").glob("*.lock")):
        for name, version in read_pins(lock).items():
            if shipped.get(name) != version:
                where.setdefault(_name(name, version), (name, version, []))[2].append(lock.stem)
    for path, package in json.loads(NPM.read_text())["packages"].items():
        if path:
            name = path.rpartition("node_modules/")[2]
            purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            where[purl] = (name, package["version"], ["editor"])
    for purl, (name, version, locks) in sorted(where.items()):
        told = [{"name": "cartwake:lock", "value": lock} for lock in locks]
        component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "scope": "excluded"}
        yield component | {"purl": purl, "properties": told}


def _find(name: str, version: str) -> Distribution:
    dist = distribution(name)
    if dist.version != version:
        raise SystemExit(f"{name} {dist.version} is installed, and {version} pinned; run make install")
    return dist


def _read_needs(dist: Distribution, pins: Mapping[str, str]) -> list[str]:
    """Return which pinned packages a package needs; what only an option or another system needs is not pinned."""
    names = {_plain(re.split(r"[^A-Za-z0-9._-]", need)[0]) for need in dist.requires or () if "extra ==" not in need}
    return [_name(name, pins[name]) for name in sorted(names & pins.keys())]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _name(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def main() -> int:
    """Write the bill, or check it."""
    text = write(make_bill())
    if "--check" not in sys.argv[1:]:
        BILL.write_text(text)
        return 0
    if BILL.read_text() == text:
        return 0
    print(f"{BILL.relative_to(ROOT)} is not the bill of these pins; write it anew with: make sbom", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
