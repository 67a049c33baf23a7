package millstream;

import java.util.Arrays;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Writes plain rows in Avro's binary encoding. */
class PlainAvroWriter implements PlainWriter {

    private static final int LONGEST_NUMBER = 10; // bytes

    private final int[] types;
    private final boolean[] nullable;

    private transient byte[] buffer;
    private transient int length;

    PlainAvroWriter(RowType row) {
        this.types = PlainAvro.types(row);
        this.nullable = PlainAvro.nullable(row);
    }

    public byte[] write(RowData row) {
        if (buffer == null) {
            buffer = new byte[256];
        }
        length = 0;
        for (int i = 0; i < types.length; i++) {
            reserve(2 * LONGEST_NUMBER);
            boolean isNull = row.isNullAt(i);
            if (nullable[i]) {
                putVarint(isNull ? PlainAvro.NULL : PlainAvro.VALUE);
            } else if (isNull) {
                return null;
            }
            if (!isNull && !putValue(row, i)) {
                return null;
            }
        }
        return Arrays.copyOf(buffer, length);
    }

    private boolean putValue(RowData row, int column) {
        switch (types[column]) {
            case PlainType.TRUTH:
                buffer[length++] = (byte) (row.getBoolean(column) ? 1 : 0);
                return true;
            case PlainType.TINYINT:
                putVarint(row.getByte(column));
                return true;
            case PlainType.SMALLINT:
                putVarint(row.getShort(column));
                return true;
            case PlainType.INTEGER:
                putVarint(row.getInt(column));
                return true;
            case PlainType.BIGINT:
                putVarint(row.getLong(column));
                return true;
            case PlainType.FLOAT:
                putLittleEndian(Float.floatToRawIntBits(row.getFloat(column)), 4);
                return true;
            case PlainType.DOUBLE:
                putLittleEndian(Double.doubleToRawLongBits(row.getDouble(column)), 8);
                return true;
            default:
                return putText(row.getString(column).toBytes());
        }
    }

    /** Write text in ASCII; other bytes may be no UTF-8, which Flink mends. */
    private boolean putText(byte[] text) {
        for (int i = 0; i < text.length; i++) {
            if (text[i] < 0) {
                return false;
            }
        }
        putVarint(text.length);
        reserve(text.length);
        System.arraycopy(text, 0, buffer, length, text.length);
        length += text.length;
        return true;
    }

    private void putLittleEndian(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            buffer[length++] = (byte) (value >>> 8 * i);
        }
    }

    private void putVarint(long value) {
        long rest = value << 1 ^ value >> 63;
        while ((rest & ~127L) != 0) {
            buffer[length++] = (byte) (rest & 127 | 128);
            rest >>>= 7;
        }
        buffer[length++] = (byte) rest;
    }

    private void reserve(int more) {
        if (length + more > buffer.length) {
            buffer = Arrays.copyOf(buffer, 2 * (length + more));
        }
    }
}
