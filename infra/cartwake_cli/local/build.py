"""The local build: `sam build` of the same template, with wheels for this machine, and only when sources changed."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cartwake_cli.faults import Fault
from cartwake_cli.local import places

SKIPPED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def build(root: Path = places.ROOT) -> Path:
    """Build the stack unless it was built from these very sources; return the folder with the built template.

    Raises:
        Fault: SAM could not build it.
    """
    folder = places.WORK / "sam"
    stamp = folder / "sources.sha256"
    sources = fingerprint(root)
    if stamp.exists() and stamp.read_text() == sources:
        return folder
    stamp.unlink(missing_ok=True)
    config = places.WORK / "samconfig.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("version = 0.1\n")
    command = ["build", "--parallel", "--template-file", str(root / "template.yaml"), "--build-dir", str(folder)]
    run_sam([*command, "--config-file", str(config)], log=places.WORK / "build.log")
    stamp.write_text(sources)
    return folder


def fingerprint(root: Path) -> str:
    """Hash the names and contents of all that goes into the build."""
    digest = hashlib.sha256()
    for path in sorted(_list_sources(root)):
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run_sam(arguments: list[str], *, log: Path, environment: dict[str, str] | None = None) -> None:
    """Run the tools' SAM, its output to a log.

    Raises:
        Fault: it failed; with the lines that say why.
    """
    tools = places.find_tools()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = subprocess.call(
            [str(tools / "bin" / "sam"), *arguments],
            env=make_environment(tools) | (environment or {}),
            cwd=places.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if code != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        causes = [place for place, line in enumerate(lines) if "_FAILED" in line]
        last = lines[causes[0] :][:8] if causes else lines[-12:]
        raise Fault("\n  ".join([f"sam {arguments[0]} failed; from its log {log}:", *last]))


def make_environment(tools: Path) -> dict[str, str]:
    """Build SAM's environment: its own interpreter first, this machine's wheels, nobody's AWS account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))}
    path = [str(tools / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return (
        {"CARTWAKE_CACHE": str(places.ROOT / ".build" / "layer")}
        | kept
        | {
            "PATH": os.pathsep.join(path),
            "CARTWAKE_PLATFORM": "host",
            "SAM_CLI_TELEMETRY": "0",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def _list_sources(root: Path) -> Iterator[Path]:
    yield root / "template.yaml"
    yield from (root / "infra").glob("*.yaml")
    for folder in ("functions", "layers"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and not SKIPPED.intersection(path.parts):
                yield path
