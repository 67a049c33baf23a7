package peers;

import org.apache.flink.avro.shaded.org.apache.avro.AvroRuntimeException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.specific.SpecificRecordBase;

/** An Avro record of the output topic, as Avro's generator writes such classes. */
public class AvroScore extends SpecificRecordBase {
    public static final Schema SCHEMA$ = new Schema.Parser().parse(
            "{\"type\": \"record\", \"name\": \"AvroScore\", \"namespace\": \"peers\", \"fields\": ["
            + "{\"name\": \"id\", \"type\": [\"null\", \"long\"]}, "
            + "{\"name\": \"sent_us\", \"type\": [\"null\", \"long\"]}, "
            + "{\"name\": \"y\", \"type\": [\"null\", \"float\"]}]}");

    public long id;
    public long sent_us;
    public float y;

    public Schema getSchema() {
        return SCHEMA$;
    }

    public Object get(int field) {
        switch (field) {
            case 0:
                return Long.valueOf(id);
            case 1:
                return Long.valueOf(sent_us);
            case 2:
                return Float.valueOf(y);
            default:
                throw new AvroRuntimeException("no field " + field);
        }
    }

    public void put(int field, Object value) {
        switch (field) {
            case 0:
                id = ((Long) value).longValue();
                break;
            case 1:
                sent_us = ((Long) value).longValue();
                break;
            case 2:
                y = ((Float) value).floatValue();
                break;
            default:
                throw new AvroRuntimeException("no field " + field);
        }
    }
}
