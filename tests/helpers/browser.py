"""A headless Chromium driven through its DevTools pipe: no server, no port, no further package."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
     if (found := shutil.which(name))),
    None,
)  # fmt: skip
"""Path of a browser, or None."""


class Browser:
    """One page of a headless browser. ``events`` holds everything it told, in order."""

    def __init__(self, profile: Path, width: int = 1366, height: int = 768) -> None:
        assert CHROMIUM is not None
        read_ours, write_theirs = os.pipe()
        read_theirs, write_ours = os.pipe()
        self._read, self._write, self._rest = read_ours, write_ours, b""
        arguments = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--remote-debugging-pipe",
            f"--user-data-dir={profile}", f"--window-size={width},{height}", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--hide-scrollbars",
        ]  # fmt: skip

        def wire() -> None:  # the browser reads file 3 and writes file 4
            aside = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_theirs, write_theirs)]
            os.dup2(aside[0], 3)
            os.dup2(aside[1], 4)

        self._process = subprocess.Popen(
            arguments, pass_fds=(3, 4), preexec_fn=wire, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read_theirs)
        os.close(write_theirs)
        self.events: list[dict[str, Any]] = []
        self._number = 0
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        joined = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = joined["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)
        os.close(self._read)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result. Raises RuntimeError if the browser complains."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._next(60)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def _next(self, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            more = os.read(self._read, 1 << 20) if ready else b""
            if not more:
                raise RuntimeError("the browser does not answer")
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found

    def open(self, path: Path) -> None:
        """Open a file and wait until its script has drawn everything."""
        self.send("Page.navigate", url=path.resolve().as_uri())
        until = time.monotonic() + 60
        while self.js("document.body && document.body.dataset.ready") != "yes":
            if time.monotonic() > until:
                raise RuntimeError(f"the page is not ready: {self.complaints()}")
            time.sleep(0.1)
        self.settle()

    def settle(self) -> None:
        """Wait for two frames and a little more, so that what changed is painted."""
        self.js("new Promise(d => requestAnimationFrame(() => requestAnimationFrame("
                "() => setTimeout(() => d(1), 150))))")  # fmt: skip

    def js(self, code: str) -> Any:
        """Return the value of an expression, awaited. Raises RuntimeError if it throws."""
        answer = self.send(
            "Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def mouse(self, x: float, y: float, kind: str = "mouseMoved", **more: Any) -> None:
        """Move or press the mouse at a place of the window."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        self.mouse(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(x, y, kind, button="left", clickCount=1)

    def complaints(self) -> list[str]:
        """Return all that the page or the browser complained of: console, errors, exceptions."""
        self.js("1")  # what is under way arrives first
        out = []
        for event in self.events:
            method, told = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                out.append(json.dumps(told["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
                out.append(json.dumps(told["args"]))
            elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
                out.append(told["entry"]["text"])
        return out

    def requests(self) -> list[str]:
        """Return the addresses that were asked for, the opened file and data within it left out."""
        self.js("1")
        asked = [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]

    def picture(self, whole: bool = False) -> bytes:
        """Return a screenshot as PNG, of the window or of the whole page."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed on A4."""
        answer = self.send(
            "Page.printToPDF", printBackground=True, preferCSSPageSize=False, landscape=True,
            paperWidth=8.27, paperHeight=11.69,
        )  # fmt: skip
        return base64.b64decode(answer["data"])
