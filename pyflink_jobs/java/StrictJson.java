package millstream;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonParserToRowDataConverters.JsonParserToRowDataConverter;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.json.JsonReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.jackson.JacksonMapperFactory;

/** Reads JSON with the converters of Flink's JSON format, and refuses what Flink would change without an error. */
public class StrictJson extends RowDecoder {

    private final String[] names;
    private final String[] types;
    private final boolean[] integer;
    private final boolean[] bool;
    private final boolean nested;
    private final boolean complete;
    private final JsonParserToRowDataConverter[] converters;
    private final TimestampFormat timestamps;

    private transient ObjectMapper mapper;
    private transient Map<String, Integer> columns;
    private transient long[] seen; // the number of the record in which a column was seen last
    private transient long number;

    /** `complete` is whether each column must be there. */
    public StrictJson(RowType row, TypeInformation<RowData> type, boolean complete, TimestampFormat timestamps) {
        super(type);
        int arity = row.getFieldCount();
        this.names = new String[arity];
        this.types = new String[arity];
        this.integer = new boolean[arity];
        this.bool = new boolean[arity];
        this.complete = complete;
        this.converters = ColumnConverters.of(row, timestamps);
        this.timestamps = timestamps;
        for (int i = 0; i < arity; i++) {
            LogicalType column = row.getTypeAt(i);
            names[i] = row.getFieldNames().get(i);
            types[i] = column.asSummaryString();
            integer[i] = column.is(LogicalTypeFamily.INTEGER_NUMERIC);
            bool[i] = column.is(LogicalTypeRoot.BOOLEAN);
        }
        this.nested = row.getChildren().stream().anyMatch(column -> !column.getChildren().isEmpty());
    }

    @Override
    public void open(InitializationContext context) {
        mapper = JacksonMapperFactory.createObjectMapper();
        mapper.configure(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS.mappedFeature(), true);
        mapper.configure(StreamReadFeature.USE_FAST_DOUBLE_PARSER.mappedFeature(), true);
        mapper.enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
        if (nested) {
            // Flink's converter of a row counts the names it has seen: with one twice, it passes over the last column.
            mapper.getFactory().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
        }
        columns = new HashMap<>();
        for (int i = 0; i < names.length; i++) {
            columns.put(names[i], i);
        }
        seen = new long[names.length];
    }

    @Override
    public RowData deserialize(byte[] record) throws IOException {
        String problem = Encoding.problem(record);
        if (problem != null) {
            throw new UndecodableException(problem);
        }
        try (JsonParser parser = mapper.getFactory().createParser(record)) {
            parser.nextToken(); // the brace that the record begins with
            return row(parser);
        }
    }

    private RowData row(JsonParser parser) throws IOException {
        GenericRowData row = new GenericRowData(names.length);
        int column = -1;
        int found = 0;
        number++;
        try {
            int next = 0; // a record's fields are mostly in the order of the columns
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                JsonToken token = parser.nextToken();
                column = next < names.length && names[next].equals(name) ? next : columns.getOrDefault(name, -1);
                if (column < 0) {
                    parser.skipChildren();
                    continue;
                }
                next = column + 1;
                if (seen[column] == number) {
                    throw new UndecodableException("field " + name + " is there twice" + Problem.where(parser));
                }
                seen[column] = number;
                found++;
                Object value = fits(parser, token, column) ? converters[column].convert(parser) : null;
                if (isChanged(value, token)) {
                    throw new UndecodableException(Problem.of(parser, name, types[column], timestamps, null));
                }
                row.setField(column, value);
                column = -1;
            }
            if (parser.nextToken() != null) {
                throw new UndecodableException("there is more after the JSON object" + Problem.where(parser));
            }
        } catch (UndecodableException undecodable) {
            throw undecodable;
        } catch (IOException | RuntimeException problem) {
            String name = column < 0 ? null : names[column];
            String type = column < 0 ? null : types[column];
            throw new UndecodableException(Problem.of(parser, name, type, timestamps, problem));
        }
        if (complete && found < names.length) {
            throw new UndecodableException("a column is missing");
        }
        return row;
    }

    /** Return whether Flink keeps a value as it is: it makes 1.5 an integer 1, and "yes" FALSE. */
    private boolean fits(JsonParser parser, JsonToken token, int column) throws IOException {
        if (integer[column] && token == JsonToken.VALUE_NUMBER_FLOAT) {
            return parser.getDecimalValue().stripTrailingZeros().scale() <= 0;
        }
        if (bool[column] && token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            String text = parser.getText().trim();
            return token == JsonToken.VALUE_NULL || text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false");
        }
        return true;
    }

    /** Return whether a number became one that no rule could judge, or none: NaN, beyond FLOAT or a DECIMAL's digits. */
    private static boolean isChanged(Object value, JsonToken token) {
        if (value instanceof Float number) {
            return !Float.isFinite(number);
        }
        if (value instanceof Double number) {
            return !Double.isFinite(number);
        }
        return value == null && token != JsonToken.VALUE_NULL;
    }
}
