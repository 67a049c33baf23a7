"""Imports point one way: pyflink_jobs to udfs, and Flink's adapter alone knows Flink."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_udfs_know_nothing_of_the_client_side_nor_of_flink() -> None:
    files = list((ROOT / "udfs").glob("*.py"))
    assert len(files) > 5
    for file in files:
        roots = {name.split(".")[0] for name in imported(file)}
        assert "pyflink_jobs" not in roots, file.name
        if not file.name.startswith("flink"):
            assert not roots & {"pyflink", "pandas"}, file.name
