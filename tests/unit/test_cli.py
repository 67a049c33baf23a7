from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from pyflink_jobs.cli.main import COMMANDS, cli
from pyflink_jobs.project.settings import Project
from tests.projects import add_model, make_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = """-- columns in the wrong order, one missing, one a string
CREATE MODEL m
INPUT (
  c FLOAT,
  a FLOAT,
  b STRING
)
OUTPUT (p DOUBLE)
WITH ('provider' = 'onnx', 'output.p' = 'probabilities[1]')"""


def millstream(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pyflink_jobs", *args],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", **environment},
    )


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    project = make_project(tmp_path, {"models/m": MODEL})
    add_model(project, "m", "label_probabilities", ("a", "b", "c", "d"))
    return tmp_path


def test_check_names_file_and_line_of_each_finding(wrong: Path) -> None:
    done = millstream("--project", str(wrong), "check", "--offline")
    assert done.returncode == 1
    heads = [line for line in done.stdout.splitlines() if line.startswith("sql/")]
    assert [head.split(": ")[0] for head in heads] == [f"sql/models/m.sql:{p}" for p in ("4:3", "4:3", "6:3")]
    assert "3 findings" in done.stdout
    assert "Traceback" not in done.stderr


def test_check_speaks_json(wrong: Path) -> None:
    done = millstream("--project", str(wrong), "check", "--offline", "--json")
    findings = json.loads(done.stdout)
    assert [(finding["file"], finding["line"]) for finding in findings] == [("sql/models/m.sql", n) for n in (4, 4, 6)]
    assert all(finding["fixes"] for finding in findings)


def test_a_mistake_is_one_paragraph_and_exit_code_1(tmp_path: Path) -> None:
    done = millstream("--project", str(tmp_path), "check")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path} is not a Millstream project")
    assert "millstream new" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_job_names_those_there_are(tmp_path: Path) -> None:
    project = make_project(tmp_path, {"jobs/score": "INSERT INTO a SELECT 1", "jobs/train": "INSERT INTO a SELECT 1"})
    done = millstream("--project", str(project.root), "explain", "scoer")
    assert done.returncode == 1
    assert "there is no job `scoer`" in done.stderr
    assert "did you mean score?" in done.stderr


def test_a_setting_that_is_unknown_or_of_the_wrong_type(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.millstream]\nparalelism = 2\nkafka = 1\n")
    variables = {"MILLSTREAM_PARALLELISM": "two", "MILLSTREAM_SPEEDUPS": "no"}
    done = millstream("--project", str(tmp_path), "check", **variables)
    assert done.returncode == 1
    expected = "MILLSTREAM_PARALLELISM is 'two'", "MILLSTREAM_SPEEDUPS is 'no', expected true or false"
    for part in ("unknown setting `paralelism`", "setting `kafka` is 1", *expected):
        assert part in done.stderr


@pytest.mark.parametrize(("written", "variable", "used"), [("false", None, False), ("false", "true", True)])
def test_a_variable_overrides_a_setting(tmp_path: Path, written: str, variable: str | None, *, used: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.millstream]\nspeedups = {written}\n")
    env = {"MILLSTREAM_SPEEDUPS": variable} if variable else {}
    assert Project.find(tmp_path, env).settings.speedups is used


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command, and every one below it, by its words."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", subcommand) for below, subcommand in command.commands.items())


def test_every_command_has_help_with_an_example() -> None:
    for words, command in all_commands():
        shown = CliRunner().invoke(command, ["--help"]).output
        assert "Example:" in shown, words
        assert f"millstream {words}" in shown, words


def test_every_command_that_prints_results_can_print_json() -> None:
    groups = {"reference", "drift", "quarantine"}
    without = {words for words, command in all_commands() if all(p.name != "as_json" for p in command.params)}
    assert without - groups == {"new", "card", "down"}


def test_help_lists_each_command_once_in_its_group_on_one_line() -> None:
    lines = CliRunner().invoke(cli, ["--help"]).output.splitlines()
    groups = [line.removesuffix(":") for line in lines if line and not line.startswith(" ")]
    assert groups[2:] == ["Project", "Local", "Cluster", "Observe", "Tune", "Demo"]
    listed = lines[lines.index("Project:") :]
    assert [line.split()[0] for line in listed if line.startswith(" ")] == list(COMMANDS)


def test_options_of_the_whole_demo_are_not_lost_on_its_parts() -> None:
    done = CliRunner().invoke(cli, ["demo", "--json", "report"])
    assert done.exit_code == 2
    assert "write these options after `report`" in done.output


def test_replay_is_a_word_of_quarantine_alone() -> None:
    assert [words for words, _ in all_commands() if "replay" in words] == ["quarantine replay"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pyflink_jobs.cli.main import cli\ntry:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
    )
    code += "print([m for m in ('numpy', 'pyflink', 'kafka', 'rich', 'onnxruntime', 'sqlglot') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
