"""What the engine's interpreter runs: MiniStack, able to expand SAM templates, ended when its starter ends.

Run as `python engine_main.py TRANSFORM_PACKAGES`, with a pipe for standard input. Those packages are seen by this
process alone: functions run in processes of their own, and must find nothing that the layer does not bring.
"""

import hashlib
import os
import signal
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

type Members = Iterable[str | zipfile.ZipInfo] | None

SWEEP_SECONDS = 1
"""How often one-time schedules are looked at; the engine's own ten seconds make every test wait."""

LARGE_ARCHIVE = 500
"""Files from which on an archive is unpacked once and linked, not unpacked for each process of each function."""

unpack = zipfile.ZipFile.extractall
unpacking = threading.Lock()


def unpack_once(
    archive: zipfile.ZipFile, path: str | None = None, members: Members = None, pwd: bytes | None = None
) -> None:
    """Unpack an archive, a large one by links to a copy that is unpacked once."""
    files = archive.infolist()
    if len(files) < LARGE_ARCHIVE:
        unpack(archive, path, members, pwd)
        return
    name = hashlib.sha256("".join(f"{file.filename} {file.CRC};" for file in files).encode()).hexdigest()
    copy = Path(tempfile.gettempdir()) / f"unpacked-{name[:16]}"
    with unpacking:
        if not copy.exists():
            unpack(archive, copy)
    for entry in copy.iterdir():
        (Path(path or ".") / entry.name).symlink_to(entry)


def take_text_for_a_number(lambdas: Any) -> None:
    """Read the text that a stack's parameter gives as the most functions of a queue at once: it is a number.

    Where it is not, the engine's loop over all queues ends at it.
    """
    find_limit = lambdas._sqs_esm_concurrency  # noqa: SLF001 - the one place where it is read

    def find_number(mapping: dict[str, Any], *rest: Any) -> int:
        scaling = mapping.get("ScalingConfig") or {}
        numbers = {name: int(value) for name, value in scaling.items()}
        limit: int = find_limit({**mapping, "ScalingConfig": numbers}, *rest)
        return limit

    lambdas._sqs_esm_concurrency = find_number  # noqa: SLF001


def end_with_starter() -> None:
    """End this process and the functions' processes when the pipe from the starter closes."""
    while os.read(0, 1024):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    os.killpg(os.getpgrp(), signal.SIGTERM)


def serve() -> None:
    """Serve until ended."""
    sys.path[0] = str(Path(__file__).parents[2])
    sys.path.append(sys.argv.pop(1))
    from cartwake_cli.local.engine_rights import teach  # noqa: PLC0415 - the path had to be completed

    teach()
    threading.Thread(target=end_with_starter, daemon=True).start()
    zipfile.ZipFile.extractall = unpack_once  # type: ignore[assignment,method-assign]
    from ministack.app import main  # type: ignore[import-not-found]  # noqa: PLC0415 - after what was taught
    from ministack.services import lambda_svc, scheduler  # type: ignore[import-not-found]  # noqa: PLC0415

    take_text_for_a_number(lambda_svc)
    scheduler._SCHEDULE_TICK_INTERVAL = SWEEP_SECONDS  # noqa: SLF001 - there is no setting for it
    main()


if __name__ == "__main__":
    serve()
