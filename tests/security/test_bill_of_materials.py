"""The bill of materials: complete, the same each time, in the form that tools read; and licences that go together."""

import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import cyclonedx.schema
import jsonschema_rs
import pytest
from license_expression import get_spdx_licensing

from infra import sbom

ROOT: Final = Path(__file__).parents[2]
MAY_BE_SHIPPED: Final = {
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense",
}  # fmt: skip
"""Licences under which code may be part of a work under Apache-2.0 without asking anything of those who use it."""


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return sbom.make_bill()


def shipped(bill: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in bill["components"] if each["scope"] == "required"]


def test_the_file_is_the_bill_of_these_pins(bill: dict[str, Any]) -> None:
    """What is committed is what would be made now; made twice it is the same to the byte."""
    assert sbom.write(bill) == sbom.write(sbom.make_bill())
    assert sbom.BILL.read_text() == sbom.write(bill)
    assert json.loads(sbom.write(bill)) == bill


def test_it_is_what_tools_read(bill: dict[str, Any]) -> None:
    """The schema of CycloneDX 1.6 takes it."""
    folder = Path(next(iter(cyclonedx.schema.__path__))) / "_res"
    read = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    base = "http://cyclonedx.org/schema/"
    resources = [(base + name, schema) for name, schema in read.items()]
    registry = jsonschema_rs.Registry(resources)
    validator = jsonschema_rs.Draft7Validator(read["bom-1.6.SNAPSHOT.schema.json"], registry=registry)
    assert [error.message for error in validator.iter_errors(bill)] == []
    assert not validator.is_valid(bill | {"components": [{"name": "nameless of type"}]})


def test_it_holds_all_that_is_shipped_and_nothing_else(bill: dict[str, Any]) -> None:
    """Each pin of the layer is a required component with its version, and no other component is required."""
    lines = (ROOT / "layers" / "cartwake" / "requirements.txt").read_text().split()
    assert len(lines) > 20
    assert [f"{each['name']}=={each['version']}" for each in shipped(bill)] == sorted(
        lines, key=lambda line: line.partition("==")[0]
    )
    assert all(each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}" for each in shipped(bill))


def test_it_holds_all_that_is_pinned(bill: dict[str, Any]) -> None:
    """Every line of every lock is a component."""
    known = {f"{each['name']}=={each['version']}" for each in bill["components"]}
    for lock in (ROOT / "locks").glob("*.lock"):
        pins = {re.sub(r"\[.*\]", "", line) for line in lock.read_text().split("\n") if re.match(r"[a-z0-9]", line)}
        pins = {pin.partition(" ")[0] for pin in pins}
        assert pins <= known, lock.name
    assert any(each["purl"].startswith("pkg:npm/") for each in bill["components"])


def test_everything_shipped_is_needed(bill: dict[str, Any]) -> None:
    """From the project, following who needs whom, every shipped package is reached: none is there by accident."""
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    reached, new = set[str](), {bill["metadata"]["component"]["bom-ref"]}
    while new:
        reached |= new
        new = {need for ref in new for need in needs[ref]} - reached
    assert {each["bom-ref"] for each in shipped(bill)} <= reached


def test_licences_go_together(bill: dict[str, Any]) -> None:
    """Each shipped package has a licence by its SPDX name, and may be part of what is under Apache-2.0."""
    spdx = get_spdx_licensing()
    for component in shipped(bill):
        (licence,) = component["licenses"]
        told = spdx.parse(licence["expression"], validate=True)
        choices = told.args if getattr(told, "operator", "") == " OR " else [told]
        assert any(set(spdx.license_keys(choice)) <= MAY_BE_SHIPPED for choice in choices), component["name"]


def test_what_was_read_by_hand_is_still_so() -> None:
    """A package on the list of licences that somebody read is shipped, and has not begun to tell another one."""
    pins = sbom.read_pins(sbom.LAYER)
    for name, licence in sbom.READ.items():
        assert name in pins
        assert distribution(name).metadata.get("License-Expression") in (None, licence)


def test_a_package_without_a_licence_stops_the_bill(tmp_path: Path) -> None:
    """Nothing is listed as if it had no terms."""
    wheel = tmp_path / "nolicence-1.0.dist-info"
    wheel.mkdir()
    (wheel / "METADATA").write_text("Metadata-Version: 2.1\nName: nolicence\nVersion: 1.0\n")
    from importlib.metadata import PathDistribution

    with pytest.raises(SystemExit, match="nolicence"):
        sbom.read_licence(PathDistribution(wheel))
