package millstream;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryDecoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.JsonDecoder;
import org.apache.flink.formats.avro.AvroFormatOptions.AvroEncoding;
import org.apache.flink.formats.avro.AvroToRowDataConverters;
import org.apache.flink.formats.avro.AvroToRowDataConverters.AvroToRowDataConverter;
import org.apache.flink.formats.avro.typeutils.AvroSchemaConverter;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * Reads Avro to the rows that Flink's format reads, but each record from its own bytes alone, and from all of them.
 * Flink's format keeps a buffer from record to record: bytes that one leaves in it are read as the next one's. Rows of
 * numbers, text and BOOLEAN are read without a generic record in between.
 */
public class AvroRows extends RowDecoder {

    private static final int HEADER = 5; // bytes that a schema registry's clients put first: a zero, a schema's id
    private static final JsonFactory JSON = new JsonFactory();
    private static final Set<LogicalTypeRoot> FLAT = EnumSet.of(
            LogicalTypeRoot.BOOLEAN,
            LogicalTypeRoot.INTEGER,
            LogicalTypeRoot.BIGINT,
            LogicalTypeRoot.FLOAT,
            LogicalTypeRoot.DOUBLE,
            LogicalTypeRoot.VARCHAR);

    private final String schemaText;
    private final AvroEncoding encoding;
    private final LogicalType[] columns;
    private final boolean flat;
    private final AvroToRowDataConverter converter;

    private transient Schema schema;
    private transient GenericDatumReader<Object> reader;
    private transient BinaryDecoder binary;
    private transient JsonDecoder json;

    /** `legacy` is how Flink maps timestamps. */
    public AvroRows(RowType row, TypeInformation<RowData> type, AvroEncoding encoding, boolean legacy) {
        super(type);
        this.schemaText = AvroSchemaConverter.convertToSchema(row, legacy).toString();
        this.encoding = encoding;
        this.columns = row.getChildren().toArray(LogicalType[]::new);
        this.flat = row.getChildren().stream().allMatch(column -> FLAT.contains(column.getTypeRoot()));
        this.converter = AvroToRowDataConverters.createRowConverter(row, legacy);
    }

    @Override
    public void open(InitializationContext context) {
        schema = new Schema.Parser().parse(schemaText);
        GenericData data = new GenericData();
        data.setFastReaderEnabled(true); // half the time of the one that Flink uses
        reader = new GenericDatumReader<>(schema, schema, data);
    }

    @Override
    public RowData deserialize(byte[] record) throws IOException {
        try {
            return encoding == AvroEncoding.JSON ? readJson(record) : readBinary(record, 0);
        } catch (IOException | RuntimeException | OutOfMemoryError problem) { // a bad record may claim any length
            String why = problem.getMessage() == null ? "the record is cut off" : problem.getMessage();
            throw new UndecodableException(
                    hasHeader(record)
                            ? "the record has a schema registry's header (schema id " + ByteBuffer.wrap(record).getInt(1)
                                    + "), which the format 'avro' does not read"
                            : "the record is not the source's columns in Avro: " + why);
        }
    }

    private RowData readBinary(byte[] record, int start) throws IOException {
        binary = DecoderFactory.get().binaryDecoder(record, start, record.length - start, binary);
        RowData row = flat ? readFlat() : (RowData) converter.convert(reader.read(null, binary));
        if (!binary.isEnd()) {
            throw new IOException("bytes are left over after the last column");
        }
        return row;
    }

    private RowData readFlat() throws IOException {
        GenericRowData row = new GenericRowData(columns.length);
        for (int i = 0; i < columns.length; i++) {
            int branch = columns[i].isNullable() ? binary.readIndex() : 1; // of a union of null and the type
            if (branch == 1) {
                row.setField(i, readValue(columns[i].getTypeRoot()));
            } else if (branch != 0) {
                throw new IOException("a union of two types has no branch " + branch);
            }
        }
        return row;
    }

    private Object readValue(LogicalTypeRoot root) throws IOException {
        return switch (root) {
            case BOOLEAN -> binary.readBoolean();
            case INTEGER -> binary.readInt();
            case BIGINT -> binary.readLong();
            case FLOAT -> binary.readFloat();
            case DOUBLE -> binary.readDouble();
            default -> StringData.fromString(binary.readString());
        };
    }

    private RowData readJson(byte[] record) throws IOException {
        ByteArrayInputStream bytes = new ByteArrayInputStream(record);
        json = json == null ? DecoderFactory.get().jsonDecoder(schema, bytes) : json.configure(bytes);
        RowData row = (RowData) converter.convert(reader.read(null, json));
        try (JsonParser parser = JSON.createParser(record)) {
            parser.nextToken();
            parser.skipChildren();
            if (parser.nextToken() != null) {
                throw new IOException("there is more after the JSON object");
            }
        }
        return row;
    }

    /** Return whether what follows a schema registry's header is the source's columns. */
    private boolean hasHeader(byte[] record) {
        try {
            return encoding == AvroEncoding.BINARY
                    && record.length > HEADER
                    && record[0] == 0
                    && readBinary(record, HEADER) != null;
        } catch (IOException | RuntimeException | OutOfMemoryError notWithout) {
            return false;
        }
    }
}
