package millstream;

import java.util.stream.IntStream;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/** Writes NULL for NaN and infinite numbers: JSON has no number for them, and Flink's writes them as text. */
class FiniteNumbers implements SerializationSchema<RowData> {

    private final SerializationSchema<RowData> other;
    private final RowData.FieldGetter[] fields;
    private final int[] floats;
    private final int[] doubles;

    /** Return what writes rows of these columns with another encoder; that itself where no column may be such a number. */
    static SerializationSchema<RowData> writtenBy(SerializationSchema<RowData> other, RowType row) {
        FiniteNumbers made = new FiniteNumbers(other, row);
        return made.floats.length + made.doubles.length == 0 ? other : made;
    }

    private FiniteNumbers(SerializationSchema<RowData> other, RowType row) {
        this.other = other;
        this.fields = new RowData.FieldGetter[row.getFieldCount()];
        for (int at = 0; at < fields.length; at++) {
            fields[at] = RowData.createFieldGetter(row.getTypeAt(at), at);
        }
        this.floats = nullable(row, LogicalTypeRoot.FLOAT);
        this.doubles = nullable(row, LogicalTypeRoot.DOUBLE);
    }

    private static int[] nullable(RowType row, LogicalTypeRoot kind) {
        return IntStream.range(0, row.getFieldCount()).filter(at -> is(row.getTypeAt(at), kind)).toArray();
    }

    private static boolean is(LogicalType type, LogicalTypeRoot kind) {
        return type.isNullable() && type.is(kind);
    }

    @Override
    public void open(InitializationContext context) throws Exception {
        other.open(context);
    }

    @Override
    public byte[] serialize(RowData row) {
        GenericRowData finite = null;
        for (int at : floats) {
            if (!row.isNullAt(at) && !Float.isFinite(row.getFloat(at))) {
                finite = without(at, row, finite);
            }
        }
        for (int at : doubles) {
            if (!row.isNullAt(at) && !Double.isFinite(row.getDouble(at))) {
                finite = without(at, row, finite);
            }
        }
        return other.serialize(finite == null ? row : finite);
    }

    /** Return the row with NULL in a field, and what was in `begun` if that is not null. */
    private GenericRowData without(int field, RowData row, GenericRowData begun) {
        GenericRowData made = begun;
        if (made == null) {
            made = new GenericRowData(row.getRowKind(), fields.length);
            for (int at = 0; at < fields.length; at++) {
                made.setField(at, fields[at].getFieldOrNull(row));
            }
        }
        made.setField(field, null);
        return made;
    }
}
