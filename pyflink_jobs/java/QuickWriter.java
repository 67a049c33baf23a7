package millstream;

import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.table.data.RowData;

/** Writes a plain row as bytes; any other one is left to Flink. */
public class QuickWriter implements SerializationSchema, ResultTypeQueryable {

    private final SerializationSchema flinks;
    private final PlainWriter plain;

    QuickWriter(SerializationSchema flinks, PlainWriter plain) {
        this.flinks = flinks;
        this.plain = plain;
    }

    public void open(SerializationSchema.InitializationContext context) throws Exception {
        flinks.open(context);
    }

    public byte[] serialize(Object row) {
        byte[] written = plain.write((RowData) row);
        return written == null ? flinks.serialize(row) : written;
    }

    /** Return what it writes: Flink looks for it in the generics of this class otherwise, and there are none. */
    public TypeInformation getProducedType() {
        return TypeInformation.of(RowData.class);
    }
}
