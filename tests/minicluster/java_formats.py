"""Decoders and encoders of formats, called in this process's JVM: no job and no broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError

from pyflink_jobs.java.build import java_classes

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Formats", "Java"]

Java = Any
"""A Java object or class."""

_FLINK = "org.apache.flink"
_LOOP = """
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.api.common.serialization.DeserializationSchema;

public class Loop {
    /** Of each record the number of its rows, -1 if the decoder fails; and of each row its length and its text. */
    public static String shown(DeserializationSchema decoder, byte[] records) {
        java.nio.ByteBuffer left = java.nio.ByteBuffer.wrap(records);
        StringBuilder out = new StringBuilder();
        while (left.hasRemaining()) {
            int length = left.getInt();
            byte[] record = length < 0 ? null : new byte[length];
            if (record != null) {
                left.get(record);
            }
            java.util.ArrayList rows = new java.util.ArrayList();
            try {
                decoder.deserialize(record, new ListCollector(rows));
            } catch (Exception failure) {
                out.append("-1;");
                continue;
            }
            out.append(rows.size()).append(';');
            for (int i = 0; i < rows.size(); i++) {
                String text = rows.get(i).toString();
                out.append(text.codePointCount(0, text.length())).append(';').append(text);
            }
        }
        return out.toString();
    }
}
"""
_COMPLETE = False  # a column may be missing in JSON
_BIG_ENDIAN = True  # as raw numbers are by default
_LEGACY = True  # how Flink maps timestamps to Avro by default


class Formats:
    """The JVM's formats for rows with `columns`, given in SQL.

    To be made after the first table environment of the process, which starts the JVM with Flink's and Kafka's jars.
    """

    def __init__(self, columns: str, standard: str = "SQL") -> None:
        from pyflink.java_gateway import get_gateway
        from pyflink.util.java_utils import add_jars_to_context_class_loader

        self._gateway: Java = get_gateway()
        add_jars_to_context_class_loader([java_classes().as_uri()])
        loader = self._gateway.jvm.java.lang.Thread.currentThread().getContextClassLoader()
        parser = self.flink("table.types.logical.utils.LogicalTypeParser")
        self._row = parser.parse(f"ROW<{columns}> NOT NULL", loader)
        self._type = self.flink("table.runtime.typeutils.InternalTypeInfo").of(self._row)
        self._arity = self._row.getFieldCount()
        self._timestamps = self.flink("formats.common.TimestampFormat").valueOf(standard)
        self._loop = self._compiled(_LOOP, "Loop")

    def _compiled(self, source: str, name: str) -> Java:
        """Return a class compiled by the Janino inside Flink."""
        compiler = self.java("org.codehaus.janino.SimpleCompiler")()
        compiler.cook(source)
        return compiler.getClassLoader().loadClass(name).getDeclaredConstructor(None).newInstance(None)

    def java(self, name: str) -> Java:
        """Return a Java class by its name; `millstream.X` is one of ours."""
        found = self._gateway.jvm
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def flink(self, name: str) -> Java:
        """Return a class of Flink's."""
        return self.java(f"{_FLINK}.{name}")

    def flink_json(self, *, ignore: bool = False) -> Java:
        """Return Flink's decoder of JSON; it may ignore what it cannot read."""
        kind = self.flink("formats.json.JsonParserRowDataDeserializationSchema")
        return kind(self._row, self._type, _COMPLETE, ignore, self._timestamps)

    def quick_json(self, other: Java) -> Java:
        """Return our decoder of JSON, which leaves what is not plain to another one."""
        return self.java("millstream.QuickJson")(self._row, _COMPLETE, self._timestamps, other)

    def strict_json(self) -> Java:
        """Return our decoder of JSON that refuses what Flink would change."""
        return self.java("millstream.StrictJson")(self._row, self._type, _COMPLETE, self._timestamps)

    def flink_avro(self) -> Java:
        """Return Flink's decoder of Avro."""
        return self.flink("formats.avro.AvroRowDataDeserializationSchema")(self._row, self._type)

    def quick_avro(self, encoding: str = "BINARY") -> Java:
        """Return our decoder of Avro, which reads each record from its own bytes; `encoding` may be "JSON" too."""
        chosen = self.flink("formats.avro.AvroFormatOptions$AvroEncoding").valueOf(encoding)
        return self.java("millstream.AvroRows")(self._row, self._type, chosen, _LEGACY)

    def flinks(self, name: str, *, ignore: bool = False) -> Java:
        """Return Flink's decoder of a format by its name in SQL; it may ignore what it cannot read."""
        if name == "raw":
            raw = self.flink("formats.raw.RawFormatDeserializationSchema")
            return raw(self._row.getTypeAt(0), self._type, "UTF-8", _BIG_ENDIAN)
        if name == "csv":
            builder = self.flink("formats.csv.CsvRowDataDeserializationSchema$Builder")(self._row, self._type)
            return builder.setIgnoreParseErrors(ignore).build()
        kind, _, _ = name.partition("-")
        schema = self.flink(f"formats.json.{kind}.{kind.capitalize()}JsonDeserializationSchema")
        columns = self.flink("table.types.utils.TypeConversions").fromLogicalToDataType(self._row)
        metadata = self._gateway.jvm.java.util.ArrayList()
        if kind == "canal":
            return schema.builder(columns, metadata, self._type).setIgnoreParseErrors(ignore).build()
        included = [False] if kind == "debezium" else []  # whether records have their schema
        return schema(columns, metadata, self._type, *included, ignore, self._timestamps)

    def checked(self, decoder: Java, *, keeps_state: bool = False) -> Java:
        """Return a decoder that makes rows of what `decoder` cannot read, with the error in the last column."""
        metadata = self._gateway.new_array(self._gateway.jvm.java.lang.String, 1)
        metadata[0] = "error"
        return self.java("millstream.CheckedDecoder")(decoder, keeps_state, self._arity, self._type, metadata)

    def rows(self, decoder: Java, records: Iterable[bytes | None]) -> list[list[Java] | None]:
        """Open a decoder; return the rows of each record, None where the decoder fails."""
        decoder.open(None)
        rows = self._gateway.jvm.java.util.ArrayList()
        collector = self.flink("api.common.functions.util.ListCollector")(rows)
        found: list[list[Java] | None] = []
        for record in records:
            before = rows.size()
            try:
                decoder.deserialize(record, collector)
                found.append([rows[index] for index in range(before, rows.size())])
            except Py4JJavaError:
                found.append(None)
        return found

    def shown(self, decoder: Java, records: Iterable[bytes | None]) -> list[list[str]]:
        """Return the rows of each record as Flink shows them; a record that the decoder fails at is "failed".

        All records are one call to the JVM: each call takes longer than a record.
        """
        decoder.open(None)
        packed = [b"\xff" * 4 if record is None else len(record).to_bytes(4, "big") + record for record in records]
        text = self._loop.shown(decoder, b"".join(packed))
        at = 0

        def number() -> int:
            nonlocal at
            end = text.index(";", at)
            found, at = int(text[at:end]), end + 1
            return found

        def row() -> str:
            nonlocal at
            length = number()
            at += length
            return str(text[at - length : at])

        return [["failed"] if (rows := number()) < 0 else [row() for _ in range(rows)] for _ in packed]

    def fields(self, decoder: Java, records: Iterable[bytes | None]) -> list[tuple[Any, ...]]:
        """Return the fields of the one row of each record: numbers and BOOLEANs as Python's, all else as text."""
        found = []
        for rows in self.rows(decoder, records):
            assert rows is not None
            [row] = rows
            values = (row.getField(index) for index in range(row.getArity()))
            found.append(tuple(value.toString() if hasattr(value, "getClass") else value for value in values))
        return found
