"""What the engine's interpreter runs: MiniStack, with SAM's translator, ended when its starter ends.

Run as `python engine_main.py TOOL_PACKAGES`, with a pipe for standard input. The translator is taken from the
tools environment by this process alone: functions run in processes of their own, which must find nothing there.
"""

import os
import signal
import sys
import threading

SWEEP_SECONDS = 1
"""How often one-time schedules are looked at (the engine's own ten seconds make every test wait)."""


def end_with_starter() -> None:
    """End this process and the functions' processes when the pipe from the starter closes."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGTERM)


def serve() -> None:
    """Serve until ended."""
    sys.path.append(sys.argv.pop(1))
    threading.Thread(target=end_with_starter, daemon=True).start()
    from ministack.app import main  # type: ignore[import-not-found]
    from ministack.services import scheduler  # type: ignore[import-not-found]

    scheduler._SCHEDULE_TICK_INTERVAL = SWEEP_SECONDS
    main()


if __name__ == "__main__":
    serve()
