package peers;

import java.nio.FloatBuffer;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.specific.SpecificRecordBase;

/** An Avro record of the input topic: what Avro's generator would write, with the floats in one array. */
public class AvroEvent extends SpecificRecordBase implements Features {
    private static final int COLUMNS = 16;
    public static final Schema SCHEMA$ = schema();

    private long id;
    private long sentUs;
    private final float[] x = new float[COLUMNS];

    public Schema getSchema() {
        return SCHEMA$;
    }

    public Object get(int field) {
        if (field == 0) {
            return Long.valueOf(id);
        }
        return field == 1 ? (Object) Long.valueOf(sentUs) : (Object) Float.valueOf(x[field - 2]);
    }

    public void put(int field, Object value) {
        if (field == 0) {
            id = ((Long) value).longValue();
        } else if (field == 1) {
            sentUs = ((Long) value).longValue();
        } else {
            x[field - 2] = ((Float) value).floatValue();
        }
    }

    public long id() {
        return id;
    }

    public long sentUs() {
        return sentUs;
    }

    public void appendTo(FloatBuffer rows) {
        rows.put(x);
    }

    private static Schema schema() {
        StringBuilder fields = new StringBuilder(field("id", "long")).append(field("sent_us", "long"));
        for (int i = 0; i < COLUMNS; i++) {
            fields.append(field("x" + i, "float"));
        }
        fields.setLength(fields.length() - 1);
        String head = "{\"type\": \"record\", \"name\": \"AvroEvent\", \"namespace\": \"peers\", \"fields\": [";
        return new Schema.Parser().parse(head + fields + "]}");
    }

    private static String field(String name, String type) {
        return "{\"name\": \"" + name + "\", \"type\": [\"null\", \"" + type + "\"]},";
    }
}
