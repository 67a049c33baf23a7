package millstream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonParserToRowDataConverters;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.json.JsonReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;
import org.apache.flink.util.jackson.JacksonMapperFactory;

/**
 * Reads a record with the converters of Flink's own JSON format. One that cannot be read gives a row as well: its
 * columns are NULL, its metadata column `error` says why.
 */
public class CheckedJson implements DeserializationSchema {

    /** Bytes: as text in base64, with the rest of a record about it, they stay below what a broker takes (1 MB). */
    private static final int LONGEST_KEPT = 500000;

    private final TypeInformation type;
    private final int arity;
    private final String[] metadata;
    private final JsonParserToRowDataConverters.JsonParserToRowDataConverter converter;
    private transient ObjectMapper mapper;

    public CheckedJson(
            RowType columns, TypeInformation type, boolean complete, TimestampFormat timestamps, String[] metadata) {
        this.type = type;
        this.arity = columns.getFieldCount();
        this.metadata = metadata;
        this.converter =
                new JsonParserToRowDataConverters(complete, false, timestamps).createConverter((String[][]) null, columns);
    }

    public void open(DeserializationSchema.InitializationContext context) {
        mapper = JacksonMapperFactory.createObjectMapper();
        mapper.configure(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS.mappedFeature(), true);
        mapper.enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
        // Flink's converter counts the names that it has seen: with one twice, it passes over the last column.
        mapper.getFactory().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
    }

    public void deserialize(byte[] message, Collector out) {
        GenericRowData read = null;
        String error = found(message);
        if (error == null) {
            try {
                StrictParser parser = new StrictParser(mapper.getFactory().createParser(message));
                try {
                    parser.nextToken();
                    read = (GenericRowData) converter.convert(parser);
                    if (parser.nextToken() != null) {
                        error = "more stands behind the JSON object";
                    }
                } catch (Throwable problem) {
                    error = parser.explain(problem);
                } finally {
                    parser.close();
                }
            } catch (IOException problem) {
                error = problem.getMessage();
            }
        }
        out.collect(row(error == null ? read : null, error, message));
    }

    /** Tell what is wrong with a message that no parser need look at: null for nothing. */
    private static String found(byte[] message) {
        if (message == null) {
            return "the record has no value (a tombstone)";
        }
        int start = 0;
        while (start < message.length && " \t\r\n".indexOf(message[start]) >= 0) {
            start++;
        }
        if (start == message.length) {
            return message.length == 0 ? "the record is empty" : "the record has nothing but blanks";
        }
        if (message[start] != '{') {
            return "expected a JSON object, found " + shown(message[start]) + " at its start";
        }
        if (start + 1 < message.length && message[start + 1] == 0) {
            return "the record is UTF-16 or UTF-32, expected UTF-8"; // which Jackson would read
        }
        return notUtf8(message);
    }

    /** Jackson takes some bytes for text that are none: too long a form, half of a pair. */
    private static String notUtf8(byte[] message) {
        int start = 0;
        while (start < message.length && message[start] >= 0) {
            start++;
        }
        if (start == message.length) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.wrap(message);
        CharBuffer text = CharBuffer.allocate(message.length);
        CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(bytes, text, true);
        return result.isError() ? "the record is not UTF-8, at byte " + bytes.position() : null;
    }

    private static String shown(byte first) {
        if (first > ' ' && first < 127) {
            return "'" + (char) first + "'";
        }
        String digits = Integer.toHexString(first & 255);
        return "byte 0x" + (digits.length() == 1 ? "0" : "") + digits;
    }

    private GenericRowData row(GenericRowData read, String error, byte[] message) {
        GenericRowData row = new GenericRowData(arity + metadata.length);
        for (int i = 0; read != null && i < arity; i++) {
            row.setField(i, read.getField(i));
        }
        for (int i = 0; i < metadata.length; i++) {
            if (metadata[i].equals("record")) {
                row.setField(arity + i, message == null || message.length > LONGEST_KEPT ? null : message);
            } else if (error != null) {
                row.setField(arity + i, StringData.fromString(error));
            }
        }
        return row;
    }

    public Object deserialize(byte[] message) {
        throw new UnsupportedOperationException("rows are handed to a collector");
    }

    public boolean isEndOfStream(Object row) {
        return false;
    }

    public TypeInformation getProducedType() {
        return type;
    }
}
