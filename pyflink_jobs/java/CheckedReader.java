package millstream;

import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.util.Collector;

/**
 * Reads a plain record from its bytes, any other one with care. One that cannot be read gives a row as well: its columns
 * are NULL, its metadata column `error` says why.
 */
abstract class CheckedReader implements DeserializationSchema {

    /** Bytes: as text in base64, with the rest of a record about it, they stay below what a broker takes (1 MB). */
    private static final int LONGEST_KEPT = 500000;

    private final PlainReader plain;
    private final int arity;
    private final TypeInformation type;
    private final String[] metadata;

    /** `plain` is null where no record is plain; `type` is that of `arity` columns and the `metadata` behind them. */
    CheckedReader(PlainReader plain, int arity, TypeInformation type, String[] metadata) {
        this.plain = plain;
        this.arity = arity;
        this.type = type;
        this.metadata = metadata;
    }

    /** Fill a row with the columns of a record; return what is wrong with it, null for nothing. */
    abstract String read(byte[] record, GenericRowData row);

    public void deserialize(byte[] record, Collector out) {
        GenericRowData row = new GenericRowData(arity + metadata.length);
        String error = null;
        if (plain == null || record == null || !plain.read(record, row)) {
            row = new GenericRowData(arity + metadata.length);
            error = record == null ? "the record has no value (a tombstone)" : read(record, row);
            if (error != null) {
                row = new GenericRowData(arity + metadata.length);
            }
        }
        for (int i = 0; i < metadata.length; i++) {
            if (metadata[i].equals("error")) {
                row.setField(arity + i, error == null ? null : StringData.fromString(error));
            } else if (record != null && record.length <= LONGEST_KEPT) {
                row.setField(arity + i, record);
            }
        }
        out.collect(row);
    }

    public Object deserialize(byte[] record) {
        throw new UnsupportedOperationException("rows are handed to a collector");
    }

    public boolean isEndOfStream(Object row) {
        return false;
    }

    public TypeInformation getProducedType() {
        return type;
    }
}
