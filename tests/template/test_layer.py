"""What must hold of the layer as it is built, and of the functions on it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.template.stack import ROOT, Function, list_functions

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path[:0] = sys.argv[1:]
import cartwake
for module in pkgutil.walk_packages(cartwake.__path__, "cartwake."):
    importlib.import_module(module.name)
assert "awscrt" not in sys.modules
"""


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer, built for this machine by the recipe that builds it for Lambda."""
    artifacts = tmp_path_factory.mktemp("layer")
    environment = os.environ | {
        "ARTIFACTS_DIR": str(artifacts),
        "CARTWAKE_PLATFORM": "host",
        "CARTWAKE_PYTHON": sys.executable,
        "CARTWAKE_CACHE": str(ROOT / ".build" / "layer"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = ["make", "build-CartwakeLayer"]
    done = subprocess.run(
        command, cwd=ROOT / "layers" / "cartwake", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return artifacts / "python"


def test_layer_brings_bytecode(layer: Path) -> None:
    """Every module comes compiled, and its bytecode is used as it is: Lambda cannot write any, nor compare times."""
    sources = list(layer.rglob("*.py"))
    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 1, f"{compiled} is not unchecked-hash"


def test_layer_is_small(layer: Path) -> None:
    """The layer is under 120 MB unzipped, of the 250 MB that Lambda allows."""
    assert sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) < 120_000_000


def test_layer_leaves_out_what_starts_slowly(layer: Path) -> None:
    """Neither the C runtime, nor a tracer, nor services that are not called are there."""
    assert not list(layer.glob("awscrt*"))
    assert not list(layer.glob("aws_xray_sdk*"))
    services = {path.name for path in (layer / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {"dynamodb", "s3", "scheduler", "secretsmanager", "sesv2", "sns", "sqs", "sts"}
    assert (layer / "botocore" / "data" / "endpoints.json").exists()


def test_layer_needs_nothing_else(layer: Path) -> None:
    """Every module of the layer is imported by an interpreter that has the layer alone."""
    variables = {name: "x" for function in list_functions() for name in function.environment}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(layer)],
        env=variables | {"AWS_DEFAULT_REGION": "eu-central-1", "SCHEDULE_AFTER_SECONDS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("function", list_functions(), ids=lambda function: function.name)
def test_function_starts_with_its_own_variables(layer: Path, function: Function) -> None:
    """A function is imported with the layer and the variables that the template gives it, and no others."""
    variables = {name: "120" if name == "SCHEDULE_AFTER_SECONDS" else "x" for name in function.environment}
    done = subprocess.run(
        [
            *[sys.executable, "-I", "-S", "-c"],
            "import sys; sys.path[:0] = sys.argv[1:]; import app; assert callable(app.handler)",
            *[str(ROOT / "functions" / function.name), str(layer)],
        ],
        env=variables | {"AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
