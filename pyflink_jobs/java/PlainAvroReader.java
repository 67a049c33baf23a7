package millstream;

import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.RowType;

/** Reads plain rows in Avro's binary encoding. What it cannot read, Flink shall judge. */
class PlainAvroReader implements PlainReader {

    private final int[] types;
    private final boolean[] nullable;

    private transient byte[] record;
    private transient int at;

    PlainAvroReader(RowType row) {
        this.types = PlainAvro.types(row);
        this.nullable = PlainAvro.nullable(row);
    }

    public boolean read(byte[] record, GenericRowData row) {
        this.record = record;
        this.at = 0;
        try {
            for (int i = 0; i < types.length; i++) {
                long branch = nullable[i] ? varint() : PlainAvro.VALUE;
                if (branch == PlainAvro.NULL) {
                    continue;
                }
                Object value = branch == PlainAvro.VALUE ? value(types[i]) : null;
                if (value == null) {
                    return false;
                }
                row.setField(i, value);
            }
            return at == record.length;
        } catch (ArrayIndexOutOfBoundsException cutOff) {
            return false;
        }
    }

    private Object value(int type) {
        switch (type) {
            case PlainType.TRUTH:
                byte truth = record[at++];
                return truth == 1 ? Boolean.TRUE : truth == 0 ? Boolean.FALSE : null;
            case PlainType.FLOAT:
                return Float.valueOf(Float.intBitsToFloat((int) littleEndian(4)));
            case PlainType.DOUBLE:
                return Double.valueOf(Double.longBitsToDouble(littleEndian(8)));
            case PlainType.TEXT:
                return text();
            default:
                return PlainType.integer(type, varint());
        }
    }

    /** Return text in ASCII; other bytes may be no UTF-8, which Flink mends. */
    private Object text() {
        long length = varint();
        if (length < 0 || length > record.length - at) {
            return null;
        }
        int start = at;
        at += (int) length;
        for (int i = start; i < at; i++) {
            if (record[i] < 0) {
                return null;
            }
        }
        return StringData.fromBytes(record, start, (int) length);
    }

    private long littleEndian(int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | (record[at + i] & 255);
        }
        at += bytes;
        return value;
    }

    /** Return a zigzag varint; one with more than 64 bits ends as if the record were cut off. */
    private long varint() {
        long value = 0;
        for (int shift = 0; shift <= 63; shift += 7) {
            byte part = record[at++];
            value |= (part & 127L) << shift;
            if (part >= 0) {
                return value >>> 1 ^ -(value & 1);
            }
        }
        throw new ArrayIndexOutOfBoundsException(at);
    }
}
