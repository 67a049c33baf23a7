"""Render a job as a FlinkDeployment for Flink's Kubernetes operator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pyflink_jobs.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FLINK_VERSION", "PROJECT", "deployment_name", "flink_deployment"]

FLINK_VERSION = "v2_2"
"""The operator's name of the version: its release 1.15 knows no newer one, and treats 2.3 alike."""

PROJECT = "/opt/millstream/project"
"""Where the image has the project: sql/, models/, flink-conf/, pyproject.toml."""

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,43}[a-z0-9])?")  # the operator rejects others
_USER = 9999  # `flink` in Flink's image
_MEMORY = {"jobManager": "jobmanager.memory.process.size", "taskManager": "taskmanager.memory.process.size"}
_METRICS_PORT = "metrics.reporter.prom.port"
_NEEDED = {
    "stateless": (),
    "savepoint": ("execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"),
    "last-state": ("execution.checkpointing.dir", "high-availability.type", "high-availability.storageDir"),
}


def deployment_name(job: str) -> str:
    """Return the name of a job's FlinkDeployment; raises ClusterError for a job that Kubernetes cannot name."""
    name = job.lower().replace("_", "-")
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"job `{job}` cannot be the name of a FlinkDeployment",
            facts=("Kubernetes accepts up to 45 lower-case letters, digits and -, beginning with a letter",),
            fixes=("rename its file in sql/jobs/",),
        )
    return name


def flink_deployment(
    job: str,
    *,
    image: str,
    parallelism: int,
    flink_configuration: Mapping[str, str],
    namespace: str = "default",
    service_account: str = "flink",
    environment: Mapping[str, str] | None = None,
    upgrade_mode: str = "last-state",
    cpu: float = 1.0,
    project: str = PROJECT,
) -> dict[str, Any]:
    """Return the FlinkDeployment that runs a job in application mode, on a cluster of its own.

    `flink_configuration` are Flink's options; the process sizes among them become the pods' memory. `environment` fills
    the `${...}` of SQL files and is set in all pods. `upgrade_mode` is "last-state" (continue from the newest
    checkpoint), "savepoint" or "stateless"; `cpu` is the cores of a TaskManager.
    Raises ClusterError where the name or an option that `upgrade_mode` needs is missing or wrong.
    """
    _refuse_missing(flink_configuration, upgrade_mode)
    options = {key: value for key, value in sorted(flink_configuration.items()) if key not in _MEMORY.values()}
    return {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {"name": deployment_name(job), "namespace": namespace},
        "spec": {
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "flinkVersion": FLINK_VERSION,
            "mode": "native",
            "serviceAccount": service_account,
            "flinkConfiguration": options,
            "podTemplate": _pod_template(environment or {}, options.get(_METRICS_PORT)),
            "jobManager": {
                "replicas": 1,
                "resource": {"cpu": 1.0, "memory": flink_configuration[_MEMORY["jobManager"]]},
            },
            "taskManager": {"resource": {"cpu": cpu, "memory": flink_configuration[_MEMORY["taskManager"]]}},
            "job": {
                # PythonDriver starts Python next to the JobManager. Flink finds the jar itself; the field is required.
                "jarURI": "local:///opt/flink/opt/flink-python-2.3.0.jar",
                "entryClass": "org.apache.flink.client.python.PythonDriver",
                "args": ["-pym", "pyflink_jobs.job", "--job", job, "--project", project],
                "parallelism": parallelism,
                "state": "running",
                "upgradeMode": upgrade_mode,
            },
        },
    }


def _pod_template(environment: Mapping[str, str], metrics_port: str | None) -> dict[str, Any]:
    """Return the part that is merged into Flink's own pod template, into the container of this name."""
    container: dict[str, Any] = {
        "name": "flink-main-container",
        "env": [{"name": name, "value": value} for name, value in sorted(environment.items())],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        # RocksDB and the Python workers write here: to the node's disk, not to the image's layers.
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the pod, where it is this volume
    }
    if metrics_port is not None:
        container["ports"] = [{"name": "metrics", "containerPort": int(metrics_port)}]
    return {
        "spec": {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        }
    }


def _refuse_missing(options: Mapping[str, str], upgrade_mode: str) -> None:
    """Raise ClusterError for options without which the operator rejects the job or loses its state."""
    if upgrade_mode not in _NEEDED:
        raise ClusterError(
            f"upgrade mode `{upgrade_mode}` is unknown",
            fixes=tuple(f"write {known}" for known in _NEEDED),
        )
    wanted = (*_MEMORY.values(), *_NEEDED[upgrade_mode])
    if missing := [key for key in wanted if not options.get(key)]:
        raise ClusterError(
            f"the deployment's Flink configuration lacks {', '.join(missing)}",
            facts=(f"upgrade mode {upgrade_mode} needs: {', '.join(wanted)}",),
            fixes=(
                "set it in the target's options or in the project's Flink configuration (flink-conf/production.yaml)",
            ),
        )
