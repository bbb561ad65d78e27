"""Where the local tools find the project, its environments, and what they write."""

import os
import shutil
from pathlib import Path

from cartwake_cli.faults import Fault

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "template.yaml"
STARTER = ROOT / "infra" / "starter"
WORK = ROOT / ".build" / "local"


def find_engine_python() -> Path:
    """Find the interpreter of the engine's environment; CARTWAKE_ENGINE names another environment."""
    return _find("CARTWAKE_ENGINE", ROOT / ".engine") / "bin" / "python"


def find_tools() -> Path:
    """Find the folder of the tools environment; CARTWAKE_TOOLS names another one."""
    return _find("CARTWAKE_TOOLS", ROOT / ".tools")


def find_transform() -> Path:
    """Find the packages that expand SAM templates: beside the engine, or SAM's own."""
    beside = find_engine_python().parents[1] / "transform"
    found = [beside] if beside.is_dir() else sorted(find_tools().glob("lib/python3*/site-packages"))
    if not found:
        raise Fault(f"{find_tools()} holds no packages; run make install")
    return found[-1]


def clear(folder: Path) -> Path:
    """Make a folder anew and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _find(variable: str, usual: Path) -> Path:
    folder = Path(os.environ.get(variable) or usual)
    if not (folder / "bin" / "python").exists():
        raise Fault(f"there is no environment in {folder}; run make install")
    return folder
