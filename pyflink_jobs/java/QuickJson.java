package millstream;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.util.Collector;

/** Reads a plain record from its bytes; any other one is left to Flink's JSON format. */
public class QuickJson implements DeserializationSchema {

    private final DeserializationSchema flinks;
    private final PlainRecord plain;
    private final int arity;

    QuickJson(DeserializationSchema flinks, PlainRecord plain, int arity) {
        this.flinks = flinks;
        this.plain = plain;
        this.arity = arity;
    }

    public void open(DeserializationSchema.InitializationContext context) throws Exception {
        flinks.open(context);
    }

    public void deserialize(byte[] message, Collector out) throws java.io.IOException {
        GenericRowData row = new GenericRowData(arity);
        if (Encoding.problem(message) == null && plain.read(message, row)) {
            out.collect(row);
        } else {
            flinks.deserialize(message, out);
        }
    }

    public Object deserialize(byte[] message) {
        throw new UnsupportedOperationException("rows are handed to a collector");
    }

    public boolean isEndOfStream(Object row) {
        return false;
    }

    public TypeInformation getProducedType() {
        return flinks.getProducedType();
    }
}
