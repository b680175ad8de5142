"""Debian's Chromium, driven over a pipe with its own protocol: opened pages, real clicks and keys, what the console said."""

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode
from contextlib import contextmanager
from itertools import count
from select import select
from time import monotonic

PATIENCE = 60
KEYS = {
    "Enter": (13, "\r"), "Tab": (9, ""), "ArrowRight": (39, ""), "ArrowDown": (40, ""), "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""), "Home": (36, ""), "End": (35, ""),
}  # fmt: skip
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def installed():
    return shutil.which("chromium")


@contextmanager
def browser():
    """One process, ended with the block, its profile with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
        command = [installed(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        running = _started(command, theirs_in, theirs_out, profile)
        os.close(theirs_in)
        os.close(theirs_out)
        chromium = Chromium(ours_in, ours_out)
        try:
            yield chromium
        finally:
            chromium.ask("Browser.close", wait=False)
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            os.close(ours_in)
            os.close(ours_out)


def _started(command, reads, writes, home):
    """Chromium reads commands from descriptor 3 and answers on 4."""
    script = f'exec 3<&{reads} 4>&{writes}; exec "$@"'
    return subprocess.Popen(
        ["bash", "-c", script, "chromium", *command],
        pass_fds=(reads, writes),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"},
    )


class Chromium:
    def __init__(self, reads, writes):
        self._reads, self._writes = reads, writes
        self._numbers = count(1)
        self._rest = b""
        self.events = []

    def ask(self, method, /, session=None, *, wait=True, **parameters):
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": parameters}
        if session:
            asked["sessionId"] = session
        os.write(self._writes, json.dumps(asked).encode() + b"\0")
        return self._answer(number, method) if wait else None

    def _answer(self, number, method):
        deadline = monotonic() + PATIENCE
        while True:
            said = self._next(deadline, method)
            if said.get("id") == number:
                assert "error" not in said, (method, said)
                return said["result"]
            self.events.append(said)

    def _next(self, deadline, method):
        while b"\0" not in self._rest:
            ready, _, _ = select([self._reads], [], [], max(0, deadline - monotonic()))
            assert ready, f"chromium did not answer {method} in {PATIENCE} s"
            piece = os.read(self._reads, 1 << 20)
            assert piece, f"chromium ended before it answered {method}"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def open(self, path, width=1440, height=900, scheme="light"):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log"):
            page.ask(f"{domain}.enable")
        page.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.ask("Page.navigate", url=path.absolute().as_uri())
        page.wait_for("document.readyState === 'complete' && typeof view === 'object'")
        return page


class Page:
    def __init__(self, chromium, session, target):
        self._chromium, self._session, self._target = chromium, session, target

    def close(self):
        self._chromium.ask("Target.closeTarget", targetId=self._target)

    def ask(self, method, **parameters):
        return self._chromium.ask(method, self._session, **parameters)

    def run(self, script):
        """The value of an expression, awaited."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, script):
        deadline = monotonic() + PATIENCE
        while not self.run(script):
            assert monotonic() < deadline, f"still not true: {script}; {self.complaints()}"

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector):
        """Where a person would: in the middle of what is there to see."""
        self.run(
            f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center', inline: 'center'}})"
        )
        box = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self.click_at(*box)

    def click_at(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def move_to(self, x, y):
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def type(self, text):
        for character in text:
            self.ask("Input.dispatchKeyEvent", type="char", text=character)

    def press(self, key, *, ctrl=False):
        code, text = KEYS.get(key, (0, key))
        told = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 2 if ctrl else 0, "text": text}
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **told)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **{**told, "text": ""})

    def screenshot(self, path):
        path.write_bytes(b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def printed(self):
        return b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])

    def complaints(self):
        """Exceptions, errors and warnings: all that the console would show in colour."""
        mine = [said for said in self._chromium.events if said.get("sessionId") == self._session]
        loud = [said for said in mine if said.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}]
        called = [
            s for s in mine if s.get("method") == "Runtime.consoleAPICalled" and s["params"]["type"] != "log"
        ]
        return [json.dumps(said["params"])[:600] for said in (*loud, *called)]
