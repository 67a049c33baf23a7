package millstream;

import java.io.IOException;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.util.Collector;

/** Reads a plain record from its bytes; any other one is left to Flink. */
public class QuickReader implements DeserializationSchema {

    private final DeserializationSchema flinks;
    private final PlainReader plain;
    private final int arity;

    QuickReader(DeserializationSchema flinks, PlainReader plain, int arity) {
        this.flinks = flinks;
        this.plain = plain;
        this.arity = arity;
    }

    public void open(DeserializationSchema.InitializationContext context) throws Exception {
        flinks.open(context);
    }

    public void deserialize(byte[] record, Collector out) throws IOException {
        GenericRowData row = new GenericRowData(arity);
        if (record != null && plain.read(record, row)) {
            out.collect(row);
        } else {
            flinks.deserialize(record, out);
        }
    }

    public Object deserialize(byte[] record) {
        throw new UnsupportedOperationException("rows are handed to a collector");
    }

    public boolean isEndOfStream(Object row) {
        return false;
    }

    public TypeInformation getProducedType() {
        return flinks.getProducedType();
    }
}
