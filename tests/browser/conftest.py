"""Chromium for the tests of the rendered report, with every request but the file itself counted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Path of a Chromium: the one that CHROMIUM names, a system's, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    for name in SYSTEM:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return str(own) if own.exists() else None


@dataclass
class Visit:
    """One open page and everything it did that it should not have done."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def assert_quiet(self) -> None:
        assert self.requests == []
        assert self.errors == []
        assert self.dialogs == []


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    pytest.importorskip("playwright.sync_api", reason="the Python package playwright is not installed")
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        named = os.environ.get("CHROMIUM")
        reason = f"CHROMIUM={named!r} is no program" if named else "no Chromium was found"
        pytest.skip(f"{reason}; `make browser` gets one")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Opens a file in a context of its own, offline: `visit(path, fragment="", width=1280, …)`."""
    contexts = []

    def opens(path: Path, fragment: str = "", *, width: int = 1280, height: int = 900, **options: Any) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, offline=True, accept_downloads=True, **options
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        made = Visit(context.new_page())
        address = path.resolve().as_uri()

        def seen(request: Any) -> None:
            if request.url.split("#")[0] != address and not request.url.startswith("blob:"):
                made.requests.append(request.url)

        def dialog(shown: Any) -> None:
            made.dialogs.append(shown.message)
            shown.dismiss()

        context.on("request", seen)
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("console", lambda said: made.errors.append(said.text) if said.type == "error" else None)
        made.page.on("dialog", dialog)
        made.page.goto(address + fragment)
        if options.get("java_script_enabled", True):
            made.page.wait_for_function(
                "() => [...document.querySelectorAll('[data-chart]')].every((place) => place.dataset.drawn)"
            )
        return made

    yield opens
    for context in contexts:
        context.close()
