"""Functions of SQL that are written in Java, in `pyflink_jobs/java/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyflink.table import TableEnvironment

__all__ = ["create_function", "java_array"]


def create_function(environment: TableEnvironment, name: str, java_class: str, *arguments: str | list[str]) -> None:
    """Create a function from what its class's only constructor makes of `arguments`; one of that name gives way.

    Its arguments are in no SQL text, so in no plan.
    """
    from pyflink.java_gateway import get_gateway

    gateway: Any = get_gateway()
    java = gateway.jvm.java.lang
    loader = java.Thread.currentThread().getContextClassLoader()
    made = loader.loadClass(f"millstream.{java_class}").getConstructors()[0]
    given = [java_array(gateway, java.String, a) if isinstance(a, list) else a for a in arguments]
    environment.drop_temporary_system_function(name)
    function = made.newInstance(java_array(gateway, java.Object, given))
    environment._j_tenv.createTemporarySystemFunction(name, function)  # noqa: SLF001 - Python's way takes no Java object


def java_array(gateway: Any, kind: Any, values: list[Any]) -> Any:  # noqa: ANN401 - PyFlink ships no types
    """Return values as a Java array of a class."""
    array = gateway.new_array(kind, len(values))
    for index, value in enumerate(values):
        array[index] = value
    return array
