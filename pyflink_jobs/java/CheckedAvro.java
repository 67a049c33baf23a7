package millstream;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.types.logical.RowType;

/** Reads a record with Flink's own Avro format where it is not plain. */
public class CheckedAvro extends CheckedReader {

    private final DeserializationSchema flinks;
    private final int arity;

    CheckedAvro(DeserializationSchema flinks, PlainReader plain, RowType row, TypeInformation type, String[] metadata) {
        super(plain, row.getFieldCount(), type, metadata);
        this.flinks = flinks;
        this.arity = row.getFieldCount();
    }

    public void open(DeserializationSchema.InitializationContext context) throws Exception {
        flinks.open(context);
    }

    String read(byte[] record, GenericRowData row) {
        try {
            GenericRowData found = (GenericRowData) flinks.deserialize(record);
            for (int i = 0; i < arity; i++) {
                row.setField(i, found.getField(i));
            }
            return null;
        } catch (Throwable problem) {
            Throwable inner = problem.getCause() == null ? problem : problem.getCause();
            String why = inner.getMessage() == null ? "the record is cut off" : inner.getMessage();
            return "the record is not the source's columns in Avro: " + why;
        }
    }
}
