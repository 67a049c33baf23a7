"""Make the README's images: `make pictures`. It needs the topics of the demo, and Chromium.

docs/images/terminal.svg  commands as they print on a terminal
docs/images/report.png    the top of the demo's report
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

from pyflink_jobs import load_project
from pyflink_jobs.local import broker

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # of another host
COMMANDS = ("check", "peek predictions -n 3", "quarantine list", "audit", "drift show --last 30")
COLUMNS, LINES = 110, 60
WIDTH, HEIGHT = 800, 1180  # pixels of the report's top
CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1.5",
)


def on_terminal(command: str) -> str:
    """Run a millstream command on a terminal of its own; return what it printed, colours included."""
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    words = [str(Path(sys.executable).with_name("millstream")), *command.split()]
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    with subprocess.Popen(words, cwd=ROOT, stdout=end, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(end)
        printed = io.BytesIO()
        try:
            while chunk := os.read(terminal, 65_536):
                printed.write(chunk)
        except OSError:  # Linux reports the end of a terminal as an error
            pass
    os.close(terminal)
    if process.returncode:
        raise SystemExit(f"millstream {command}: exit code {process.returncode}")
    return printed.getvalue().decode().replace("\r\n", "\n").strip("\n")


def make_terminal(file: Path) -> None:
    """Write the commands and what they print as an SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for command in COMMANDS:
        console.print(f"[bold green]$[/] [bold]millstream {command}[/]", highlight=False)
        console.print(Text.from_ansi(on_terminal(command)), end="\n\n")
    file.write_text(FONTS.sub("", console.export_svg(title="millstream")))


def make_report(file: Path) -> None:
    """Draw the report, and write its top as a PNG of few colours.

    The page of `millstream demo` also has the rate of its run, which differs from machine to machine.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("the picture of the report needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "report.html", Path(folder) / "report.png"
        on_terminal(f"demo report --out {page}")
        options = [f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}"]
        subprocess.run(
            [chromium, *CHROMIUM, *options, page.as_uri()],
            check=True,
            capture_output=True,
        )
        with Image.open(shot) as picture:
            picture.convert("RGB").quantize(64).save(file, optimize=True)


def main() -> None:
    """Make both images; the local broker is started for it, if it is not running."""
    IMAGES.mkdir(exist_ok=True)
    state = load_project(ROOT).state
    kafka = broker.start(state)
    try:
        make_report(IMAGES / "report.png")
        make_terminal(IMAGES / "terminal.svg")
    finally:
        if kafka.started_now:
            broker.stop(state)


if __name__ == "__main__":
    main()
