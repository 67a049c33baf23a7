"""Read the relations of queries out of Flink's planner, before it optimises them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyflink_jobs.java.build import java_classes
from pyflink_jobs.planning.failures.relation import Relation, read_relations
from pyflink_jobs.planning.flink.java_functions import java_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyflink.table import TableEnvironment

__all__ = ["RelationReader"]


@dataclass
class RelationReader:
    """Reads queries in an environment, one after the other: each has those of the ones before as inputs."""

    environment: TableEnvironment
    _known: list[Relation] = field(default_factory=list)
    _write: Callable[[Any], str] | None = None

    def read(self, text: str) -> list[Relation]:
        """Return the relations that a SELECT, or an INSERT, adds to those that were read before.

        None are returned of one that cannot be planned by itself: a SELECT of a table that is only written, or of a
        view that has a finding already.
        """
        planner: Any = self.environment._j_tenv  # noqa: SLF001 - Python has no way to what is parsed
        self._write = self._write or _writer(planner.getPlanner())
        try:
            operation = planner.getParser().parse(text)[0]
            if text.lstrip()[:6].upper() == "INSERT":
                operation = operation.getChild()
            written = self._write(operation.getCalciteTree())
        except Exception:  # noqa: BLE001 - Py4J's
            return []
        return read_relations(written, self._known)


def _writer(planner: Any) -> Callable[[Any], str]:  # noqa: ANN401 - PyFlink ships no types
    """Return the method of a new `millstream.Relations`, loaded where Calcite's classes are."""
    from pyflink.java_gateway import get_gateway

    gateway: Any = get_gateway()
    java = gateway.jvm.java
    jar = java_array(gateway, java.net.URL, [java.net.URL(java_classes().as_uri())])
    loaded = java.net.URLClassLoader(jar, planner.getClass().getClassLoader()).loadClass("millstream.Relations")
    relations = loaded.getConstructors()[0].newInstance(java_array(gateway, java.lang.Object, []))
    [read] = [method for method in loaded.getMethods() if method.getName() == "read"]
    # By reflection: Py4J keeps methods by the name of their class, and would call that of another loader's.
    return lambda tree: str(read.invoke(relations, java_array(gateway, java.lang.Object, [tree])))
