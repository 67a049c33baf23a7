"""CONTRIBUTING's table and the tree agree."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = re.findall(r"^\| `([^`]+/)` \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)


def inside(folder: Path) -> set[Path]:
    """Return a folder's folders, without those that commands create."""
    made = ("__pycache__", "out", "build", "dist")
    names = {child for child in folder.iterdir() if child.is_dir() and not child.name.startswith(".")}
    return {child for child in names if child.name not in made and not child.name.endswith(".egg-info")}


def folders() -> set[str]:
    """Return the folders at the top, and in place of the two packages and tests those in them."""
    found = inside(ROOT)
    for package in (ROOT / "pyflink_jobs", ROOT / "udfs", ROOT / "tests"):
        found = found - {package} | inside(package)
    return {f"{folder.relative_to(ROOT)}/" for folder in found}


def test_each_folder_has_a_row_and_each_row_a_folder() -> None:
    assert sorted(ROWS) == sorted(folders())
