package millstream;

import java.io.IOException;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.util.Collector;

/** Reads plain JSON straight from its bytes, any other record with another decoder. */
public class QuickJson extends RowDecoder {

    private final PlainJsonReader plain;
    private final DeserializationSchema<RowData> other;
    private final int arity;

    /** `complete` is whether each column must be there. */
    public QuickJson(RowType row, boolean complete, TimestampFormat timestamps, DeserializationSchema<RowData> other) {
        super(other.getProducedType());
        this.plain = new PlainJsonReader(row, complete, timestamps);
        this.other = other;
        this.arity = row.getFieldCount();
    }

    @Override
    public void open(InitializationContext context) throws Exception {
        other.open(context);
    }

    @Override
    public void deserialize(byte[] record, Collector<RowData> out) throws IOException {
        GenericRowData row = new GenericRowData(arity);
        if (record != null && plain.read(record, row)) {
            out.collect(row);
        } else {
            other.deserialize(record, out);
        }
    }
}
