"""Every command in the documents is run, in the order in which a reader would type it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?P<language>\w+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def script(document: str) -> str:
    """Return a document's `sh` blocks as one script, with its `file=` blocks written where the reader would."""
    lines = ["set -euxo pipefail"]
    for block in BLOCK.finditer((ROOT / "docs" / document).read_text()):
        if block["file"]:
            lines.append(f"cat > {block['file']} <<'END_OF_BLOCK'\n{block['text']}END_OF_BLOCK")
        elif block["language"] == "sh":
            lines.append(block["text"])
    return "\n".join(lines)


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MILLSTREAM", "KAFKA"))}
    command = ["bash", "-c", f"trap 'millstream down >/dev/null 2>&1 || true' EXIT\n{text}"]
    return subprocess.run(
        command, cwd=folder, env={**environment, "PATH": path}, capture_output=True, text=True, check=False
    )


def copy_project(folder: Path) -> None:
    """Put what a reader has of the project into a folder."""
    for name in ("sql", "models", "flink-conf", "tests/features"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("train"))
    shutil.copy(ROOT / "pyproject.toml", folder)


@pytest.mark.slow
def test_the_tutorial(tmp_path: Path) -> None:
    done = run(script("tutorial.md"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout + done.stderr
    assert "wrote 100 predictions" in done.stdout
    assert "every record is accounted for" in done.stdout


@pytest.mark.slow
def test_the_how_to(tmp_path: Path) -> None:
    copy_project(tmp_path)
    done = run(script("how-to.md"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 Python operators\n" in done.stdout  # one scores, two follow drift
    assert "origin is HPN, expected one of EWR, JFK, LGA" in done.stdout
    assert "Unexpected end-of-input in VALUE_STRING, at byte 18" in done.stdout
    assert done.stdout.count("every record is accounted for") == 1


@pytest.mark.parametrize("target", re.findall(r"make ([a-z]+)", (ROOT / "README.md").read_text()))
def test_the_targets_that_the_readme_names(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607 - make is what the reader has
    assert done.returncode == 0, done.stderr


def test_the_finding_that_the_readme_shows(tmp_path: Path) -> None:
    copy_project(tmp_path)
    model = tmp_path / "sql" / "models" / "late_arrival.sql"
    model.write_text(model.read_text().replace("dep_delay             FLOAT", "dep_delay             STRING", 1))
    done = run("millstream check --offline", tmp_path)
    (shown,) = re.findall(r"```text\n(sql/models/.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert done.returncode == 1
    assert done.stdout.startswith(shown)


def anchors(file: Path) -> set[str]:
    """Return the anchors that a renderer gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "deploy" / "kubernetes" / "README.md"]


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_and_their_anchors_exist(file: Path) -> None:
    for path, anchor in re.findall(r"\]\(([^)#:]*)(?:#([\w-]+))?\)", file.read_text()):
        linked = file.parent / path if path else file
        assert linked.exists(), path
        assert not anchor or anchor in anchors(linked), f"{path}#{anchor}"


SOURCES = re.compile(
    r"`((?:pyflink_jobs|udfs|bench|deploy|docs|tests/(?:unit|minicluster|cluster|commands))/[\w./-]*)`"
)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_of_the_repository_that_a_document_names_exist(file: Path) -> None:
    assert [name for name in SOURCES.findall(file.read_text()) if not (ROOT / name).exists()] == []
