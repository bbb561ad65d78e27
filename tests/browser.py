"""A headless Chromium, driven over its own pipe: enough to open a page, look, click, type and take a picture."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--lang=en-GB",
)
PATIENCE_SECONDS = 20
MIDDLE = """async element => {
    const look = () => { const b = element.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; };
    let was, is = look();
    do { was = is; await new Promise(requestAnimationFrame); is = look(); } while (String(was) !== String(is));
    return is;
}"""
"""The middle of an element, once it is the same in two frames."""


@dataclass
class Pipe:
    """The two ends of the debugging pipe; messages are JSON, each ended by a zero byte."""

    writing: int
    reading: int
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    rest: bytes = b""
    events: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while (answer := self.read()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def read(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            chunk = os.read(self.reading, 1 << 20)
            if not chunk:
                raise RuntimeError("Chromium has ended")
            self.rest += chunk
        first, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message


@dataclass
class Page:
    """One tab."""

    pipe: Pipe
    session: str

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.pipe.call(method, self.session, **params)

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
        """Look until an expression is true, and return its value; the page is a process of its own."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression} did not come true; the page says: {self.text('body')[:3000]}")
            time.sleep(0.1)
        return value

    def text(self, selector: str) -> str:
        """Return what a reader sees of the first element that fits."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """Click as a mouse does: where the element comes to rest, on whatever lies on top there."""
        find = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"!!{find}")
        self.evaluate(f"{find}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        x, y = self.evaluate(f"({MIDDLE})({find})")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Replace what a field holds, key by key."""
        self.click(selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def photograph(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def collect(self, method: str) -> list[dict[str, Any]]:
        """Return the parameters of the events of one kind so far."""
        self.evaluate("0")
        return [
            it["params"]
            for it in self.pipe.events
            if it.get("method") == method and it.get("sessionId") == self.session
        ]


@contextmanager
def open_page(width: int = 1440, height: int = 900) -> Iterator[Page]:
    """Start Chromium with one tab, and end it by its process id."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise RuntimeError("Chromium is not installed; run infra/install chromium")
    to_read, writing = os.pipe()
    reading, to_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        arguments = " ".join((*FLAGS, f"--user-data-dir={folder}", "about:blank"))
        process = subprocess.Popen(
            ["bash", "-c", f"exec {program} {arguments} 3<&{to_read} 4>&{to_write}"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        try:
            yield _attach(Pipe(writing, reading), width, height)
        finally:
            os.close(writing)  # Chromium ends when nobody holds its pipe
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(reading)


def _attach(pipe: Pipe, width: int, height: int) -> Page:
    target = pipe.call("Target.createTarget", url="about:blank")["targetId"]
    page = Page(pipe, pipe.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
    for domain in ("Page", "Runtime", "Log", "Network"):
        page.call(f"{domain}.enable")
    # A headless browser says what it is, and is taken for a crawler: this one stands for a shopper's.
    own = pipe.call("Browser.getVersion")["userAgent"]
    page.call("Emulation.setUserAgentOverride", userAgent=own.replace("Headless", ""))
    page.resize(width, height)
    return page
