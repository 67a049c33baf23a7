"""What `millstream new` writes for a model is planned by Flink, whatever the model's names, types and shapes are."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pyflink_jobs import check
from pyflink_jobs.project.settings import Project
from pyflink_jobs.scaffold.scaffold import create_project
from tests.new_projects import NAMES, STEMS, GeneratedModel, generated_models
from tests.onnx_file import Value


def planned(folder: pytest.TempPathFactory, model: GeneratedModel) -> None:
    place = folder.mktemp("any")
    create_project(place / "new", model.write(place / "given"))
    assert [str(finding) for finding in check(Project.find(place / "new")).findings] == []


@pytest.mark.parametrize("stem", STEMS[:2])
def test_every_name_at_once(tmp_path_factory: pytest.TempPathFactory, stem: str) -> None:
    half = len(NAMES) // 2
    for inputs, outputs in ((NAMES[:half], NAMES[half:]), (NAMES[half:], NAMES[:half])):
        model = GeneratedModel(
            stem, [Value(name, "float32", ["batch"]) for name in inputs], dict.fromkeys(outputs, "[batch, 1]")
        )
        planned(tmp_path_factory, model)


@pytest.mark.parametrize("examples", [3, pytest.param(150, marks=pytest.mark.slow)])
def test_any_signature(tmp_path_factory: pytest.TempPathFactory, examples: int) -> None:
    @given(model=generated_models())
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    def run(model: GeneratedModel) -> None:
        planned(tmp_path_factory, model)

    run()
