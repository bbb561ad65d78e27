"""The local build: `sam build` of the same template, with wheels for this machine, and only when sources changed."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cartwake_cli.faults import Fault
from cartwake_cli.local import places

CONFIG = places.WORK / "samconfig.toml"
"""Says nothing, so that nobody's samconfig.toml says how to deploy here."""

KEPT_BUILDS = 3
SKIPPED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def build(root: Path = places.ROOT) -> Path:
    """Build the stack unless it was built from these very sources; return the folder with the built template.

    Raises:
        Fault: SAM could not build it.
    """
    folder = places.WORK / f"sam-{fingerprint(root)[:16]}"
    mark = folder / "built"
    with hold_builds():
        if not mark.exists():
            CONFIG.write_text("version = 0.1\n")
            command = ["build", "--parallel", "--template-file", str(root / "template.yaml")]
            command += ["--build-dir", str(places.clear(folder)), "--config-file", str(CONFIG)]
            run_sam(command, log=places.WORK / "build.log")
        mark.touch()
        for old in sorted(places.WORK.glob("sam-*/built"), key=lambda each: each.stat().st_mtime)[:-KEPT_BUILDS]:
            shutil.rmtree(old.parent, ignore_errors=True)
    return folder


@contextmanager
def hold_builds() -> Iterator[None]:
    """Keep others from building at the same time: they may want the same build."""
    places.WORK.mkdir(parents=True, exist_ok=True)
    with (places.WORK / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
