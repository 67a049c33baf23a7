package millstream;

import java.io.IOException;
import java.util.HashMap;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonParserToRowDataConverters;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.StreamReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.json.JsonReadFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.jackson.JacksonMapperFactory;

/** Reads a record with the converters of Flink's own JSON format where it is not plain, and more strictly. */
public class CheckedJson extends CheckedReader {

    private final String[] names;
    private final String[] types;
    private final boolean[] integer;
    private final boolean[] truth;
    private final boolean complete;
    private final boolean nested;
    private final JsonParserToRowDataConverters.JsonParserToRowDataConverter[] converters;

    private transient ObjectMapper mapper;
    private transient HashMap columns;
    private transient long[] seen; // the number of the record in which a column was seen last
    private transient long number;

    public CheckedJson(
            RowType row, TypeInformation type, boolean complete, TimestampFormat timestamps, String[] metadata) {
        super(new PlainJsonReader(row, complete, timestamps), row.getFieldCount(), type, metadata);
        int arity = row.getFieldCount();
        this.complete = complete;
        this.names = new String[arity];
        this.types = new String[arity];
        this.integer = new boolean[arity];
        this.truth = new boolean[arity];
        this.converters = ColumnConverters.of(row, timestamps);
        boolean nested = false;
        for (int i = 0; i < arity; i++) {
            LogicalType column = row.getTypeAt(i);
            names[i] = ((String) row.getFieldNames().get(i)).intern(); // as Jackson's: equal ones are the same
            types[i] = column.asSummaryString();
            integer[i] = column.is(LogicalTypeFamily.INTEGER_NUMERIC);
            truth[i] = column.is(LogicalTypeRoot.BOOLEAN);
            nested |= !column.getChildren().isEmpty();
        }
        this.nested = nested;
    }

    public void open(DeserializationSchema.InitializationContext context) {
        mapper = JacksonMapperFactory.createObjectMapper();
        mapper.configure(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS.mappedFeature(), true);
        mapper.configure(StreamReadFeature.USE_FAST_DOUBLE_PARSER.mappedFeature(), true);
        mapper.enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
        if (nested) {
            // Flink's converter of a row counts the names it has seen: with one twice, it passes over the last column.
            mapper.getFactory().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
        }
        columns = new HashMap();
        for (int i = 0; i < names.length; i++) {
            columns.put(names[i], new Integer(i));
        }
        seen = new long[names.length];
    }

    String read(byte[] message, GenericRowData row) {
        String problem = Encoding.problem(message);
        return problem == null ? fill(message, row) : problem;
    }

    private String fill(byte[] message, GenericRowData row) {
        JsonParser parser = null;
        int column = -1;
        try {
            parser = mapper.getFactory().createParser(message);
            parser.nextToken(); // the brace that the record begins with
            int found = 0;
            number++;
            int next = 0; // a record's fields mostly stand in the order of the columns
            String name = parser.nextFieldName();
            while (name != null) {
                JsonToken token = parser.nextToken();
                int known = next < names.length && names[next].equals(name) ? next : at(name);
                if (known < 0) {
                    parser.skipChildren();
                } else {
                    column = known;
                    next = known + 1;
                    if (seen[column] == number) {
                        return "field " + name + " is there twice" + Problem.where(parser);
                    }
                    seen[column] = number;
                    found++;
                    if (!fits(parser, token, column)) {
                        return Problem.of(parser, name, types[column], null);
                    }
                    Object value = converters[column].convert(parser);
                    if (changed(value, token)) {
                        return Problem.of(parser, name, types[column], null);
                    }
                    row.setField(column, value);
                    column = -1;
                }
                name = parser.nextFieldName();
            }
            if (parser.nextToken() != null) {
                return "more stands behind the JSON object" + Problem.where(parser);
            }
            return complete && found < names.length ? "a column is missing" : null;
        } catch (Throwable problem) {
            return Problem.of(parser, column < 0 ? null : names[column], column < 0 ? null : types[column], problem);
        } finally {
            close(parser);
        }
    }

    private int at(String name) {
        Integer known = (Integer) columns.get(name);
        return known == null ? -1 : known.intValue();
    }

    /** Tell values that Flink would change without a word: 1.5 to 1, and "yes" to FALSE. */
    private boolean fits(JsonParser parser, JsonToken token, int column) throws IOException {
        if (integer[column] && token == JsonToken.VALUE_NUMBER_FLOAT) {
            return parser.getDecimalValue().stripTrailingZeros().scale() <= 0;
        }
        if (truth[column] && token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            String text = parser.getText().trim();
            return token == JsonToken.VALUE_NULL || text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false");
        }
        return true;
    }

    /** Tell numbers that no rule could judge, or that are gone: NaN, beyond FLOAT or DOUBLE, beyond a DECIMAL. */
    private static boolean changed(Object value, JsonToken token) {
        if (value instanceof Float) {
            float number = ((Float) value).floatValue();
            return Float.isNaN(number) || Float.isInfinite(number);
        }
        if (value instanceof Double) {
            double number = ((Double) value).doubleValue();
            return Double.isNaN(number) || Double.isInfinite(number);
        }
        return value == null && token != JsonToken.VALUE_NULL;
    }

    private static void close(JsonParser parser) {
        try {
            if (parser != null) {
                parser.close(); // gives back its buffers and the names that it has learnt
            }
        } catch (IOException unheard) {
            // A parser of bytes in memory has nothing that could fail to close.
        }
    }
}
