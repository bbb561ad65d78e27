"""The engine: one MiniStack process on a port of its own, started, watched and ended by its process id."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault
from cartwake_cli.local import places

REGION = "us-east-1"
ACCESS_KEY = SECRET_KEY = "test"  # noqa: S105 - what the engine takes for its root user
HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 1
"""Nothing is kept, so nothing needs longer."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine; its folder holds its log and all it writes."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """The address of every AWS service it stands in for."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file with what the engine and the functions print."""
        return self.folder / "engine.log"

    @property
    def cloud(self) -> Cloud:
        """Clients of this engine, with the rights of its root user."""
        return Cloud(self.url, REGION, ACCESS_KEY, SECRET_KEY)


def start(*, auth: bool = False, port: int = 0) -> Engine:
    """Start an engine and wait until it is ready; `auth` makes it enforce every role's rights.

    Raises:
        Fault: the wanted port is taken, or the engine did not come up.
    """
    port = _take_port(port)
    _remove_remains()
    folder = places.clear(places.WORK / f"engine-{port}")
    (folder / "tmp").mkdir()
    command = [str(places.find_engine_python()), str(Path(__file__).with_name("engine_main.py"))]
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, str(places.find_transform())],
            env=make_environment(os.environ, folder=folder, port=port, auth=auth),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (folder / "engine.pid").write_text(str(process.pid))
    engine = Engine(process, port, folder)
    atexit.register(stop, engine)
    _await_ready(engine)
    return engine


def stop(engine: Engine) -> None:
    """End the engine and its functions' processes, and remove what they wrote except the log."""
    if engine.process.stdin is None or engine.process.stdin.closed:
        return  # stopped before; its process id may be another's by now
    if engine.process.poll() is None:
        _signal_group(engine, signal.SIGTERM)
        try:
            engine.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(engine, signal.SIGKILL)
            engine.process.wait()
    _signal_group(engine, signal.SIGKILL)
    engine.process.stdin.close()
    for written in ("tmp", "state"):
        shutil.rmtree(engine.folder / written, ignore_errors=True)


def make_environment(base: Mapping[str, str], *, folder: Path, port: int, auth: bool) -> dict[str, str]:
    """Build the engine's environment: only the system's basics and ours, for functions inherit all of it."""
    kept = {name: base[name] for name in ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR") if name in base}
    return kept | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "AUTH": "true" if auth else "false",
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "state" / "s3"),
        "TMPDIR": str(folder / "tmp"),
        "TZ": "UTC",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def find_free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _take_port(wanted: int) -> int:
    if wanted == 0:
        return find_free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise Fault(f"port {wanted} is taken by another program; leave --port out, or name another") from error
    return wanted


def _await_ready(engine: Engine) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and engine.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{engine.url}/_ministack/ready", timeout=1):
                return
        except OSError:  # refused while it starts, 503 (an HTTPError is an OSError) until it is ready
            time.sleep(0.05)
    stop(engine)
    last = engine.log.read_text(errors="replace").strip().splitlines()[-5:]
    raise Fault("\n  ".join([f"the engine did not start; from its log {engine.log}:", *last]))


def _remove_remains() -> None:
    """Remove the folders of engines that have ended (a log is kept until the next start)."""
    for mark in places.WORK.glob("engine-*/engine.pid"):
        try:
            os.kill(int(mark.read_text() or 0), 0)
        except ProcessLookupError:
            shutil.rmtree(mark.parent, ignore_errors=True)


def _signal_group(engine: Engine, number: signal.Signals) -> None:
    try:
        os.killpg(engine.process.pid, number)
    except ProcessLookupError:
        return  # everything in the group has ended, which is what was wanted
