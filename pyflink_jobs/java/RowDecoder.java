package millstream;

import java.io.IOException;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.RowData;

/** Makes rows of one type, to the end of the stream. A subclass has one of the two methods `deserialize`. */
public abstract class RowDecoder implements DeserializationSchema<RowData> {

    private final TypeInformation<RowData> type;

    protected RowDecoder(TypeInformation<RowData> type) {
        this.type = type;
    }

    @Override
    public RowData deserialize(byte[] record) throws IOException {
        throw new UnsupportedOperationException("rows go to a collector");
    }

    @Override
    public boolean isEndOfStream(RowData row) {
        return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return type;
    }
}
