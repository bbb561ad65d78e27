"""How the engine is started."""

import os
import socket
from pathlib import Path

import pytest

from cartwake_cli.faults import Fault
from cartwake_cli.local import build, engine


def test_the_engine_sees_nothing_of_the_shells_aws_account() -> None:
    """Functions inherit the engine's environment: no credentials, profile, proxy or path of the shell is in it."""
    shell = {
        "PATH": "/bin",
        "AWS_PROFILE": "company",
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL": "https://elsewhere",
        "PYTHONPATH": "/layers",
        "HTTPS_PROXY": "http://proxy",
    }
    made = engine.make_environment(shell, folder=Path("/f"), port=7, auth=True)
    assert set(shell) & set(made) == {"PATH", "AWS_ACCESS_KEY_ID"}
    assert made["AWS_ACCESS_KEY_ID"] == engine.ACCESS_KEY
    assert made["AWS_CONFIG_FILE"] == made["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_the_engine_listens_to_this_machine_alone_and_keeps_nothing() -> None:
    """It is bound to the loopback address, and neither persists state nor opens further ports."""
    made = engine.make_environment({}, folder=Path("/f"), port=7, auth=False)
    assert (made["BIND_HOST"], made["GATEWAY_PORT"], made["AUTH"]) == ("127.0.0.1", "7", "false")
    assert [made[name] for name in ("PERSIST_STATE", "S3_PERSIST", "SFTP_ENABLED", "IOT_MTLS_ENABLED")] == ["0"] * 4
    assert all(made[name].startswith("/f/") for name in ("STATE_DIR", "S3_DATA_DIR", "TMPDIR"))


def test_a_taken_port_is_named_before_anything_starts() -> None:
    """A wanted port that somebody listens on is reported with its number and what to do."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Fault, match=f"port {port} is taken"):
            engine.start(port=port)


def test_sam_never_sees_an_aws_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The local build and deploy run without the shell's AWS settings, and take wheels for this machine."""
    monkeypatch.setenv("AWS_PROFILE", "company")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    made = build.make_environment(tmp_path)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"} & set(made)
    assert made["CARTWAKE_PLATFORM"] == "host"
    assert made["PATH"].startswith(f"{tmp_path}/bin{os.pathsep}")


def test_a_build_is_new_when_a_source_is(tmp_path: Path) -> None:
    """What goes into the build changes its fingerprint; bytecode left by a test run does not."""
    (tmp_path / "functions" / "wake").mkdir(parents=True)
    (tmp_path / "template.yaml").write_text("a")
    (tmp_path / "functions" / "wake" / "app.py").write_text("b")
    first = build.fingerprint(tmp_path)
    (tmp_path / "functions" / "wake" / "__pycache__").mkdir()
    (tmp_path / "functions" / "wake" / "__pycache__" / "app.pyc").write_text("c")
    assert build.fingerprint(tmp_path) == first
    (tmp_path / "functions" / "wake" / "app.py").write_text("d")
    assert build.fingerprint(tmp_path) != first
