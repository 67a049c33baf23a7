"""The operator's schema of a FlinkDeployment, made strict: what Kubernetes would drop in silence is refused."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pyflink_jobs.local.jars import jars

__all__ = ["autoscaler_options", "deployment_schema", "is_release_of_maven"]

_CRD = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"
_OTHER = "MILLSTREAM_OPERATOR_CRD"


def is_release_of_maven() -> bool:
    """Say whether no other schema was named: the CRD of the operator that runs, by MILLSTREAM_OPERATOR_CRD=FILE."""
    return _OTHER not in os.environ


def deployment_schema() -> dict[str, Any]:
    """Return the JSON schema of a whole FlinkDeployment."""
    if is_release_of_maven():
        with zipfile.ZipFile(_jar("operator-api")) as archive:
            text = archive.read(_CRD).decode()
    else:
        text = Path(os.environ[_OTHER]).read_text()
    crd = YAML(typ="safe").load(text)
    (version,) = [version for version in crd["spec"]["versions"] if version["storage"]]
    schema: dict[str, Any] = strict(version["schema"]["openAPIV3Schema"])
    # These Kubernetes checks itself, for any resource; metadata has a schema elsewhere.
    schema["properties"] |= {"apiVersion": {"const": "flink.apache.org/v1beta1"}, "kind": {"const": "FlinkDeployment"}}
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def strict(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a schema that refuses each field which Kubernetes would drop, and knows Kubernetes' own keywords."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if made.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "number", "string"]}
    if isinstance(made.get("properties"), dict) and not made.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


def autoscaler_options() -> bytes:
    """Return the class that declares the autoscaler's options: their names are in it as text."""
    with zipfile.ZipFile(_jar("autoscaler")) as archive:
        return archive.read("org/apache/flink/autoscaler/config/AutoScalerOptions.class")


def _jar(name: str) -> Path:
    (jar,) = [jar for jar in jars("kubernetes-operator") if name in jar.name]
    return jar
