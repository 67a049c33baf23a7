package peers;

import java.nio.FloatBuffer;
import org.apache.flink.avro.shaded.org.apache.avro.AvroRuntimeException;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.specific.SpecificRecordBase;

/** An Avro record of the input topic, as Avro's generator writes such classes. */
public class AvroEvent extends SpecificRecordBase implements Features {
    public static final Schema SCHEMA$ = schema();

    public long id;
    public long sent_us;
    public float x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15;

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
                return Float.valueOf(x0);
            case 3:
                return Float.valueOf(x1);
            case 4:
                return Float.valueOf(x2);
            case 5:
                return Float.valueOf(x3);
            case 6:
                return Float.valueOf(x4);
            case 7:
                return Float.valueOf(x5);
            case 8:
                return Float.valueOf(x6);
            case 9:
                return Float.valueOf(x7);
            case 10:
                return Float.valueOf(x8);
            case 11:
                return Float.valueOf(x9);
            case 12:
                return Float.valueOf(x10);
            case 13:
                return Float.valueOf(x11);
            case 14:
                return Float.valueOf(x12);
            case 15:
                return Float.valueOf(x13);
            case 16:
                return Float.valueOf(x14);
            case 17:
                return Float.valueOf(x15);
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
                x0 = ((Float) value).floatValue();
                break;
            case 3:
                x1 = ((Float) value).floatValue();
                break;
            case 4:
                x2 = ((Float) value).floatValue();
                break;
            case 5:
                x3 = ((Float) value).floatValue();
                break;
            case 6:
                x4 = ((Float) value).floatValue();
                break;
            case 7:
                x5 = ((Float) value).floatValue();
                break;
            case 8:
                x6 = ((Float) value).floatValue();
                break;
            case 9:
                x7 = ((Float) value).floatValue();
                break;
            case 10:
                x8 = ((Float) value).floatValue();
                break;
            case 11:
                x9 = ((Float) value).floatValue();
                break;
            case 12:
                x10 = ((Float) value).floatValue();
                break;
            case 13:
                x11 = ((Float) value).floatValue();
                break;
            case 14:
                x12 = ((Float) value).floatValue();
                break;
            case 15:
                x13 = ((Float) value).floatValue();
                break;
            case 16:
                x14 = ((Float) value).floatValue();
                break;
            case 17:
                x15 = ((Float) value).floatValue();
                break;
            default:
                throw new AvroRuntimeException("no field " + field);
        }
    }

    public long id() {
        return id;
    }

    public long sentUs() {
        return sent_us;
    }

    public void appendTo(FloatBuffer rows) {
        rows.put(x0).put(x1).put(x2).put(x3).put(x4).put(x5).put(x6).put(x7);
        rows.put(x8).put(x9).put(x10).put(x11).put(x12).put(x13).put(x14).put(x15);
    }

    private static Schema schema() {
        StringBuilder fields = new StringBuilder(field("id", "long")).append(field("sent_us", "long"));
        for (int i = 0; i < 16; i++) {
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
